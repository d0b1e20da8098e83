/* topics: SNS's topics, who is subscribed, and one message to them. */
#include "cli/args.h"
#include "cli/out.h"

#include "core/clock.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- list, show */

static void json_topic(struct json_out *j, const struct topic *t)
{
	json_out_str(j, "arn", t->arn);
	json_out_str(j, "name", t->name);
	json_out_bool(j, "known", t->known);
	if (t->known) {
		json_out_int(j, "confirmed", t->confirmed);
		json_out_int(j, "pending", t->pending);
	}
	json_out_str(j, "display", t->display);
	json_out_str(j, "key", t->key);
}

static void json_sub(struct json_out *j, const struct topic_sub *s)
{
	json_out_object(j, NULL);
	json_out_str(j, "arn", s->arn);
	json_out_bool(j, "confirmed", s->arn != NULL);
	json_out_str(j, "protocol", s->protocol);
	json_out_str(j, "endpoint", s->endpoint);
	json_out_bool(j, "policies_known", s->policies_known);
	json_out_str(j, "filter_policy", s->filter);
	json_out_str(j, "filter_scope", s->filter_scope);
	json_out_str(j, "redrive_policy", s->redrive);
	json_out_bool(j, "raw", s->raw);
	json_out_object_end(j);
}

static void print_json(struct out *o, const struct topics_result *r, bool one)
{
	struct json_out j;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	if (one)
		json_topic(&j, &r->v[0]);
	json_out_array(&j, one ? "subscriptions" : "topics");
	for (unsigned i = 0; one && i < r->v[0].nsubs; i++)
		json_sub(&j, &r->v[0].subs[i]);
	for (unsigned i = 0; !one && i < r->n; i++) {
		json_out_object(&j, NULL);
		json_topic(&j, &r->v[i]);
		json_out_object_end(&j);
	}
	json_out_array_end(&j);
	json_out_object_end(&j);
	out_own(o, "\n");
}

static void print_list(struct out *o, const struct topics_result *r)
{
	static const char *const heads[] = { "TOPIC", "CONFIRMED", "PENDING", "ARN" };
	struct table t;
	char n[16];
	table_init(&t, 4, 0x6u);
	for (unsigned i = 0; o->tty && i < 4; i++)
		table_add(&t, heads[i]);
	for (unsigned i = 0; i < r->n; i++) {
		const struct topic *v = &r->v[i];
		table_add(&t, v->name);
		snprintf(n, sizeof n, "%u", v->confirmed);
		table_add(&t, v->known ? n : "?");
		snprintf(n, sizeof n, "%u", v->pending);
		table_add(&t, v->known ? n : "?");
		table_add(&t, v->arn);
	}
	table_print(&t, o);
}

static void print_subs(struct out *o, const struct topics_result *r)
{
	static const char *const heads[] = { "", "PROTOCOL", "ENDPOINT", "FILTER", "DEAD LETTERS", "SUBSCRIPTION" };
	struct table t;
	table_init(&t, 6, 0);
	for (unsigned i = 0; o->tty && i < 6; i++)
		table_add(&t, heads[i]);
	for (unsigned i = 0; i < r->v[0].nsubs; i++) {
		const struct topic_sub *s = &r->v[0].subs[i];
		bool known = s->policies_known || !s->arn;
		table_add(&t, s->arn ? "told" : "not confirmed");
		table_add(&t, s->protocol);
		table_add(&t, s->endpoint);
		table_add(&t, !known ? "?" : s->filter ? s->filter : "");
		table_add(&t, !known ? "?" : s->redrive ? s->redrive : "");
		table_add(&t, s->arn ? s->arn : "");
	}
	table_print(&t, o);
}

static void say_topic(const struct topic *t)
{
	unsigned told = 0;
	for (unsigned i = 0; i < t->nsubs; i++)
		told += t->subs[i].arn != NULL;
	if (!told)
		cli_note(t->name, t->nsubs ? "nobody is told: no subscription is confirmed"
		                           : "nobody is told: there is no subscription");
	if (t->key)
		cli_note(t->name, "it is encrypted: CloudWatch reaches it only where the key's policy lets it");
}

static int look(const struct cli *c, struct engine *g, bool one)
{
	struct request rq = { .kind = REQUEST_TOPICS,
		                  .topics = { .what = one ? TOPICS_SHOW : TOPICS_LIST, .topic = one ? c->argv[1] : NULL } };
	struct result *r = engine_call(g, &rq);
	struct out o;
	int status;
	if (r->err.code != ERR_OK) {
		status = cli_fail(c, &r->err);
	} else {
		out_init(&o);
		if (cli_is_json(c))
			print_json(&o, &r->topics, one);
		else
			(one ? print_subs : print_list)(&o, &r->topics);
		status = out_end(&o, c, 0);
		if (r->topics.attributes_err.code != ERR_OK)
			status = cli_fail(c, &r->topics.attributes_err);
		if (one && !cli_is_json(c))
			say_topic(&r->topics.v[0]);
	}
	result_free(r);
	return status;
}

static int list(const struct cli *c, struct engine *g)
{
	return look(c, g, false);
}

static int show(const struct cli *c, struct engine *g)
{
	return look(c, g, true);
}

/* ---- acts */

static void act_json(struct out *o, const struct cli *c, const struct result *r)
{
	struct json_out j;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_str(&j, "act", r->topics.what);
	json_out_bool(&j, "dry_run", c->args->dry_run);
	json_out_str(&j, "status", c->args->dry_run ? "planned" : "done");
	json_out_str(&j, "id", r->topics.made);
	json_out_object_end(&j);
	out_own(o, "\n");
}

static void act_text(struct out *o, const struct cli *c, const struct result *r)
{
	struct table t;
	table_init(&t, 3, 0);
	table_add(&t, c->args->dry_run ? "planned" : "done");
	table_add(&t, r->topics.made ? r->topics.made : "-");
	table_add(&t, r->topics.what);
	table_print(&t, o);
}

static int create(const struct cli *c, struct engine *g)
{
	struct request rq = { .kind = REQUEST_TOPICS, .topics = { .what = TOPICS_CREATE, .topic = c->argv[1] } };
	return cli_act_print(c, g, &rq, act_json, act_text);
}

static int subscribe(const struct cli *c, struct engine *g)
{
	struct request rq = { .kind = REQUEST_TOPICS,
		                  .topics = { .what = TOPICS_SUBSCRIBE,
		                              .topic = c->argv[1],
		                              .protocol = c->argv[2],
		                              .endpoint = c->argv[3],
		                              .filter = c->args->filter_policy,
		                              .dead_letters = c->args->dead_letters } };
	return cli_act_print(c, g, &rq, act_json, act_text);
}

static int unsubscribe(const struct cli *c, struct engine *g)
{
	struct request rq = { .kind = REQUEST_TOPICS,
		                  .topics = { .what = TOPICS_UNSUBSCRIBE, .subscription = c->argv[1] } };
	return cli_act_print(c, g, &rq, act_json, act_text);
}

/* What is plainly a test for whoever hears it at night. */
static char *test_message(void)
{
	char at[CLOCK_RFC3339_SIZE], host[65] = "unknown";
	clock_rfc3339(clock_wall(), at);
	if (gethostname(host, sizeof host - 1) < 0)
		snprintf(host, sizeof host, "unknown");
	return xasprintf(
	    "This is a test alert, sent by hand with sluice on %s at %s. Nothing is wrong, and there is nothing to do.",
	    host, at);
}

static int publish(const struct cli *c, struct engine *g)
{
	struct err e;
	const char *subject = c->args->subject;
	if (c->args->test == (c->argc > 2)) {
		err_set(&e, ERR_USAGE, "topics publish", "needs a MESSAGE, or --test and none");
		return cli_fail(c, &e);
	}
	char *message = c->args->test ? test_message() : xstrdup(c->argv[2]);
	struct request rq = { .kind = REQUEST_TOPICS,
		                  .topics = { .what = TOPICS_PUBLISH,
		                              .topic = c->argv[1],
		                              .subject = subject         ? subject
		                                         : c->args->test ? "TEST alert from sluice"
		                                                         : NULL,
		                              .message = message } };
	int status = cli_act_print(c, g, &rq, act_json, act_text);
	free(message);
	return status;
}

/* ---- */

static const struct cli_verb verbs[] = {
	{ "list", NULL, 0, 0, list },
	{ "show", "a topic's name or ARN", 1, 1, show },
	{ "create", "the topic's name", 1, 1, create },
	{ "subscribe", "a topic, a protocol and an endpoint", 3, 3, subscribe },
	{ "unsubscribe", "the ARN of a subscription", 1, 1, unsubscribe },
	{ "publish", "a topic's name or ARN, and a message or --test", 1, 2, publish },
};

int cmd_topics(const struct cli *c, struct engine *g)
{
	return cli_verbs(c, g, verbs, sizeof verbs / sizeof *verbs, NULL);
}
