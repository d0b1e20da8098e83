/* The first contact with an account: what was found there by calls that cost nothing, and what watching it would cost. */
#ifndef CORE_MODEL_FIRST_H
#define CORE_MODEL_FIRST_H

#include <stdbool.h>
#include <stdint.h>

struct first_cost {
	unsigned resources, metrics;
	double usd_per_day;  /* within the budget, while nothing is in trouble */
	double fill_usd;     /* of the first request for all of it */
	int64_t every;       /* seconds between two polls of a resource that is neither looked at nor in trouble */
	bool slowed;         /* the budget has made that longer */
};

struct first_contact {
	struct first_cost all;
	const struct first_cost *pipelines; /* one for each of the snapshot's */
};

enum first_choice { FIRST_EVERYTHING, FIRST_TAG, FIRST_PREFIX, FIRST_PIPELINE };

#endif
