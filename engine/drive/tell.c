/* What a drive tells: its items, the groups by cause, what the plan warns of. */
#include "engine/drive/source.h"

#include "core/mem.h"
#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tell_items(struct drive *d)
{
	struct replay_result *r = d->r;
	r->has_run = d->run.id[0] != '\0';
	r->nitems = d->n;
	r->items = arena_array(d->mem, d->n, sizeof *r->items);
	for (unsigned i = 0; i < d->n; i++)
		r->items[i] = d->v[i].it;
	replay_count(r->items, d->n, &r->counts);
	r->run = d->run;
	if (d->plan)
		tell_groups(d);
}

/* ---- groups */

static struct replay_group *cause_group(struct replay_result *r, const char *fp)
{
	for (unsigned i = 0; i < r->ngroups; i++)
		if (strcmp(r->groups[i].fp, fp) == 0)
			return &r->groups[i];
	return NULL;
}

static int larger_first(const void *a, const void *b)
{
	const struct replay_group *x = a, *y = b;
	return x->n != y->n ? x->n < y->n ? 1 : -1 : strcmp(x->fp, y->fp);
}

/* Of a pointer the nearer of its own end and that of what it points to. */
int64_t loss_of(const struct drive *d, unsigned at)
{
	int64_t sent = d->v[at].it.sent_ms, to = d->v[at].loss_ms;
	int64_t own = sent && d->retention_s ? sent + d->retention_s * 1000 : 0;
	return to && (!own || to < own) ? to : own;
}

static void add_to(struct replay_group *g, const struct replay_item *it, int64_t loss_ms)
{
	g->n++;
	g->done += it->code && strcmp(it->code, "DONE_BEFORE") == 0;
	g->bad += it->code && strcmp(it->code, "KNOWN_BAD") == 0;
	g->known += it->code && strcmp(it->code, "SEEN") == 0;
	g->loss_ms = loss_ms && (!g->loss_ms || loss_ms < g->loss_ms) ? loss_ms : g->loss_ms;
	if (!it->sent_ms)
		return;
	g->first_ms = !g->first_ms || it->sent_ms < g->first_ms ? it->sent_ms : g->first_ms;
	g->last_ms = it->sent_ms > g->last_ms ? it->sent_ms : g->last_ms;
}

/* How long it takes at its rate, the canary's stages each a call longer; and what is nearer than that. */
static void warn(struct drive *d, int64_t loss_ms)
{
	struct replay_result *r = d->r;
	char takes[TEXT_NUM], left[TEXT_NUM];
	struct cred_info info;
	r->seconds = d->n / d->run.rate + 5;
	text_duration((int64_t)r->seconds, takes);
	if (loss_ms) {
		double in = (double)(loss_ms - now_ms()) / 1000;
		text_duration((int64_t)in, left);
		if (in < 2 * r->seconds)
			drive_warn(
			    d, "the first message expires in %s, the run takes %s: %s", left, takes,
			    in < r->seconds
			        ? "some will be lost before their turn, so start refuses; buy-time raises the queue's retention"
			        : "tight");
	}
	cred_look(d->g->cred, &info);
	if (info.expires && info.expires < clock_wall() + (int64_t)r->seconds)
		drive_warn(d, "the credentials expire before the run is over: it takes %s", takes);
	if (d->run.fifo)
		drive_warn(d, "a FIFO queue shows at most ten messages of a group at a time: there may be more behind them");
	if (r->sweeps > 2)
		drive_warn(d, "this queue was swept %u times: a message received three times is left out of its age metric",
		           r->sweeps);
	if (r->in_flight)
		drive_warn(d, "%u messages are in flight: somebody else receives from this queue, or has just done so",
		           r->in_flight);
}

void tell_groups(struct drive *d)
{
	struct replay_result *r = d->r;
	unsigned cap = 0;
	struct replay_group *v = NULL;
	int64_t loss = 0;
	for (unsigned i = 0; i < d->n; i++) {
		const struct replay_item *it = &d->v[i].it;
		r->groups = v;
		struct replay_group *g = cause_group(r, it->fp);
		if (!g) {
			MEM_GROW(v, r->ngroups, cap);
			g = &v[r->ngroups++];
			*g = (struct replay_group){ .fp = it->fp, .cause = d->v[i].cause, .sample = it->msg_id };
		}
		int64_t at = loss_of(d, i);
		add_to(g, it, at);
		loss = at > now_ms() && (!loss || at < loss) ? at : loss;
	}
	r->groups = arena_array(d->mem, r->ngroups, sizeof *v);
	if (r->ngroups) {
		memcpy(r->groups, v, r->ngroups * sizeof *v);
		qsort(r->groups, r->ngroups, sizeof *v, larger_first);
	}
	free(v);
	warn(d, loss);
}
