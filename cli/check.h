/* Private to cli/: a --check result on its way out. */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "cli/check_formats.h"
#include "cli/cli.h"
#include "cli/out.h"

#include <sys/types.h>

/* order: indices of the verdicts, worst first. fail: why the request as a whole failed, or code OK. */
struct check_view {
	const struct check_result *result;
	const struct err *fail;
	const unsigned *order;
	const struct verdict *whole; /* UNKNOWN, when the run failed as a whole or judged nothing: a reader who counts rows must
	                              * not count none; NULL otherwise */
	enum verdict_status status;
	int exit;
	unsigned verbose;            /* -v */
	int64_t took_ms;             /* asking AWS */
	const char *file;            /* --out as given; NULL: standard output */
};

struct check_format {
	const char *name;
	void (*print)(struct out *o, const struct check_view *v);
	unsigned seconds;
	int help;
	mode_t mode;
};
const struct check_format *check_format(const char *name); /* NULL: the first; NULL when there is none of this name */

#define X(name, ...) void check_##name(struct out *o, const struct check_view *v);
CHECK_FORMATS(X)
#undef X

/* ---- check_view.c: what the forms share */
unsigned check_rows(const struct check_view *v);                          /* the whole, if it is one, and the verdicts */
const struct verdict *check_row(const struct check_view *v, unsigned i);  /* worst first */
bool check_is_trouble(const struct verdict *v);                           /* CRITICAL, UNKNOWN or WARNING */
const char *verdict_name(enum verdict_status s);
/* "CODE reason", visible characters only. */
void verdict_reason(const struct verdict *v, struct buf *out);
/* "CRITICAL: 1 critical, 0 unknown, ..." */
void check_counts(const struct check_view *v, struct buf *out);
/* "42 metrics billed, $0.0004" */
void check_cost(const struct check_result *r, struct buf *out);
/* "value 7.8 Percent, critical 5, window ..." : everything else that is known of a verdict, visible characters only */
void verdict_details(const struct verdict *v, struct buf *out);
#define CHECK_DEFAULTS "no check is configured: these are sluice's own defaults, see sluice help check"

/* Counts, cost and whether these are defaults, a line each, as the text form ends. */
void check_summary(struct out *o, const struct check_view *v);
/* Visible text in at most so many cells, a cut marked with ~. */
void check_clip(struct buf *line, struct span s, unsigned cells);

/* The one filter, then a form's own escaping: as(c) is what stands for the byte c, NULL for itself. The filter never makes a
 * byte that a form escapes disappear, so what comes out reads back as one field. */
void check_escape(struct buf *out, const char *any, const char *(*as)(char c));
void check_escape_visible(struct buf *out, struct span visible, const char *(*as)(char c));
void check_escape_reason(struct buf *out, const struct verdict *v, const char *(*as)(char c));

/* There is no result: the line that a monitoring server shows, on standard output. */
void check_nagios_fail(const struct err *e);
/* What a GitHub runner would take for one of its old commands, "##[...", wherever in a line it stands, is broken up. */
void check_github_guard(struct buf *out, struct span visible);

#endif
