/* The audit log: a SQLite file of its own, $XDG_STATE_HOME/sluice/audit.db, append only. A line is on the disk before what it announces is
 * done; each line's digest covers the line before, so that one that was changed, removed, put in or swapped is found and named. Its end
 * being cut is found only against a copy (the number of lines and the last digest are printed by `audit verify`). */
#ifndef CACHE_AUDIT_H
#define CACHE_AUDIT_H

#include "core/arena.h"
#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>

struct audit;

struct audit_who { const char *user, *host, *ssh_from, *account, *profile, *mode; }; /* borrowed until audit_close */
struct audit_line {
	int64_t n, at_ms;
	const char *user, *host, *ssh_from, *account, *profile, *mode;
	const char *action;  /* sqs:DeleteMessageBatch */
	const char *target;  /* NULL */
	const char *outcome; /* announced, denied, dry-run, success, failure, unknown */
	const char *run;     /* NULL */
	const char *detail;  /* NULL */
	const char *sum;
};

/* folder: sluice's state folder. To read, ERR_NOTFOUND when there is none. */
struct audit *audit_open(const char *folder, bool write, struct err *e);
void audit_close(struct audit *a); /* NULL is fine */
/* True when it is on the disk; between audit_hold and audit_sync, when it will be with that. */
bool audit_add(struct audit *a, const struct audit_who *who, const char *action, const char *target, const char *outcome, const char *run,
               const char *detail, struct err *e);
/* Several lines that reach the disk together, before the first of what they announce is done. audit_sync: true when they have; false, also
 * after an audit_add that failed: none of them has. No other process can add one in between, so nothing may wait there. */
bool audit_hold(struct audit *a, struct err *e);
bool audit_sync(struct audit *a, struct err *e);
/* Oldest first; run NULL: all. */
bool audit_read(struct audit *a, const char *run, struct arena *mem, struct audit_line **v, unsigned *n, struct err *e);
/* ERR_DB names the first line that is not what was written. last: digest of the newest, "" when there is none. */
bool audit_verify(struct audit *a, unsigned *n, char last[65], struct err *e);

#endif
