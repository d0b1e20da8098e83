/* REQUEST_TOPICS: SNS's topics and their subscriptions: which there are, who would be told, a new one of either, one message. */
#include "aws/op_sns.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/text.h"
#include "engine/alarm_requests.h"
#include "engine/audited.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 1000 /* topics whose attributes are read */
#define MESSAGE_MOST (256u * 1024)

enum topics_stage { FIND, READ, POLICIES, ACT };

struct attributes_ask {
	struct work *w;
	struct sns_attributes_in in;
	struct sns_attributes_out out;
	struct err err;
};
struct work {
	enum topics_stage stage;
	unsigned waiting;
	struct err err; /* of what everything else hangs on */
	struct sns_list_in list_in, subs_in;
	struct sns_list_out list, subs;
	struct attributes_ask *asks; /* one a topic, or one a subscription behind the topic's */
	unsigned nasks;
	const char *arn; /* of the topic that is meant */
	struct permit permit;
	struct sns_topic_in in;
	struct sns_topic_out out;
	struct sns_publish_in message;
	struct sns_publish_out told;
};

static void on_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct work *w = ctx;
	w->waiting--;
	if (w->err.code == ERR_OK)
		w->err = *e;
}

static void on_attributes(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct attributes_ask *a = ctx;
	a->err = *e;
	a->w->waiting--;
}

static void ask(struct engine *g, struct work *w, const struct op *op, struct sns_list_in *in, struct sns_list_out *out)
{
	w->waiting++;
	aws_call(g->aws, op, in, out, on_done, w);
}

static void ask_attributes(struct engine *g, struct work *w, unsigned i, const struct op *op, const char *arn)
{
	struct attributes_ask *a = &w->asks[i];
	*a = (struct attributes_ask){ .w = w, .in = { arn } };
	w->waiting++;
	aws_call(g->aws, op, &a->in, &a->out, on_attributes, a);
}

/* ---- names */

static const char *last_of(const char *arn)
{
	const char *colon = strrchr(arn, ':');
	return colon ? colon + 1 : arn;
}

/* arn:PARTITION:SERVICE:REGION:... */
static bool field_is(const char *arn, unsigned n, const char *value)
{
	for (; n && arn; n--)
		arn = (arn = strchr(arn, ':')) ? arn + 1 : NULL;
	size_t len = strlen(value);
	return arn && strncmp(arn, value, len) == 0 && arn[len] == ':';
}

static bool is_arn(const char *text)
{
	return strncmp(text, "arn:", 4) == 0;
}

static bool name_valid(const char *name, struct err *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t n = strlen(name), plain = strspn(name, letters);
	bool fifo = strcmp(name + plain, ".fifo") == 0;
	return (n >= 1 && n <= 256 && plain >= 1 && (plain == n || fifo)) ||
	       err_set(e, ERR_USAGE, "TOPIC", "a topic's name has 1 to 256 letters, digits, - and _");
}

/* Less than 100 printable ASCII characters, the first a letter, a digit or a mark: SNS's rule. */
static bool subject_valid(const char *s, struct err *e)
{
	size_t n = s ? strlen(s) : 1;
	for (const char *p = s; p && *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			n = 0;
	return (n >= 1 && n < 100 && (!s || s[0] != ' ')) ||
	       err_set(e, ERR_USAGE, "--subject",
	               "1 to 99 printable ASCII characters in one line, not beginning with a blank");
}

static bool protocol_valid(const char *p, struct err *e)
{
	static const char *const all[] = { "http", "https",       "email",  "email-json", "sms",
		                               "sqs",  "application", "lambda", "firehose" };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strcmp(all[i], p) == 0)
			return true;
	return err_set(e, ERR_USAGE, "PROTOCOL",
	               "http, https, email, email-json, sms, sqs, application, lambda or firehose, not '%.40s'", p);
}

static bool policy_valid(const char *text, struct err *e)
{
	struct err why = { 0 };
	struct json *doc = text ? json_parse(span_of(text), &why) : NULL;
	bool ok = !text || json_is_object(doc);
	json_free(doc);
	return ok || err_set(e, ERR_USAGE, "--filter-policy", "a JSON object: %.100s",
	                     why.text[0] ? why.text : "it is another value");
}

static bool valid(const struct engine *g, const struct topics_request *rq, struct err *e)
{
	size_t n = rq->message ? strlen(rq->message) : 0;
	switch (rq->what) {
	case TOPICS_CREATE: return name_valid(rq->topic, e);
	case TOPICS_UNSUBSCRIBE:
		return (is_arn(rq->subscription) && field_is(rq->subscription, 2, "sns")) ||
		       err_set(e, ERR_USAGE, "SUBSCRIPTION", "the ARN of a subscription; topics show lists them");
	case TOPICS_SUBSCRIBE:
		if (!protocol_valid(rq->protocol, e) || !policy_valid(rq->filter, e))
			return false;
		break;
	case TOPICS_PUBLISH:
		if (!subject_valid(rq->subject, e))
			return false;
		if (n < 1 || n > MESSAGE_MOST)
			return err_set(e, ERR_USAGE, "MESSAGE", "1 byte to 256 KiB");
		break;
	default: break;
	}
	if (rq->topic && is_arn(rq->topic) && (!field_is(rq->topic, 2, "sns") || !field_is(rq->topic, 3, g->target.region)))
		return err_set(e, ERR_USAGE, "TOPIC", "%.100s is no topic of region %.40s: --region says where it is asked",
		               rq->topic, g->target.region);
	return true;
}

/* ---- what is told */

static unsigned number(const struct sns_attributes_out *o, const char *key)
{
	const char *text = sns_attribute(o, key);
	return text ? (unsigned)strtoul(text, NULL, 10) : 0;
}

static struct topic topic_of(struct arena *mem, const char *arn, const struct attributes_ask *a)
{
	struct topic t = { .arn = arena_strdup(mem, arn) };
	t.name = last_of(t.arn);
	t.fifo = strlen(t.name) > 5 && strcmp(t.name + strlen(t.name) - 5, ".fifo") == 0;
	if (!a || a->err.code != ERR_OK)
		return t;
	t.known = true;
	t.confirmed = number(&a->out, "SubscriptionsConfirmed");
	t.pending = number(&a->out, "SubscriptionsPending");
	t.display = arena_strdup(mem, sns_attribute(&a->out, "DisplayName"));
	t.key = arena_strdup(mem, sns_attribute(&a->out, "KmsMasterKeyId"));
	return t;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct topic *)a)->name, ((const struct topic *)b)->name);
}

static void give_list(struct task *t, const struct work *w)
{
	struct topics_result *r = &t->result->topics;
	r->v = arena_array(&r->mem, w->list.n, sizeof *r->v);
	for (unsigned i = 0; i < w->list.n; i++) {
		const struct attributes_ask *a = i < w->nasks ? &w->asks[i] : NULL;
		r->v[r->n++] = topic_of(&r->mem, w->list.topics[i], a);
		if (a && a->err.code != ERR_OK && r->attributes_err.code == ERR_OK)
			r->attributes_err = a->err;
	}
	if (r->n)
		qsort(r->v, r->n, sizeof *r->v, by_name);
}

static void give_policies(struct arena *mem, const struct attributes_ask *a, struct topic_sub *s)
{
	const char *raw = sns_attribute(&a->out, "RawMessageDelivery");
	s->policies_known = a->err.code == ERR_OK;
	s->filter = arena_strdup(mem, sns_attribute(&a->out, "FilterPolicy"));
	s->filter_scope = arena_strdup(mem, sns_attribute(&a->out, "FilterPolicyScope"));
	s->redrive = arena_strdup(mem, sns_attribute(&a->out, "RedrivePolicy"));
	s->raw = raw && strcmp(raw, "true") == 0;
}

/* asks[0] is the topic's, asks[1 + i] subscription i's. */
static void give_topic(struct task *t, const struct work *w)
{
	struct topics_result *r = &t->result->topics;
	struct topic_sub *subs = arena_array(&r->mem, w->subs.n, sizeof *subs);
	r->v = arena_alloc(&r->mem, sizeof *r->v);
	r->n = 1;
	*r->v = topic_of(&r->mem, w->arn, &w->asks[0]);
	for (unsigned i = 0; i < w->subs.n; i++) {
		const struct sns_sub *s = &w->subs.subs[i];
		subs[i].protocol = arena_strdup(&r->mem, s->protocol ? s->protocol : "?");
		subs[i].endpoint = arena_strdup(&r->mem, s->endpoint);
		if (s->arn && is_arn(s->arn)) {
			subs[i].arn = arena_strdup(&r->mem, s->arn);
			give_policies(&r->mem, &w->asks[1 + i], &subs[i]);
		}
	}
	r->v->subs = subs;
	r->v->nsubs = w->subs.n;
	r->attributes_err = w->asks[0].err;
}

/* ---- the act */

static const struct op *op_of(enum topics_what what)
{
	return what == TOPICS_CREATE        ? &op_create_topic
	       : what == TOPICS_SUBSCRIBE   ? &op_subscribe
	       : what == TOPICS_UNSUBSCRIBE ? &op_unsubscribe
	                                    : &op_sns_publish;
}

static void words(struct task *t, const struct work *w)
{
	const struct topics_request *rq = &t->rq.topics;
	struct topics_result *r = &t->result->topics;
	const char *name = w->arn ? last_of(w->arn) : rq->topic;
	if (rq->what == TOPICS_CREATE)
		r->what = arena_printf(&r->mem, "create topic %s", name);
	else if (rq->what == TOPICS_SUBSCRIBE) /* an address is not for the audit log */
		r->what = arena_printf(&r->mem, "subscribe %s %s to topic %s", rq->protocol,
		                       is_arn(rq->endpoint) ? rq->endpoint : "endpoint", name);
	else if (rq->what == TOPICS_UNSUBSCRIBE)
		r->what = arena_printf(&r->mem, "end subscription %s", rq->subscription);
	else
		r->what = arena_printf(&r->mem, "publish a message of %zu bytes to topic %s", strlen(rq->message), name);
}

static bool act(struct engine *g, struct task *t, struct work *w)
{
	const struct topics_request *rq = &t->rq.topics;
	struct result *r = t->result;
	const struct op *op = op_of(rq->what);
	words(t, w);
	struct gate_act wish = { .needs = MODE_ADMIN, .op = op, .what = r->topics.what };
	if (t->rq.dry_run || !audited_gate(g, &t->rq.consent, &wish, &w->permit, r) ||
	    !audited(g, t->rq.consent.mode, op, w->arn ? w->arn : rq->subscription, "announced", r->topics.what, &r->err))
		return false;
	const char *redrive =
	    rq->dead_letters ? arena_printf(&t->mem, "{\"deadLetterTargetArn\":\"%s\"}", rq->dead_letters) : NULL;
	w->in =
	    (struct sns_topic_in){ rq->topic, w->arn, rq->protocol, rq->endpoint, rq->filter, redrive, rq->subscription };
	w->message = (struct sns_publish_in){ w->arn, rq->subject, rq->message };
	w->stage = ACT;
	w->waiting++;
	bool publish = rq->what == TOPICS_PUBLISH;
	aws_call_permitted(g->aws, &w->permit, CALL_ACT, op, publish ? (void *)&w->message : (void *)&w->in,
	                   publish ? (void *)&w->told : (void *)&w->out, on_done, w);
	return true;
}

static void acted(struct task *t, const struct work *w)
{
	struct topics_result *r = &t->result->topics;
	const char *made = t->rq.topics.what == TOPICS_PUBLISH ? w->told.message_id : w->out.arn;
	r->made = *made ? arena_strdup(&r->mem, made) : NULL;
}

/* ---- the steps */

static bool begin(struct engine *g, struct task *t)
{
	const struct topics_request *rq = &t->rq.topics;
	struct work *w = t->work = xcalloc(1, sizeof *w);
	struct err *e = &t->result->err;
	if (g->account_err.code != ERR_OK)
		*e = g->account_err;
	if (e->code != ERR_OK || !valid(g, rq, e))
		return false;
	if (g->closing || !engine_connect(g)) {
		*e = g->account_err;
		return false;
	}
	if (rq->what == TOPICS_CREATE || rq->what == TOPICS_UNSUBSCRIBE)
		return act(g, t, w);
	if (rq->what == TOPICS_LIST || !is_arn(rq->topic))
		ask(g, w, &op_list_topics, &w->list_in, &w->list);
	return true;
}

static bool found(struct work *w, const struct topics_request *rq, struct err *e)
{
	if (is_arn(rq->topic))
		w->arn = rq->topic;
	for (unsigned i = 0; !w->arn && i < w->list.n; i++)
		if (strcmp(last_of(w->list.topics[i]), rq->topic) == 0)
			w->arn = w->list.topics[i];
	return w->arn || err_set(e, ERR_NOTFOUND, rq->topic, "there is no topic of this name");
}

/* True while there is more to wait for. */
static bool read_more(struct engine *g, struct task *t, struct work *w)
{
	w->stage = READ;
	if (t->rq.topics.what == TOPICS_LIST) {
		w->nasks = w->list.n < MOST ? w->list.n : MOST;
		w->asks = xcalloc(w->nasks + 1u, sizeof *w->asks);
		for (unsigned i = 0; i < w->nasks; i++)
			ask_attributes(g, w, i, &op_get_topic_attributes, w->list.topics[i]);
		return true;
	}
	if (!found(w, &t->rq.topics, &t->result->err))
		return false;
	if (t->rq.topics.what != TOPICS_SHOW)
		return act(g, t, w);
	w->subs_in.topic = w->arn;
	ask(g, w, &op_list_topic_subscriptions, &w->subs_in, &w->subs);
	return true;
}

static bool read_policies(struct engine *g, struct work *w)
{
	w->stage = POLICIES;
	w->nasks = 1 + w->subs.n;
	w->asks = xcalloc(w->nasks, sizeof *w->asks);
	ask_attributes(g, w, 0, &op_get_topic_attributes, w->arn);
	for (unsigned i = 0; i < w->subs.n; i++)
		if (w->subs.subs[i].arn && is_arn(w->subs.subs[i].arn))
			ask_attributes(g, w, 1 + i, &op_get_subscription_attributes, w->subs.subs[i].arn);
	return true;
}

/* One answer is whole: what follows. False: nothing. */
static bool onward(struct engine *g, struct task *t, struct work *w)
{
	switch (w->stage) {
	case FIND: return read_more(g, t, w);
	case READ:
		if (t->rq.topics.what == TOPICS_SHOW)
			return read_policies(g, w);
		give_list(t, w);
		return false;
	case POLICIES: give_topic(t, w); return false;
	default: acted(t, w); return false;
	}
}

void topics_step(struct engine *g, struct task *t)
{
	if (t->state++ == 0 && !begin(g, t)) {
		t->done = true;
		return;
	}
	struct work *w = t->work;
	if (w->waiting)
		return;
	if (w->err.code != ERR_OK) {
		t->result->err = w->err;
		t->done = true;
		return;
	}
	t->done = !onward(g, t, w);
}

void topics_abandon(struct task *t)
{
	struct work *w = t->work;
	if (!w)
		return;
	for (unsigned i = 0; i < w->nasks; i++)
		sns_attributes_out_clear(&w->asks[i].out);
	free(w->asks);
	sns_list_out_clear(&w->list);
	sns_list_out_clear(&w->subs);
	free(w->list_in.page.token);
	free(w->subs_in.page.token);
	free(w);
}
