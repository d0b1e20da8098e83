/* Reading a request's members, and the small things every handler needs. */
#include "sim/sim_req.h"

#include "core/hash.h"
#include "core/scan.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *shape, *legacy;
	int status;
} failures[] = {
#define X(id, shape, legacy, status) { shape, legacy, status },
	SIM_FAILURES(X)
#undef X
};

bool sim_fail(struct sim_fail *f, enum sim_why why, const char *fmt, ...)
{
	va_list ap;
	f->why = why;
	f->reason[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof f->text, fmt, ap);
	va_end(ap);
	return false;
}

const char *sim_fail_shape(enum sim_why why)
{
	return failures[why].shape;
}

const char *sim_fail_legacy(enum sim_why why)
{
	return failures[why].legacy;
}

int sim_fail_status(enum sim_why why)
{
	return failures[why].status;
}

bool sim_copy(char *out, size_t size, struct span s)
{
	if (s.n == 0 || s.n >= size)
		return false;
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return true;
}

const char *sim_header(const struct sim_req *rq, const char *name)
{
	for (unsigned i = 0; i < rq->nheader; i++)
		if (strcasecmp(rq->header[i].name, name) == 0)
			return rq->header[i].value;
	return NULL;
}

void sim_answer_header(struct sim_answer *a, const char *name, const char *fmt, ...)
{
	if (a->nextra == sizeof a->extra / sizeof *a->extra)
		return;
	va_list ap;
	snprintf(a->extra[a->nextra].name, sizeof a->extra[0].name, "%s", name);
	va_start(ap, fmt);
	vsnprintf(a->extra[a->nextra].value, sizeof a->extra[0].value, fmt, ap);
	va_end(ap);
	a->nextra++;
}

/* ---- members */

/* Is the text of a query parameter as good as the typed value? */
static bool loose(const struct sim_req *rq, const struct json *n)
{
	return json_str(n) && (rq->proto == PROTO_QUERY || rq->params);
}

/* Nothing there: absent or null. */
static bool nothing(const struct json *n)
{
	bool b;
	double d;
	return !n || !(json_str(n) || json_is_object(n) || json_is_array(n) || json_bool(n, &b) || json_num(n, &d));
}

static bool mistyped(const struct sim_req *rq, const char *key, const char *type, struct sim_fail *f)
{
	if (rq->proto == PROTO_QUERY)
		return sim_fail(f, WHY_VALIDATION, "Value for parameter %s is not a valid %s.", key, type);
	return sim_fail(f, WHY_SERIALIZATION, "%s: expected a %s", key, type);
}

static enum sim_why why_invalid(const struct sim_req *rq)
{
	if (strcmp(rq->service, "logs") == 0 || strcmp(rq->service, "sns") == 0)
		return WHY_INVALID_PARAMETER;
	return strcmp(rq->service, "kinesis") == 0 || strcmp(rq->service, "sts") == 0 ? WHY_VALIDATION : WHY_INVALID_VALUE;
}

bool node_str(const struct sim_req *rq, const struct json *n, const char *what, const char **v, struct sim_fail *f)
{
	if (nothing(n))
		return true;
	if (!json_str(n))
		return mistyped(rq, what, "string", f);
	*v = json_str(n);
	return true;
}

bool arg_str(const struct sim_req *rq, const struct json *o, const char *key, const char **v, struct sim_fail *f)
{
	return node_str(rq, json_get(o, key), key, v, f);
}

bool arg_need(const struct sim_req *rq, const struct json *o, const char *key, const char **v, struct sim_fail *f)
{
	*v = NULL;
	if (!arg_str(rq, o, key, v, f))
		return false;
	if (*v && **v)
		return true;
	if (why_invalid(rq) == WHY_VALIDATION)
		return sim_fail(f, WHY_VALIDATION,
		                "1 validation error detected: Value null at '%s' failed to satisfy constraint: "
		                "Member must not be null",
		                key);
	return sim_fail(f, WHY_MISSING, "The request must contain the parameter %s.", key);
}

bool node_num(const struct sim_req *rq, const struct json *n, const char *what, double *v, struct sim_fail *f)
{
	char *end;
	if (nothing(n))
		return true;
	if (loose(rq, n) && *json_str(n)) {
		*v = strtod(json_str(n), &end);
		if (!*end && isfinite(*v))
			return true;
	} else if (json_num(n, v)) {
		return true;
	}
	return mistyped(rq, what, "number", f);
}

bool arg_num(const struct sim_req *rq, const struct json *o, const char *key, double *v, struct sim_fail *f)
{
	return node_num(rq, json_get(o, key), key, v, f);
}

bool arg_int(const struct sim_req *rq, const struct json *o, const char *key, int64_t lo, int64_t hi, int64_t *v,
             struct sim_fail *f)
{
	const struct json *n = json_get(o, key);
	int64_t got = *v;
	if (nothing(n))
		return true;
	if (!(loose(rq, n) ? json_loose_int(n, &got) : json_int(n, &got)))
		return mistyped(rq, key, "integer", f);
	if (got < lo || got > hi)
		return sim_fail(f, why_invalid(rq),
		                "Value %" PRId64 " for parameter %s is invalid. Reason: Must be between %" PRId64
		                " and %" PRId64 ", if provided.",
		                got, key, lo, hi);
	*v = got;
	return true;
}

bool arg_bool(const struct sim_req *rq, const struct json *o, const char *key, bool *v, struct sim_fail *f)
{
	const struct json *n = json_get(o, key);
	if (nothing(n) || json_bool(n, v))
		return true;
	const char *text = loose(rq, n) ? json_str(n) : "";
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return mistyped(rq, key, "boolean", f);
	*v = text[0] == 't';
	return true;
}

bool arg_time(const struct sim_req *rq, const struct json *o, const char *key, int64_t *t_ms, struct sim_fail *f)
{
	const struct json *n = json_get(o, key);
	if (nothing(n))
		return true;
	return json_time_ms(n, t_ms) || mistyped(rq, key, "timestamp", f);
}

bool arg_list(const struct sim_req *rq, const struct json *o, const char *key, unsigned max, const struct json **v,
              struct sim_fail *f)
{
	const struct json *n = json_get(o, key);
	unsigned count = 0;
	*v = NULL;
	if (nothing(n) || (loose(rq, n) && !*json_str(n)))
		return true;
	if (!json_is_array(n))
		return mistyped(rq, key, "list", f);
	for (const struct json *e = json_first(n); e; e = json_next(e))
		count++;
	if (count > max)
		return sim_fail(f, why_invalid(rq), "The collection %s must not have a size greater than %u.", key, max);
	*v = n;
	return true;
}

/* ---- page tokens */

void token_write(struct wr *o, const char *key, const char *op, const char *fmt, ...)
{
	char inner[1024];
	struct buf b;
	va_list ap;
	int n = snprintf(inner, sizeof inner, "%s\n", op);
	va_start(ap, fmt);
	n += vsnprintf(inner + n, sizeof inner - (size_t)n, fmt, ap);
	va_end(ap);
	buf_init(&b, 4096);
	hash_base64(&b, inner, (size_t)n < sizeof inner ? (size_t)n : sizeof inner - 1);
	wr_str(o, key, b.p);
	buf_clear(&b);
}

bool token_read(const char *token, const char *op, char *out, size_t size, struct sim_fail *f)
{
	struct buf b;
	size_t n = strlen(op);
	buf_init(&b, 4096);
	bool ok = hash_unbase64(&b, span_of(token)) && b.n > n && memcmp(b.p, op, n) == 0 && b.p[n] == '\n' &&
	          b.n - n - 1 < size && strlen(b.p) == b.n;
	if (ok)
		memcpy(out, b.p + n + 1, b.n - n);
	buf_clear(&b);
	return ok || sim_fail(f, WHY_INVALID_TOKEN, "The token is invalid.");
}
