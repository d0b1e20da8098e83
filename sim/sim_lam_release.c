/* Lambda: versions, aliases, reserved concurrency and the settings of asynchronous invocations. */
#include "sim/sim_lam.h"
#include "sim/sim_version.h"

#include "core/hash.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 50

static void replace(char **text, const char *with)
{
	if (!with)
		return;
	free(*text);
	*text = xstrdup(with);
}

/* ---- versions */

bool lam_list_versions(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct lam_target t;
	char last[32] = "0";
	bool any;
	int64_t max = PAGE;
	unsigned n = 0, i;
	if (!lam_target(w, rq, &t, f) || !arg_int(rq, rq->params, "MaxItems", 1, 10000, &max, f) ||
	    !lam_marker(rq, "ListVersionsByFunction", last, sizeof last, &any, f))
		return false;
	if (max > PAGE)
		max = PAGE;
	wr_list(o, "Versions", NULL);
	for (i = (unsigned)strtoul(last, NULL, 10); i <= t.fn->nversions && n < max; i++, n++) {
		t.version = i ? t.fn->versions[i - 1].number : 0;
		version_text(t.version, t.qualifier);
		wr_object(o, NULL);
		lam_tell(w, o, &t);
		wr_object_end(o);
	}
	wr_list_end(o);
	if (i <= t.fn->nversions)
		token_write(o, "NextMarker", "ListVersionsByFunction", "%u", i);
	return true;
}

bool lam_publish_version(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct lam_target t;
	const char *description = NULL;
	if (!lam_target(w, rq, &t, f) || !arg_str(rq, rq->args, "Description", &description, f))
		return false;
	/* A version like the newest is the newest. */
	const struct sim_version *v = t.fn->nversions ? &t.fn->versions[t.fn->nversions - 1] : NULL;
	if (!v || strcmp(v->sha256, t.fn->sha256) != 0)
		v = version_publish(w, t.fn, description ? description : t.fn->description);
	t.version = v->number;
	version_text(t.version, t.qualifier);
	lam_tell(w, o, &t);
	lam_tell_states(o, false);
	return true;
}

bool lam_update_code(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct lam_target t;
	const char *zip = NULL;
	bool publish = false;
	uint8_t digest[HASH_SHA256];
	struct buf b;
	if (!lam_target(w, rq, &t, f) || !arg_str(rq, rq->args, "ZipFile", &zip, f) ||
	    !arg_bool(rq, rq->args, "Publish", &publish, f))
		return false;
	hash_sha256(zip ? zip : "", zip ? strlen(zip) : 0, digest);
	buf_init(&b, 64);
	hash_base64(&b, digest, sizeof digest);
	free(t.fn->sha256);
	t.fn->sha256 = buf_steal(&b);
	t.fn->modified_ms = w->now_ms;
	if (publish)
		t.version = version_publish(w, t.fn, t.fn->description)->number;
	version_text(t.version, t.qualifier);
	lam_tell(w, o, &t);
	lam_tell_states(o, false);
	return true;
}

/* ---- aliases */

static void tell_alias(const struct world *w, struct wr *o, const struct sim_function *fn, const struct sim_alias *a)
{
	char arn[300], number[16];
	lam_arn(w, fn->name, a->name, arn, sizeof arn);
	version_text(a->version, number);
	wr_str(o, "AliasArn", arn);
	wr_str(o, "Name", a->name);
	wr_str(o, "FunctionVersion", number);
	wr_str(o, "Description", a->description);
	wr_str(o, "RevisionId", a->revision);
}

bool lam_list_aliases(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct lam_target t;
	const char *version = NULL;
	char last[140] = "", number[16];
	bool any;
	int64_t max = PAGE;
	unsigned n = 0, i = 0;
	if (!lam_target(w, rq, &t, f) || !arg_int(rq, rq->params, "MaxItems", 1, 10000, &max, f) ||
	    !arg_str(rq, rq->params, "FunctionVersion", &version, f) ||
	    !lam_marker(rq, "ListAliases", last, sizeof last, &any, f))
		return false;
	while (i < t.fn->naliases && strcmp(t.fn->aliases[i].name, last) <= 0)
		i++;
	wr_list(o, "Aliases", NULL);
	for (; i < t.fn->naliases && n < max && n < PAGE; i++) {
		version_text(t.fn->aliases[i].version, number);
		if (version && strcmp(version, number) != 0)
			continue;
		n++;
		wr_object(o, NULL);
		tell_alias(w, o, t.fn, &t.fn->aliases[i]);
		wr_object_end(o);
	}
	wr_list_end(o);
	if (i < t.fn->naliases)
		token_write(o, "NextMarker", "ListAliases", "%s", t.fn->aliases[i - 1].name);
	return true;
}

static struct sim_alias *alias_named(const struct world *w, const struct sim_function *fn, const char *name,
                                     struct sim_fail *f)
{
	char arn[300];
	struct sim_alias *a = alias_find(fn, name ? name : "");
	lam_arn(w, fn->name, name, arn, sizeof arn);
	if (!a)
		sim_fail(f, WHY_LAMBDA_NOT_FOUND, "Cannot find alias arn: %s", arn);
	return a;
}

bool lam_get_alias(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct lam_target t;
	const struct sim_alias *a;
	if (!lam_target(w, rq, &t, f) || !(a = alias_named(w, t.fn, json_get_str(rq->params, "Name"), f)))
		return false;
	tell_alias(w, o, t.fn, a);
	return true;
}

static bool read_version(const struct sim_req *rq, const struct sim_function *fn, unsigned *number, struct sim_fail *f)
{
	const char *text = NULL;
	if (!arg_str(rq, rq->args, "FunctionVersion", &text, f))
		return false;
	if (!text || (strspn(text, "0123456789") != strlen(text) && strcmp(text, SIM_LATEST) != 0))
		return !text || sim_fail(f, WHY_INVALID_VALUE, "Value '%.40s' at 'functionVersion' is no version", text);
	return version_of(fn, text, number) ||
	       sim_fail(f, WHY_LAMBDA_NOT_FOUND, "Function not found: %s:%.40s", fn->name, text);
}

bool lam_create_alias(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct lam_target t;
	const char *name, *version, *description = NULL;
	unsigned number = 0;
	if (!lam_target(w, rq, &t, f) || !arg_need(rq, rq->args, "Name", &name, f) ||
	    !arg_need(rq, rq->args, "FunctionVersion", &version, f) ||
	    !arg_str(rq, rq->args, "Description", &description, f) || !read_version(rq, t.fn, &number, f))
		return false;
	if (alias_find(t.fn, name))
		return sim_fail(f, WHY_CONFLICT, "Alias already exists: %.128s", name);
	struct sim_alias *a = alias_set(w, t.fn, name, number);
	replace(&a->description, description);
	tell_alias(w, o, t.fn, a);
	return true;
}

bool lam_update_alias(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct lam_target t;
	const char *description = NULL;
	struct sim_alias *a;
	if (!lam_target(w, rq, &t, f) || !(a = alias_named(w, t.fn, json_get_str(rq->params, "Name"), f)))
		return false;
	unsigned number = a->version;
	if (!arg_str(rq, rq->args, "Description", &description, f) || !read_version(rq, t.fn, &number, f))
		return false;
	a = alias_set(w, t.fn, a->name, number);
	replace(&a->description, description);
	tell_alias(w, o, t.fn, a);
	return true;
}

bool lam_delete_alias(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct lam_target t;
	const struct sim_alias *a;
	(void)o;
	if (!lam_target(w, rq, &t, f) || !(a = alias_named(w, t.fn, json_get_str(rq->params, "Name"), f)))
		return false;
	return alias_delete(t.fn, a->name);
}

/* ---- reserved concurrency */

bool lam_get_concurrency(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct lam_target t;
	if (!lam_target(w, rq, &t, f))
		return false;
	if (t.fn->reserved_said)
		wr_int(o, "ReservedConcurrentExecutions", t.fn->reserved);
	return true;
}

bool lam_put_concurrency(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct lam_target t;
	int64_t n = -1;
	if (!lam_target(w, rq, &t, f) || !arg_int(rq, rq->args, "ReservedConcurrentExecutions", 0, 1000, &n, f))
		return false;
	if (n < 0)
		return sim_fail(f, WHY_INVALID_VALUE, "ReservedConcurrentExecutions must not be null");
	t.fn->reserved_said = true;
	t.fn->reserved = n;
	wr_int(o, "ReservedConcurrentExecutions", n);
	return true;
}

bool lam_delete_concurrency(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct lam_target t;
	(void)o;
	if (!lam_target(w, rq, &t, f))
		return false;
	t.fn->reserved_said = false;
	return true;
}

/* ---- asynchronous invocations */

static void tell_async(const struct world *w, struct wr *o, const struct lam_target *t)
{
	char arn[300];
	const struct sim_async *a = &t->fn->async;
	lam_arn(w, t->fn->name, *t->qualifier ? t->qualifier : SIM_LATEST, arn, sizeof arn);
	wr_time(o, "LastModified", a->modified_ms);
	wr_str(o, "FunctionArn", arn);
	wr_int(o, "MaximumRetryAttempts", a->retries);
	wr_int(o, "MaximumEventAgeInSeconds", a->age_s);
	wr_object(o, "DestinationConfig");
	wr_object(o, "OnSuccess");
	wr_str(o, "Destination", a->on_success);
	wr_object_end(o);
	wr_object(o, "OnFailure");
	wr_str(o, "Destination", a->on_failure);
	wr_object_end(o);
	wr_object_end(o);
}

bool lam_get_async(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct lam_target t;
	char arn[300];
	if (!lam_target(w, rq, &t, f))
		return false;
	lam_arn(w, t.fn->name, *t.qualifier ? t.qualifier : SIM_LATEST, arn, sizeof arn);
	if (!t.fn->async.set)
		return sim_fail(f, WHY_LAMBDA_NOT_FOUND, "The function %s doesn't have an EventInvokeConfig", arn);
	tell_async(w, o, &t);
	return true;
}

bool lam_list_async(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct lam_target t;
	if (!lam_target(w, rq, &t, f))
		return false;
	wr_list(o, "FunctionEventInvokeConfigs", NULL);
	if (t.fn->async.set) {
		wr_object(o, NULL);
		tell_async(w, o, &t);
		wr_object_end(o);
	}
	wr_list_end(o);
	return true;
}

bool lam_put_async(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct lam_target t;
	int64_t retries = 2, age = 21600;
	const struct json *to = json_get(rq->args, "DestinationConfig");
	const char *failure = json_get_str(json_get(to, "OnFailure"), "Destination");
	const char *success = json_get_str(json_get(to, "OnSuccess"), "Destination");
	if (!lam_target(w, rq, &t, f) || !arg_int(rq, rq->args, "MaximumRetryAttempts", 0, 2, &retries, f) ||
	    !arg_int(rq, rq->args, "MaximumEventAgeInSeconds", 60, 21600, &age, f))
		return false;
	struct sim_async *a = &t.fn->async;
	free(a->on_failure);
	free(a->on_success);
	*a = (struct sim_async){
		true, retries, age, w->now_ms, failure ? xstrdup(failure) : NULL, success ? xstrdup(success) : NULL
	};
	tell_async(w, o, &t);
	return true;
}
