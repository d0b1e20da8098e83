/* Private to cli/: a check over time. --for: one sample each period, and what they say together; --until-ok: samples until one is
 * OK. */
#ifndef CLI_CHECK_GATE_H
#define CLI_CHECK_GATE_H

#include "cli/cli.h"

/* How --check runs: its options, else [checks], else what the format says. */
struct check_run {
	const struct check_format *format;
	unsigned deadline_s;            /* of one poll */
	int64_t for_s;                  /* 0: once */
	unsigned fail_limit;
	bool until_ok, warn_is_ok;
	enum verdict_status unknown_is; /* VERDICT_UNKNOWN: as it is */
	unsigned verbose;
	const char *publish, *notify;   /* a namespace, a topic's ARN; NULL */
	bool untold;                    /* one of them failed: no better than UNKNOWN */
};

/* How many samples the time holds, the first at once and the last when it is over. */
unsigned check_samples(const struct check_run *run, int64_t period);
int check_exit(const struct check_run *run, const struct result *r);
/* Never NULL; freed with result_free. Where the wall clock stands still (SLUICE_NOW) nothing waits for the next period. */
struct result *check_over_time(const struct check_run *run, struct engine *g, struct request *rq);

/* check_tell.c: --publish and --notify. False: something was not told, and why was said. */
struct check_view;
bool check_tell(const struct cli *c, struct engine *g, const struct check_run *run, const struct check_view *v);

#endif
