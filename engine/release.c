/* Releases: Lambda is asked for versions and aliases of the functions that are shown, last in line, beside the round's own questions. */
#include "aws/op_release.h"
#include "core/mem.h"
#include "engine/changes.h"

#include <stdlib.h>
#include <string.h>

#define FUNCTIONS 50 /* asked in one round: two calls each */

/* ---- releases */

/* One function's two questions; the second is asked when the first is answered. */
struct ask_release {
	struct engine *g;
	char *name;
	struct release_in in;
	struct release_out out;
};

static void release_done(struct ask_release *a)
{
	struct engine *g = a->g;
	found_clear(&a->out.found);
	free(a->in.page.token);
	free(a->name);
	free(a);
	round_arrived(g);
}

static void tell_one(struct engine *g, const char *function, const char *what, const char *was, const char *is,
                     int64_t since)
{
	const struct res *r = inventory_res(g, &kind_lambda, function, false);
	bool version = strcmp(what, "version") == 0;
	char *text = version ? xasprintf("version %s published", is ? is : "?")
	                     : xasprintf("%s %s%s -> %s%s", what, was ? "v" : "", was ? was : "none", is ? "v" : "",
	                                 is ? is : "none");
	changes_add(g,
	            &(struct event){ .at = since,
	                             .at_most = clock_wall(),
	                             .kind = EVENT_RELEASE,
	                             .service = "lambda",
	                             .subject = function,
	                             .arn = r ? r->arn : NULL,
	                             .text = text,
	                             .source = version ? op_list_versions.iam : op_list_aliases.iam },
	            function);
	free(text);
}

/* That old versions were deleted is no release. */
static void tell_release(struct engine *g, const char *function, const struct json *old, const struct json *now,
                         int64_t since)
{
	for (const struct json *m = json_first(now); m; m = json_next(m)) {
		const char *was = json_get_str(old, json_key(m));
		if (!was || strcmp(was, json_str(m)) != 0)
			tell_one(g, function, json_key(m), was, json_str(m), since);
	}
	for (const struct json *m = json_first(old); m; m = json_next(m))
		if (!json_get(now, json_key(m)) && strcmp(json_key(m), "version") != 0)
			tell_one(g, function, json_key(m), json_str(m), NULL, since);
}

/* Both answers came whole. */
static void look_release(struct ask_release *a)
{
	struct engine *g = a->g;
	char *subject = xasprintf("release:%s", a->name), *body = found_facts_text(&a->out.found, a->name);
	int64_t since;
	looks_account(g);
	char *before = body && g->changes->target[0] ? looks_at(g, subject, body, &since) : NULL;
	if (before) {
		struct json *old = json_parse(span_of(before), NULL), *now = json_parse(span_of(body), NULL);
		tell_release(g, a->name, old, now, since);
		json_free(old);
		json_free(now);
	}
	free(before);
	free(body);
	free(subject);
}

static void on_versions(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)in, (void)out;
	struct ask_release *a = ctx;
	if (e->code == ERR_OK)
		look_release(a);
	else
		optional_failed(a->g, op, e);
	release_done(a);
}

static void on_aliases(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)in, (void)out;
	struct ask_release *a = ctx;
	if (e->code == ERR_OK && !a->g->closing && optional_allowed(a->g, &op_list_versions)) {
		aws_call_as(a->g->aws, CALL_HIDDEN, &op_list_versions, &a->in, &a->out, on_versions, a);
		return;
	}
	if (e->code != ERR_OK)
		optional_failed(a->g, op, e);
	release_done(a);
}

static void ask_release(struct engine *g, const char *function)
{
	struct ask_release *a = xcalloc(1, sizeof *a);
	a->g = g;
	a->name = xstrdup(function);
	a->in.function = a->out.function = a->name;
	found_init(&a->out.found);
	round_expect(g);
	aws_call_as(g->aws, CALL_HIDDEN, &op_list_aliases, &a->in, &a->out, on_aliases, a);
}

void releases_begin(struct engine *g)
{
	struct changes *c = g->changes;
	unsigned n = 0;
	if (!(g->round.needs & NEED_CHANGES) || !optional_allowed(g, &op_list_aliases) || (!g->cache && !g->threaded))
		return;
	for (unsigned i = 0; i < g->nres && n < FUNCTIONS; i++) {
		struct res *r = g->res[(c->release_next + i) % g->nres];
		if (r->kind == &kind_lambda && r->shown && ++n)
			ask_release(g, r->name);
		if (n == FUNCTIONS)
			c->release_next = (c->release_next + i + 1) % g->nres;
	}
}
