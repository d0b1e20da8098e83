/* Whose turn it is, pure: which rows a poll asks for, and how often each is asked. What is looked at and what is in trouble is asked
 * at every poll, the rest (the tail) less often, and less often still with nobody at the keys. A budget, in metrics a day, slows the tail
 * down further, never what is looked at nor what tells of trouble. Any thread, no clock of its own. */
#ifndef ENGINE_SCHED_H
#define ENGINE_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#define SCHED_REST 300 /* seconds: the tail's interval */
#define SCHED_IDLE 900 /* while nobody is at the keys */
#define SCHED_DAY 86400
#define SCHED_NEVER INT64_MIN

enum sched_class { SCHED_TAIL, SCHED_TROUBLE, SCHED_SELECTED };
/* VITAL: only what tells of its trouble; of a troubled row when rows in trouble alone would outspend the budget. */
enum sched_turn { SCHED_NOT, SCHED_VITAL, SCHED_WHOLE };

struct sched_row {
	unsigned metrics, vital; /* what asking it whole, or only for what is vital, bills */
	enum sched_class class;
	int64_t asked;           /* when it was last asked whole; SCHED_NEVER */
	/* found by sched_plan */
	int64_t every;           /* seconds between two times it is asked whole; of one that waits for money, as far as that can be told */
	int64_t promised;        /* that, when it was last asked: where things go faster since, the line still has to move up */
	enum sched_turn turn;
	bool slowed;             /* the budget's doing */
};

struct sched {
	int64_t now;             /* seconds of a clock that only goes forward, as `asked` is */
	int64_t poll;            /* seconds between two polls */
	int64_t rest;            /* seconds: the tail's interval; 0: SCHED_REST */
	bool idle;               /* nobody is at the keys */
	bool refresh;            /* somebody wants everything now: granted while all of it costs no more than a hundredth of the budget */
	double budget;           /* metrics a day; 0: there is no limit */
	double today;            /* metrics billed since midnight UTC */
	int64_t day_left;        /* seconds until the next one */
	double beyond;           /* of the last 24 hours': what was billed beyond the plan (first fills, refreshes, histories, commands) */
	/* carried from plan to plan; all 0 at first */
	int64_t planned_at;
	double saved;            /* metrics that the tail has not used yet */
	/* found by sched_plan */
	double per_day;          /* metrics a day at these intervals */
	double filling;          /* of this turn's metrics: billed beyond the plan */
	unsigned slowed;         /* rows */
};

/* Fills in the rows' turns and s->per_day, filling and slowed. Rows that were never asked are asked at once, as far as a quarter of the
 * budget goes a day; the others of them wait with the tail, first in its line. n may be 0. */
void sched_plan(struct sched *s, struct sched_row *const *rows, unsigned n);

/* Seconds, at least nine tenths and at most eleven tenths of `every`: so that many sluices do not ask at the same instant. Advances
 * *seed, which must not be 0. */
int64_t sched_jitter(uint64_t *seed, int64_t every);

#endif
