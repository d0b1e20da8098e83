/* REQUEST_PROCESS and REQUEST_PUT_METRIC: what is asked is checked, passes the gate, and is one call. */
#include "aws/op_lambda.h"
#include "engine/audited.h"
#include "engine/gate.h"
#include "engine/inside.h"

#include "core/json.h"
#include "core/mem.h"
#include "core/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

struct act {
	struct permit permit;
	const struct op *op;
	bool answered;
	struct err err;
	union {
		struct {
			struct invoke_in in;
			struct invoke_out out;
		} invoke;
		struct {
			struct metric_id metric;
			struct put_metric_in in;
			struct put_metric_out out;
		} put;
	};
};

/* ---- one call */

static void on_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct act *a = ctx;
	(void)op, (void)in, (void)out;
	a->err = *e;
	a->answered = true;
}

static struct act *act_new(struct task *t, const struct op *op)
{
	struct act *a = t->work = arena_alloc(&t->mem, sizeof *a);
	a->op = op;
	return a;
}

/* The request is known to be good: through the gate and out. False: it ends here. */
static bool act_send(struct engine *g, struct task *t, struct act *a, void *in, void *out)
{
	struct result *r = t->result;
	struct gate_act wish = { .needs = MODE_OPERATE, .op = a->op, .what = r->act.what };
	if (t->rq.dry_run || !audited_gate(g, &t->rq.consent, &wish, &a->permit, r))
		return false;
	if (!engine_connect(g)) {
		r->err = g->account_err;
		return false;
	}
	if (!audited(g, t->rq.consent.mode, a->op, NULL, "announced", r->act.what, &r->err))
		return false;
	aws_call_permitted(g->aws, &a->permit, CALL_ACT, a->op, in, out, on_done, a);
	return true;
}

/* True when the answer is there. */
static bool act_over(struct task *t, const struct act *a, const char *request_id)
{
	struct result *r = t->result;
	if (!a->answered)
		return false;
	r->err = a->err;
	snprintf(r->act.request_id, sizeof r->act.request_id, "%s", a->err.code == ERR_OK ? request_id : a->err.request_id);
	return true;
}

void act_result_clear(struct act_result *r)
{
	free(r->what);
	free(r->body);
	free(r->function);
	free(r->metric);
	free(r->unit);
	free(r->rule);
}

/* ---- words and numbers */

enum letters { ANY_TEXT, ASCII_TEXT };

/* 1 to `most` bytes of UTF-8 (or ASCII) without control characters, and not blank. */
static bool text_valid(const char *s, size_t most, enum letters letters)
{
	size_t n = strlen(s), len;
	uint32_t cp;
	if (n < 1 || n > most || s[strspn(s, " ")] == '\0')
		return false;
	for (size_t i = 0; i < n; i += len) {
		len = text_decode(s + i, n - i, &cp);
		if (!len || cp < 0x20 || cp == 0x7f || (letters == ASCII_TEXT && cp > 0x7f))
			return false;
	}
	return true;
}

/* ---- process */

static bool process_valid(const struct process_request *rq, struct err *e)
{
	size_t bucket = strlen(rq->bucket), function = strlen(rq->function), key = strlen(rq->key), n;
	uint32_t cp;
	if (bucket < 1 || bucket > 255 || strspn(rq->bucket, NAME_CHARS ":/") != bucket)
		return err_set(e, ERR_USAGE, "BUCKET", "is the name of no bucket");
	if (function < 1 || function > 170 || strspn(rq->function, NAME_CHARS ":$") != function)
		return err_set(e, ERR_USAGE, "--function", "is the name of no function");
	for (size_t i = 0; i < key; i += n)
		if (!(n = text_decode(rq->key + i, key - i, &cp)))
			return err_set(e, ERR_USAGE, "KEY", "is not UTF-8, as every key is");
	return (key >= 1 && key <= 1024) || err_set(e, ERR_USAGE, "KEY", "a key has 1 to 1024 bytes");
}

/* The seed's three members, and no more. */
static char *payload(const struct process_request *rq)
{
	struct buf b;
	struct json_out o;
	buf_init(&b, INVOKE_EVENT_BYTES);
	json_out_init(&o, &b);
	json_out_object(&o, NULL);
	json_out_str(&o, "bucket", rq->bucket);
	json_out_str(&o, "key", rq->key);
	json_out_time(&o, "timestamp", clock_wall());
	json_out_object_end(&o);
	return buf_steal(&b);
}

static bool process_begin(struct engine *g, struct task *t)
{
	struct process_request *rq = &t->rq.process;
	struct act_result *r = &t->result->act;
	if (!rq->function)
		rq->function = g->conf->process_function;
	if (!process_valid(rq, &t->result->err))
		return false;
	struct act *a = act_new(t, &op_invoke_event);
	r->function = xstrdup(rq->function);
	r->body = payload(rq);
	r->what = xasprintf("start function %s for s3://%s/%s", rq->function, rq->bucket, rq->key);
	a->invoke.in = (struct invoke_in){ rq->function, span_of(r->body) };
	return act_send(g, t, a, &a->invoke.in, &a->invoke.out);
}

void process_step(struct engine *g, struct task *t)
{
	const struct act *a = t->work;
	if (t->state++ == 0)
		t->done = !process_begin(g, t);
	else
		t->done = act_over(t, a, a->invoke.out.request_id);
}

/* ---- put-metric */

#define LARGEST 0x1p360

static bool number_valid(const char *text, double *v, struct err *e)
{
	char *end;
	*v = *text && !text[strspn(text, "0123456789.eE+-")] ? strtod(text, &end) : NAN;
	if (isnan(*v) || *end)
		return err_set(e, ERR_USAGE, "VALUE", "is no finite number: '%.60s'", text);
	return fabs(*v) <= LARGEST || err_set(e, ERR_USAGE, "VALUE", "CloudWatch takes -2^360 to 2^360, not %.60s", text);
}

static bool add_dim(struct metric_id *m, const char *text, struct err *e)
{
	const char *equals = strchr(text, '=');
	char *name = xstrndup(text, equals ? (size_t)(equals - text) : 0);
	bool ok = equals && text_valid(name, 255, ASCII_TEXT) && name[0] != ':' && text_valid(equals + 1, 1024, ASCII_TEXT);
	for (unsigned i = 0; ok && i < m->ndims; i++)
		ok = strcmp(m->dims[i].name, name) != 0;
	if (ok)
		metric_add_dim(m, name, equals + 1);
	free(name);
	return ok || err_set(e, ERR_USAGE, "--dim",
	                     "NAME=VALUE, each name once, ASCII, at most 255 and 1024 characters, not '%.60s'", text);
}

bool namespace_valid(const char *ns, const char *where, struct err *e)
{
	if (!text_valid(ns, 255, ANY_TEXT) || ns[0] == ':')
		return err_set(e, ERR_USAGE, where, "a namespace has 1 to 255 characters and begins with no colon");
	return strncmp(ns, "AWS/", 4) != 0 || err_set(e, ERR_USAGE, where, "AWS/ is for AWS's own metrics");
}

static bool metric_valid(const struct put_metric_request *rq, struct metric_id *m, double *v, struct err *e)
{
	if (!namespace_valid(rq->ns, "NAMESPACE", e))
		return false;
	if (!text_valid(rq->name, 255, ANY_TEXT))
		return err_set(e, ERR_USAGE, "NAME", "has 1 to 255 characters");
	if (!number_valid(rq->value, v, e))
		return false;
	if (rq->unit && !put_metric_unit(rq->unit))
		return err_set(e, ERR_USAGE, "--unit",
		               "CloudWatch has no unit '%.60s'; Count, Percent, Seconds, Bytes, Count/Second ...", rq->unit);
	if (rq->ndims > METRIC_DIMS)
		return err_set(e, ERR_USAGE, "--dim", "a metric has %d dimensions at the most, not %u", METRIC_DIMS, rq->ndims);
	metric_set(m, rq->ns, rq->name, NULL);
	for (unsigned i = 0; i < rq->ndims; i++)
		if (!add_dim(m, rq->dims[i], e))
			return false;
	return true;
}

static void tell_metric(const struct put_metric_in *in, struct act_result *r)
{
	struct buf text;
	char value[32];
	buf_init(&text, 256u * 1024);
	metric_text(in->metric, &text);
	text_exact(in->value, value);
	r->metric = buf_steal(&text);
	r->unit = in->unit ? xstrdup(in->unit) : NULL;
	r->value = in->value;
	r->what = xasprintf("put %s%s%s into metric %s", value, in->unit ? " " : "", in->unit ? in->unit : "", r->metric);
}

static bool put_metric_begin(struct engine *g, struct task *t)
{
	const struct put_metric_request *rq = &t->rq.put_metric;
	struct act *a = act_new(t, &op_put_metric_data);
	if (!metric_valid(rq, &a->put.metric, &a->put.in.value, &t->result->err))
		return false;
	a->put.in.metric = &a->put.metric;
	a->put.in.unit = put_metric_unit(rq->unit);
	tell_metric(&a->put.in, &t->result->act);
	return act_send(g, t, a, &a->put.in, &a->put.out);
}

void put_metric_abandon(struct task *t)
{
	struct act *a = t->work;
	if (a)
		metric_clear(&a->put.metric);
}

void put_metric_step(struct engine *g, struct task *t)
{
	const struct act *a = t->work;
	if (t->state++ == 0)
		t->done = !put_metric_begin(g, t);
	else
		t->done = act_over(t, a, a->put.out.request_id);
}
