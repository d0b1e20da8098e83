/* Temporary keys: what STS, SSO, instance metadata and container endpoints hand out. Real ones: the simulator takes them,
 * with their session token, until they expire. */
#ifndef SIM_SIM_GRANT_H
#define SIM_SIM_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_req;
struct world;

struct sim_grant {
	char akid[24], secret[44], token[300];
	char who[200];     /* ARN of the session */
	int64_t until_ms;  /* by this machine's clock, not the simulated one: clients compare it with theirs */
	bool revoked;
};

/* The pointer holds until the next one is made: the oldest go when there are too many. */
const struct sim_grant *grant_new(struct world *w, const char *who, int64_t seconds);
/* The one that is still good for a while, else a new one: how instances and containers get theirs. */
const struct sim_grant *grant_current(struct world *w, const struct sim_req *rq, const char *who, int64_t seconds);
int64_t grant_seconds(struct world *w, const struct sim_req *rq, int64_t seconds); /* or what a fault says */
struct sim_grant *grant_find(struct world *w, const char *akid); /* NULL: never given, or forgotten */
bool grant_alive(const struct sim_grant *g);
/* The ARN behind an access key: a session's, or the user's. */
void grant_caller(const struct world *w, const char *akid, char *out, size_t size);
void grants_free(struct world *w);

void sim_random_text(char *out, size_t n, const char *alphabet); /* n <= 64; writes n + 1 bytes */

#endif
