/* What an alarm would have done: its rule over the past, minute by minute, as CloudWatch evaluates (alarms/eval.h); pure. The past is a column
 * of statistic windows, one a step, each the statistic over the period that ends with that step. */
#ifndef ALARMS_BACKTEST_H
#define ALARMS_BACKTEST_H

#include "alarms/eval.h"

#include <stdint.h>

struct backtest_in {
	struct eval_rule rule;
	const double *windows; /* n of them, oldest first, NAN: no datapoint */
	unsigned n;
	unsigned width;        /* steps in a period: the windows of one evaluation stand so far apart */
	unsigned every;        /* steps between two evaluations: 1; of a rule over more than a day an hour's */
	unsigned from;         /* the first step that is evaluated; before it lies what the first evaluation looks back on */
	enum eval_state start; /* before that; EVAL_CURRENT is none */
};
struct backtest {
	unsigned fires;        /* changes into ALARM */
	unsigned transitions;  /* changes of any kind */
	unsigned alarm, insufficient; /* steps in that state */
	unsigned longest;      /* steps of the longest stay in ALARM */
	unsigned steps;        /* evaluated */
	bool by_range;         /* some evaluation hangs on how far back CloudWatch looks, or on how its guide is read (eval.h) */
};
/* states, when not NULL: n of them, the state after each step; before `from` it is the start. */
struct backtest backtest(const struct backtest_in *in, enum eval_state *states);

/* The same with other thresholds and other M of N: at most SWEEP_MOST rows, the rule itself first. */
#define SWEEP_MOST 40
struct sweep_row {
	double threshold;
	unsigned m, n;
	struct backtest result;
};
unsigned backtest_sweep(const struct backtest_in *in, struct sweep_row rows[SWEEP_MOST]);

/* How far two histories of states agree: steps in which both have the same one, of those that both know. */
struct agreement { unsigned same, of; };
struct agreement backtest_agreement(const enum eval_state *ours, const enum eval_state *theirs, unsigned from, unsigned n); /* EVAL_CURRENT: not known */

#endif
