/* PutMetricData: values of custom metrics of one namespace, at the time of their arrival. */
#include "aws/op_cloudwatch.h"

#include "aws/wire.h"

#include <stdio.h>
#include <string.h>

static const char *const units[] = {
	"Seconds",          "Microseconds",     "Milliseconds", "Bytes",           "Kilobytes",        "Megabytes",
	"Gigabytes",        "Terabytes",        "Bits",         "Kilobits",        "Megabits",         "Gigabits",
	"Terabits",         "Percent",          "Count",        "Bytes/Second",    "Kilobytes/Second", "Megabytes/Second",
	"Gigabytes/Second", "Terabytes/Second", "Bits/Second",  "Kilobits/Second", "Megabits/Second",  "Gigabits/Second",
	"Terabits/Second",  "Count/Second",     "None"
};

const char *put_metric_unit(const char *name)
{
	for (size_t i = 0; name && i < sizeof units / sizeof *units; i++)
		if (strcasecmp(units[i], name) == 0)
			return units[i];
	return NULL;
}

static void put_value(struct json_out *o, const struct put_metric_in *q)
{
	json_out_object(o, NULL);
	json_out_str(o, "MetricName", q->metric->name);
	if (q->metric->ndims)
		wire_dimensions(o, q->metric);
	json_out_num(o, "Value", q->value);
	if (q->unit)
		json_out_str(o, "Unit", q->unit);
	json_out_object_end(o);
}

static bool put_metric_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct put_metric_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "Namespace", q->metric->ns);
	json_out_array(&o, "MetricData");
	for (; q; q = q->next)
		put_value(&o, q);
	json_out_array_end(&o);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

/* There is nothing to tell: no body, or an empty object. Anything else is not CloudWatch's. */
static bool put_metric_read(const struct http_res *rs, void *out, struct err *e)
{
	struct put_metric_out *v = out;
	return wire_done(rs, v->request_id, e);
}

const struct op op_put_metric_data = {
	.service = &service_cloudwatch,
	.name = "PutMetricData",
	.iam = "cloudwatch:PutMetricData",
	.effect = OP_WRITE, /* not idempotent: the same value twice counts as two samples */
	.cap = 64u * 1024,
	.build = put_metric_build,
	.read = put_metric_read,
};
