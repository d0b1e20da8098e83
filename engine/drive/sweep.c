/* Receiving: the freeze, a plan's look, and the receiving again of what is not in hand. One call at a time; what is met and not ours stays
 * hidden until the sweep is over, so that each sweep costs a message one receive. */
#include "engine/drive/source.h"

#include "core/hash.h"
#include "core/log.h"
#include "core/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEDUP_MS (5 * 60 * 1000 - 10000)
#define FAILURES_MOST 5 /* receives in a row without an answer */

/* ---- --where */

static bool key_is(const char *where, const char *key, const char **value)
{
	size_t n = strlen(key);
	*value = where + n;
	return strncmp(where, key, n) == 0 && where[n];
}

bool where_valid(const char *where, struct err *e)
{
	const char *v;
	if (!where || key_is(where, "group=", &v) || key_is(where, "source=", &v) || key_is(where, "body~", &v))
		return true;
	if (key_is(where, "attr.", &v) && strchr(v, '=') && *v != '=')
		return true;
	return err_set(e, ERR_USAGE, "--where",
	               "group=FINGERPRINT, source=QUEUE, body~TEXT or attr.NAME=VALUE, not '%.60s'", where);
}

static bool holds(struct span body, const char *text)
{
	return memmem(body.p, body.n, text, strlen(text)) != NULL;
}

static bool attr_is(const struct message *m, const char *test)
{
	const char *equals = strchr(test, '=');
	char name[300];
	snprintf(name, sizeof name, "%.*s", (int)(equals - test), test);
	const struct message_attr *a = message_attr(m, name);
	return a && span_eq(a->value, equals + 1);
}

bool selects(const struct drive *d, const struct message *m)
{
	const char *where = d->run.where, *v;
	char fp[FP_LEN], cause[CAUSE_LEN];
	if (!where)
		return true;
	if (key_is(where, "group=", &v)) {
		group_of_message(m, fp, cause);
		return strcmp(fp, v) == 0;
	}
	if (key_is(where, "source=", &v)) {
		const char *arn = message_fact(m, "DeadLetterQueueSourceArn"), *name = arn ? strrchr(arn, ':') : NULL;
		return arn && (strcmp(arn, v) == 0 || (name && strcmp(name + 1, v) == 0));
	}
	if (key_is(where, "body~", &v))
		return holds(m->body, v);
	return key_is(where, "attr.", &v) && attr_is(m, v);
}

/* ---- what came */

static uint64_t id_hash(const char *id)
{
	uint64_t h = 14695981039346656037u;
	for (; *id; id++)
		h = (h ^ (unsigned char)*id) * 1099511628211u;
	return h ? h : 1;
}

static bool seen_put(struct sweep *s, uint64_t h)
{
	for (unsigned i = (unsigned)h & (s->cseen - 1);; i = (i + 1) & (s->cseen - 1)) {
		if (s->seen[i] == h)
			return false;
		if (s->seen[i])
			continue;
		s->seen[i] = h;
		s->nseen++;
		return true;
	}
}

/* False: it was met in this sweep before. A sweep that takes longer than a message is hidden meets it again, and must end all the same. */
static bool is_news(struct sweep *s, const char *id)
{
	if (2 * s->nseen >= s->cseen) {
		unsigned was = s->cseen;
		uint64_t *old = s->seen;
		s->cseen = was ? 2 * was : 256;
		s->seen = xcalloc(s->cseen, sizeof *s->seen);
		s->nseen = 0;
		for (unsigned i = 0; i < was; i++)
			if (old[i])
				seen_put(s, old[i]);
		free(old);
	}
	return seen_put(s, id_hash(id));
}

void drop_message(struct entry *en)
{
	message_free(en->msg);
	en->msg = NULL;
}

static void keep_other(struct sweep *s, struct message *m)
{
	MEM_GROW(s->others, s->others_n, s->others_cap);
	s->others[s->others_n++] = xstrdup(m->handle);
	message_free(m);
}

/* The freeze: a new one is an entry, if it is wanted and there is room. True when it must go into the ledger. */
static bool take_new(struct drive *d, struct message *m)
{
	struct sweep *s = &d->sweep;
	struct entry *en = drive_find(d, m->id);
	if (en) { /* delivered twice, or its visibility has passed */
		drive_hold(d, en, m);
		drive_touch(d, &en, 1);
		return false;
	}
	s->damaged += m->problem != NULL;
	if (m->problem || !selects(d, m) || (d->run.limit && d->n >= d->run.limit)) {
		keep_other(s, m);
		return false;
	}
	drive_add(d, m);
	return true;
}

static bool is_frozen_body(const struct entry *en, const struct message *m)
{
	char sha[SHA_HEX];
	body_hash(m->body.p, m->body.n, sha);
	return strcmp(sha, en->it.body_sha256) == 0;
}

/* In a FIFO queue the copy's deduplication id makes a second sending harmless, for five minutes: beyond, only who asks for it gets it. */
bool resends(const struct drive *d, const struct entry *en)
{
	bool late = d->run.fifo && d->run.mode == REPLAY_REDRIVE && now_ms() - en->it.intent_ms > DEDUP_MS;
	return d->run.unknown == UNKNOWN_RESEND && !en->retold && (!late || d->t->rq.replay.unknown_said);
}

static bool wanted(const struct drive *d, const struct entry *en)
{
	switch (en->it.state) {
	case ITEM_SELECTED:
	case ITEM_LEASED:
	case ITEM_ACCEPTED:
	case ITEM_REMOVE_LOST: return true;
	case ITEM_GONE:
		return !en->it.code || strcmp(en->it.code, "EXPIRED") != 0; /* what it points to is gone, not itself */
	case ITEM_UNKNOWN: return resends(d, en);
	default: return false;
	}
}

/* It is there, but it is not what was frozen: a person has to look at it. */
static void take_spoiled(struct drive *d, struct entry *en, struct message *m)
{
	en->it.code = m->problem ? "DAMAGED" : "CHANGED";
	en->it.text = m->problem ? arena_strdup(d->mem, m->problem) : "its body is not the one that was frozen";
	en->asked = false;
	if (en->it.state == ITEM_SELECTED)
		drive_shift(d, en, MOVE_HOLD, en->it.text);
	keep_other(&d->sweep, m);
}

/* Of a run under way: what is still to be sent, or only to be deleted. */
static void take_known(struct drive *d, struct message *m)
{
	struct entry *en = drive_find(d, m->id);
	if (verify_meets(d, m)) {
		keep_other(&d->sweep, m);
		return;
	}
	if (!en || !wanted(d, en)) {
		keep_other(&d->sweep, m);
		return;
	}
	if (m->problem || !is_frozen_body(en, m)) {
		take_spoiled(d, en, m);
		return;
	}
	drive_take(d, en, m);
}

static bool take_all(struct drive *d)
{
	struct sweep *s = &d->sweep;
	unsigned had = d->n, found = s->out.n;
	bool news = false;
	for (unsigned i = 0; i < found; i++)
		news = is_news(s, s->out.v[i]->id) || news;
	s->empties = found ? 0 : s->empties + 1;
	s->repeats = found && !news ? s->repeats + 1 : s->repeats;
	for (unsigned i = 0; i < found; i++)
		peeks_met(d, s->out.v[i]);
	for (unsigned i = 0; i < found; i++)
		if (d->phase == PHASE_FREEZE)
			take_new(d, s->out.v[i]);
		else
			take_known(d, s->out.v[i]);
	s->out.n = 0;
	if (d->plan)
		return true;
	if (d->phase != PHASE_FREEZE)
		return drive_commit(d);
	return drive_added(d, had);
}

/* ---- the end of it */

static unsigned asked_for(const struct drive *d)
{
	unsigned n = 0;
	for (unsigned i = d->first; i < d->n; i++)
		n += d->v[i].asked;
	return n;
}

static bool hand_is_full(const struct drive *d)
{
	unsigned n = 0;
	size_t bytes = 0;
	for (unsigned i = d->first; i < d->n; i++)
		if (d->v[i].msg) {
			n++;
			bytes += d->v[i].msg->body.n;
		}
	return n + SQS_BATCH > HOLD_MOST || bytes > HOLD_BYTES;
}

/* A frozen selection may exceed what is held: the rest is given back and received again in its turn. */
static void thin_out(struct drive *d)
{
	size_t bytes = 0;
	unsigned n = 0;
	for (unsigned i = 0; i < d->n; i++) {
		struct entry *en = &d->v[i];
		if (!en->msg)
			continue;
		bytes += en->msg->body.n;
		if (++n <= HOLD_MOST && bytes <= HOLD_BYTES)
			continue;
		keep_other(&d->sweep, en->msg);
		en->msg = NULL;
		en->it.handle = NULL;
		en->it.lease_until_ms = 0;
		drive_touch(d, &en, 1);
	}
}

/* Nothing more comes, or all of it was met, and then as much again of the same. */
static bool is_quiet(const struct sweep *s)
{
	return s->empties >= EMPTIES || s->repeats * SQS_BATCH > s->nseen + EMPTIES * SQS_BATCH;
}

static bool enough(struct drive *d)
{
	struct sweep *s = &d->sweep;
	bool quiet = is_quiet(s), hidden = now_ms() < d->patience_ms;
	if (d->phase == PHASE_FREEZE) {
		thin_out(d);
		if (d->run.limit && d->n >= d->run.limit)
			return true;
		/* A receive of a life that was killed may hide some of what was counted. */
		return quiet && !(d->resumed && d->run.confirmed && d->n < d->run.expected && hidden);
	}
	if (d->verifying)
		return quiet;
	return asked_for(d) == 0 || hand_is_full(d) || (quiet && !hidden);
}

/* What was asked for and is not there. A delete whose answer was lost has worked, then. */
static void miss(struct drive *d)
{
	for (unsigned i = d->first; i < d->n; i++)
		if (d->v[i].asked)
			drive_missed(d, &d->v[i]);
	drive_commit(d);
}

/* ---- the calls */

static void on_received(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct sweep *s = &((struct drive *)ctx)->sweep;
	(void)op, (void)in, (void)out;
	s->err = *e;
	s->answered = true;
}

static void new_attempt(struct sweep *s)
{
	uint8_t noise[16];
	if (!hash_random(noise, sizeof noise))
		memset(noise, (int)(clock_mono_ms() & 255), sizeof noise);
	hash_hex(noise, sizeof noise, s->attempt);
}

static bool ask(struct drive *d)
{
	struct sweep *s = &d->sweep;
	int64_t until = now_ms() + (int64_t)d->run.lease_s * 1000 + 20000; /* the call itself takes 20 s at the most */
	if (!d->plan && d->run.hidden_until_ms < until - 1000) {
		d->run.hidden_until_ms = until;
		if (!drive_save(d))
			return false;
	}
	if (d->run.fifo && !s->attempt[0])
		new_attempt(s);
	s->in = (struct receive_in){ .url = d->run.source_url,
		                         .max = SQS_BATCH,
		                         .visibility_s = d->run.lease_s,
		                         .wait_s = WAIT_S,
		                         .attempt_id = d->run.fifo ? s->attempt : NULL };
	if (!drive_announce(d, &op_receive_message, d->run.source_arn, "up to %d, hidden for %u s", SQS_BATCH,
	                    d->run.lease_s))
		return false;
	s->out.n = 0;
	s->flying = true;
	s->answered = false;
	aws_call_permitted(d->g->aws, &d->receive, CALL_ACT, &op_receive_message, &s->in, &s->out, on_received, d);
	return true;
}

void sweep_begin(struct drive *d)
{
	struct sweep *s = &d->sweep;
	s->on = true;
	s->empties = s->repeats = s->failures = 0;
	peeks_begin(d);
	free(s->seen);
	s->seen = NULL;
	s->nseen = s->cseen = 0;
}

/* False: it goes on all the same. */
static bool failed_for_good(struct drive *d)
{
	struct sweep *s = &d->sweep;
	if (s->err.in_doubt && ++s->failures < FAILURES_MOST)
		return false;
	if (d->plan || (d->phase == PHASE_FREEZE && !d->run.confirmed))
		drive_fail(d, &s->err);
	else
		drive_end(d, RUN_PAUSED, "%s: %s", s->err.where, s->err.text);
	return true;
}

/* False: that was the end of it. */
static bool hear_receive(struct drive *d)
{
	struct sweep *s = &d->sweep;
	bool ok = s->err.code == ERR_OK;
	s->flying = s->answered = false;
	if (!take_all(d) || (!ok && failed_for_good(d)))
		return false;
	s->failures = ok ? 0 : s->failures;
	if (ok)
		s->attempt[0] = '\0';
	else if (s->err.in_doubt)
		d->patience_ms = now_ms() + (int64_t)d->run.lease_s * 1000 + MARGIN_MS;
	s->empties = ok ? s->empties : 0;
	return true;
}

static bool sweep_over(struct drive *d)
{
	bool begun = d->sweep.empties || asked_for(d) || d->n;
	if (!d->ending && !(begun && enough(d)))
		return false;
	peeks_over(d, is_quiet(&d->sweep));
	if (d->verifying && !d->ending)
		verify_over(d);
	else if (!d->ending && d->phase != PHASE_FREEZE && !hand_is_full(d))
		miss(d);
	d->verifying = false;
	return true;
}

bool sweep_step(struct drive *d)
{
	struct sweep *s = &d->sweep;
	if (s->flying && !s->answered)
		return false;
	if (s->on)
		s->on = (!s->answered || hear_receive(d)) && !sweep_over(d) && ask(d);
	return !s->on;
}

/* ---- giving back */

static void on_handles(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct handles_call *c = ctx;
	(void)op, (void)in, (void)out;
	c->err = *e;
	c->answered = true;
}

/* Whether it worked matters little: what is not given back comes back by itself, later. */
static bool hand_back(struct drive *d, const char *const *handles, unsigned n)
{
	struct handles_call *c = &d->release;
	c->in = (struct handles_in){ .url = d->run.source_url, .n = n, .visibility_s = 0 };
	memcpy(c->in.handle, handles, n * sizeof *handles);
	c->out.n = n;
	if (!drive_announce(d, &op_change_visibility_batch, d->run.source_arn, "%u given back", n))
		return false;
	c->on = true;
	c->answered = false;
	aws_call_permitted(d->g->aws, &d->visibility, CALL_ACT, &op_change_visibility_batch, &c->in, &c->out, on_handles,
	                   c);
	return true;
}

/* The next of ours that is held; its place in the ledger says so no more. */
static bool held_one(struct drive *d, unsigned i, const char **handle)
{
	struct entry *en = &d->v[i];
	if (!en->msg || en->flying || en->deleting)
		return false;
	*handle = en->it.handle;
	return *handle != NULL;
}

static unsigned collect(struct drive *d, bool all, const char **handles)
{
	struct sweep *s = &d->sweep;
	unsigned n = 0;
	for (; n < SQS_BATCH && d->released < s->others_n; d->released++)
		handles[n++] = s->others[d->released];
	if (n || !all)
		return n;
	for (unsigned i = 0; i < d->n && n < SQS_BATCH; i++) {
		struct entry *en = &d->v[i];
		if (!held_one(d, i, &handles[n]))
			continue;
		n++;
		if (en->it.state == ITEM_LEASED) {
			drive_shift(d, en, MOVE_LOSE_LEASE, "given back");
			drive_shift(d, en, MOVE_RETURN, NULL);
		}
		en->it.lease_until_ms = 0;
		drop_message(en);
	}
	return n;
}

bool release_step(struct drive *d, bool all)
{
	struct handles_call *c = &d->release;
	const char *handles[SQS_BATCH];
	if (c->on && !c->answered)
		return false;
	heed_release(d);
	c->on = false;
	unsigned n = collect(d, all, handles);
	if (n == 0) {
		sweep_clear(d);
		return true;
	}
	/* First the queue, then the ledger: a ledger that calls it held has its handle given back once more, which harms nobody. */
	if (!hand_back(d, handles, n)) {
		drive_commit(d);
		sweep_clear(d);
		return true;
	}
	drive_commit(d);
	return false;
}

void sweep_clear(struct drive *d)
{
	struct sweep *s = &d->sweep;
	for (unsigned i = 0; i < s->others_n; i++)
		free(s->others[i]);
	for (unsigned i = 0; i < s->out.n && !s->flying; i++)
		message_free(s->out.v[i]);
	free(s->others);
	free(s->seen);
	s->others = NULL;
	s->seen = NULL;
	s->nseen = s->cseen = 0;
	s->others_n = s->others_cap = 0;
	d->released = 0;
}
