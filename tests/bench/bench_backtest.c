/* bench_backtest ALARMS: 15 days of minutes for so many alarms, back-tested, and the same with the slow evaluator of the unit test. Prints
 * seconds of ours, seconds of the other, fires; or says where they differ. */
#include "alarms/backtest.h"
#include "core/clock.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/slow_backtest.h"

#define MINUTES (15 * 24 * 60)

static double sample[MINUTES][SAMPLES], sum[MINUTES], windows[MINUTES];
static unsigned counts[MINUTES];
static enum eval_state ours[MINUTES], theirs[MINUTES];

static void make(struct past *p)
{
	for (unsigned i = 0; i < MINUTES; i++) {
		p->n[i] = rand() % 50 ? 1 + (unsigned)rand() % SAMPLES : 0;
		sum[i] = p->n[i] ? 0 : NAN;
		for (unsigned k = 0; k < p->n[i]; k++)
			sum[i] += p->sample[i][k] = rand() % 200 ? rand() % 4 : 40;
	}
}

int main(int argc, char **argv)
{
	struct past p = { MINUTES, sample, counts };
	unsigned alarms = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000, fires = 0;
	int64_t fast_ms = 0, slow_ms = 0;
	srand(15);
	make(&p);
	for (unsigned a = 0; a < alarms; a++) {
		unsigned width = 1 + a % 5, n = 1 + a % 5;
		struct eval_rule r = {
			.n = n, .m = 1 + a % n, .threshold = 8 + a % 20, .compare = EVAL_GT, .missing = (enum eval_missing)(a % 4)
		};
		int64_t begun = clock_mono_ms();
		struct eval_minutes m = { MINUTES, sum, sum, sum, sum };
		for (unsigned i = 0; i < MINUTES; i++)
			windows[i] = eval_window(EVAL_SUM, &m, (long)i + 1 - width, width);
		struct backtest_in in = {
			.rule = r, .windows = windows, .n = MINUTES, .width = width, .every = 1, .start = EVAL_INSUFFICIENT
		};
		fires += backtest(&in, ours).fires;
		fast_ms += clock_mono_ms() - begun;
		begun = clock_mono_ms();
		slow_test(&p, EVAL_SUM, &r, width, 1, 0, theirs);
		slow_ms += clock_mono_ms() - begun;
		if (memcmp(ours, theirs, sizeof ours) != 0) {
			printf("alarm %u differs\n", a);
			return 1;
		}
	}
	printf("%.3f %.3f %u\n", (double)fast_ms / 1000, (double)slow_ms / 1000, fires);
	return 0;
}
