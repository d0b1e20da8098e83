/* Where a command's result leaves: standard output or a file, as text, tab-separated lines, CSV or JSON. Own words go out
 * as they are; everything that came from outside goes through out_text or out_csv (or json_out, which filters itself).
 * Nothing is printed by halves unnoticed: out_end says whether all of it was written. */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include "core/buf.h"
#include "core/err.h"
#include "core/json.h"

#include <stdbool.h>
#include <sys/types.h>

struct cli;
struct out {
	struct buf b;
	int fd;
	int error;            /* errno of the first write that failed */
	bool tty;
	char *path, *temp;    /* of a file; temp is renamed to path at the end */
};

void out_init(struct out *o);                                        /* standard output */
/* A regular file appears whole under its name or not at all, a new one with this mode; a device or pipe is written to as it is. */
bool out_init_file(struct out *o, const char *path, mode_t mode, struct err *e);
void out_own(struct out *o, const char *own);                        /* sluice's own words */
void out_ownf(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void out_text(struct out *o, const char *any);                       /* filtered; NULL is empty */
/* One CSV cell (RFC 4180): filtered, quoted when it must be, and kept from being a spreadsheet's formula. */
void out_csv(struct out *o, const char *any);
/* Writes what is left and closes. Returns status, or 141 when the reader has gone, or what cli_fail says. */
int out_end(struct out *o, const struct cli *c, int status);
/* Something failed before the result was whole: nothing more is written, a file keeps its old content. */
void out_drop(struct out *o);

/* Rows of cells (already visible text): aligned on a terminal, tab-separated otherwise. */
struct table { char **cells; unsigned n, cap, columns; unsigned right; /* bit per column */ };
void table_init(struct table *t, unsigned columns, unsigned right);
void table_add(struct table *t, const char *any);                    /* next cell, row by row; filtered */
void table_print(struct table *t, struct out *o);                    /* and clears */

#endif
