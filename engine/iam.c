/* REQUEST_IAM: the least that AWS must allow for what the configuration names. Made from the operations' own table rows; asks
 * nobody. */
#include "aws/op_alarm_write.h"
#include "aws/op_async.h"
#include "aws/op_cloudtrail.h"
#include "aws/op_kinesis.h"
#include "aws/op_lambda.h"
#include "aws/op_logs.h"
#include "aws/op_mute.h"
#include "aws/op_release.h"
#include "aws/op_retention.h"
#include "aws/op_s3.h"
#include "aws/op_sqs.h"
#include "core/mem.h"
#include "engine/inside.h"

#include <stdlib.h>
#include <string.h>

static struct iam_statement *statement(struct iam_result *r, const char *sid)
{
	r->statements = xreallocarray(r->statements, r->n + 1u, sizeof *r->statements);
	struct iam_statement *s = &r->statements[r->n++];
	*s = (struct iam_statement){ .sid = sid };
	return s;
}

static void add(char ***list, unsigned *n, char *owned)
{
	*list = xreallocarray(*list, *n + 1u, sizeof **list);
	(*list)[(*n)++] = owned;
}

static void allow(struct iam_statement *s, const struct op *op)
{
	if (op)
		add(&s->actions, &s->nactions, xstrdup(op->iam));
}

/* Lists and CloudWatch know no resources: these rights are for all or for nothing. */
static void allow_lists(struct iam_result *r)
{
	struct iam_statement *s = statement(r, "SluiceLists");
	for (unsigned i = 0; i < nkinds; i++) {
		allow(s, kinds[i]->list);
		allow(s, kinds[i]->edges);
	}
	allow(s, &op_describe_alarms);
	allow(s, &op_describe_alarm_history);
	allow(s, &op_get_metric_data);
	allow(s, &op_list_metrics);
	allow(s, &op_get_resources);
	allow(s, &op_lookup_events); /* the only one that says who */
	add(&s->resources, &s->nresources, xstrdup("*"));
}

/* A stack or a tag may hold anything. */
static bool anything(const struct conf *c)
{
	for (unsigned i = 0; i < c->npipelines; i++)
		if (c->pipelines[i].stack || c->pipelines[i].tag)
			return true;
	return c->npipelines == 0;
}

/* Without stages everything is shown. Redrive policies lead to dead-letter queues that no stage names, so queues are allowed
 * together, within this account and region. */
static void allow_describe(const struct engine *g, struct iam_result *r, const struct kind *k)
{
	const struct conf *c = g->conf;
	bool follows = strcmp(k->info.id, "sqs") == 0, all = anything(c), released = k == &kind_lambda;
	unsigned named = 0;
	for (unsigned i = 0; i < c->nstages; i++)
		named += strcmp(c->stages[i].kind, k->info.id) == 0;
	if ((!k->describe && !released) || (!all && !named && !follows))
		return;
	struct iam_statement *s = statement(r, NULL);
	allow(s, k->describe);
	allow(s, k->sources);
	allow(s, k->parts);
	if (released) {
		allow(s, &op_list_versions);
		allow(s, &op_list_aliases);
		allow(s, &op_list_event_configs);
	}
	if (all || follows) {
		add(&s->resources, &s->nresources, arn_of(g, k, "*"));
		return;
	}
	for (unsigned i = 0; i < c->nstages; i++) {
		const struct conf_stage *st = &c->stages[i];
		if (strcmp(st->kind, k->info.id) == 0)
			add(&s->resources, &s->nresources, st->arn ? xstrdup(st->arn) : arn_of(g, k, st->resource));
	}
}

/* What `process` starts when none is named. An ARN stands as it is, an alias behind its function. */
static char *process_arn(const struct engine *g)
{
	const char *name = g->conf->process_function;
	return strncmp(name, "arn:", 4) == 0 ? xstrdup(name) : arn_of(g, &kind_lambda, name);
}

/* As for describing: without stages anything, else what they name. */
static void allow_write(const struct engine *g, struct iam_result *r, const struct kind *k)
{
	const struct conf *c = g->conf;
	bool process = k == &kind_lambda;
	if (!k->write)
		return;
	struct iam_statement s = { 0 };
	for (unsigned i = 0; i < c->nstages; i++)
		if (strcmp(c->stages[i].kind, k->info.id) == 0)
			add(&s.resources, &s.nresources,
			    c->stages[i].arn ? xstrdup(c->stages[i].arn) : arn_of(g, k, c->stages[i].resource));
	if (!c->npipelines)
		add(&s.resources, &s.nresources, arn_of(g, k, "*"));
	else if (process)
		add(&s.resources, &s.nresources, process_arn(g));
	if (!s.nresources)
		return;
	allow(&s, k->write);
	*statement(r, NULL) = s;
}

/* A replay may be about any queue, stream and function: dead-letter queues are named by no stage. */
static void allow_receiving(const struct engine *g, struct iam_result *r)
{
	struct iam_statement *s = statement(r, "SluiceInspect");
	allow(s, &op_get_queue_url);
	allow(s, &op_receive_message);
	allow(s, &op_change_visibility_batch);
	allow(s, &op_list_message_move_tasks);
	add(&s->resources, &s->nresources, arn_of(g, &kind_sqs, "*"));
	s = statement(r, NULL);
	allow(s, &op_get_shard_iterator);
	allow(s, &op_get_records);
	add(&s->resources, &s->nresources, arn_of(g, &kind_kinesis, "*"));
	s = statement(r, NULL);
	allow(s, &op_get_function_configuration);
	add(&s->resources, &s->nresources, arn_of(g, &kind_lambda, "*"));
}

static char *s3_arn(const struct engine *g, const char *what)
{
	return xasprintf("arn:%s:s3:::%s", g->target.partition, what);
}

/* Objects as a replay's items may lie in any bucket. */
static void allow_objects(const struct engine *g, struct iam_result *r)
{
	struct iam_statement *s = statement(r, "SluiceObjects");
	allow(s, &op_list_objects);
	add(&s->resources, &s->nresources, s3_arn(g, "*"));
	s = statement(r, NULL);
	allow(s, &op_get_object);
	add(&s->actions, &s->nactions, xstrdup("s3:GetObjectVersion")); /* of a key that was frozen with its version */
	add(&s->resources, &s->nresources, s3_arn(g, "*/*"));
}

/* What keeps replays of one source away from each other. */
static void allow_lock(const struct engine *g, struct iam_result *r)
{
	const char *bucket = g->o.target ? g->o.target->lock_bucket : NULL;
	if (!bucket)
		return;
	struct iam_statement *s = statement(r, "SluiceReplayLock");
	allow(s, &op_put_object);
	add(&s->resources, &s->nresources, xasprintf("arn:%s:s3:::%s/locks/*", g->target.partition, bucket));
}

static void allow_replay(const struct engine *g, struct iam_result *r)
{
	struct iam_statement *s = statement(r, "SluiceReplay");
	allow(s, &op_delete_message_batch);
	allow(s, &op_send_message_batch);
	allow(s, &op_start_message_move_task);
	allow(s, &op_cancel_message_move_task);
	add(&s->resources, &s->nresources, arn_of(g, &kind_sqs, "*"));
}

static void allow_writes(const struct engine *g, struct iam_result *r)
{
	for (unsigned i = 0; i < nkinds; i++)
		allow_write(g, r, kinds[i]);
	struct iam_statement *s = statement(r, "SluiceMetrics");
	allow(s, &op_put_metric_data);
	add(&s->resources, &s->nresources, xstrdup("*")); /* it knows no resources */
	s = statement(r, "SluiceMutes");
	allow(s, &op_put_mute_rule);
	allow(s, &op_delete_mute_rule);
	allow(s, &op_list_mute_rules);
	add(&s->resources, &s->nresources, xstrdup("*")); /* the alarm's and the rule's, and listing knows none */
}

static void allow_all_of(const struct engine *g, struct iam_result *r, const struct op *op, const char *service,
                         const char *rest)
{
	const struct target *t = &g->target;
	struct iam_statement *s = statement(r, NULL);
	allow(s, op);
	add(&s->resources, &s->nresources,
	    xasprintf("arn:%s:%s:%s:%s:%s", t->partition, service, t->region[0] ? t->region : "*",
	              t->account[0] ? t->account : "*", rest));
}

/* `discover --stack` may name any. */
static void allow_stacks(const struct engine *g, struct iam_result *r)
{
	allow_all_of(g, r, &op_list_stack_resources, "cloudformation", "stack/*");
}

/* Which topics and alarms there are, alarms say; a function may log anywhere. */
static void allow_told(const struct engine *g, struct iam_result *r)
{
	allow_all_of(g, r, &op_list_subscriptions, "sns", "*");
	allow_all_of(g, r, &op_list_alarm_tags, "cloudwatch", "alarm:*");
	allow_all_of(g, r, &op_filter_log_events, "logs", "log-group:*");
}

/* Alarm files and the acts on one alarm may be about any. */
static void allow_alarms(const struct engine *g, struct iam_result *r)
{
	static const struct op *const ops[] = { &op_put_composite_alarm, &op_put_log_alarm, &op_delete_alarm,
		                                    &op_enable_alarm,        &op_disable_alarm, &op_set_alarm_state,
		                                    &op_tag_alarm,           &op_untag_alarm };
	allow_all_of(g, r, &op_put_metric_alarm, "cloudwatch", "alarm:*");
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		allow(&r->statements[r->n - 1], ops[i]);
}

/* Reading topics beyond what alarms name is for whoever may change them. */
static void allow_topics(const struct engine *g, struct iam_result *r)
{
	static const struct op *const ops[] = { &op_create_topic, &op_subscribe, &op_unsubscribe, &op_get_topic_attributes,
		                                    &op_get_subscription_attributes };
	allow_all_of(g, r, &op_list_topics, "sns", "*");
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		allow(&r->statements[r->n - 1], ops[i]);
}

/* Buying time may be about any queue or stream. */
static void allow_retention(const struct engine *g, struct iam_result *r)
{
	allow_all_of(g, r, &op_set_queue_retention, "sqs", "*");
	allow_all_of(g, r, &op_increase_retention, "kinesis", "stream/*");
	allow_all_of(g, r, &op_decrease_retention, "kinesis", "stream/*");
}

void iam_step(struct engine *g, struct task *t)
{
	struct iam_result *r = &t->result->iam;
	allow_lists(r);
	for (unsigned i = 0; i < nkinds; i++)
		allow_describe(g, r, kinds[i]);
	allow_stacks(g, r);
	allow_told(g, r);
	if (t->rq.iam.mode >= MODE_INSPECT) {
		allow_receiving(g, r);
		allow_objects(g, r);
	}
	if (t->rq.iam.mode >= MODE_ADMIN)
		allow_alarms(g, r);
	if (t->rq.iam.mode >= MODE_ADMIN)
		allow_topics(g, r);
	if (t->rq.iam.mode >= MODE_OPERATE) {
		allow_writes(g, r);
		allow_replay(g, r);
		allow_lock(g, r);
		allow_all_of(g, r, &op_sns_publish, "sns", "*"); /* --check --notify names any */
	}
	if (t->rq.iam.mode >= MODE_ADMIN)
		allow_retention(g, r);
	t->done = true;
}

void iam_result_clear(struct iam_result *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		struct iam_statement *s = &r->statements[i];
		for (unsigned j = 0; j < s->nactions; j++)
			free(s->actions[j]);
		for (unsigned j = 0; j < s->nresources; j++)
			free(s->resources[j]);
		free(s->actions);
		free(s->resources);
	}
	free(r->statements);
	*r = (struct iam_result){ 0 };
}
