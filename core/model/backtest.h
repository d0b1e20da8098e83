/* What an alarm's rule would have done over a span of the past. */
#ifndef CORE_MODEL_BACKTEST_H
#define CORE_MODEL_BACKTEST_H

#include <stdbool.h>
#include <stdint.h>

struct backtest_count { /* minutes and changes of state, of one rule over one span */
	double threshold;
	unsigned m, n;
	unsigned fires, transitions;
	int64_t alarm_s, longest_s, insufficient_s;
	unsigned real;         /* fires during which, or within half an hour of which, an incident was noted */
	bool unsure;           /* some of it hangs on what CloudWatch does not say (alarms/eval.h) */
};
struct backtest_result {
	bool done;             /* else alarm.local.why, or points_err */
	int64_t from, to;
	uint32_t step;
	struct backtest_count final;  /* by today's datapoints */
	bool has_seen;
	struct backtest_count seen;   /* by what each datapoint was when the history first had it */
	unsigned held, revised;       /* datapoints that the history holds, and of these that were another then; of has_seen */
	bool seen_whole;              /* the history kept all such changes */
	const struct backtest_count *sweep; /* other thresholds and M of N, the rule itself first */
	unsigned nsweep;
	unsigned incidents;           /* noted in the span; 0: `real` says nothing */
	int64_t compared_s, agreed_s; /* with what CloudWatch's own history says its state was; 0: it says nothing of the span */
	unsigned their_fires;         /* of that history */
};

#endif
