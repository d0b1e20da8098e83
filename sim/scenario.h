/* Scenarios: an account as it stands at the start (furnish.c), and the law by which its traffic moves from one minute to the
 * next (law.c). The history before the start is made by the same law, run from the past to the present. What clients change
 * (an alias, a mapping, a concurrency) the law heeds from then on. */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

struct world;
struct sim_defect;

/* Minutes before the start at which something began; 0 = it did not. What is on the screen at the start follows. */
struct scenario {
	const char *name, *help;
	const char *as;        /* the traffic is that of this other one, by chance too; NULL: its own */
	bool furnished;
	int64_t history;       /* minutes made before the start */
	const char *faults[4]; /* as in fault.h; NULL = none */
	int64_t poisoned;      /* a batch arrives that v42 of the enriching function cannot take: it holds shard 3 */
	int64_t slowing, slow; /* traffic begins to fall; has fallen to what it is now */
	int64_t dead_letters;  /* the dead-letter queue fills */
	int64_t released;      /* v42 of the enriching function goes live */
	int64_t fixed;         /* v18 of the loader goes live: it reads a date of zeros */
	int64_t reserved;      /* somebody reserves the loader's concurrency: too little */
	int64_t silent;        /* the producer falls silent */
	double tide;           /* of two hours, as a share of the traffic */
	double day;            /* how much less is the traffic of the night, as a share */
	bool enhanced;         /* shard-level metrics */
	bool pool;             /* v42 waits for connections, and fails by chance */
};

bool scenario_at(unsigned i, const char **name, const char **help); /* false past the last */
const struct scenario *scenario_find(const char *name); /* NULL: calm; NULL when unknown */

/* What a stack made, and tagged: the embedded account has one. A stack goes on listing what somebody deletes behind its back. */
struct sim_member {
	const char *type, *logical, *name; /* AWS::SQS::Queue */
	const char *service, *prefix;      /* of its ARN; NULL: it has no tags */
	bool deleted;                      /* by the stack itself: DELETE_COMPLETE, and gone */
};
#define SIM_STACK "orders-prod"
const struct sim_member *scenario_members(const struct world *w, unsigned *n); /* none in an empty account */
const struct sim_defect *scenario_defects(const struct world *w, unsigned *n);

uint64_t scenario_seed(const struct scenario *s);
void scenario_start(struct world *w); /* furnishes the account; w->minute goes back to where history begins */
void scenario_minute(struct world *w, int64_t minute); /* the traffic of one minute */

/* What these three files share. */
#define SCENARIO_DLQ_NOW 1291 /* dead letters at the start */
#define SCENARIO_TRIES 1412   /* of the batch that holds the shard, by the start */
#define SCENARIO_RECEIVES 5   /* before a message is given up */
#define SCENARIO_HELD 3       /* which shard */
#define SCENARIO_POISON_AT 36 /* the 37th record of its batch, and of the shard */
void furnish(struct world *w);
void furnish_minute(struct world *w, int64_t minute);                /* what people do in this minute */
bool scenario_since(const struct world *w, int64_t minutes_ago, int64_t minute); /* false for 0 */
void law_minute(struct world *w, int64_t minute);
/* Dead letters, by number: what each is. */
struct sim_letter {
	char id[37];
	char *body; /* the caller frees */
	int shape;  /* enum sim_shape */
};
struct sim_letter letter_of(const struct world *w, int64_t number);
int64_t letters_by(const struct world *w, int64_t minute); /* how many have died before it */

#endif
