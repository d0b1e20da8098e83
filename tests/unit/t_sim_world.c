/* The embedded AWS's laws of motion, on a clock that the test moves by hand: scenarios, queues, streams, metrics. */
#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"
#include "sim/motion.h"
#include "sim/scenario.h"
#include "sim/sim_alarm.h"
#include "sim/sim_grant.h"
#include "sim/sim_invoke.h"
#include "sim/sim_queue.h"
#include "sim/sim_req.h"
#include "sim/sim_stream.h"
#include "sim/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct world *new_world(const char *scenario)
{
	return motion_start(scenario_find(scenario), "eu-west-1", 1);
}

static void pass(struct world *w, int64_t minutes)
{
	motion_run_to(w, w->minute + minutes);
}

/* The statistic of one minute; fails when nothing was measured. */
static double at(struct world *w, const char *ns, const char *name, const char *dim, const char *value,
                 const char *stat, int64_t minute)
{
	struct sim_dim d = { dim, value };
	struct sim_stat s;
	double v = 0;
	assert_true(stat_parse(stat, &s));
	const struct sim_metric *m = metrics_get(&w->metrics, ns, name, &d, 1, false);
	if (!m || !metric_stat(m, minute, minute + 1, &s, &v))
		fail_msg("%s/%s of %s: nothing at minute %lld", ns, name, value, (long long)(minute - w->minute0));
	return v;
}

static bool measured(struct world *w, const char *ns, const char *name, const char *dim, const char *value,
                     int64_t minute)
{
	struct sim_dim d = { dim, value };
	const struct sim_metric *m = metrics_get(&w->metrics, ns, name, &d, 1, false);
	return m && metric_has(m, minute);
}

static double sqs(struct world *w, const char *queue, const char *name, const char *stat, int64_t minute)
{
	return at(w, "AWS/SQS", name, "QueueName", queue, stat, minute);
}

static double kinesis(struct world *w, const char *name, const char *stat, int64_t minute)
{
	return at(w, "AWS/Kinesis", name, "StreamName", "orders-ingest", stat, minute);
}

static void near_to(double got, double wanted, double by)
{
	if (got < wanted - by || got > wanted + by)
		fail_msg("%g is not within %g of %g", got, by, wanted);
}

static void alarm_is(const struct world *w, const char *name, enum sim_state s, int64_t minutes_ago)
{
	const struct sim_alarm *a = world_alarm(w, name);
	assert_non_null(a);
	if (a->state != s)
		fail_msg("%s is %s: %s", name, sim_state_names[a->state], a->reason);
	if (minutes_ago)
		assert_int_equal(w->minute - a->since_ms / 60000, minutes_ago);
}

static unsigned visible(struct world *w, const char *name)
{
	struct queue_counts c;
	queue_count(world_queue(w, name), w->now_ms, &c);
	return c.visible;
}

/* ---- scenarios */

static void calm(void **state)
{
	(void)state;
	struct world *w = new_world("calm");
	int64_t last = w->minute - 1;
	assert_true(w->now_ms == clock_wall_ms());
	assert_true(kinesis(w, "IncomingRecords", "Sum", last) == 412 * 60);
	assert_true(kinesis(w, "GetRecords.Records", "Sum", last) == 412 * 60);
	assert_true(at(w, "AWS/Lambda", "Invocations", "FunctionName", "orders-enrich", "Sum", last) ==
	            54); /* batches of 461 or so */
	assert_true(sqs(w, "orders-load", "ApproximateNumberOfMessagesVisible", "Maximum", last) == 214);
	for (int64_t k = last; k > last - 180; k--) {
		near_to(kinesis(w, "IncomingRecords", "Sum", k) / 60, 412, 35);
		assert_true(at(w, "DataPipeline", "ErrorRate", "Stage", "enrich", "Average", k) <
		            2.1); /* one batch of a minute, now and then */
		assert_true(kinesis(w, "GetRecords.IteratorAgeMilliseconds", "Maximum", k) < 2000);
	}
	double p50 = at(w, "AWS/Lambda", "Duration", "FunctionName", "orders-enrich", "p50", last);
	near_to(p50, 3600, 40);
	assert_true(at(w, "AWS/Lambda", "Duration", "FunctionName", "orders-enrich", "p99", last) > 2 * p50);
	/* Idle is silence, not zero. */
	assert_false(measured(w, "AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "orders-load-dlq", last));
	assert_false(measured(w, "AWS/Lambda", "Invocations", "FunctionName", "nightly-report", last));
	assert_int_equal(w->nalarms, 7);
	for (unsigned i = 0; i < w->nalarms; i++)
		assert_int_equal(w->alarms[i]->state, STATE_OK);
	pass(w, 600);
	for (unsigned i = 0; i < w->nalarms; i++)
		assert_int_equal(w->alarms[i]->state, STATE_OK);
	assert_int_equal(visible(w, "orders-load-dlq"), 0);
	motion_end(w);
}

static void dlq_growth(void **state)
{
	(void)state;
	struct world *w = new_world("dlq-growth");
	struct sim_queue *dead = world_queue(w, "orders-load-dlq");
	int64_t last = w->minute - 1;
	assert_int_equal(visible(w, "orders-load-dlq"), 1291);
	assert_true(sqs(w, "orders-load-dlq", "ApproximateNumberOfMessagesVisible", "Maximum", last) == 1291);
	near_to(sqs(w, "orders-load-dlq", "ApproximateAgeOfOldestMessage", "Maximum", last) / 3600, 29, 0.1);
	near_to((double)(w->now_ms - dead->msg[0]->sent_ms) / 3600000, 74, 0.2); /* 3d02h: CloudWatch hides 45 of them */
	alarm_is(w, "DlqNotEmpty", STATE_ALARM, 1740);
	alarm_is(w, "HighErrorRate", STATE_OK, 0);
	assert_false(measured(w, "AWS/SQS", "NumberOfMessagesSent", "QueueName", "orders-load-dlq", last) &&
	             sqs(w, "orders-load-dlq", "NumberOfMessagesSent", "Sum", last) > 0); /* redriven, not sent */
	pass(w, 100);
	near_to(visible(w, "orders-load-dlq"), 1291 + 74, 1);
	assert_true(strcmp(dead->msg[0]->source_arn, "arn:aws:sqs:eu-west-1:123456789012:orders-load") == 0);
	pass(w, 1221); /* 22 hours and a minute after the start the first one expires */
	assert_true(w->now_ms - dead->msg[0]->sent_ms < dead->retention_s * 1000);
	near_to(visible(w, "orders-load-dlq"), 1291 + 1321 * 1291 / 1742.0, 3);
	motion_end(w);
}

static void poison_shard(void **state)
{
	(void)state;
	struct world *w = new_world("poison-shard");
	int64_t last = w->minute - 1;
	assert_true(kinesis(w, "GetRecords.IteratorAgeMilliseconds", "Maximum", last) == 369 * 60000);
	assert_true(kinesis(w, "GetRecords.IteratorAgeMilliseconds", "Maximum", last - 60) == 309 * 60000);
	near_to(kinesis(w, "IncomingRecords", "Sum", last) / 60, 412, 0.5);
	near_to(kinesis(w, "GetRecords.Records", "Sum", last) / 60, 361, 0.6);
	near_to(at(w, "DataPipeline", "ErrorRate", "Stage", "enrich", "Average", last), 7.8, 0.001);
	double errors = at(w, "AWS/Lambda", "Errors", "FunctionName", "orders-enrich", "Sum", last);
	near_to(100 * errors / at(w, "AWS/Lambda", "Invocations", "FunctionName", "orders-enrich", "Sum", last), 7.8, 0.05);
	alarm_is(w, "HighErrorRate", STATE_ALARM, 33);
	alarm_is(w, "IteratorAgeHigh", STATE_ALARM, 338);
	alarm_is(w, "LowThroughput", STATE_OK, 0);
	alarm_is(w, "LoadBacklog", STATE_OK, 0);
	alarm_is(w, "DlqNotEmpty", STATE_ALARM, 1740);
	assert_int_equal(visible(w, "orders-load-dlq"), 1291);
	pass(w, 30);
	assert_true(kinesis(w, "GetRecords.IteratorAgeMilliseconds", "Maximum", w->minute - 1) == 399 * 60000);
	alarm_is(w, "IteratorAgeHigh", STATE_ALARM, 368);
	motion_end(w);
}

static void refusals(void **state)
{
	(void)state;
	struct world *w = new_world("denied");
	assert_int_equal(w->faults.n, 1);
	assert_string_equal(w->faults.on[0].spec, "kinesis:ListStreams=denied");
	motion_end(w);
	w = new_world("throttled");
	assert_int_equal(w->faults.n, 1);
	assert_string_equal(w->faults.on[0].spec, "cloudwatch:GetMetricData=throttle");
	motion_end(w);
	w = new_world("empty");
	assert_int_equal(w->nqueues + w->nstreams + w->nfunctions + w->nmappings + w->nalarms + w->metrics.n, 0);
	motion_end(w);
	assert_null(scenario_find("no-such"));
	assert_ptr_equal(scenario_find(NULL), scenario_find("calm"));
}

static uint64_t fingerprint(const struct world *w)
{
	uint64_t h = 17;
	for (unsigned i = 0; i < w->metrics.n; i++)
		for (unsigned k = 0; k < w->metrics.all[i]->npt; k++) {
			uint64_t bits;
			memcpy(&bits, &w->metrics.all[i]->pt[k].set.sum, sizeof bits);
			h = (h ^ bits) * 0x100000001b3;
		}
	for (unsigned i = 0; i < w->nqueues; i++)
		for (unsigned k = 0; k < w->queues[i]->nmsg; k++)
			h = (h ^ (uint64_t)w->queues[i]->msg[k]->id[7]) * 0x100000001b3;
	return h;
}

static void the_same_every_time(void **state)
{
	(void)state;
	static const char *const names[] = { "calm",       "dlq-growth",         "poison-shard",
		                                 "bad-deploy", "throttled-consumer", "silent-producer" };
	uint64_t seen[6];
	for (unsigned i = 0; i < 6; i++) {
		struct world *a = new_world(names[i]), *b = new_world(names[i]);
		assert_true(fingerprint(a) == fingerprint(b));
		seen[i] = fingerprint(a);
		motion_end(a);
		motion_end(b);
	}
	for (unsigned i = 1; i < 6; i++)
		for (unsigned k = 0; k < i; k++)
			assert_true(seen[i] != seen[k]);
}

/* ---- queues */

static struct sim_msg *send(struct world *w, struct sim_queue *q, const char *body, int64_t delay_s)
{
	struct sim_msg *m = queue_msg_new(w, body, w->now_ms);
	queue_send(w, q, m, delay_s);
	return m;
}

static void sent_is_seen(void **state)
{
	(void)state;
	struct world *w = new_world("empty");
	struct sim_queue *q = queue_new(w, "q");
	struct sim_msg *got[10];
	for (unsigned i = 0; i < 3; i++)
		send(w, q, "hello", 0);
	send(w, q, "later", 600);
	struct queue_counts c;
	queue_count(q, w->now_ms, &c);
	assert_int_equal(c.visible, 3);
	assert_int_equal(c.delayed, 1);
	assert_true(sqs(w, "q", "NumberOfMessagesSent", "Sum", w->minute) == 4); /* in the minute that is not over yet */
	assert_int_equal(queue_receive(w, q, 2, 90, got), 2);
	queue_count(q, w->now_ms, &c);
	assert_int_equal(c.visible, 1);
	assert_int_equal(c.in_flight, 2);
	queue_remove(q, got[0]);
	pass(w, 1); /* 60 s: still in flight */
	queue_count(q, w->now_ms, &c);
	assert_int_equal(c.visible, 1);
	assert_int_equal(c.in_flight, 1);
	pass(w, 1); /* 120 s: it came back */
	assert_int_equal(visible(w, "q"), 2);
	assert_true(sqs(w, "q", "ApproximateNumberOfMessagesVisible", "Maximum", w->minute - 1) == 2);
	assert_true(sqs(w, "q", "ApproximateNumberOfMessagesNotVisible", "Maximum", w->minute - 2) == 1);
	assert_true(sqs(w, "q", "ApproximateNumberOfMessagesDelayed", "Maximum", w->minute - 1) == 1);
	assert_true(sqs(w, "q", "NumberOfMessagesSent", "Sum", w->minute - 1) == 0);
	pass(w, 10);
	assert_int_equal(visible(w, "q"), 3);
	motion_end(w);
}

static void redrive(void **state)
{
	(void)state;
	struct world *w = new_world("empty");
	struct sim_queue *q = queue_new(w, "q"), *dead = queue_new(w, "q-dead");
	struct sim_msg *got[10];
	q->dead_arn = xstrdup("arn:aws:sqs:eu-west-1:123456789012:q-dead");
	q->max_receive = 2;
	int64_t sent = w->now_ms;
	send(w, q, "poison", 0);
	assert_int_equal(queue_receive(w, q, 10, 30, got), 1);
	pass(w, 1);
	assert_int_equal(queue_receive(w, q, 10, 30, got), 1);
	assert_int_equal(dead->nmsg, 0);
	pass(w, 1); /* received twice, never deleted */
	assert_int_equal(q->nmsg, 0);
	assert_int_equal(dead->nmsg, 1);
	assert_int_equal(visible(w, "q-dead"), 1);
	assert_true(dead->msg[0]->sent_ms == sent);
	assert_true(dead->msg[0]->here_ms > sent);
	assert_string_equal(dead->msg[0]->source_arn, "arn:aws:sqs:eu-west-1:123456789012:q");
	assert_true(sqs(w, "q-dead", "ApproximateNumberOfMessagesVisible", "Maximum", w->minute - 1) == 1);
	assert_true(sqs(w, "q-dead", "NumberOfMessagesSent", "Sum", w->minute - 1) == 0);
	motion_end(w);
}

static void retention(void **state)
{
	(void)state;
	struct world *w = new_world("empty");
	struct sim_queue *q = queue_new(w, "q");
	q->retention_s = 600;
	send(w, q, "old", 0);
	pass(w, 9);
	assert_int_equal(q->nmsg, 1);
	near_to(sqs(w, "q", "ApproximateAgeOfOldestMessage", "Maximum", w->minute - 1), 540, 60);
	send(w, q, "young", 0);
	pass(w, 2);
	assert_int_equal(q->nmsg, 1);
	assert_string_equal(q->msg[0]->body, "young");
	motion_end(w);
}

static void silent_after_six_hours(void **state)
{
	(void)state;
	struct world *w = new_world("empty");
	struct sim_queue *q = queue_new(w, "q");
	struct sim_msg *m = send(w, q, "x", 0);
	pass(w, 1);
	queue_remove(q, m);
	pass(w, 355);
	assert_true(measured(w, "AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "q", w->minute - 1));
	pass(w, 10);
	assert_false(measured(w, "AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "q", w->minute - 1));
	queue_touch(w, q); /* any call wakes it */
	pass(w, 1);
	assert_true(sqs(w, "q", "ApproximateNumberOfMessagesVisible", "Maximum", w->minute - 1) == 0);
	motion_end(w);
}

/* The pipeline's own consumer takes what clients send to its queue, and what it fails on ends in the dead-letter queue. */
static void consumer(void **state)
{
	(void)state;
	struct world *w = new_world("calm");
	struct sim_queue *q = world_queue(w, "orders-load");
	struct sim_function *fn = world_function(w, "orders-loader");
	send(w, q, "good", 0);
	pass(w, 1);
	assert_int_equal(q->nmsg, 0);
	fn->fail_percent = 100;
	q->visibility_s = 30;
	send(w, q, "bad", 0);
	pass(w, 8);
	assert_int_equal(q->nmsg, 0);
	assert_int_equal(visible(w, "orders-load-dlq"), 1);
	alarm_is(w, "DlqNotEmpty", STATE_ALARM, 0);
	motion_end(w);
}

/* Receiving from a busy queue brings real messages out of the stream. */
static void the_stream_holds_messages(void **state)
{
	(void)state;
	struct world *w = new_world("calm");
	struct sim_queue *q = world_queue(w, "orders-load");
	struct sim_msg *got[10];
	assert_int_equal(visible(w, "orders-load"), 214);
	assert_int_equal(queue_receive(w, q, 10, 30, got), 10);
	assert_int_equal(visible(w, "orders-load"), 204);
	assert_true(got[0]->sent_ms <= w->now_ms && got[0]->sent_ms > w->now_ms - 15000);
	motion_end(w);
}

static void attribute_md5(void **state)
{
	(void)state;
	char md5[33];
	struct sim_attr one = { (char[]){ "test_attribute_name_1" }, (char[]){ "String" },
		                    (char[]){ "test_attribute_value_1" }, 22, false };
	struct sim_attr three[] = { { (char[]){ "b" }, (char[]){ "Binary" }, (char[]){ 1, 2 }, 2, true },
		                        { (char[]){ "n" }, (char[]){ "Number.int" }, (char[]){ "42" }, 2, false },
		                        { (char[]){ "sev" }, (char[]){ "String" }, (char[]){ "high" }, 4, false } };
	queue_attrs_md5(&one, 1, md5);
	assert_string_equal(md5, "ba056227cfd9533dba1f72ad9816d233");
	queue_attrs_md5(three, 3, md5);
	assert_string_equal(md5, "0c4c07e925889e719f3e618ac9af4425");
}

/* ---- streams */

static void shards(void **state)
{
	(void)state;
	struct world *w = new_world("empty");
	char text[48];
	for (unsigned n = 1; n <= 9; n++) {
		char name[16];
		snprintf(name, sizeof name, "s%u", n);
		struct sim_stream *s = stream_new(w, name, n);
		assert_true(s->shards[0].from == 0 && s->shards[n - 1].to == ~(unsigned __int128)0);
		for (unsigned i = 1; i < n; i++)
			assert_true(s->shards[i].from == s->shards[i - 1].to + 1);
		assert_non_null(stream_shard_of_key(s, "key", NULL));
		assert_ptr_equal(stream_shard_of_key(s, "x", "340282366920938463463374607431768211455"), &s->shards[n - 1]);
		assert_ptr_equal(stream_shard_of_key(s, "x", "0"), &s->shards[0]);
		assert_null(stream_shard_of_key(s, "x", "340282366920938463463374607431768211456"));
		assert_null(stream_shard_of_key(s, "x", "12a"));
	}
	stream_hash_text(~(unsigned __int128)0, text);
	assert_string_equal(text, "340282366920938463463374607431768211455");
	/* md5("a") = 0cc1..., md5("b") = 92eb...: the lower and the upper half */
	struct sim_stream *two = world_stream(w, "s2");
	assert_ptr_equal(stream_shard_of_key(two, "a", NULL), &two->shards[0]);
	assert_ptr_equal(stream_shard_of_key(two, "b", NULL), &two->shards[1]);
	motion_end(w);
}

static void records(void **state)
{
	(void)state;
	struct world *w = new_world("empty");
	struct sim_stream *s = stream_new(w, "orders-ingest", 1);
	char text[STREAM_SEQ];
	uint64_t seq = stream_put(w, s, s->shards, "k", (struct span){ "a\0b", 3 }), back;
	assert_true(stream_put(w, s, s->shards, "k", SPAN("x")) > seq);
	assert_memory_equal(s->shards[0].rec[0].data, "a\0b", 3);
	assert_true(kinesis(w, "IncomingRecords", "Sum", w->minute) == 2);
	assert_true(kinesis(w, "IncomingBytes", "Sum", w->minute) == 6);
	stream_seq_text(seq, text);
	assert_int_equal(strlen(text), 56);
	assert_true(stream_seq_parse(text, &back) && back == seq);
	assert_false(stream_seq_parse("12", &back));
	pass(w, 1);
	assert_false(measured(w, "AWS/Kinesis", "IncomingRecords", "StreamName", "orders-ingest", w->minute));
	pass(w, 24 * 60);
	assert_int_equal(s->shards[0].nrec, 0);
	motion_end(w);
}

/* ---- functions */

static void failures_come_evenly(void **state)
{
	(void)state;
	struct world *w = new_world("calm");
	struct sim_function *fn = world_function(w, "nightly-report");
	unsigned failed = 0;
	fn->fail_percent = 7;
	for (unsigned i = 0; i < 200; i++) {
		struct sim_call call = { .version = 0 };
		failed += sim_invoke(w, fn, &call);
	}
	assert_int_equal(failed, 14);
	assert_true(at(w, "AWS/Lambda", "Invocations", "FunctionName", "nightly-report", "Sum", w->minute) == 200);
	assert_true(at(w, "AWS/Lambda", "Errors", "FunctionName", "nightly-report", "Sum", w->minute) == 14);
	assert_true(at(w, "AWS/Lambda", "Duration", "FunctionName", "nightly-report", "SampleCount", w->minute) == 200);
	motion_end(w);
}

/* ---- metrics */

static double stat_of(struct sim_metric *m, const char *stat, int64_t from, int64_t to)
{
	struct sim_stat s;
	double v;
	assert_true(stat_parse(stat, &s));
	assert_true(metric_stat(m, from, to, &s, &v));
	return v;
}

static void statistics(void **state)
{
	(void)state;
	struct sim_metrics ms;
	struct sim_stat s;
	double v;
	metrics_init(&ms);
	struct sim_dim ab[] = { { "B", "2" }, { "A", "1" } }, ba[] = { { "A", "1" }, { "B", "2" } };
	struct sim_metric *m = metrics_get(&ms, "N", "m", ab, 2, true);
	assert_ptr_equal(m, metrics_get(&ms, "N", "m", ba, 2, false));
	assert_null(metrics_get(&ms, "N", "m", ba, 1, false));
	for (int i = 100; i >= 1; i--)
		metric_add(m, 5, i, 1);
	metric_add(m, 9, -3, 10);
	metric_add(m, 7, 0.5, 1); /* late */
	assert_true(stat_of(m, "Sum", 5, 6) == 5050);
	assert_true(stat_of(m, "Average", 5, 6) == 50.5);
	assert_true(stat_of(m, "p95", 5, 6) == 95);
	assert_true(stat_of(m, "p0", 5, 6) == 1);
	assert_true(stat_of(m, "p100", 5, 6) == 100);
	assert_true(stat_of(m, "p99.9", 5, 6) == 100);
	assert_true(stat_of(m, "SampleCount", 5, 10) == 111);
	assert_true(stat_of(m, "Minimum", 5, 10) == -3);
	assert_true(stat_of(m, "Maximum", 6, 10) == 0.5);
	assert_true(stat_of(m, "Sum", 7, 8) == 0.5);
	assert_true(stat_of(m, "p50", 9, 10) == -3);
	assert_true(stat_parse("p50", &s) && !metric_stat(m, 6, 7, &s, &v));
	metric_add_set(m, 5, &(struct sim_set){ 3, 30, 5, 15 });
	assert_true(stat_of(m, "Sum", 5, 6) == 5080);
	assert_true(stat_parse("p50", &s) && !metric_stat(m, 5, 6, &s, &v)); /* the single values are not known any more */
	assert_false(stat_parse("P95", &s) || stat_parse("p101", &s) || stat_parse("sum", &s) || stat_parse("tm90", &s));
	metric_forget(m, 8);
	assert_true(m->npt == 1 && metric_newest(m) == 9);
	metrics_clear(&ms);
}

static void many_metrics(void **state)
{
	(void)state;
	struct sim_metrics ms;
	char value[16];
	struct sim_dim d = { "R", value };
	metrics_init(&ms);
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(value, sizeof value, "r%u", i);
		metric_add(metrics_get(&ms, "N", "m", &d, 1, true), 1, i, 1);
	}
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(value, sizeof value, "r%u", i);
		struct sim_metric *m = metrics_get(&ms, "N", "m", &d, 1, false);
		assert_non_null(m);
		assert_true(m->pt[0].set.sum == i);
	}
	assert_int_equal(ms.n, 20000);
	metrics_clear(&ms);
}

/* ---- resharding */

/* Splits and merges at random: the open shards always cover every hash key once. */
static void open_shards_cover_all(void **state)
{
	(void)state;
	struct world *w = new_world("empty");
	struct sim_stream *s = stream_new(w, "s", 3);
	for (unsigned i = 0; i < 200; i++) {
		struct sim_shard *a = &s->shards[world_random(w) % s->nshards], *b = &s->shards[world_random(w) % s->nshards];
		if (i % 2)
			stream_merge(s, a, b);
		else
			stream_split(s, a, a->from + (a->to - a->from) / 2);
		unsigned __int128 keys = 0;
		for (unsigned k = 0; k < s->nshards; k++)
			if (!s->shards[k].closed)
				keys += s->shards[k].to - s->shards[k].from + 1;
		assert_true(keys == 0); /* 2^128 */
		assert_true(stream_open_shards(s) >= 1 && stream_shard_of_key(s, "any", NULL));
	}
	assert_true(s->nshards > 100);
	motion_end(w);
}

static void splits_that_cannot_be(void **state)
{
	(void)state;
	struct world *w = new_world("empty");
	struct sim_stream *s = stream_new(w, "s", 3);
	assert_false(stream_split(s, &s->shards[1], s->shards[1].from));
	assert_false(stream_split(s, &s->shards[1], s->shards[1].to + 1));
	assert_false(stream_merge(s, &s->shards[0], &s->shards[2]));
	assert_false(stream_merge(s, &s->shards[0], &s->shards[0]));
	assert_true(stream_merge(s, &s->shards[1], &s->shards[0]));
	assert_false(stream_merge(s, &s->shards[0], &s->shards[1])); /* both closed now */
	assert_false(stream_split(s, &s->shards[0], 5));
	assert_string_equal(s->shards[3].parent, "shardId-000000000001");
	assert_string_equal(s->shards[3].adjacent, "shardId-000000000000");
	motion_end(w);
}

/* ---- temporary keys */

static void keys_that_are_given(void **state)
{
	(void)state;
	char who[200];
	struct sim_req rq = { .service = "imds", .op = "GetCredentials" };
	struct world *w = new_world("empty");
	const struct sim_grant *g = grant_current(w, &rq, "arn:a", 21600);
	char first[24];
	snprintf(first, sizeof first, "%s", g->akid);
	assert_true(grant_alive(g) && strlen(g->akid) == 20 && strlen(g->secret) == 40 && strlen(g->token) == 288);
	assert_string_equal(grant_current(w, &rq, "arn:a", 21600)->akid, first); /* still good for long */
	assert_string_not_equal(grant_current(w, &rq, "arn:b", 21600)->akid, first);
	grant_caller(w, first, who, sizeof who);
	assert_string_equal(who, "arn:a");
	grant_caller(w, "AKIAOTHER", who, sizeof who);
	assert_string_equal(who, "arn:aws:iam::123456789012:user/sluice");
	grant_find(w, first)->revoked = true;
	assert_false(grant_alive(grant_find(w, first)));
	assert_string_not_equal(grant_current(w, &rq, "arn:a", 21600)->akid, first);
	grant_find(w, grant_current(w, &rq, "arn:b", 21600)->akid)->until_ms = clock_wall_ms() + 200000;
	unsigned n = w->ngrants;
	grant_current(w, &rq, "arn:b", 21600); /* near its end: there is a new one */
	assert_int_equal(w->ngrants, n + 1);
	assert_true(fault_switch(&w->faults, "imds:*=lifetime:7", NULL));
	assert_in_range(grant_current(w, &rq, "arn:c", 21600)->until_ms - clock_wall_ms(), 6000, 7000);
	for (unsigned i = 0; i < 5000; i++) /* the oldest are forgotten */
		grant_new(w, "arn:d", 60);
	assert_null(grant_find(w, first));
	assert_true(w->ngrants <= 4096);
	motion_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calm),
		cmocka_unit_test(dlq_growth),
		cmocka_unit_test(poison_shard),
		cmocka_unit_test(refusals),
		cmocka_unit_test(the_same_every_time),
		cmocka_unit_test(sent_is_seen),
		cmocka_unit_test(redrive),
		cmocka_unit_test(retention),
		cmocka_unit_test(silent_after_six_hours),
		cmocka_unit_test(consumer),
		cmocka_unit_test(the_stream_holds_messages),
		cmocka_unit_test(attribute_md5),
		cmocka_unit_test(shards),
		cmocka_unit_test(records),
		cmocka_unit_test(failures_come_evenly),
		cmocka_unit_test(statistics),
		cmocka_unit_test(many_metrics),
		cmocka_unit_test(open_shards_cover_all),
		cmocka_unit_test(splits_that_cannot_be),
		cmocka_unit_test(keys_that_are_given),
	};
	setenv("SLUICE_NOW", "2026-11-23T03:14:00Z", 1);
	return clock_init() && hash_init() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
