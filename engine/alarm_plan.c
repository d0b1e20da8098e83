/* REQUEST_ALARM_EXPORT and REQUEST_ALARM_PLAN: the account's alarms as DescribeAlarms tells them, member by member, and the tags of those
 * that a file names; then alarms/plan.h says what differs. */
#include "core/mem.h"
#include "engine/alarm_code.h"

#include <stdlib.h>
#include <string.h>

#define EXPORT_MOST (64u * 1024 * 1024)

static void code_free(struct alarm_code *c)
{
	if (!c)
		return;
	for (unsigned i = 0; c->tags && i < c->nlive; i++)
		alarm_tags_out_clear(&c->tags[i].out);
	describe_alarms_out_clear(&c->out);
	free(c->in.page.token);
	facts_clear(&c->facts);
	alarm_file_clear(&c->file);
	arena_clear(&c->mem);
	free(c);
}

void alarm_code_forget(struct engine *g)
{
	code_free(g->alarm_code);
	g->alarm_code = NULL;
}

void alarm_code_abandon(struct task *t)
{
	if (t->rq.kind != REQUEST_ALARM_APPLY)
		code_free(t->work);
}

/* ---- the list */

static void on_list(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct alarm_code *c = ctx;
	c->err = *e;
	c->answered = true;
}

static void ask_list(struct engine *g, struct alarm_code *c)
{
	c->answered = false;
	c->in.no_logs = g->no_log_alarms;
	c->out.whole = true;
	aws_call(g->aws, &op_describe_alarms, &c->in, &c->out, on_list, c);
}

/* A service that does not know the type LogAlarm refuses the whole call. */
static bool ask_again(struct engine *g, struct alarm_code *c)
{
	if (c->err.code != ERR_REFUSED || c->in.no_logs || g->closing)
		return false;
	g->no_log_alarms = true;
	describe_alarms_out_clear(&c->out);
	free(c->in.page.token);
	c->in.page.token = NULL;
	ask_list(g, c);
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct live_alarm *x = a, *y = b;
	return strcmp(x->name, y->name);
}

static const char *const lists[] = { "MetricAlarms", "CompositeAlarms", "LogAlarms" };

static unsigned each_alarm(const struct describe_alarms_out *o, struct live_alarm *v)
{
	unsigned n = 0;
	for (unsigned d = 0; d < o->ndocs; d++)
		for (unsigned l = 0; l < 3; l++)
			for (const struct json *a = json_first(json_get(o->docs[d], lists[l])); a; a = json_next(a), n++)
				if (v)
					v[n] = (struct live_alarm){ .name = json_get_str(a, "AlarmName"),
						                        .arn = json_get_str(a, "AlarmArn"),
						                        .kind = l == 1   ? FORM_COMPOSITE
						                                : l == 2 ? FORM_LOG
						                                         : FORM_METRIC,
						                        .body = a };
	return n;
}

/* A list that changes while its pages are read may name an alarm twice: one of the two is as good as the other, as each is looked at
 * again before it is written. */
static void take_list(struct alarm_code *c)
{
	unsigned n = each_alarm(&c->out, NULL);
	c->live = arena_array(&c->mem, n, sizeof *c->live);
	each_alarm(&c->out, c->live);
	if (n)
		qsort(c->live, n, sizeof *c->live, by_name);
	for (unsigned i = 0; i < n; i++)
		if (!c->nlive || strcmp(c->live[c->nlive - 1].name, c->live[i].name) != 0)
			c->live[c->nlive++] = c->live[i];
}

/* ---- tags */

static void on_tags(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct tag_ask *a = ctx;
	a->err = *e;
	a->code->waiting--;
}

static bool wanted(const struct alarm_code_request *rq, const char *name)
{
	for (unsigned i = 0; i < rq->nnames; i++)
		if (strcmp(rq->names[i], name) == 0)
			return true;
	return rq->nnames == 0;
}

static void ask_tags(struct engine *g, struct alarm_code *c, const struct alarm_code_request *exported)
{
	c->tags = arena_array(&c->mem, c->nlive, sizeof *c->tags);
	for (unsigned i = 0; i < c->nlive; i++) {
		struct tag_ask *a = &c->tags[i];
		*a = (struct tag_ask){ .code = c, .live = &c->live[i], .in = { c->live[i].arn }, .out = { .whole = true } };
		a->asked = c->live[i].arn &&
		           (exported ? wanted(exported, c->live[i].name) : alarm_file_find(&c->file, c->live[i].name) != NULL);
		if (!a->asked)
			continue;
		c->waiting++;
		aws_call(g->aws, &op_list_alarm_tags, &a->in, &a->out, on_tags, a);
	}
}

static void take_tags(struct alarm_code *c)
{
	for (unsigned i = 0; i < c->nlive; i++) {
		struct tag_ask *a = &c->tags[i];
		if (!a->asked)
			continue;
		struct alarm_tag *tags = arena_array(&c->mem, a->out.npairs / 2, sizeof *tags);
		for (unsigned k = 0; k < a->out.npairs / 2; k++)
			tags[k] = (struct alarm_tag){ a->out.pairs[2 * k], a->out.pairs[2 * k + 1] };
		a->live->tags = tags;
		a->live->ntags = a->out.npairs / 2;
		a->live->tags_known = a->err.code == ERR_OK;
		if (!a->live->tags_known)
			a->live->tags_why =
			    a->err.action[0] ? arena_printf(&c->mem, "allow %s", a->err.action) : err_name(a->err.code);
	}
}

const char *alarm_code_why(struct arena *mem, const struct err *e)
{
	if (e->action[0])
		return arena_printf(mem, "%s: denied: allow %s", e->where, e->action);
	return arena_printf(mem, "%s: %s", e->where, e->text[0] ? e->text : err_name(e->code));
}

static void causes(const struct alarm_code *c, struct alarm_code_result *r)
{
	unsigned failed = 0;
	const struct err *first = NULL;
	for (unsigned i = 0; i < c->nlive; i++)
		if (c->tags && c->tags[i].asked && c->tags[i].err.code != ERR_OK) {
			first = first ? first : &c->tags[i].err;
			failed++;
		}
	if (!failed)
		return;
	r->causes = arena_array(&r->mem, 1, sizeof *r->causes);
	r->causes[r->ncauses++].text =
	    arena_printf(&r->mem, "tags of %u alarms: %s", failed, alarm_code_why(&r->mem, first));
}

/* ---- export */

static bool all_there(const struct alarm_code *c, const struct alarm_code_request *rq, struct err *e)
{
	struct plan_in in = { .live = c->live, .nlive = c->nlive };
	for (unsigned i = 0; i < rq->nnames; i++)
		if (!plan_live(&in, rq->names[i]))
			return err_set(e, ERR_NOTFOUND, "alarms export", "there is no alarm \"%.200s\"", rq->names[i]);
	return true;
}

/* The owner that all of them have; else the file has none, and who applies it says what belongs to whom. */
static const char *common_owner(const struct alarm_code *c, const struct alarm_code_request *rq)
{
	const char *owner = NULL;
	for (unsigned i = 0; i < c->nlive; i++) {
		const char *is = NULL;
		for (unsigned k = 0; k < c->live[i].ntags; k++)
			if (strcmp(c->live[i].tags[k].key, ALARM_OWNER_TAG) == 0)
				is = c->live[i].tags[k].value;
		if (!wanted(rq, c->live[i].name))
			continue;
		if (!is || (owner && strcmp(owner, is) != 0))
			return NULL;
		owner = is;
	}
	return owner;
}

static void export(struct alarm_code *c, struct task *t)
{
	struct result *r = t->result;
	const struct alarm_code_request *rq = &t->rq.alarm_code;
	struct buf b;
	struct json_out o;
	if (!all_there(c, rq, &r->err))
		return;
	buf_init(&b, EXPORT_MOST);
	json_out_lines(&o, &b);
	json_out_object(&o, NULL);
	json_out_int(&o, "version", 1);
	const char *owner = common_owner(c, rq);
	if (owner)
		json_out_str(&o, "owner", owner);
	json_out_array(&o, "alarms");
	for (unsigned i = 0; i < c->nlive; i++)
		if (wanted(rq, c->live[i].name))
			alarm_file_body(&o, c->live[i].body, c->live[i].tags, c->live[i].ntags);
	json_out_array_end(&o);
	json_out_object_end(&o);
	if (!o.ok)
		err_set(&r->err, ERR_LIMIT, "alarms export", "more than 64 MiB; name the alarms");
	else
		r->alarm_code.text = arena_strndup(&r->alarm_code.mem, b.p, b.n);
	buf_clear(&b);
}

/* ---- plan */

void alarm_code_give(const struct alarm_code *c, struct alarm_code_result *r)
{
	r->plan = alarm_plan_copy(&r->mem, &c->plan);
	r->id = c->id;
	causes(c, r);
}

static void want_metric(void *ctx, const char *ns, const char *name, const struct json *dimensions)
{
	(void)dimensions;
	facts_want_metric(ctx, ns, name);
}

/* For the lints; a drift is about what others changed, which they say nothing of. */
static void ask_facts(struct engine *g, struct alarm_code *c)
{
	for (unsigned i = 0; i < c->file.n && !c->drift; i++) {
		const struct json *body = c->file.v[i].body;
		body_metrics(body, want_metric, &c->facts);
		for (const struct json *a = json_first(json_get(body, "AlarmActions")); a; a = json_next(a))
			if (json_str(a))
				facts_want_topic(&c->facts, json_str(a));
	}
	facts_ask(g, &c->facts);
}

static void lints(const struct engine *g, struct alarm_code *c)
{
	struct lint_in in = { .now = clock_wall(), .region = g->target.region, .seen = facts_seen, .ctx = &c->facts };
	in.topics = facts_topics(&c->facts, &c->mem, &in.ntopics);
	for (unsigned i = 0; i < c->plan.n && !c->drift; i++)
		lint(&c->mem, &in, &c->acts[i], &c->plan.steps[i]);
}

static void plan(struct engine *g, struct alarm_code *c, struct task *t)
{
	struct plan_in in = { &c->file, c->live, c->nlive, c->adopt, c->drift };
	plan_make(&c->mem, &in, &c->plan, &c->acts);
	lints(g, c);
	alarm_code_give(c, &t->result->alarm_code);
	alarm_code_forget(g);
	g->alarm_code = c;
	t->work = NULL;
}

/* ---- the steps */

/* The file is read before anything is asked. */
static bool begin(struct engine *g, struct task *t)
{
	const struct alarm_code_request *rq = &t->rq.alarm_code;
	struct alarm_code *c = t->work = xcalloc(1, sizeof *c);
	struct err *e = &t->result->err;
	arena_init(&c->mem);
	c->id = t->result->id;
	c->adopt = rq->adopt;
	c->drift = rq->drift;
	if (t->rq.kind == REQUEST_ALARM_PLAN && !alarm_file_read(&c->file, rq->text, rq->file, e))
		return false;
	if (g->closing || g->account_err.code != ERR_OK || !engine_connect(g)) {
		*e = g->account_err;
		return false;
	}
	ask_list(g, c);
	return true;
}

void alarm_code_step(struct engine *g, struct task *t)
{
	enum { BEGIN, LIST, TAGS };
	bool exports = t->rq.kind == REQUEST_ALARM_EXPORT;
	if (t->state == BEGIN) {
		t->state = LIST;
		t->done = !begin(g, t);
		return;
	}
	struct alarm_code *c = t->work;
	if (t->state == LIST && c->answered && !ask_again(g, c)) {
		t->state = TAGS;
		t->result->err = c->err;
		t->done = c->err.code != ERR_OK;
		if (t->done)
			return;
		take_list(c);
		if (!exports)
			ask_facts(g, c);
		ask_tags(g, c, exports ? &t->rq.alarm_code : NULL);
	}
	if (t->state != TAGS || c->waiting || c->facts.waiting)
		return;
	take_tags(c);
	if (exports) {
		export(c, t);
		causes(c, &t->result->alarm_code);
	} else {
		plan(g, c, t);
	}
	t->done = true;
}
