/* GetMetricData: the hot path. The answer is walked once with the scanner, never as a tree. A result's timestamps and
 * values are two arrays that may come in either order, so both are gathered and then handed on side by side. */
#include "aws/op_cloudwatch.h"

#include "aws/wire.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/scan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUERIES_MAX 500
#define POINTS_MAX 100800 /* the service's own limit for an answer */
#define TOKEN_MAX (64u * 1024)

/* ---- the prepared queries */

void metric_queries_init(struct metric_queries *q, uint32_t period)
{
	*q = (struct metric_queries){ .period = period };
	buf_init(&q->json, 4u * 1024 * 1024);
}

void metric_queries_clear(struct metric_queries *q)
{
	buf_clear(&q->json);
	q->n = 0;
}

/* No Unit: a wrong one silently yields no data. */
bool metric_queries_add(struct metric_queries *q, const struct metric_id *m)
{
	char id[16];
	struct json_out o;
	size_t before = q->json.n;
	if (q->n == QUERIES_MAX || (q->n && !buf_addc(&q->json, ',')))
		return false;
	snprintf(id, sizeof id, "m%u", q->n);
	json_out_init(&o, &q->json);
	json_out_object(&o, NULL);
	json_out_str(&o, "Id", id);
	json_out_object(&o, "MetricStat");
	json_out_object(&o, "Metric");
	json_out_str(&o, "Namespace", m->ns);
	json_out_str(&o, "MetricName", m->name);
	wire_dimensions(&o, m);
	json_out_object_end(&o);
	json_out_int(&o, "Period", q->period);
	json_out_str(&o, "Stat", m->stat);
	json_out_object_end(&o);
	json_out_object_end(&o);
	if (o.ok) {
		q->n++;
		return true;
	}
	if (q->json.p) /* no half query stays behind */
		q->json.p[q->json.n = before] = '\0';
	q->json.full = false;
	return false;
}

static bool build(const void *in, struct http_req *rq, struct err *e)
{
	const struct get_metric_data_in *q = in;
	bool ok = buf_addf(&rq->body, "{\"StartTime\":%lld,\"EndTime\":%lld,\"MetricDataQueries\":[", (long long)q->start,
	                   (long long)q->end) &&
	          buf_addspan(&rq->body, buf_span(&q->queries->json)) && buf_addc(&rq->body, ']');
	if (ok && q->page.token) {
		struct json_out o;
		ok = buf_adds(&rq->body, ",\"NextToken\":");
		json_out_init(&o, &rq->body);
		json_out_str(&o, NULL, q->page.token);
		ok = ok && o.ok;
	}
	ok = ok && buf_addc(&rq->body, '}');
	return ok || err_set(e, ERR_LIMIT, "json", "the request is too large");
}

/* ---- the answer */

struct reader {
	struct scan s;
	struct get_metric_data_out *out;
	struct buf text; /* of the string just decoded */
	const char *why;
	/* of the result being read */
	int64_t *at;
	double *v;
	size_t nat, nv, cat, cv;
	unsigned seen; /* its members, one bit each */
	int64_t query; /* -1: none of ours */
	enum metric_status status;
	unsigned nmessages;
};

static bool refuse(struct reader *r, const char *why)
{
	r->why = r->why ? r->why : why;
	return false;
}

static bool key_is(const struct reader *r, const char *name)
{
	return !r->s.escaped && span_eq(r->s.text, name);
}

/* The members of a result, told apart by their length first: this is asked five times a result. */
enum member { M_OTHER, M_ID, M_STATUS, M_TIMES, M_VALUES, M_MESSAGES };

static enum member member_of(const struct scan *s)
{
	static const struct {
		const char *name;
		size_t n;
		enum member is;
	} members[] = {
#define MEMBER(name, is) { name, sizeof name - 1, is }
		MEMBER("Id", M_ID),         MEMBER("StatusCode", M_STATUS), MEMBER("Timestamps", M_TIMES),
		MEMBER("Values", M_VALUES), MEMBER("Messages", M_MESSAGES),
#undef MEMBER
	};
	for (unsigned i = 0; !s->escaped && i < sizeof members / sizeof *members; i++)
		if (s->text.n == members[i].n && memcmp(s->text.p, members[i].name, members[i].n) == 0)
			return members[i].is;
	return M_OTHER;
}

/* The STRING just read, decoded into r->text. */
static bool text(struct reader *r)
{
	buf_reset(&r->text);
	if (!scan_string(&r->s, &r->text))
		return refuse(r, "a string too long");
	return !memchr(r->text.p, 0, r->text.n) || refuse(r, "a NUL in a string");
}

static bool time_of_string(struct reader *r, int64_t *t)
{
	int64_t ms;
	if (!clock_parse_rfc3339(r->s.text.p, r->s.text.n, &ms))
		return refuse(r, "a timestamp that is no time");
	*t = (ms - (ms < 0 ? 999 : 0)) / 1000;
	return true;
}

/* Integers, fractions and ISO strings are all on the wire. */
static bool time_of(struct reader *r, enum scan_token token, int64_t *t)
{
	if (token == SCAN_STRING)
		return time_of_string(r, t);
	if (token != SCAN_NUMBER)
		return refuse(r, "a timestamp that is neither number nor string");
	if (scan_int(&r->s, t))
		return true;
	double v = floor(scan_double(&r->s));
	if (!(fabs(v) < 1e15))
		return refuse(r, "a timestamp out of range");
	*t = (int64_t)v;
	return true;
}

/* What is no finite number ("NaN", null) leaves a gap. */
static bool value_of(struct reader *r, enum scan_token token, double *v)
{
	*v = token == SCAN_NUMBER ? scan_double(&r->s) : NAN;
	return token == SCAN_NUMBER || token == SCAN_STRING || token == SCAN_NULL || refuse(r, "a value that is no number");
}

/* The value after a KEY must be an array; null is an empty one. False: there is nothing to walk (see why). */
static bool array_begins(struct reader *r)
{
	enum scan_token t = scan_next(&r->s);
	if (t != SCAN_ARRAY && t != SCAN_NULL)
		refuse(r, "an array was expected");
	return t == SCAN_ARRAY;
}

static bool read_times(struct reader *r)
{
	r->nat = 0;
	if (!array_begins(r))
		return !r->why;
	for (;;) {
		enum scan_token t = scan_next(&r->s);
		if (t == SCAN_ARRAY_END)
			return true;
		if (r->nat == POINTS_MAX)
			return refuse(r, "more points than an answer can have");
		MEM_GROW(r->at, r->nat, r->cat);
		if (!time_of(r, t, &r->at[r->nat]))
			return false;
		r->nat++;
	}
}

static bool read_values(struct reader *r)
{
	r->nv = 0;
	if (!array_begins(r))
		return !r->why;
	for (;;) {
		enum scan_token t = scan_next(&r->s);
		if (t == SCAN_ARRAY_END)
			return true;
		if (r->nv == POINTS_MAX)
			return refuse(r, "more points than an answer can have");
		MEM_GROW(r->v, r->nv, r->cv);
		if (!value_of(r, t, &r->v[r->nv]))
			return false;
		r->nv++;
	}
}

/* "m12" -> 12 of the n asked for; anything else is none of ours. */
static int64_t query_of(struct span id, unsigned n)
{
	int64_t q = 0;
	if (id.n < 2 || id.n > 6 || id.p[0] != 'm' || (id.p[1] == '0' && id.n > 2))
		return -1;
	for (size_t i = 1; i < id.n; i++) {
		if (id.p[i] < '0' || id.p[i] > '9')
			return -1;
		q = q * 10 + (id.p[i] - '0');
	}
	return q < n ? q : -1;
}

static enum metric_status status_of(struct span s)
{
	return span_eq(s, "Complete")        ? METRIC_COMPLETE
	       : span_eq(s, "InternalError") ? METRIC_INTERNAL_ERROR
	       : span_eq(s, "Forbidden")     ? METRIC_FORBIDDEN
	                                     : METRIC_PARTIAL; /* PartialData, and words this build does not know */
}

/* A string or null into r->text ("" for null). */
static bool string_value(struct reader *r)
{
	enum scan_token t = scan_next(&r->s);
	buf_reset(&r->text);
	if (t == SCAN_NULL)
		return true;
	return t == SCAN_STRING ? text(r) : refuse(r, "a string was expected");
}

/* Keeps the first of the answer's messages: "CODE: text". */
static bool read_message(struct reader *r)
{
	char code[64] = "", value[128] = "";
	for (enum scan_token t = scan_next(&r->s); t != SCAN_OBJECT_END; t = scan_next(&r->s)) {
		if (t != SCAN_KEY)
			return refuse(r, "a message was expected");
		bool is_code = key_is(r, "Code"), is_value = key_is(r, "Value");
		if (!is_code && !is_value) {
			if (!scan_skip(&r->s))
				return false;
			continue;
		}
		if (!string_value(r))
			return false;
		snprintf(is_code ? code : value, is_code ? sizeof code : sizeof value, "%s", r->text.p ? r->text.p : "");
	}
	if (!r->out->message[0])
		snprintf(r->out->message, sizeof r->out->message, "%.40s%s%.80s", code, *code && *value ? ": " : "", value);
	return true;
}

static bool read_messages(struct reader *r)
{
	if (!array_begins(r))
		return !r->why;
	for (enum scan_token t = scan_next(&r->s); t != SCAN_ARRAY_END; t = scan_next(&r->s)) {
		r->nmessages++;
		if (t != SCAN_OBJECT)
			return refuse(r, "a message was expected");
		if (!read_message(r))
			return false;
	}
	return true;
}

/* What is said of the answer, not of a result: it does not hold all that was asked for. */
static bool read_whole_messages(struct reader *r)
{
	unsigned before = r->nmessages;
	bool ok = read_messages(r);
	r->out->limited = r->out->limited || r->nmessages > before;
	return ok;
}

/* Of two members of one name nobody can say which was meant. */
static bool twice(struct reader *r, enum member m)
{
	bool again = r->seen >> m & 1;
	if (m != M_OTHER && m != M_MESSAGES)
		r->seen |= 1u << m;
	return again;
}

/* The same as string_value, where it stands: what has no escapes need not be copied. */
static bool word(struct reader *r, struct span *out)
{
	enum scan_token t = scan_next(&r->s);
	*out = (struct span){ "", 0 };
	if (t == SCAN_NULL)
		return true;
	if (t != SCAN_STRING)
		return refuse(r, "a string was expected");
	*out = r->s.text;
	if (!r->s.escaped)
		return true;
	bool ok = text(r);
	*out = buf_span(&r->text);
	return ok;
}

static bool result_member(struct reader *r)
{
	enum member m = member_of(&r->s);
	struct span said;
	if (twice(r, m))
		return refuse(r, "a result with a member that comes twice");
	switch (m) {
	case M_TIMES: return read_times(r);
	case M_VALUES: return read_values(r);
	case M_MESSAGES: return read_messages(r);
	case M_OTHER: return scan_skip(&r->s);
	case M_ID:
	case M_STATUS: break;
	}
	if (!word(r, &said))
		return false;
	if (m == M_ID)
		r->query = query_of(said, r->out->n);
	else if (said.n)
		r->status = status_of(said);
	return true;
}

static bool hand_on(struct reader *r)
{
	if (r->nat != r->nv)
		return refuse(r, "timestamps and values of one result differ in number");
	if (r->query < 0)
		return true;
	unsigned q = (unsigned)r->query;
	for (size_t i = 0; i < r->nat; i++)
		if (isfinite(r->v[i]))
			r->out->point(r->out->ctx, q, r->at[i], r->v[i]);
	if (r->out->status && r->status != METRIC_UNANSWERED)
		r->out->status[q] = r->status;
	return true;
}

static bool read_result(struct reader *r)
{
	r->nat = r->nv = 0;
	r->seen = 0;
	r->query = -1;
	r->status = METRIC_UNANSWERED;
	for (enum scan_token t = scan_next(&r->s); t != SCAN_OBJECT_END; t = scan_next(&r->s))
		if (t != SCAN_KEY || !result_member(r))
			return refuse(r, "a result was expected");
	return hand_on(r);
}

static bool read_results(struct reader *r)
{
	if (!array_begins(r))
		return !r->why;
	for (enum scan_token t = scan_next(&r->s); t != SCAN_ARRAY_END; t = scan_next(&r->s)) {
		if (t != SCAN_OBJECT)
			return refuse(r, "a result was expected");
		if (!read_result(r))
			return false;
	}
	return true;
}

static bool read_token(struct reader *r)
{
	if (!string_value(r))
		return false;
	wire_token(&r->out->page, r->text.p);
	return true;
}

static bool read_answer(struct reader *r)
{
	if (scan_next(&r->s) != SCAN_OBJECT)
		return refuse(r, "the answer is not a JSON object");
	for (enum scan_token t = scan_next(&r->s); t != SCAN_OBJECT_END; t = scan_next(&r->s)) {
		if (t != SCAN_KEY)
			return refuse(r, "a member was expected");
		bool ok = key_is(r, "MetricDataResults") ? read_results(r)
		          : key_is(r, "NextToken")       ? read_token(r)
		          : key_is(r, "Messages")        ? read_whole_messages(r)
		                                         : scan_skip(&r->s);
		if (!ok)
			return false;
	}
	return scan_next(&r->s) == SCAN_END || refuse(r, "something follows the answer");
}

static bool read(const struct http_res *rs, void *out, struct err *e)
{
	struct reader r = { .out = out };
	wire_token(&r.out->page, NULL);
	scan_init(&r.s, rs->body);
	buf_init(&r.text, TOKEN_MAX);
	bool ok = read_answer(&r);
	if (!ok) {
		wire_token(&r.out->page, NULL);
		err_set(e, ERR_BADREPLY, "json", "%s at byte %zu",
		        r.s.why ? r.s.why
		        : r.why ? r.why
		                : "not JSON",
		        (size_t)(r.s.p - r.s.start));
	}
	buf_clear(&r.text);
	free(r.at);
	free(r.v);
	return ok;
}

const struct op op_get_metric_data = {
	.service = &service_cloudwatch,
	.name = "GetMetricData",
	.iam = "cloudwatch:GetMetricData",
	.effect = OP_READ,
	.idempotent = true,
	.paged = true,
	.build = build,
	.read = read,
};
