#include "alarms/recipe.h"

#include <stdio.h>
#include <string.h>

#define PERIOD 60

/* ---- which metrics */

static void add(struct recipe_alarm *a, const char *ns, const char *dimension, const char *resource, const char *metric,
                const char *stat)
{
	struct metric_id *m = &a->metrics[a->n++];
	metric_set(m, ns, metric, stat);
	metric_add_dim(m, dimension, resource);
}

static void lambda(const struct recipe_in *in, struct recipe *r)
{
	add(&r->error, "AWS/Lambda", "FunctionName", in->resource, "Errors", "Sum");
	add(&r->error, "AWS/Lambda", "FunctionName", in->resource, "Invocations", "Sum");
	r->error.expression = "100 * m1 / m2";
	r->error.basis = "errors in percent of invocations";
	add(&r->throughput, "AWS/Lambda", "FunctionName", in->resource, "Invocations", "Sum");
	r->throughput.basis = "invocations a minute";
}

/* What redrive moves is not in NumberOfMessagesSent of the dead-letter queue: its growth tells of it. A point that is missing on one side
 * counts as 0, and x/0 is no point. */
static void sqs(const struct recipe_in *in, struct recipe *r)
{
	if (in->dlq) {
		add(&r->error, "AWS/SQS", "QueueName", in->dlq, "ApproximateNumberOfMessagesVisible", "Maximum");
		add(&r->error, "AWS/SQS", "QueueName", in->resource, "NumberOfMessagesDeleted", "Sum");
		r->error.expression = "100 * IF(DIFF(m1) > 0, DIFF(m1), 0) / (IF(DIFF(m1) > 0, DIFF(m1), 0) + m2)";
		r->error.basis = "messages arriving in its dead-letter queue, in percent of these and the deleted ones";
	} else {
		r->error.why = "it has no dead-letter queue, so nothing counts its failures";
	}
	add(&r->throughput, "AWS/SQS", "QueueName", in->resource, "NumberOfMessagesDeleted", "Sum");
	r->throughput.basis = "messages processed and deleted a minute";
}

static void kinesis(const struct recipe_in *in, struct recipe *r)
{
	add(&r->error, "AWS/Kinesis", "StreamName", in->resource, "WriteProvisionedThroughputExceeded", "Sum");
	add(&r->error, "AWS/Kinesis", "StreamName", in->resource, "ReadProvisionedThroughputExceeded", "Sum");
	add(&r->error, "AWS/Kinesis", "StreamName", in->resource, "IncomingRecords", "Sum");
	r->error.expression = "100 * (m1 + m2) / m3";
	r->error.basis = "throttled writes and reads in percent of the records";
	add(&r->throughput, "AWS/Kinesis", "StreamName", in->resource, "IncomingRecords", "Sum");
	r->throughput.basis = "records a minute";
}

static void own(struct recipe_alarm *a, const struct metric_id *m, const char *basis)
{
	for (unsigned i = 0; i < a->n; i++)
		metric_clear(&a->metrics[i]);
	*a = (struct recipe_alarm){ .n = 1, .basis = basis };
	metric_set(&a->metrics[0], m->ns, m->name, m->stat);
	for (unsigned i = 0; i < m->ndims; i++)
		metric_add_dim(&a->metrics[0], m->dims[i].name, m->dims[i].value);
}

bool recipe_of(const struct recipe_in *in, struct recipe *out)
{
	static const struct {
		const char *kind;
		void (*fill)(const struct recipe_in *in, struct recipe *r);
	} recipes[] = { { "lambda", lambda }, { "sqs", sqs }, { "kinesis", kinesis } };
	bool found = in->error && in->throughput;
	*out = (struct recipe){ .error = { .n = 0 } };
	for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++)
		if (strcmp(recipes[i].kind, in->kind) == 0) {
			recipes[i].fill(in, out);
			found = true;
		}
	if (in->error)
		own(&out->error, in->error, "its own error rate");
	if (in->throughput)
		own(&out->throughput, in->throughput, "its own count of what it processed");
	return found;
}

void recipe_clear(struct recipe *r)
{
	struct recipe_alarm *const both[] = { &r->error, &r->throughput };
	for (unsigned k = 0; k < 2; k++)
		for (unsigned i = 0; i < both[k]->n; i++)
			metric_clear(&both[k]->metrics[i]);
	*r = (struct recipe){ .error = { .n = 0 } };
}

/* ---- the file */

static void dimensions(struct json_out *o, const struct metric_id *m)
{
	json_out_array(o, "Dimensions");
	for (unsigned i = 0; i < m->ndims; i++) {
		json_out_object(o, NULL);
		json_out_str(o, "Name", m->dims[i].name);
		json_out_str(o, "Value", m->dims[i].value);
		json_out_object_end(o);
	}
	json_out_array_end(o);
}

static bool plain_statistic(const char *stat)
{
	static const char *const plain[] = { "SampleCount", "Average", "Sum", "Minimum", "Maximum" };
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (strcmp(stat, plain[i]) == 0)
			return true;
	return false;
}

static void one_metric(struct json_out *o, const struct metric_id *m)
{
	json_out_str(o, "Namespace", m->ns);
	json_out_str(o, "MetricName", m->name);
	dimensions(o, m);
	json_out_str(o, plain_statistic(m->stat) ? "Statistic" : "ExtendedStatistic", m->stat);
	json_out_int(o, "Period", PERIOD);
}

static void queries(struct json_out *o, const struct recipe_alarm *a, const char *label)
{
	json_out_array(o, "Metrics");
	json_out_object(o, NULL);
	json_out_str(o, "Id", "e1");
	json_out_str(o, "Expression", a->expression);
	json_out_str(o, "Label", label);
	json_out_object_end(o);
	for (unsigned i = 0; i < a->n; i++) {
		char id[16];
		snprintf(id, sizeof id, "m%u", i + 1);
		json_out_object(o, NULL);
		json_out_str(o, "Id", id);
		json_out_object(o, "MetricStat");
		json_out_object(o, "Metric");
		json_out_str(o, "Namespace", a->metrics[i].ns);
		json_out_str(o, "MetricName", a->metrics[i].name);
		dimensions(o, &a->metrics[i]);
		json_out_object_end(o);
		json_out_int(o, "Period", PERIOD);
		json_out_str(o, "Stat", a->metrics[i].stat);
		json_out_object_end(o);
		json_out_bool(o, "ReturnData", false);
		json_out_object_end(o);
	}
	json_out_array_end(o);
}

static void note(struct json_out *o, const char *basis, const char *unseen)
{
	char text[1024];
	snprintf(text, sizeof text, "%s%s%.700s. It tells nobody: add \"AlarmActions\", the ARN of a topic", basis,
	         unseen ? ". CloudWatch lists no such metric, or had no point of it for two weeks: " : "",
	         unseen ? unseen : "");
	json_out_str(o, "//", text);
}

struct rule {
	const char *prefix, *compare, *missing;
	double threshold;
	unsigned n, m;
};

static void alarm(struct json_out *o, const struct recipe_in *in, const struct recipe_alarm *a, const struct rule *rule,
                  const char *unseen)
{
	char name[512];
	if (!a->n)
		return;
	snprintf(name, sizeof name, "%s-%.400s", rule->prefix, in->name);
	json_out_object(o, NULL);
	json_out_str(o, "AlarmName", name);
	note(o, a->basis, unseen);
	if (a->expression)
		queries(o, a, rule->prefix);
	else
		one_metric(o, &a->metrics[0]);
	json_out_int(o, "EvaluationPeriods", rule->n);
	json_out_int(o, "DatapointsToAlarm", rule->m);
	json_out_num(o, "Threshold", rule->threshold);
	json_out_str(o, "ComparisonOperator", rule->compare);
	json_out_str(o, "TreatMissingData", rule->missing);
	json_out_object_end(o);
}

void recipe_file(struct json_out *o, const struct recipe_in *in, const struct recipe *r, const char *error_unseen,
                 const char *throughput_unseen)
{
	/* No error is no datapoint, and nothing processed is none either. */
	static const struct rule errors = { "HighErrorRate", "GreaterThanThreshold", "notBreaching", RECIPE_ERROR, 5, 3 };
	static const struct rule throughput = {
		"LowThroughput", "LessThanThreshold", "breaching", RECIPE_THROUGHPUT, 3, 3
	};
	json_out_object(o, NULL);
	json_out_int(o, "version", 1);
	json_out_str(o, "owner", in->name);
	if (r->error.why)
		json_out_str(o, "//", r->error.why);
	json_out_array(o, "alarms");
	alarm(o, in, &r->error, &errors, error_unseen);
	alarm(o, in, &r->throughput, &throughput, throughput_unseen);
	json_out_array_end(o);
	json_out_object_end(o);
}
