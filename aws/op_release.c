#include "aws/op_release.h"

#include "aws/op_lambda.h"
#include "aws/wire.h"

#include <stdio.h>

static bool page_build(const void *in, const char *what, struct http_req *rq, struct err *e)
{
	const struct release_in *q = in;
	rq->method = "GET";
	bool ok = buf_adds(&rq->path, "/2015-03-31/functions/") && wire_escape(&rq->path, span_of(q->function)) &&
	          buf_adds(&rq->path, what) && wire_param(&rq->query, "MaxItems", "50") &&
	          wire_param(&rq->query, "Marker", q->page.token);
	return ok || err_set(e, ERR_LIMIT, "json", "the request is too large");
}

static bool versions_build(const void *in, struct http_req *rq, struct err *e)
{
	return page_build(in, "/versions", rq, e);
}

static bool aliases_build(const void *in, struct http_req *rq, struct err *e)
{
	return page_build(in, "/aliases", rq, e);
}

/* ---- ListVersionsByFunction: $LATEST and the published ones, in no order that AWS promises */

static bool read_version(struct release_out *o, const struct json *v)
{
	const char *version = json_get_str(v, "Version");
	int64_t n;
	if (!version)
		return false;
	if (json_loose_int(json_get(v, "Version"), &n) && n > o->newest)
		o->newest = n;
	return true;
}

static bool versions_read(const struct http_res *rs, void *out, struct err *e)
{
	struct release_out *o = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool ok = true;
	for (const struct json *v = wire_list(doc, "Versions", &ok); v && ok; v = json_next(v))
		ok = read_version(o, v);
	wire_next(&o->found.page, doc, "NextMarker", &ok);
	json_free(doc);
	if (ok && !o->found.page.token && o->newest) {
		char text[24];
		snprintf(text, sizeof text, "%lld", (long long)o->newest);
		found_fact(&o->found, o->function, "version", text);
	}
	return ok || err_set(e, ERR_BADREPLY, "json", "not a list of versions");
}

/* ---- ListAliases */

static void add_split(struct buf *b, const struct json *alias)
{
	const struct json *w = json_first(json_get(json_get(alias, "RoutingConfig"), "AdditionalVersionWeights"));
	for (; w; w = json_next(w)) {
		double part;
		if (json_num(w, &part))
			buf_addf(b, " (%s %.4g%%)", json_key(w), part * 100);
	}
}

static bool read_alias(struct release_out *o, const struct json *alias)
{
	const char *name = json_get_str(alias, "Name"), *version = json_get_str(alias, "FunctionVersion");
	if (!name || !version)
		return false;
	struct buf key, value;
	buf_init(&key, 1024);
	buf_init(&value, 1024);
	bool ok = buf_addf(&key, "alias %s", name) && buf_adds(&value, version);
	add_split(&value, alias);
	if (ok)
		found_fact(&o->found, o->function, key.p, value.p);
	buf_clear(&key);
	buf_clear(&value);
	return ok;
}

static bool aliases_read(const struct http_res *rs, void *out, struct err *e)
{
	struct release_out *o = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool ok = true;
	for (const struct json *a = wire_list(doc, "Aliases", &ok); a && ok; a = json_next(a))
		ok = read_alias(o, a);
	wire_next(&o->found.page, doc, "NextMarker", &ok);
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "json", "not a list of aliases with name and version");
}

const struct op op_list_versions = {
	.service = &service_lambda,
	.name = "ListVersionsByFunction",
	.iam = "lambda:ListVersionsByFunction",
	.effect = OP_READ,
	.idempotent = true,
	.paged = true,
	.rate = 15,
	.cap = 8u * 1024 * 1024, /* as ListFunctions */
	.build = versions_build,
	.read = versions_read,
};

const struct op op_list_aliases = {
	.service = &service_lambda,
	.name = "ListAliases",
	.iam = "lambda:ListAliases",
	.effect = OP_READ,
	.idempotent = true,
	.paged = true,
	.rate = 15,
	.cap = 1024u * 1024,
	.build = aliases_build,
	.read = aliases_read,
};
