#include "sim/sim_wire.h"

#include "core/clock.h"
#include "sim/fault.h"
#include "sim/motion.h"
#include "sim/sim_form.h"
#include "sim/sim_grant.h"
#include "sim/sim_gzip.h"
#include "sim/sim_trail.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define ANSWER_MAX (64u << 20)
#define BODY_MAX (16u << 20)

/* ---- services */

static const struct sim_service *const services[] = {
	&sim_cloudformation, &sim_cloudtrail, &sim_cloudwatch, &sim_container, &sim_imds, &sim_kinesis, &sim_lambda,
	&sim_logs,           &sim_oidc,       &sim_s3,         &sim_sns,       &sim_sqs,  &sim_sso,     &sim_sts,
	&sim_tagging
};

const struct sim_service *const *sim_services(unsigned *n)
{
	*n = sizeof services / sizeof *services;
	return services;
}

const struct sim_service *sim_service(const char *name)
{
	for (size_t i = 0; i < sizeof services / sizeof *services; i++)
		if (strcmp(services[i]->name, name) == 0)
			return services[i];
	return NULL;
}

/* ---- failures */

/* Failures of the front door, the same for every service. */
static bool is_common(enum sim_why why)
{
	static const enum sim_why common[] = {
		WHY_ACCESS_DENIED, WHY_BAD_SIGNATURE, WHY_EXPIRED_TOKEN, WHY_INTERNAL_FAILURE,
		WHY_OUT_OF_TIME,   WHY_SERIALIZATION, WHY_SKEWED,        WHY_THROTTLED,
		WHY_UNAVAILABLE,   WHY_UNKNOWN_KEY,   WHY_VALIDATION,    WHY_UNKNOWN_OPERATION,
	};
	for (size_t i = 0; i < sizeof common / sizeof *common; i++)
		if (common[i] == why)
			return true;
	return false;
}

static void error_type(const struct sim_req *rq, const struct sim_service *s, enum sim_why why, char *out, size_t size)
{
	const char *space = is_common(why) ? "com.amazon.coral.service"
	                    : s && s->flat ? "com.amazonaws.sqs"
	                                   : "com.amazonaws.cloudwatch";
	snprintf(out, size, "%s%s%s", rq->json11 ? "" : space, rq->json11 ? "" : "#", sim_fail_shape(why));
}

static void fail_json(struct sim_req *rq, const struct sim_fail *f)
{
	struct sim_answer *a = rq->answer;
	const struct sim_service *s = sim_service(rq->service);
	struct json_out o;
	char type[128];
	error_type(rq, s, f->why, type, sizeof type);
	json_out_init(&o, &a->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "__type", type);
	json_out_str(&o, f->why == WHY_ACCESS_DENIED ? "Message" : "message", f->text);
	json_out_object_end(&o);
	if (s && s->legacy)
		sim_answer_header(a, "x-amzn-query-error", "%s;%s", sim_fail_legacy(f->why),
		                  a->status >= 500 ? "Receiver" : "Sender");
	a->type = rq->json11 ? "application/x-amz-json-1.1" : "application/x-amz-json-1.0";
}

static void fail_query(struct sim_req *rq, const struct sim_fail *f, const char *request_id)
{
	struct sim_answer *a = rq->answer;
	const struct sim_service *s = sim_service(rq->service);
	buf_addf(&a->body,
	         "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"%s\"><Error><Type>%s</Type><Code>%s</Code><Message>",
	         s && s->xmlns ? s->xmlns : "http://webservices.amazon.com/AWSFault/2005-15-09",
	         a->status >= 500 ? "Receiver" : "Sender", sim_fail_legacy(f->why));
	wr_xml_text(&a->body, f->text);
	buf_addf(&a->body, "</Message><Detail/></Error><RequestId>%s</RequestId></ErrorResponse>\n", request_id);
	a->type = "text/xml";
}

static void fail_rest(struct sim_req *rq, const struct sim_fail *f)
{
	struct sim_answer *a = rq->answer;
	struct json_out o;
	json_out_init(&o, &a->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "Type", a->status >= 500 ? "Service" : "User");
	json_out_str(&o, f->reason[0] ? "message" : "Message", f->text);
	if (f->reason[0])
		json_out_str(&o, "Reason", f->reason);
	json_out_object_end(&o);
	sim_answer_header(a, "x-amzn-ErrorType", "%s", sim_fail_shape(f->why));
	a->type = "application/json";
}

/* JSON 1.1 services refuse at the door with 400 where others say 403. */
static bool door_400(enum sim_why why)
{
	return why == WHY_ACCESS_DENIED || why == WHY_EXPIRED_TOKEN;
}

static void answer_failure(struct sim_req *rq, const struct sim_fail *f, const char *request_id)
{
	struct sim_answer *a = rq->answer;
	const struct sim_service *s = sim_service(rq->service);
	buf_reset(&a->body);
	a->raw = false;
	a->status = rq->json11 && door_400(f->why) ? 400 : sim_fail_status(f->why);
	if (s && s->fail)
		s->fail(rq, f);
	else if (s && s->objects)
		sim_s3_fail(rq, f);
	else if (rq->proto == PROTO_JSON)
		fail_json(rq, f);
	else if (rq->proto == PROTO_QUERY)
		fail_query(rq, f, request_id);
	else
		fail_rest(rq, f);
}

/* ---- from bytes to the neutral form */

struct call {
	const struct sim_service *service;
	const struct sim_op *op;
	struct json *args, *params;
	struct buf plain; /* the body, decompressed */
	char request_id[37];
};

static void guess_proto(struct sim_req *rq)
{
	const char *type = sim_header(rq, "content-type");
	if (sim_header(rq, "x-amz-target")) {
		rq->proto = PROTO_JSON;
		rq->json11 = type && strncmp(type, "application/x-amz-json-1.1", 26) == 0;
	} else if ((type && strncmp(type, "application/x-www-form-urlencoded", 33) == 0) || strstr(rq->query, "Action=")) {
		rq->proto = PROTO_QUERY;
	} else {
		rq->proto = PROTO_REST;
	}
}

static const struct sim_op *find_op(const struct sim_service *s, const char *name)
{
	for (unsigned i = 0; i < s->nops; i++)
		if (strcmp(s->ops[i].name, name) == 0)
			return &s->ops[i];
	return NULL;
}

static bool unknown_op(struct sim_fail *f, const char *name)
{
	return sim_fail(f, WHY_UNKNOWN_OPERATION, "The action or operation requested is invalid or not simulated: %s",
	                name);
}

static bool parse(struct span text, struct json **out, struct sim_fail *f)
{
	struct err e;
	*out = json_parse(text, &e);
	if (!*out)
		return sim_fail(f, WHY_SERIALIZATION, "%s", e.text);
	return json_is_object(*out) || sim_fail(f, WHY_SERIALIZATION, "expected an object");
}

static bool decompress(struct sim_req *rq, struct call *c, struct sim_fail *f)
{
	const char *coding = sim_header(rq, "content-encoding");
	if (!coding || strcasecmp(coding, "identity") == 0)
		return true;
	if (strcasecmp(coding, "gzip") != 0)
		return sim_fail(f, WHY_SERIALIZATION, "Content-Encoding %s is not accepted", coding);
	if (!sim_gunzip(rq->body, &c->plain))
		return sim_fail(f, WHY_SERIALIZATION, "the gzip body is damaged or too large");
	rq->body = buf_span(&c->plain);
	return true;
}

static bool read_json(struct sim_req *rq, struct call *c, struct sim_fail *f)
{
	const char *target = sim_header(rq, "x-amz-target"), *dot = strrchr(target, '.');
	size_t n = dot ? (size_t)(dot - target) : 0;
	if (!dot || !c->service->target || strlen(c->service->target) != n || strncmp(target, c->service->target, n) != 0)
		return unknown_op(f, target);
	if (rq->json11 != c->service->json11)
		return sim_fail(f, WHY_UNKNOWN_OPERATION, "This service speaks application/x-amz-json-1.%d",
		                c->service->json11 ? 1 : 0);
	snprintf(rq->op, sizeof rq->op, "%s", dot + 1);
	if (!(c->op = find_op(c->service, rq->op)))
		return unknown_op(f, rq->op);
	return parse(rq->body.n ? rq->body : SPAN("{}"), &c->args, f);
}

static bool read_query(struct sim_req *rq, struct call *c, struct sim_fail *f)
{
	struct buf text;
	struct span form = rq->body.n ? rq->body : span_of(rq->query);
	buf_init(&text, ANSWER_MAX);
	bool ok = form_to_json(form, c->service->renames, c->service->nrenames, &text) ||
	          sim_fail(f, WHY_SERIALIZATION, "the form is malformed");
	ok = ok && parse(buf_span(&text), &c->args, f);
	buf_clear(&text);
	const char *action = json_get_str(c->args, "Action"), *version = json_get_str(c->args, "Version");
	if (!ok)
		return false;
	snprintf(rq->op, sizeof rq->op, "%s", action ? action : "");
	if (!c->service->version || !version || strcmp(version, c->service->version) != 0)
		return sim_fail(f, WHY_UNKNOWN_OPERATION, "Could not find operation %s for version %s", rq->op,
		                version ? version : "NO_VERSION_SPECIFIED");
	return (c->op = find_op(c->service, rq->op)) || unknown_op(f, rq->op);
}

/* Matches path against "/a/{Label}/b"; the labels go into o. {Label+} is all of the rest, slashes and all. */
static bool match_path(const char *pattern, const char *path, struct json_out *o)
{
	while (*pattern) {
		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		size_t name = strcspn(pattern + 1, "}"), n = strcspn(path, pattern[name] == '+' ? "" : "/");
		char key[64];
		struct buf value;
		if (n == 0 || name >= sizeof key)
			return false;
		snprintf(key, sizeof key, "%.*s", (int)(pattern[name] == '+' ? name - 1 : name), pattern + 1);
		buf_init(&value, 4096);
		form_decode((struct span){ path, n }, false, &value);
		if (o)
			json_out_span(o, key, buf_span(&value));
		buf_clear(&value);
		pattern += name + 2;
		path += n;
	}
	return *path == '\0' || strcmp(path, "/") == 0;
}

static void add_query_params(const char *query, struct json_out *o)
{
	struct buf key, value;
	buf_init(&key, 4096);
	buf_init(&value, 8192);
	while (*query) {
		size_t n = strcspn(query, "&"), k = strcspn(query, "=&");
		buf_reset(&key);
		buf_reset(&value);
		form_decode((struct span){ query, k }, true, &key);
		if (k < n)
			form_decode((struct span){ query + k + 1, n - k - 1 }, true, &value);
		if (key.n)
			json_out_span(o, key.p, value.n ? buf_span(&value) : SPAN(""));
		query += n + (query[n] == '&');
	}
	buf_clear(&key);
	buf_clear(&value);
}

static bool read_rest(struct sim_req *rq, struct call *c, struct sim_fail *f)
{
	struct buf text;
	struct json_out o;
	for (unsigned i = 0; i < c->service->nops && !c->op; i++) {
		const struct sim_op *op = &c->service->ops[i];
		if (op->path && strcmp(op->method, rq->method) == 0 && match_path(op->path, rq->path, NULL))
			c->op = op;
	}
	if (!c->op)
		return unknown_op(f, rq->path);
	snprintf(rq->op, sizeof rq->op, "%s", c->op->name);
	buf_init(&text, 64 * 1024);
	json_out_init(&o, &text);
	json_out_object(&o, NULL);
	match_path(c->op->path, rq->path, &o);
	add_query_params(rq->query, &o);
	json_out_object_end(&o);
	bool ok = parse(buf_span(&text), &c->params, f);
	buf_clear(&text);
	if (!ok || c->service->objects || strcmp(c->op->name, "Invoke") == 0) /* whose body is the payload */
		return ok;
	return parse(rq->body.n ? rq->body : SPAN("{}"), &c->args, f);
}

static bool understand(struct sim_req *rq, struct call *c, struct sim_fail *f)
{
	c->service = sim_service(rq->service);
	if (!c->service || (c->service->fail && rq->akid[0])) /* the open ones take no signature */
		return sim_fail(f, WHY_UNKNOWN_OPERATION, "The service %s is not simulated", rq->service);
	if (!decompress(rq, c, f))
		return false;
	switch (rq->proto) {
	case PROTO_JSON: return read_json(rq, c, f);
	case PROTO_QUERY: return read_query(rq, c, f);
	default: return read_rest(rq, c, f);
	}
}

/* A frozen clock is this program's; other clients sign by the machine's. */
static bool in_time(const struct sim_req *rq, const struct sim_sign *s, const struct sim_key *key, int64_t ahead,
                    struct sim_fail *f)
{
	int64_t now[2] = { clock_wall() + ahead, (int64_t)time(NULL) + ahead };
	return sim_sign_verify(rq, s, key, now, clock_frozen() ? 2 : 1, f);
}

static void say_date(struct sim_answer *a, int64_t ahead)
{
	char text[40];
	struct tm tm;
	time_t t = (time_t)(clock_wall() + ahead);
	gmtime_r(&t, &tm);
	strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	sim_answer_header(a, "Date", "%s", text);
}

static bool verify(struct world *w, const struct sim_key *key, struct sim_req *rq, const struct sim_sign *s,
                   struct sim_fail *f)
{
	struct fault_on *clock = fault_clock(w, rq);
	int64_t ahead = clock ? clock->param : 0;
	const struct sim_grant *g = grant_find(w, s->akid);
	struct sim_key granted = { .region = key->region };
	if (g)
		granted = (struct sim_key){ g->akid, g->secret, key->region, g->token };
	bool ok = in_time(rq, s, g ? &granted : key, ahead, f);
	if (clock)
		say_date(rq->answer, ahead);
	if (clock && !ok && f->why == WHY_OUT_OF_TIME) {
		clock->hits++;
		if (clock->id == FAULT_SKEWED)
			sim_fail(f, WHY_SKEWED, "The difference between the request time and the current time is too large.");
	}
	if (ok && g && !grant_alive(g))
		return sim_fail(f, WHY_EXPIRED_TOKEN, "The security token included in the request is expired");
	return ok;
}

static bool begins_with_one_of(const char *path, const char *prefixes)
{
	for (const char *p = prefixes; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");
		if (strncmp(path, p, n) == 0)
			return true;
		p += n;
	}
	return false;
}

/* Is this for one of those who take requests that nobody signed? */
static bool is_unsigned(const struct world *w, struct sim_req *rq)
{
	const char *said = sim_header(rq, "authorization");
	const char *name = NULL;
	if (!w->open || (said && strncmp(said, "AWS4-", 5) == 0))
		return false;
	for (size_t i = 0; i < sizeof services / sizeof *services && !name; i++)
		if (services[i]->prefixes && begins_with_one_of(rq->path, services[i]->prefixes))
			name = services[i]->name;
	if (name)
		rq->proto = PROTO_REST;
	else if (rq->proto == PROTO_QUERY && !said && rq->body.n &&
	         memmem(rq->body.p, rq->body.n, SIM_UNSIGNED_OP, sizeof SIM_UNSIGNED_OP - 1))
		name = "sts";
	if (name)
		snprintf(rq->service, sizeof rq->service, "%s", name);
	return name != NULL;
}

static bool admit_unsigned(struct world *w, struct sim_req *rq, struct call *c, struct sim_fail *f)
{
	bool understood = understand(rq, c, f);
	if (rq->serves == 0)
		fault_called(w, rq);
	if (understood && !c->service->fail && strcmp(c->op->name, SIM_UNSIGNED_OP) != 0)
		return sim_fail(f, WHY_MISSING_TOKEN, "Missing Authentication Token");
	return understood;
}

/* Who asks and for what. The signature is over the bytes that came, and judged before what they say; a clock that is
 * wrong for one operation makes that operation's name matter first. */
static bool admit(struct world *w, const struct sim_key *key, struct sim_req *rq, struct call *c, struct sim_fail *f)
{
	struct sim_sign sign;
	struct sim_fail unclear;
	struct span body = rq->body;
	if (is_unsigned(w, rq))
		return admit_unsigned(w, rq, c, f);
	if (!sim_sign_read(rq, &sign, f))
		return false;
	snprintf(rq->service, sizeof rq->service, "%s", sign.service);
	snprintf(rq->akid, sizeof rq->akid, "%s", sign.akid);
	bool understood = understand(rq, c, &unclear);
	struct span plain = rq->body;
	if (rq->serves == 0)
		fault_called(w, rq);
	rq->body = body;
	bool known = rq->serves || verify(w, key, rq, &sign, f);
	rq->body = plain;
	if (known && !understood)
		*f = unclear;
	return known && understood;
}

/* ---- from the neutral form to bytes */

static void open_answer(const struct sim_req *rq, const struct call *c, struct wr *o)
{
	if (rq->proto == PROTO_QUERY) {
		buf_addf(&rq->answer->body, "<?xml version=\"1.0\"?>\n<%sResponse xmlns=\"%s\"><%sResult>", rq->op,
		         c->service->xmlns, rq->op);
		wr_init(o, c->service->flat ? WR_XML_FLAT : WR_XML, &rq->answer->body);
		return;
	}
	wr_init(o, WR_JSON, &rq->answer->body);
	wr_object(o, NULL);
}

static void close_answer(const struct sim_req *rq, const struct call *c, struct wr *o)
{
	struct sim_answer *a = rq->answer;
	if (a->raw)
		return;
	if (a->status == 204) {
		buf_reset(&a->body);
		a->raw = true;
		return;
	}
	if (rq->proto == PROTO_QUERY) {
		buf_addf(&a->body, "</%sResult><ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>\n",
		         rq->op, c->request_id, rq->op);
		a->type = "text/xml";
		return;
	}
	wr_object_end(o);
	a->type = rq->proto == PROTO_REST ? "application/json"
	          : rq->json11            ? "application/x-amz-json-1.1"
	                                  : "application/x-amz-json-1.0";
}

/* Faults of paging: the token is of the kind that the operation writes, and means its first page. */
static void tell_first_page(const struct sim_req *rq, struct wr *o)
{
	token_write(o,
	            rq->proto == PROTO_REST            ? "NextMarker"
	            : strcmp(rq->service, "logs") == 0 ? "nextToken"
	                                               : "NextToken",
	            rq->op, "%s", strcmp(rq->op, "GetMetricData") == 0 ? "0.0" : "");
}

static bool is_last_page(const struct sim_req *rq)
{
	const char *body = rq->answer->body.p;
	return body && !strstr(body, "\"NextToken\":") && !strstr(body, "\"NextMarker\":") &&
	       !strstr(body, "<NextToken>") && !strstr(body, "\"nextToken\":");
}

static bool handle(struct world *w, struct sim_req *rq, const struct call *c, struct wr *o, struct sim_fail *f)
{
	if (fault_inside(w, rq, FAULT_EMPTY_PAGE)) {
		tell_first_page(rq, o);
		return true;
	}
	if (!c->op->handle(w, rq, o, f))
		return false;
	struct fault_on *endless = fault_inside(w, rq, FAULT_ENDLESS_PAGES);
	if (endless && is_last_page(rq))
		tell_first_page(rq, o);
	else if (endless)
		fault_missed(endless);
	return true;
}

static bool run(struct world *w, struct sim_req *rq, struct call *c, struct sim_fail *f)
{
	struct wr o;
	rq->answer->status = c->op->status ? c->op->status : 200;
	open_answer(rq, c, &o);
	bool done = handle(w, rq, c, &o, f);
	if (c->op->effect == SIM_WRITE && !rq->hold_ms)
		trail_request(w, rq, done ? NULL : f);
	if (!done)
		return false;
	close_answer(rq, c, &o);
	return rq->answer->raw || wr_ok(&o) || sim_fail(f, WHY_INTERNAL, "the answer grew too large");
}

static bool work(struct world *w, struct sim_req *rq, struct call *c, struct sim_fail *f)
{
	rq->args = c->args;
	rq->params = c->params;
	switch (rq->serves ? FAULT_PASS : fault_before(w, rq, f)) {
	case FAULT_REFUSE: return false;
	case FAULT_ANSWER: return true;
	default: return run(w, rq, c, f);
	}
}

void sim_wire_serve(struct world *w, const struct sim_key *key, struct sim_req *rq)
{
	struct call c = { 0 };
	struct sim_fail f;
	struct span body = rq->body;
	rq->hold_ms = 0;
	buf_init(&rq->answer->body, ANSWER_MAX);
	buf_init(&c.plain, BODY_MAX);
	world_uuid(w, c.request_id);
	memcpy(rq->id, c.request_id, sizeof rq->id);
	guess_proto(rq);
	motion_catch_up(w);
	bool admitted = admit(w, key, rq, &c, &f);
	if (!admitted || !work(w, rq, &c, &f))
		answer_failure(rq, &f, c.request_id);
	if (rq->hold_ms)
		buf_clear(&rq->answer->body);
	else if (admitted)
		fault_after(w, rq);
	rq->serves++;
	sim_answer_header(rq->answer, "x-amzn-RequestId", "%s", c.request_id);
	rq->body = body;
	rq->args = rq->params = NULL;
	json_free(c.args);
	json_free(c.params);
	buf_clear(&c.plain);
}

void sim_wire_too_large(struct world *w, struct sim_req *rq)
{
	char id[37];
	struct sim_fail f;
	buf_init(&rq->answer->body, ANSWER_MAX);
	guess_proto(rq);
	world_uuid(w, id);
	sim_fail(&f, WHY_TOO_LARGE, "The request is larger than %u bytes", BODY_MAX);
	answer_failure(rq, &f, id);
}
