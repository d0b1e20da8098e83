/* At the end of a round: what it saw of resources, mappings, releases and alarms is compared with what was known of them. */
#include "engine/changes.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- resources */

/* An instant that the service itself names, when it lies within what the two looks leave open. */
static void narrow(struct event *v, const char *rfc3339)
{
	int64_t ms;
	if (!rfc3339 || !clock_parse_rfc3339(rfc3339, strlen(rfc3339), &ms))
		return;
	if (ms / 1000 >= v->at && ms / 1000 <= v->at_most)
		v->at = v->at_most = ms / 1000;
}

void changes_add(struct engine *g, const struct event *v, const char *subject)
{
	char *key = xasprintf("%s:%" PRId64 ":%.200s", subject, v->at, v->text);
	events_add(g, v, key);
	free(key);
}

static bool differs(const struct json *a, const struct json *b, const char *key)
{
	const char *x = json_get_str(a, key), *y = json_get_str(b, key);
	return x && y && strcmp(x, y) != 0;
}

static void tell_function(struct engine *g, struct event *v, const struct json *old, const struct json *now,
                          struct buf *text)
{
	(void)g;
	if (differs(old, now, "last_modified"))
		narrow(v, json_get_str(now, "last_modified"));
	if (differs(old, now, "code_sha256"))
		v->kind = EVENT_RELEASE;
	if (!text->n && differs(old, now, "last_modified"))
		buf_adds(text, "configuration updated: nothing that is kept differs");
}

static void tell_res(struct engine *g, const struct res *r, const char *subject, const char *before, const char *after,
                     int64_t since)
{
	struct json *a = json_parse(span_of(before), NULL), *b = json_parse(span_of(after), NULL);
	const struct json *old = json_get(a, "facts"), *now = json_get(b, "facts");
	struct buf text;
	struct event v = { .at = since,
		               .at_most = clock_wall(),
		               .kind = EVENT_CONFIG,
		               .service = r->kind->info.id,
		               .subject = r->name,
		               .arn = r->arn,
		               .source = r->kind->describe ? r->kind->describe->iam : r->kind->list->iam };
	buf_init(&text, 4096);
	if (!a) /* it had gone */
		buf_adds(&text, "is there again");
	else
		facts_differ(old, now, &text);
	if (a && r->kind == &kind_lambda)
		tell_function(g, &v, old, now, &text);
	v.text = text.p;
	if (text.n)
		changes_add(g, &v, subject);
	buf_clear(&text);
	json_free(a);
	json_free(b);
}

static void gone_words(struct engine *g, const struct look *l, int64_t since, enum event_kind kind, const char *service,
                       const char *subject, const char *text, const char *source)
{
	changes_add(g,
	            &(struct event){ .at = since,
	                             .at_most = clock_wall(),
	                             .kind = kind,
	                             .service = service,
	                             .subject = subject,
	                             .text = text,
	                             .source = source },
	            l->subject);
}

static void gone_res(struct engine *g, const struct look *l, int64_t since)
{
	const char *name = strchr(l->subject, ':') + 1;
	char *id = xstrndup(l->subject, (size_t)(name - 1 - l->subject));
	const struct kind *k = kind_find(id);
	if (k && !inventory_res(g, k, name, false))
		gone_words(g, l, since, EVENT_CONFIG, k->info.id, name, "is not there any more", k->list->iam);
	free(id);
}

/* Described in this round, or, where the list tells everything, listed in it. */
static bool seen_now(const struct engine *g, const struct res *r)
{
	if (r->kind->describe)
		return r->described && r->round == g->round.number && !r->err;
	return kind_state_of(g, r->kind)->listed_round == g->round.number;
}

static void look_res(struct engine *g, struct res *r)
{
	char *body = store_res_text(r);
	int64_t since;
	if (!body)
		return;
	char *before = looks_at(g, r->key, body, &since);
	if (before)
		tell_res(g, r, r->key, before, body, since);
	free(before);
	free(body);
}

/* One that could not be described is there all the same. */
static void still_listed(struct engine *g, const struct res *r)
{
	struct look *l = looks_find(g, r->key);
	if (l && l->body[0])
		l->round = g->round.number;
}

static void look_resources(struct engine *g)
{
	for (unsigned i = 0; i < g->nres; i++)
		if (seen_now(g, g->res[i]))
			look_res(g, g->res[i]);
		else
			still_listed(g, g->res[i]);
	for (unsigned k = 0; k < nkinds; k++) {
		char *prefix = xasprintf("%s:", kinds[k]->info.id);
		if (g->kind_state[k].listed_round == g->round.number)
			looks_gone(g, prefix, gone_res);
		free(prefix);
	}
}

/* ---- mappings */

/* "orders-stream -> enrich" */
static const char *after_last(const char *s)
{
	const char *slash = s ? strrchr(s, '/') : NULL, *colon = s ? strrchr(s, ':') : NULL;
	const char *cut = slash > colon ? slash : colon;
	return cut ? cut + 1 : s ? s : "?";
}

char *found_facts_text(const struct found *f, const char *res)
{
	struct buf b;
	struct json_out o;
	buf_init(&b, STATE_BODY_MOST);
	json_out_init(&o, &b);
	json_out_object(&o, NULL);
	for (unsigned i = 0; i < f->nfacts; i++)
		if (strcmp(f->facts[i].res, res) == 0)
			json_out_str(&o, f->facts[i].key, f->facts[i].value);
	json_out_object_end(&o);
	if (o.ok && o.done)
		return buf_steal(&b);
	buf_clear(&b);
	return NULL;
}

static void tell_facts(struct engine *g, struct event *v, const char *subject, const char *before, const char *after,
                       const char *lead)
{
	struct json *a = json_parse(span_of(before), NULL), *b = json_parse(span_of(after), NULL);
	struct buf text;
	buf_init(&text, 4096);
	if (!a)
		buf_adds(&text, "is there again");
	else
		facts_differ(a, b, &text);
	char *all = text.n ? xasprintf("%s%s", lead, text.p) : NULL;
	v->text = all;
	if (all)
		changes_add(g, v, subject);
	free(all);
	buf_clear(&text);
	json_free(a);
	json_free(b);
}

static void tell_mapping(struct engine *g, const char *subject, const char *before, const char *after, int64_t since)
{
	struct json *b = json_parse(span_of(*after ? after : before), NULL);
	char *lead = xasprintf("%s: ", after_last(json_get_str(b, "from")));
	struct event v = { .at = since,
		               .at_most = clock_wall(),
		               .kind = EVENT_MAPPING,
		               .service = "lambda",
		               .subject = after_last(json_get_str(b, "to")),
		               .arn = json_get_str(b, "to"),
		               .source = kind_lambda.edges->iam };
	if (*after) {
		tell_facts(g, &v, subject, before, after, lead);
	} else {
		char *text = xasprintf("%sthe mapping is not there any more", lead);
		v.text = text;
		changes_add(g, &v, subject);
		free(text);
	}
	free(lead);
	json_free(b);
}

static void look_mapping(struct engine *g, const struct found *f, const char *id)
{
	char *subject = xasprintf("mapping:%s", id), *body = found_facts_text(f, id);
	int64_t since;
	char *before = body ? looks_at(g, subject, body, &since) : NULL;
	if (before)
		tell_mapping(g, subject, before, body, since);
	free(before);
	free(body);
	free(subject);
}

/* Of those that are gone the body is gone too: what it was is remembered before. */
static void drop_mappings(struct engine *g)
{
	struct changes *c = g->changes;
	for (unsigned i = 0; i < c->n; i++) {
		struct look *l = c->v[i];
		int64_t since;
		if (strncmp(l->subject, "mapping:", 8) != 0 || !l->body[0] || l->round == g->round.number)
			continue;
		char *before = looks_at(g, l->subject, "", &since);
		if (before)
			tell_mapping(g, l->subject, before, "", since);
		free(before);
	}
}

void changes_mappings(struct engine *g, const struct kind *k, const struct found *f)
{
	looks_account(g);
	if (k != &kind_lambda || !g->changes->target[0])
		return;
	for (unsigned i = 0; i < f->nres; i++)
		look_mapping(g, f, f->res[i].name);
	drop_mappings(g);
}

/* ---- alarms */

static char *alarm_body(const struct alarm *a)
{
	struct buf b;
	struct json_out o;
	char threshold[32], period[16], points[32];
	text_exact(a->threshold, threshold);
	snprintf(period, sizeof period, "%u", a->period);
	snprintf(points, sizeof points, "%u of %u", a->m, a->n);
	buf_init(&b, STATE_BODY_MOST);
	json_out_init(&o, &b);
	json_out_object(&o, NULL);
	json_out_str(&o, "state", alarm_state_name(a->state));
	json_out_int(&o, "since", a->since);
	json_out_str(&o, "reason", a->reason);
	json_out_str(&o, "arn", a->arn);
	json_out_str(&o, "description", a->description);
	json_out_bool(&o, "composite", a->composite);
	json_out_int(&o, "kind", a->kind);
	json_out_object(&o, "facts");
	json_out_str(&o, "metric", a->metric);
	json_out_str(&o, "comparison", a->comparison);
	json_out_str(&o, "threshold", threshold);
	json_out_str(&o, "statistic", a->stat);
	json_out_str(&o, "period_s", period);
	json_out_str(&o, "datapoints", points);
	json_out_str(&o, "missing_data", a->missing);
	json_out_str(&o, "actions", a->actions_enabled ? "on" : "off");
	json_out_object_end(&o);
	json_out_object_end(&o);
	if (o.ok && o.done)
		return buf_steal(&b);
	buf_clear(&b);
	return NULL;
}

static void tell_alarm_facts(struct engine *g, const struct alarm *a, const char *subject, const struct json *old,
                             const struct json *now, int64_t since)
{
	struct buf text;
	buf_init(&text, 4096);
	if (facts_differ(old, now, &text))
		changes_add(g,
		            &(struct event){ .at = since,
		                             .at_most = clock_wall(),
		                             .kind = EVENT_CONFIG,
		                             .service = "cloudwatch",
		                             .subject = a->name,
		                             .arn = a->arn,
		                             .text = text.p,
		                             .source = op_describe_alarms.iam },
		            subject);
	buf_clear(&text);
}

static void tell_alarm(struct engine *g, const struct alarm *a, const char *subject, const char *before,
                       const char *after, int64_t since)
{
	struct json *old = json_parse(span_of(before), NULL), *now = json_parse(span_of(after), NULL);
	enum alarm_state was = alarm_state_parse(json_get_str(old, "state") ? json_get_str(old, "state") : "");
	int64_t then = 0, end = clock_wall();
	json_int(json_get(old, "since"), &then);
	bool within = a->since >= since && a->since <= end;
	if (was != a->state && old)
		events_alarm(g, a, was, within ? a->since : since, within ? a->since : end, op_describe_alarms.iam);
	else if (old && then != a->since && within) /* it was something else in between */
		events_alarm(g, a, ALARM_STATE_UNKNOWN, a->since, a->since, op_describe_alarms.iam);
	if (old)
		tell_alarm_facts(g, a, subject, json_get(old, "facts"), json_get(now, "facts"), since);
	json_free(old);
	json_free(now);
}

/* The first look tells of one move: the last. */
static void look_alarm(struct engine *g, const struct alarm *a)
{
	char *subject = xasprintf("alarm:%s", a->name), *body = alarm_body(a);
	int64_t since;
	bool known = looks_find(g, subject) != NULL;
	char *before = body ? looks_at(g, subject, body, &since) : NULL;
	if (before)
		tell_alarm(g, a, subject, before, body, since);
	else if (body && !known && a->since > 0 && a->state != ALARM_STATE_UNKNOWN)
		events_alarm(g, a, ALARM_STATE_UNKNOWN, a->since, a->since, op_describe_alarms.iam);
	free(before);
	free(body);
	free(subject);
}

static void gone_alarm(struct engine *g, const struct look *l, int64_t since)
{
	gone_words(g, l, since, EVENT_CONFIG, "cloudwatch", l->subject + 6, "the alarm is not there any more",
	           op_describe_alarms.iam);
}

static void look_alarms(struct engine *g)
{
	if (!g->alarms_read || g->alarms_err.code != ERR_OK || g->changes->alarms_at == g->alarms_at)
		return;
	g->changes->alarms_at = g->alarms_at;
	for (unsigned i = 0; i < g->alarms.n; i++)
		look_alarm(g, &g->alarms.alarms[i]);
	looks_gone(g, "alarm:", gone_alarm);
}

/* ---- */

void changes_round(struct engine *g)
{
	if (!g->cache && !g->threaded)
		return;
	looks_account(g);
	if (!g->changes->target[0])
		return;
	look_resources(g);
	look_alarms(g);
	trail_take(g);
	looks_flush(g, !g->threaded);
	events_flush(g);
}
