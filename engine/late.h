/* How late a namespace's points are, learned from what is read again; pure. CloudWatch converges: a period's point may be missing
 * at first, and change after it came. A poll looks at each period many times while it ages. When it is no longer read again, it is
 * known what stayed, and so for each of those looks, at what age, whether it had found that already. Of the looks at some age at
 * least 95 % must have: the least such age is the delay. That counts fairly however often is polled,
 * which the first sight of a point does not: seen a minute later, it may have been there for most of it. Periods that never got a
 * point say nothing. Seconds everywhere, `now` is the caller's. */
#ifndef ENGINE_LATE_H
#define ENGINE_LATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct json;

#define LATE_UNKNOWN 120 /* until it is learned */
#define LATE_LEAST 15    /* what is learned lies within these: a poll reads ten periods again, five of them behind the delay */
#define LATE_MOST 300
#define LATE_BIN 15      /* ages are told apart this finely */
#define LATE_BINS 32     /* a period is watched so long: 8 minutes */
#define LATE_NAMESPACES 64
#define LATE_WATCHED 128 /* measures of a namespace that teach: the others come the same way */

/* Of one namespace. Counts fade: every hour they are halved. */
struct lateness {
	char *ns;
	double looked[LATE_BINS], final[LATE_BINS]; /* by age: looks, and those that found what stayed */
	double points;                              /* how many periods they were of */
	int64_t halved;                             /* when; 0: never */
	int64_t delay;                              /* learned; 0: not yet */
	unsigned watched;
};

/* Of one measure with points of one minute: what its last looks found. */
#define LATE_STEP 60
#define LATE_SLOTS 16
struct watch {
	int64_t looks[LATE_SLOTS]; /* whole answers, a ring; 0: none */
	unsigned nlooks;           /* ever */
	struct {
		int64_t t, changed; /* t 0: nothing; changed: when it was first seen as it is now */
		double v;
	} slot[LATE_SLOTS];
};

void watch_point(struct watch *w, struct lateness *l, int64_t t, double v, int64_t now);
/* A whole answer has come, its points were given. */
void watch_look(struct watch *w, struct lateness *l, int64_t now);
/* The first of the looks at or after `at`; 0: none of those it remembers. */
int64_t watch_first(const struct watch *w, int64_t at);

/* After a poll: the delay grows at once, and shrinks when the counts are halved. True when it, or an hour, has passed: worth keeping. */
bool lateness_learn(struct lateness *l, int64_t now);

struct late {
	struct lateness *v[LATE_NAMESPACES];
	unsigned n;
	bool loaded, changed; /* from the history; since it was kept */
	int64_t correction;   /* of the clock, when last looked */
};
struct lateness *late_find(const struct late *l, const char *ns);         /* NULL: nothing is known of it */
struct lateness *late_add(struct late *l, const char *ns);                /* NULL: there are too many */
static inline int64_t late_delay(const struct late *l, const char *ns)    /* learned, or until then what is assumed */
{
	const struct lateness *of = ns ? late_find(l, ns) : NULL;
	return of && of->delay ? of->delay : LATE_UNKNOWN;
}
void late_clear(struct late *l);  /* what was learned; the namespaces stay, for measures point to them */
void late_free(struct late *l);
void late_write(const struct late *l, struct buf *out); /* JSON */
void late_read(struct late *l, const struct json *doc); /* what is not sound is passed over */

#endif
