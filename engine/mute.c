/* REQUEST_MUTE: an alarm's actions are held back for a time, by an alarm mute rule of its own that says who and why; or no more. The rule
 * ends by itself, whatever becomes of us. A rule that is not sluice's is left alone. */
#include "aws/op_mute.h"
#include "engine/audited.h"
#include "engine/gate.h"
#include "engine/inside.h"
#include "replay/manifest.h"

#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define OURS "sluice-"
#define DEFAULT_S 3600
#define REASON_MOST 500

struct muting {
	struct permit permit;
	bool answered;
	struct err err;
	char name[MUTE_NAME], why[REASON_MOST + 1];
	struct put_mute_in put;
	struct delete_mute_in gone;
	struct mute_out out;
	struct mutes_in in;
	struct mutes_out there;
	unsigned at; /* of there: the next to be deleted */
};

static void on_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct muting *m = ctx;
	(void)op, (void)in, (void)out;
	m->err = *e;
	m->answered = true;
}

/* ---- muting */

/* sluice-USER-ULID: letters that any rule's name may have. */
static void name_rule(struct muting *m, const char *user)
{
	uint8_t noise[10];
	char id[RUN_ID];
	size_t n = 0;
	if (!hash_random(noise, sizeof noise))
		memset(noise, (int)(clock_mono_ms() & 255), sizeof noise);
	run_id_make(clock_wall_ms(), noise, id);
	n = (size_t)snprintf(m->name, sizeof m->name, OURS "%.60s-%s", user, id);
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)m->name[i]) && !strchr("-_.", m->name[i]))
			m->name[i] = '_';
}

static bool valid(const struct mute_request *rq, struct err *e)
{
	size_t alarm = strlen(rq->alarm), why = rq->reason ? strlen(rq->reason) : 0;
	if (alarm < 1 || alarm > 255)
		return err_set(e, ERR_USAGE, "NAME", "an alarm's name has 1 to 255 characters");
	if (rq->off)
		return true;
	if (why < 1 || why > REASON_MOST || rq->reason[strspn(rq->reason, " ")] == '\0')
		return err_set(e, ERR_USAGE, "--reason", "muting needs a reason, of at most %d bytes", REASON_MOST);
	return !rq->seconds || (rq->seconds >= MUTE_LEAST_S && rq->seconds <= MUTE_MOST_S) ||
	       err_set(e, ERR_USAGE, "--for", "an alarm is muted for 1m to 15d");
}

static bool open_gate(struct engine *g, struct task *t, struct muting *m, const struct op *op)
{
	struct gate_act wish = { .needs = MODE_OPERATE, .op = op, .what = t->result->act.what };
	if (t->rq.dry_run || !audited_gate(g, &t->rq.consent, &wish, &m->permit, t->result))
		return false;
	if (!engine_connect(g)) {
		t->result->err = g->account_err;
		return false;
	}
	return true;
}

static bool announce(struct engine *g, struct task *t, const struct op *op)
{
	struct result *r = t->result;
	return audited(g, t->rq.consent.mode, op, t->rq.mute.alarm, "announced", r->act.what, &r->err);
}

static bool mute_begin(struct engine *g, struct task *t, struct muting *m)
{
	const struct mute_request *rq = &t->rq.mute;
	struct act_result *r = &t->result->act;
	struct audited who = { 0 };
	char takes[TEXT_NUM];
	int64_t seconds = rq->seconds ? rq->seconds : DEFAULT_S, now = clock_wall();
	audited_who(g, t->rq.consent.mode, &who);
	name_rule(m, who.user);
	snprintf(m->why, sizeof m->why, "%s", rq->reason);
	/* It begins with the minute under way, and ends when it was promised to. */
	m->put = (struct put_mute_in){ m->name, rq->alarm, m->why, who.user, now - now % 60, now % 60 + seconds };
	text_duration(seconds, takes);
	r->what = xasprintf("mute alarm %s for %s: %s", rq->alarm, takes, m->why);
	r->rule = xstrdup(m->name);
	r->until = m->put.at + (m->put.seconds + 59) / 60 * 60;
	char *author = arena_strdup(&t->mem, who.user);
	m->put.author = author;
	if (!open_gate(g, t, m, &op_put_mute_rule) || !announce(g, t, &op_put_mute_rule))
		return false;
	aws_call_permitted(g->aws, &m->permit, CALL_ACT, &op_put_mute_rule, &m->put, &m->out, on_done, m);
	return true;
}

/* Where rules are refused there is another way, which does not end by itself: it is named, not taken. */
static void offer_other(struct err *e)
{
	char text[sizeof e->text];
	if (e->code != ERR_DENIED && e->code != ERR_REFUSED)
		return;
	snprintf(text, sizeof text, "%s", e->text);
	snprintf(e->text, sizeof e->text,
	         "%.*s; without mute rules `alarms disable` switches its actions off (DisableAlarmActions), which does NOT "
	         "end by itself",
	         (int)(sizeof e->text - 120), text);
}

static bool muted(struct task *t, const struct muting *m)
{
	struct result *r = t->result;
	r->err = m->err;
	offer_other(&r->err);
	snprintf(r->act.request_id, sizeof r->act.request_id, "%s",
	         m->err.code == ERR_OK ? m->out.request_id : m->err.request_id);
	return true;
}

/* ---- no more */

static bool unmute_begin(struct engine *g, struct task *t, struct muting *m)
{
	t->result->act.what = xasprintf("unmute alarm %s", t->rq.mute.alarm);
	if (!open_gate(g, t, m, &op_delete_mute_rule))
		return false;
	arena_init(&m->there.mem);
	m->in.alarm = t->rq.mute.alarm;
	aws_call(g->aws, &op_list_mute_rules, &m->in, &m->there, on_done, m);
	return true;
}

static bool is_ours(const char *name)
{
	return strncmp(name, OURS, strlen(OURS)) == 0;
}

/* The next rule of ours is deleted; true: that is all. */
static bool unmute_next(struct engine *g, struct task *t, struct muting *m)
{
	struct act_result *r = &t->result->act;
	t->result->err = m->err;
	if (m->err.code != ERR_OK)
		return true;
	while (m->at < m->there.n && !is_ours(m->there.names[m->at]))
		m->at++;
	if (m->at == m->there.n) {
		if (!r->rule)
			err_set(&t->result->err, ERR_NOTFOUND, "alarms", "%.255s is not muted by sluice", t->rq.mute.alarm);
		snprintf(r->request_id, sizeof r->request_id, "%s", m->out.request_id);
		return true;
	}
	if (!announce(g, t, &op_delete_mute_rule))
		return true;
	m->gone.name = m->there.names[m->at++];
	if (!r->rule)
		r->rule = xstrdup(m->gone.name);
	m->answered = false;
	aws_call_permitted(g->aws, &m->permit, CALL_ACT, &op_delete_mute_rule, &m->gone, &m->out, on_done, m);
	return false;
}

void mute_step(struct engine *g, struct task *t)
{
	struct muting *m = t->work;
	if (t->state++ == 0) {
		m = t->work = arena_alloc(&t->mem, sizeof *m);
		*m = (struct muting){ 0 };
		bool off = t->rq.mute.off;
		t->done = !valid(&t->rq.mute, &t->result->err) || !(off ? unmute_begin : mute_begin)(g, t, m);
	} else if (m->answered) {
		t->done = t->rq.mute.off ? unmute_next(g, t, m) : muted(t, m);
	}
}

void mute_abandon(struct task *t)
{
	struct muting *m = t->work;
	if (m && t->rq.mute.off)
		arena_clear(&m->there.mem);
}
