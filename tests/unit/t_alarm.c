/* What is read of alarms beside their state, who is told, and the words for it. */
#include "aws/op_cloudwatch.h"
#include "aws/op_sns.h"
#include "core/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool read_text(const struct op *op, const char *text, void *out, struct err *e)
{
	struct http_res rs = { .status = 200, .body = span_of(text) };
	return op->read(&rs, out, e);
}

static const char *body_of(const struct op *op, const void *in)
{
	static char body[1024];
	struct http_req rq;
	struct err e = { 0 };
	http_req_init(&rq);
	assert_true(op->build(in, &rq, &e));
	snprintf(body, sizeof body, "%.*s", (int)rq.body.n, rq.body.p);
	http_req_clear(&rq);
	return body;
}

/* ---- DescribeAlarms */

#define TOPIC "arn:aws:sns:eu-west-1:123456789012:oncall"
static const char alarms_text[] =
    "{\"MetricAlarms\":[{\"AlarmName\":\"A\",\"AlarmArn\":\"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:A\","
    "\"AlarmDescription\":\"See https://wiki.example/a?b=1, then "
    "call.\",\"Namespace\":\"N\",\"MetricName\":\"M\",\"Statistic\":\"Sum\","
    "\"Period\":300,\"EvaluationPeriods\":5,\"DatapointsToAlarm\":3,\"TreatMissingData\":\"breaching\",\"Threshold\":5,"
    "\"ComparisonOperator\":\"GreaterThanThreshold\",\"AlarmActions\":[\"" TOPIC
    "\",\"arn:aws:lambda:eu-west-1:123456789012:function:fix:live\"],"
    "\"OKActions\":[\"" TOPIC
    "\"],\"InsufficientDataActions\":[],\"EvaluationState\":\"PARTIAL_DATA\",\"Unit\":\"Count\","
    "\"EvaluateLowSampleCountPercentile\":\"ignore\",\"EvaluationWindow\":{\"WallClockWindow\":{\"Timezone\":\"UTC\"}}}"
    ","
    "{\"AlarmName\":\"B\",\"Metrics\":[{\"Id\":\"m\",\"MetricStat\":{\"Metric\":{\"Namespace\":\"N\",\"MetricName\":"
    "\"M\"},\"Period\":60,"
    "\"Stat\":\"p99\"}}],\"EvaluationPeriods\":4,\"Threshold\":1,\"ComparisonOperator\":\"LessThanThreshold\"},"
    "{\"AlarmName\":\"C\",\"Metrics\":[{\"Id\":\"e\",\"Expression\":\"1*2\"}],\"ComparisonOperator\":"
    "\"LessThanThreshold\"},"
    "{\"AlarmName\":\"D\",\"Metrics\":[{\"Id\":\"e\",\"Expression\":\"ANOMALY_DETECTION_BAND(m1)\"}],"
    "\"ThresholdMetricId\":\"e\"},"
    "{\"AlarmName\":\"E\",\"EvaluationCriteria\":{\"PromQLCriteria\":{\"Query\":\"up\"}}}],"
    "\"CompositeAlarms\":[{\"AlarmName\":\"F\",\"AlarmRule\":\"ALARM(A)\",\"ActionsSuppressedBy\":\"WaitPeriod\"}],"
    "\"LogAlarms\":[{\"AlarmName\":\"G\",\"ScheduledQueryConfiguration\":{\"AggregationExpression\":\"count(*)\"},"
    "\"QueryResultsToEvaluate\":3,"
    "\"QueryResultsToAlarm\":2}]}";

static void describe_alarms(void **state)
{
	(void)state;
	struct describe_alarms_out o = { 0 };
	struct err e = { 0 };
	static const enum alarm_kind kinds[] = { ALARM_METRIC, ALARM_METRIC,    ALARM_MATH, ALARM_BAND,
		                                     ALARM_PROMQL, ALARM_COMPOSITE, ALARM_LOG };
	assert_true(read_text(&op_describe_alarms, alarms_text, &o, &e));
	assert_int_equal(o.n, 7);
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(o.alarms[i].kind, kinds[i]);
	const struct alarm *a = &o.alarms[0];
	assert_string_equal(a->runbook, "https://wiki.example/a?b=1");
	assert_string_equal(a->stat, "Sum");
	assert_string_equal(a->missing, "breaching");
	assert_string_equal(a->unit, "Count");
	assert_string_equal(a->evaluation, "PARTIAL_DATA");
	assert_true(a->period == 300 && a->n == 5 && a->m == 3 && a->wall_clock && a->few_samples_wait);
	assert_int_equal(a->ntold, 3);
	assert_string_equal(a->told[0].name, "oncall");
	assert_string_equal(a->told[0].when, "ALARM");
	assert_true(a->told[0].topic && !a->told[0].known);
	assert_string_equal(a->told[1].name, "fix:live");
	assert_false(a->told[1].topic);
	assert_string_equal(a->told[2].when, "OK");
	a = &o.alarms[1];
	assert_true(a->period == 60 && a->n == 4 && a->m == 4); /* M is N where it is left out */
	assert_string_equal(a->stat, "p99");
	assert_null(a->runbook);
	assert_null(a->missing);
	assert_string_equal(o.alarms[5].held_back, "WaitPeriod");
	assert_true(o.alarms[5].composite);
	assert_true(o.alarms[6].n == 3 && o.alarms[6].m == 2);
	describe_alarms_out_clear(&o);
	struct describe_alarms_in in = { .no_logs = true };
	assert_string_equal(body_of(&op_describe_alarms, &in),
	                    "{\"AlarmTypes\":[\"MetricAlarm\",\"CompositeAlarm\"],\"MaxRecords\":100}");
}

/* ---- tags */

static struct alarm_tags_out tags(const char *list)
{
	struct alarm_tags_out o = { 0 };
	struct err e = { 0 };
	char text[1024];
	snprintf(text, sizeof text, "{\"Tags\":[%s]}", list);
	assert_true(read_text(&op_list_alarm_tags, text, &o, &e));
	return o;
}

static void manager_is(const char *list, enum alarm_manager m)
{
	struct alarm_tags_out o = tags(list);
	if (o.manager != m)
		fail_msg("%s: %s", list, alarm_manager_name(o.manager));
	alarm_tags_out_clear(&o);
}

#define TAG(k, v) "{\"Key\":\"" k "\",\"Value\":\"" v "\"}"
static void who_keeps_it(void **state)
{
	(void)state;
	manager_is("", ALARM_MANAGER_HAND);
	manager_is(TAG("env", "prod"), ALARM_MANAGER_HAND);
	manager_is(TAG("aws:cloudformation:stack-name", "orders"), ALARM_MANAGER_CLOUDFORMATION);
	manager_is(TAG("ManagedBy", "Terraform"), ALARM_MANAGER_TERRAFORM);
	manager_is(TAG("managed-by", "terraform Cloud"), ALARM_MANAGER_TERRAFORM);
	manager_is(TAG("Terraform", "true"), ALARM_MANAGER_TERRAFORM);
	manager_is(TAG("terraform", "false"), ALARM_MANAGER_HAND);
	manager_is(TAG("managed_by", "OpenTofu"), ALARM_MANAGER_TERRAFORM);
	manager_is(TAG("sluice:owner", "orders"), ALARM_MANAGER_SLUICE);
	manager_is(TAG("ManagedBy", "Terraform") "," TAG("aws:cloudformation:stack-name", "s"),
	           ALARM_MANAGER_CLOUDFORMATION);
	struct alarm_tags_out o = tags(TAG("team", "data") "," TAG("Owner", "ann") "," TAG("run-book", "https://r"));
	assert_string_equal(o.owner, "ann");
	assert_string_equal(o.runbook, "https://r");
	alarm_tags_out_clear(&o);
	struct err e = { 0 };
	assert_false(read_text(&op_list_alarm_tags, "{\"Tags\":[{\"Value\":\"x\"}]}", &o, &e));
	assert_int_equal(e.code, ERR_BADREPLY);
	struct alarm_tags_in in = { "arn:x" };
	assert_string_equal(body_of(&op_list_alarm_tags, &in), "{\"ResourceARN\":\"arn:x\"}");
}

/* ---- subscriptions */

#define SUB(arn, protocol)                                                                                             \
	"<member><TopicArn>t</TopicArn><Protocol>" protocol "</Protocol><SubscriptionArn>" arn                             \
	"</SubscriptionArn><Owner>1</Owner><Endpoint>someone@example.com</Endpoint></member>"
#define ANSWER(members, token)                                                                                         \
	"<ListSubscriptionsByTopicResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">"                            \
	"<ListSubscriptionsByTopicResult><Subscriptions>" members "</Subscriptions>" token                                 \
	"</ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>"

static void subscriptions(void **state)
{
	(void)state;
	struct list_subscriptions_out o = { 0 };
	struct err e = { 0 };
	assert_true(read_text(
	    &op_list_subscriptions,
	    ANSWER(SUB(TOPIC ":1", "email") SUB("PendingConfirmation", "email"), "<NextToken>n</NextToken>"), &o, &e));
	assert_string_equal(o.page.token, "n");
	assert_true(read_text(&op_list_subscriptions,
	                      ANSWER(SUB(TOPIC ":2", "https") SUB(TOPIC ":3", "email") SUB("Deleted", "sqs"), ""), &o, &e));
	assert_null(o.page.token);
	assert_int_equal(o.confirmed, 3);
	assert_int_equal(o.pending, 1);
	assert_int_equal(o.nprotocols, 2);
	assert_string_equal(o.protocol[0], "email");
	assert_string_equal(o.protocol[1], "https");
	list_subscriptions_out_clear(&o);
	assert_true(read_text(&op_list_subscriptions, ANSWER("", ""), &o, &e));
	assert_int_equal(o.confirmed + o.pending, 0);
	assert_false(read_text(&op_list_subscriptions, "<a/>", &o, &e)); /* not an empty list */
	struct list_subscriptions_in in = { { (char[]){ "n" } }, TOPIC };
	assert_string_equal(body_of(&op_list_subscriptions, &in),
	                    "TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Aoncall&NextToken=n");
}

/* ---- history */

static const char history_text[] =
    "{\"AlarmHistoryItems\":[{\"AlarmName\":\"A\",\"Timestamp\":1767322800.25,\"HistoryItemType\":\"StateUpdate\","
    "\"HistorySummary\":"
    "\"Alarm updated from OK to "
    "ALARM\",\"HistoryData\":\"{\\\"version\\\":\\\"1.0\\\",\\\"oldState\\\":{\\\"stateValue\\\":\\\"OK\\\"},"
    "\\\"newState\\\":{\\\"stateValue\\\":\\\"ALARM\\\",\\\"stateReason\\\":\\\"r\\\",\\\"stateReasonData\\\":{"
    "\\\"recentDatapoints\\\":[5.2,6,0]}}}\"},"
    "{\"Timestamp\":1767322700,\"HistoryItemType\":\"Action\",\"HistorySummary\":\"Failed to execute action "
    "x\",\"HistoryData\":"
    "\"{\\\"actionState\\\":\\\"Failed\\\",\\\"error\\\":\\\"no right\\\"}\"},"
    "{\"Timestamp\":1767322600,\"HistoryItemType\":\"StateUpdate\",\"HistorySummary\":\"Alarm updated from ALARM to "
    "INSUFFICIENT_DATA\","
    "\"HistoryData\":\"not JSON\"},"
    "{\"Timestamp\":1767322500,\"HistoryItemType\":\"ConfigurationUpdate\"}],\"NextToken\":\"n\"}";

static void history(void **state)
{
	(void)state;
	struct alarm_history_out o = { 0 };
	struct err e = { 0 };
	assert_true(read_text(&op_describe_alarm_history, history_text, &o, &e));
	assert_int_equal(o.n, 4);
	assert_string_equal(o.page.token, "n");
	const struct alarm_moment *m = o.moments;
	assert_int_equal(m[0].at, 1767322800);
	assert_int_equal(m[0].from, ALARM_STATE_OK);
	assert_int_equal(m[0].to, ALARM_STATE_ALARM);
	assert_string_equal(m[0].reason, "r");
	assert_string_equal(m[0].points, "5.2 6 0");
	assert_true(m[1].failed);
	assert_string_equal(m[1].reason, "no right");
	assert_int_equal(m[1].to, ALARM_STATE_UNKNOWN);
	assert_int_equal(m[2].from, ALARM_STATE_ALARM);
	assert_int_equal(m[2].to, ALARM_STATE_INSUFFICIENT);
	assert_null(m[3].summary);
	alarm_history_out_clear(&o);
	o.most = 2;
	assert_true(read_text(&op_describe_alarm_history, history_text, &o, &e));
	assert_int_equal(o.n, 2);
	assert_true(o.more);
	assert_null(o.page.token); /* enough: no further page is asked for */
	alarm_history_out_clear(&o);
	assert_false(
	    read_text(&op_describe_alarm_history, "{\"AlarmHistoryItems\":[{\"HistoryItemType\":\"Action\"}]}", &o, &e));
	alarm_history_out_clear(&o);
	struct alarm_history_in in = { .name = "A", .from = 1767322800 };
	assert_string_equal(
	    body_of(&op_describe_alarm_history, &in),
	    "{\"AlarmName\":\"A\",\"AlarmTypes\":[\"MetricAlarm\",\"CompositeAlarm\"],\"StartDate\":1767322800,"
	    "\"MaxRecords\":100,\"ScanBy\":\"TimestampDescending\"}");
}

/* ---- words */

static void heard(const struct alarm *a, enum alarm_heard wanted, const char *text)
{
	char words[ALARM_WORDS];
	assert_int_equal(alarm_heard_words(a, words), wanted);
	assert_string_equal(words, text);
}

static void who_is_told(void **state)
{
	(void)state;
	struct alarm_target t[2] = { { .arn = TOPIC, .name = "oncall", .when = "ALARM", .topic = true },
		                         { .arn = TOPIC, .name = "oncall", .when = "OK", .topic = true } };
	struct alarm a = { .name = "A", .actions_enabled = true, .told = t, .ntold = 2 };
	heard(&a, HEARD_UNKNOWN, "sns oncall: subscriptions ? (not read)");
	t[0].why = "denied: allow sns:ListSubscriptionsByTopic";
	heard(&a, HEARD_UNKNOWN, "sns oncall: subscriptions ? (denied: allow sns:ListSubscriptionsByTopic)");
	t[0].known = true;
	heard(&a, HEARD_NOBODY, "sns oncall: 0 confirmed");
	t[0].pending = 1;
	heard(&a, HEARD_NOBODY, "sns oncall: 0 confirmed, 1 pending");
	t[0].confirmed = 2;
	t[0].protocols = "email, https";
	heard(&a, HEARD_SOMEBODY, "sns oncall: 2 confirmed (email, https), 1 pending");
	t[0].missing = "no such topic";
	heard(&a, HEARD_NOBODY, "sns oncall: no such topic");
	t[1] = (struct alarm_target){ .arn = "arn:aws:lambda:eu-west-1:1:function:fix", .name = "fix", .when = "ALARM" };
	heard(&a, HEARD_SOMEBODY, "sns oncall: no such topic; lambda fix");
	a.held_back = "WaitPeriod";
	heard(&a, HEARD_NOBODY, "its actions are held back (WaitPeriod)");
	a.actions_enabled = false;
	heard(&a, HEARD_NOBODY, "its actions are off");
	a = (struct alarm){ .actions_enabled = true };
	heard(&a, HEARD_NOBODY, "no action for ALARM");
	t[0] = (struct alarm_target){ .arn = "nonsense", .name = "nonsense", .when = "ALARM" };
	a.told = t;
	a.ntold = 1;
	heard(&a, HEARD_SOMEBODY, "action nonsense");
}

static void local_is(const struct alarm *a, const char *text)
{
	char words[ALARM_WORDS];
	alarm_local_words(a, words);
	assert_string_equal(words, text);
}

static void what_it_would_be(void **state)
{
	(void)state;
	struct alarm a = { .comparison = ">", .threshold = 5, .n = 3, .m = 3, .missing = "breaching" };
	local_is(&a, "");
	a.local.why = "it is metric math";
	local_is(&a, "not evaluated here: it is metric math");
	a.local = (struct alarm_local){ .state = ALARM_STATE_ALARM, .real = 3, .breaching = 3 };
	local_is(&a, "would be ALARM now: 3 of 3 points > 5");
	a.local.real = 2;
	a.local.breaching = 2;
	a.local.by_range = true;
	local_is(&a, "would be ALARM now: 2 of 2 points > 5, 1 missing; hangs on how far back CloudWatch looks, which it "
	             "does not say");
	a.local = (struct alarm_local){ .state = ALARM_STATE_ALARM };
	local_is(&a, "would be ALARM now: no datapoint, missing = breaching");
	a.local = (struct alarm_local){ .state = ALARM_STATE_INSUFFICIENT };
	local_is(&a, "would be INSUFFICIENT_DATA now: no datapoint");
	a.local = (struct alarm_local){
		.state = ALARM_STATE_OK, .kept = true, .real = 1, .breaching = 1, .approximate = "x", .by_reading = true
	};
	local_is(&a, "would stay OK: 1 of 1 point > 5, 2 missing; approximate: x; AWS's guide can be read both ways here");
}

static void what_it_judges(void **state)
{
	(void)state;
	char words[ALARM_WORDS];
	struct alarm a = {
		.metric = "N/M{A=b}:Sum", .stat = "Sum", .comparison = ">", .threshold = 5, .period = 300, .n = 3, .m = 2
	};
	alarm_rule_words(&a, words);
	assert_string_equal(words, "M Sum > 5, 2 of 3 x 5m, missing = missing");
	a = (struct alarm){ .kind = ALARM_COMPOSITE, .metric = "ALARM(A)", .comparison = "", .threshold = NAN };
	alarm_rule_words(&a, words);
	assert_string_equal(words, "composite: ALARM(A)");
}

/* A copy owns everything. */
static void copies(void **state)
{
	(void)state;
	struct arena mem;
	char name[] = "A", arn[] = TOPIC;
	struct alarm_target t = { .arn = arn, .name = name, .when = "ALARM" };
	struct alarm a = { .name = name, .told = &t, .ntold = 1, .comparison = ">", .threshold = NAN };
	arena_init(&mem);
	struct alarm c = alarm_copy(&mem, &a);
	name[0] = 'Z';
	arn[0] = 'Z';
	assert_string_equal(c.name, "A");
	assert_string_equal(c.told[0].arn, TOPIC);
	assert_string_equal(c.told[0].name, "A");
	arena_clear(&mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(describe_alarms), cmocka_unit_test(who_keeps_it), cmocka_unit_test(subscriptions),
		cmocka_unit_test(history),         cmocka_unit_test(who_is_told),  cmocka_unit_test(what_it_would_be),
		cmocka_unit_test(what_it_judges),  cmocka_unit_test(copies),
	};
	return cmocka_run_group_tests_name("alarm", tests, NULL, NULL);
}
