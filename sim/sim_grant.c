#include "sim/sim_grant.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP 4096
#define EARLY_MS 300000 /* before the old ones end there are new ones */

void sim_random_text(char *out, size_t n, const char *alphabet)
{
	unsigned char raw[64];
	size_t m = strlen(alphabet);
	hash_random(raw, sizeof raw);
	for (size_t i = 0; i < n; i++)
		out[i] = alphabet[raw[i] % m];
	out[n] = '\0';
}

static void make_token(char *out, size_t size)
{
	unsigned char raw[216];
	struct buf b;
	buf_init(&b, 512);
	hash_random(raw, sizeof raw);
	hash_base64(&b, raw, sizeof raw);
	snprintf(out, size, "%s", b.p);
	buf_clear(&b);
}

const struct sim_grant *grant_new(struct world *w, const char *who, int64_t seconds)
{
	if (w->ngrants == KEEP) {
		w->ngrants -= KEEP / 4;
		memmove(w->grants, w->grants + KEEP / 4, w->ngrants * sizeof *w->grants);
	}
	MEM_GROW(w->grants, w->ngrants, w->capgrants);
	struct sim_grant *g = &w->grants[w->ngrants++];
	*g = (struct sim_grant){ .until_ms = clock_wall_ms() + seconds * 1000 };
	memcpy(g->akid, "ASIA", 4);
	sim_random_text(g->akid + 4, 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
	sim_random_text(g->secret, 40, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	make_token(g->token, sizeof g->token);
	snprintf(g->who, sizeof g->who, "%s", who);
	return g;
}

int64_t grant_seconds(struct world *w, const struct sim_req *rq, int64_t seconds)
{
	const struct fault_on *on = fault_inside(w, rq, FAULT_LIFETIME);
	return on ? on->param : seconds;
}

const struct sim_grant *grant_current(struct world *w, const struct sim_req *rq, const char *who, int64_t seconds)
{
	int64_t life_ms = grant_seconds(w, rq, seconds) * 1000, early_ms = life_ms / 2 < EARLY_MS ? life_ms / 2 : EARLY_MS;
	for (unsigned i = w->ngrants; i-- > 0;) {
		const struct sim_grant *g = &w->grants[i];
		int64_t left = g->until_ms - clock_wall_ms();
		if (strcmp(g->who, who) == 0 && !g->revoked && left > early_ms && left <= life_ms)
			return g;
	}
	return grant_new(w, who, life_ms / 1000);
}

struct sim_grant *grant_find(struct world *w, const char *akid)
{
	for (unsigned i = w->ngrants; i-- > 0;)
		if (strcmp(w->grants[i].akid, akid) == 0)
			return &w->grants[i];
	return NULL;
}

bool grant_alive(const struct sim_grant *g)
{
	return !g->revoked && clock_wall_ms() < g->until_ms;
}

void grant_caller(const struct world *w, const char *akid, char *out, size_t size)
{
	for (unsigned i = 0; i < w->ngrants; i++)
		if (strcmp(w->grants[i].akid, akid) == 0) {
			snprintf(out, size, "%s", w->grants[i].who);
			return;
		}
	snprintf(out, size, "arn:%s:iam::" SIM_ACCOUNT ":user/sluice", w->partition);
}

void grants_free(struct world *w)
{
	hash_wipe(w->grants, w->ngrants * sizeof *w->grants);
	free(w->grants);
}
