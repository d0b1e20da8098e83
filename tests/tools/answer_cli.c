/* Damages answers and has each operation's own reader take them, for the fault suites: a line of JSON on standard input is an
 * answer, a line of JSON on standard output what became of it. Made to run under a sanitizer: every damaged copy lies in memory of
 * just its size.
 *
 *   {"op":"sqs:ListQueues","status":200,"headers":[[name,value],..],"body":base64,"cut":step,"flip":step}
 *   {"bytes":n,"good":..,"cuts":n,"refused":n,"kept":n,"wrong":n,"flips":n,"taken":n,"first":why}
 *
 * cut: the answer ends after 0, step, 2 step.. bytes; flip: bit 0, step, 2 step.. is turned over. 0: not at all.
 * An answer of success must be refused wherever it is cut but in the blanks at its end (kept), and nothing be left that asks for
 * another page. An answer of failure must be named a failure. What breaks that is wrong; `first` says what. */
#include "aws/classify.h"
#include "aws/kind.h"
#include "aws/op_cloudwatch.h"
#include "aws/op_sts.h"
#include "tests/tools/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUERIES 500

/* ---- each operation's out */

union out {
	struct page page; /* first member of every paged one */
	struct found found;
	struct get_metric_data_out data;
	struct list_metrics_out metrics;
	struct describe_alarms_out alarms;
	struct caller_identity identity;
};

static enum metric_status status[QUERIES];

static void on_point(void *ctx, unsigned query, int64_t t, double v)
{
	(void)t, (void)v;
	*(uint64_t *)ctx += query < QUERIES;
}

static void out_init(const struct op *op, union out *o)
{
	static uint64_t points;
	memset(o, 0, sizeof *o);
	if (op == &op_get_metric_data)
		o->data = (struct get_metric_data_out){ .point = on_point, .ctx = &points, .status = status, .n = QUERIES };
	else if (op != &op_list_metrics && op != &op_describe_alarms && op != &op_get_caller_identity)
		found_init(&o->found);
}

static void out_clear(const struct op *op, union out *o)
{
	if (op == &op_get_metric_data)
		free(o->page.token);
	else if (op == &op_list_metrics)
		list_metrics_out_clear(&o->metrics);
	else if (op == &op_describe_alarms)
		describe_alarms_out_clear(&o->alarms);
	else if (op != &op_get_caller_identity)
		found_clear(&o->found);
}

static const struct op *op_named(const char *name)
{
	static const struct op *const others[] = { &op_get_metric_data, &op_list_metrics, &op_describe_alarms,
		                                       &op_get_caller_identity };
	for (size_t i = 0; name && i < sizeof others / sizeof *others; i++)
		if (strcmp(others[i]->iam, name) == 0)
			return others[i];
	for (unsigned i = 0; name && i < nkinds; i++) {
		const struct op *const its[] = { kinds[i]->list, kinds[i]->describe, kinds[i]->edges };
		for (unsigned k = 0; k < 3; k++)
			if (its[k] && strcmp(its[k]->iam, name) == 0)
				return its[k];
	}
	return NULL;
}

/* ---- damage */

struct tally {
	unsigned cuts, refused, kept, flips, taken, wrong;
	char first[200];
};

static void complain(struct tally *t, size_t at, const char *why)
{
	if (t->wrong++ == 0)
		snprintf(t->first, sizeof t->first, "at %zu: %s", at, why);
}

/* Has it been taken as a success? What it must look like otherwise is checked here. */
static bool take(const struct op *op, const struct http_res *res, size_t at, struct tally *t)
{
	union out o;
	struct err e = { 0 };
	if (res->status < 200 || res->status >= 300) {
		classify(op, res, &e);
		if (e.code == ERR_OK || !e.text[0] || e.http != res->status)
			complain(t, at, "a failure that is not named");
		return false;
	}
	out_init(op, &o);
	bool ok = op->read(res, &o, &e);
	if (!ok && (e.code != ERR_BADREPLY || !e.text[0]))
		complain(t, at, "refused without a reason");
	if (!ok && op->paged && o.page.token)
		complain(t, at, "refused, and a further page asked for");
	out_clear(op, &o);
	return ok;
}

static char *copy_of(const char *p, size_t n)
{
	char *copy = malloc(n ? n : 1);
	if (copy && n)
		memcpy(copy, p, n);
	return copy;
}

static bool blank(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strchr(" \t\r\n", p[i]) || !p[i])
			return false;
	return true;
}

static void cut_everywhere(const struct op *op, struct http_res res, size_t step, struct tally *t)
{
	struct span whole = res.body;
	bool success = res.status >= 200 && res.status < 300;
	for (size_t n = 0; step && n < whole.n; n += step, t->cuts++) {
		char *copy = copy_of(whole.p, n);
		res.body = (struct span){ copy, n };
		bool ok = take(op, &res, n, t), rest = blank(whole.p + n, whole.n - n);
		t->refused += !ok;
		t->kept += ok && rest;
		if (success && ok != rest)
			complain(t, n, ok ? "half an answer taken for a whole" : "a whole answer refused");
		free(copy);
	}
}

static void flip_everywhere(const struct op *op, struct http_res res, size_t step, struct tally *t)
{
	struct span whole = res.body;
	for (size_t bit = 0; step && bit < 8 * whole.n; bit += step, t->flips++) {
		char *copy = copy_of(whole.p, whole.n);
		copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
		res.body = (struct span){ copy, whole.n };
		t->taken += take(op, &res, bit, t);
		free(copy);
	}
}

/* ---- lines */

static size_t number(const struct json *q, const char *key)
{
	int64_t v = 0;
	json_int(json_get(q, key), &v);
	return (size_t)v;
}

static void tell(struct json_out *o, const struct tally *t, size_t bytes, bool good)
{
	json_out_object(o, NULL);
	json_out_int(o, "bytes", (int64_t)bytes);
	json_out_bool(o, "good", good);
	json_out_int(o, "cuts", t->cuts);
	json_out_int(o, "refused", t->refused);
	json_out_int(o, "kept", t->kept);
	json_out_int(o, "flips", t->flips);
	json_out_int(o, "taken", t->taken);
	json_out_int(o, "wrong", t->wrong);
	json_out_str(o, "first", t->first);
	json_out_object_end(o);
}

static bool answer(const struct json *q, struct buf *out)
{
	struct json_out o;
	const struct op *op = op_named(json_get_str(q, "op"));
	struct http_header headers[32];
	struct http_res res = { .status = (int)number(q, "status"), .headers = headers };
	struct tally t = { 0 };
	struct buf body;
	buf_init(&body, 64u << 20);
	if (!op || !hash_unbase64(&body, span_of(json_get_str(q, "body"))))
		return false;
	for (const struct json *h = json_first(json_get(q, "headers")); h && res.nheaders < 32; h = json_next(h))
		headers[res.nheaders++] = (struct http_header){ (char *)(uintptr_t)json_str(json_first(h)),
			                                            (char *)(uintptr_t)json_str(json_next(json_first(h))) };
	res.body = buf_span(&body);
	bool good = take(op, &res, body.n, &t);
	cut_everywhere(op, res, number(q, "cut"), &t);
	flip_everywhere(op, res, number(q, "flip"), &t);
	json_out_init(&o, out);
	tell(&o, &t, body.n, good);
	buf_clear(&body);
	return o.ok && o.done;
}

int main(void)
{
	return each_line(answer);
}
