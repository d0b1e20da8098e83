/* What the faults do that any operation can have. Codes, statuses and texts are AWS's. */
#include "core/clock.h"
#include "sim/fault.h"
#include "sim/sim_grant.h"
#include "sim/sim_gzip.h"
#include "sim/sim_req.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACT(name)                                                                                                      \
	enum fault_done name(struct world *w, struct sim_req *rq, const struct fault_on *on, struct sim_fail *f)

static bool is(const struct sim_req *rq, const char *service)
{
	return strcmp(rq->service, service) == 0;
}

/* ---- who may */

static void denied_resource(const struct world *w, const struct sim_req *rq, char *out, size_t size)
{
	const char *role = json_get_str(rq->args, "RoleArn"), *service = fault_service(rq->service);
	if (role)
		snprintf(out, size, "%.200s", role);
	else
		snprintf(out, size, "arn:%s:%s:%s:" SIM_ACCOUNT ":*", w->partition, service, w->region);
}

bool fault_deny(const struct world *w, const struct sim_req *rq, int64_t kind, struct sim_fail *f)
{
	static const char *const because[] = {
		" because no identity-based policy allows the ",
		" with an explicit deny in an identity-based policy",
		" with an explicit deny in a service control policy",
		" because no permissions boundary allows the ",
		" because no session policy allows the ",
	};
	char who[200], what[256], which[128] = "";
	const char *service = fault_service(rq->service);
	grant_caller(w, rq->akid, who, sizeof who);
	denied_resource(w, rq, what, sizeof what);
	if (because[kind][strlen(because[kind]) - 1] == ' ')
		snprintf(which, sizeof which, "%s:%s action", service, rq->op);
	return sim_fail(f, WHY_ACCESS_DENIED, "User: %s is not authorized to perform: %s:%s on resource: %s%s%s", who,
	                service, rq->op, what, because[kind], which);
}

ACT(fault_denied)
{
	fault_deny(w, rq, on->param, f);
	return FAULT_REFUSE;
}

/* What expires is not the same thing everywhere: a key's session, a web token, an SSO session, metadata's own token. */
ACT(fault_expired)
{
	(void)w, (void)on;
	const struct sim_service *s = sim_service(rq->service);
	if (strcmp(rq->op, SIM_UNSIGNED_OP) == 0)
		sim_fail(f, WHY_SESSION_EXPIRED,
		         "Token expired: current date/time must be before the expiration date/time of the token");
	else if (is(rq, "oidc"))
		sim_fail(f, WHY_SESSION_EXPIRED, "The token has expired");
	else if (s && s->fail)
		sim_fail(f, WHY_UNAUTHORIZED, "Session token not found or invalid");
	else
		sim_fail(f, WHY_EXPIRED_TOKEN, "The security token included in the request is expired");
	return FAULT_REFUSE;
}

ACT(fault_revoked)
{
	struct sim_grant *g = grant_find(w, rq->akid);
	if (!g)
		return FAULT_PASS;
	g->revoked = true;
	return fault_expired(w, rq, on, f);
}

ACT(fault_unknown_key)
{
	(void)w, (void)rq, (void)on;
	sim_fail(f, WHY_UNKNOWN_KEY, "The security token included in the request is invalid.");
	return FAULT_REFUSE;
}

/* ---- too much, and broken */

static bool reads_shards(const char *op)
{
	return strcmp(op, "GetRecords") == 0 || strcmp(op, "PutRecord") == 0 || strcmp(op, "PutRecords") == 0 ||
	       strcmp(op, "GetShardIterator") == 0;
}

static void kinesis_throttle(const struct sim_req *rq, struct sim_fail *f)
{
	const char *stream = json_get_str(rq->args, "StreamName");
	if (reads_shards(rq->op))
		sim_fail(f, WHY_PROVISIONED, "Rate exceeded for shard shardId-000000000000 in stream %.128s under account %s.",
		         stream ? stream : "unknown", SIM_ACCOUNT);
	else
		sim_fail(f, WHY_LIMIT_EXCEEDED, "Rate exceeded for stream %.128s under account %s.",
		         stream ? stream : "unknown", SIM_ACCOUNT);
}

ACT(fault_throttle)
{
	(void)w;
	if (is(rq, "sqs")) {
		sim_fail(f, WHY_REQUEST_THROTTLED, "Request is throttled.");
	} else if (is(rq, "kinesis")) {
		kinesis_throttle(rq, f);
	} else if (is(rq, "sso")) {
		sim_fail(f, WHY_TOO_MANY, "HTTP 429 Unknown Code");
	} else if (is(rq, "lambda")) {
		sim_fail(f, WHY_TOO_MANY, "Rate Exceeded.");
		fault_word(&fault_rows[on->id], on->param, f->reason, sizeof f->reason);
		sim_answer_header(rq->answer, "Retry-After", "1");
	} else {
		sim_fail(f, WHY_THROTTLED, "Rate exceeded");
	}
	return FAULT_REFUSE;
}

ACT(fault_limit)
{
	(void)w, (void)rq, (void)on;
	sim_fail(f, WHY_LIMIT_CLOUDWATCH, "The quota for this account has already been reached.");
	return FAULT_REFUSE;
}

ACT(fault_over_limit)
{
	(void)w, (void)rq, (void)on;
	sim_fail(f, WHY_OVER_LIMIT, "Too many messages are in flight for this queue.");
	return FAULT_REFUSE;
}

ACT(fault_iterator)
{
	(void)w, (void)rq, (void)on;
	sim_fail(f, WHY_EXPIRED_ITERATOR,
	         "Iterator expired. The iterator was created more than 300 seconds ago, which is longer than it lives.");
	return FAULT_REFUSE;
}

ACT(fault_page)
{
	(void)w, (void)on;
	if (!json_get_str(rq->args, "NextToken"))
		return FAULT_PASS;
	sim_fail(f, WHY_EXPIRED_NEXT_TOKEN, "NextToken expired. It lives for 300 seconds.");
	return FAULT_REFUSE;
}

ACT(fault_too_large)
{
	(void)w, (void)on;
	sim_fail(f, WHY_REQUEST_TOO_LARGE,
	         "%zu byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)", rq->body.n);
	return FAULT_REFUSE;
}

static const char *phrase(int64_t status)
{
	static const struct {
		int status;
		const char *text;
	} all[] = {
		{ 400, "Bad Request" },       { 401, "Unauthorized" },
		{ 403, "Forbidden" },         { 404, "Not Found" },
		{ 405, "Not Allowed" },       { 407, "Proxy Authentication Required" },
		{ 408, "Request Timeout" },   { 413, "Payload Too Large" },
		{ 429, "Too Many Requests" }, { 500, "Internal Server Error" },
		{ 502, "Bad Gateway" },       { 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i].status == status)
			return all[i].text;
	return status < 300 ? "Welcome" : "Error";
}

static void page(struct sim_answer *a, int64_t status, const char *line)
{
	a->status = (int)status;
	a->raw = true;
	a->type = "text/html";
	buf_reset(&a->body);
	buf_addf(&a->body,
	         "<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n<center><h1>%d %s</h1></center>\r\n<p>%s</p>\r\n"
	         "</body>\r\n</html>\r\n",
	         a->status, phrase(status), a->status, phrase(status), line);
}

static bool is_aws(const struct sim_req *rq)
{
	const struct sim_service *s = sim_service(rq->service);
	return s && !s->fail;
}

ACT(fault_status)
{
	(void)w;
	if (is_aws(rq) && on->param == 500) {
		enum sim_why why = is(rq, "kinesis")      ? WHY_INTERNAL_KINESIS
		                   : is(rq, "lambda")     ? WHY_SERVICE
		                   : is(rq, "monitoring") ? WHY_INTERNAL
		                                          : WHY_INTERNAL_FAILURE;
		sim_fail(f, why, "We encountered an internal error. Please try again.");
		return FAULT_REFUSE;
	}
	if (is_aws(rq) && on->param == 503) {
		sim_fail(f, WHY_UNAVAILABLE, "The service is unavailable. Please try again later.");
		return FAULT_REFUSE;
	}
	page(rq->answer, on->param, "");
	return FAULT_ANSWER;
}

ACT(fault_html)
{
	(void)w, (void)f;
	page(rq->answer, on->param, on->param < 300 ? "Please accept the terms of this network." : "No healthy upstream.");
	sim_answer_header(rq->answer, "Via", "1.1 proxy.example");
	return FAULT_ANSWER;
}

ACT(fault_empty)
{
	(void)w, (void)f;
	buf_reset(&rq->answer->body);
	rq->answer->status = (int)on->param;
	rq->answer->raw = true;
	return FAULT_ANSWER;
}

ACT(fault_big)
{
	(void)w, (void)f;
	struct sim_answer *a = rq->answer;
	char letters[4096];
	memset(letters, 'A', sizeof letters);
	buf_reset(&a->body);
	for (size_t left = (size_t)on->param, n; left; left -= n) {
		n = left < sizeof letters ? left : sizeof letters;
		buf_add(&a->body, letters, n);
	}
	a->raw = true;
	a->type = "text/plain";
	return FAULT_ANSWER;
}

ACT(fault_redirect)
{
	(void)w, (void)f;
	const char *host = sim_header(rq, "host");
	page(rq->answer, on->param, "moved");
	sim_answer_header(rq->answer, "Location", "http://%.200s" FAULT_TRAP, host ? host : "127.0.0.1");
	return FAULT_ANSWER;
}

/* ---- the line */

ACT(fault_reset)
{
	(void)w, (void)on, (void)f;
	rq->answer->line = LINE_RESET;
	rq->answer->raw = true;
	return FAULT_ANSWER;
}

ACT(fault_line)
{
	(void)w, (void)f;
	static const enum sim_line lines[FAULT_COUNT] = {
		[FAULT_LOST] = LINE_LOST, [FAULT_HALF] = LINE_HALF,       [FAULT_LENGTH] = LINE_LENGTH,
		[FAULT_DRIP] = LINE_DRIP, [FAULT_CHUNKED] = LINE_CHUNKED, [FAULT_TRICKLE] = LINE_TRICKLE,
	};
	if (rq->answer->line != LINE_WHOLE)
		return FAULT_PASS;
	rq->answer->line = lines[on->id];
	rq->answer->line_n = on->param;
	return FAULT_ANSWER;
}

ACT(fault_gzip)
{
	struct buf packed;
	const char *takes = sim_header(rq, "accept-encoding");
	(void)w, (void)f;
	if (on->param == 0 && !(takes && strstr(takes, "gzip")))
		return FAULT_PASS;
	buf_init(&packed, rq->answer->body.max);
	if (!sim_gzip(buf_span(&rq->answer->body), &packed)) {
		buf_clear(&packed);
		return FAULT_PASS;
	}
	buf_clear(&rq->answer->body);
	rq->answer->body = packed;
	sim_answer_header(rq->answer, "Content-Encoding", "gzip");
	return FAULT_ANSWER;
}

ACT(fault_cut)
{
	(void)w, (void)f;
	struct buf *b = &rq->answer->body;
	size_t keep = on->param < 0 ? b->n / 2 : (size_t)on->param;
	if (keep >= b->n)
		return FAULT_PASS;
	b->n = keep;
	return FAULT_ANSWER;
}

ACT(fault_delay)
{
	(void)w, (void)f;
	rq->answer->delay_ms += on->param;
	return FAULT_ANSWER;
}

ACT(fault_slow)
{
	(void)f;
	rq->answer->delay_ms +=
	    500 + (int64_t)(world_noise(w, (unsigned)on->seed, (int64_t)on->seen) * (double)(on->param - 500));
	return FAULT_ANSWER;
}

/* In real seconds: it is the client that is to slow down. */
ACT(fault_lookup_rate)
{
	(void)rq;
	int64_t now = clock_mono_ms(), *oldest = &w->lookup_ms[w->nlookups % (uint64_t)on->param];
	if (w->nlookups < (uint64_t)on->param || now - *oldest >= 1000) {
		*oldest = now;
		w->nlookups++;
		return FAULT_PASS;
	}
	sim_fail(f, WHY_THROTTLED, "Rate exceeded");
	return FAULT_REFUSE;
}
