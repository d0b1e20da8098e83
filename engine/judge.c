/* One evaluator for the screen, CI and cron: what a stage's default checks say, and the health that follows. */
#include "alarms/rule.h"
#include "core/mem.h"
#include "core/text.h"
#include "engine/inside.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERROR_PERCENT 5.0 /* the mission's HighErrorRate */
#define ERROR_POINTS 3
#define LOSS_NEAR (24 * 3600)

/* ---- verdicts */

struct verdict *verdicts_add(struct verdicts *vs, const struct engine *g, const struct stage *s, const char *metric)
{
	MEM_GROW(vs->v, vs->n, vs->cap);
	struct verdict *v = &vs->v[vs->n++];
	*v = (struct verdict){ .status = VERDICT_UNKNOWN, .value = NAN, .age_s = -1, .period = STEP };
	if (vs->untold)
		return v;
	if (!s) {
		v->name = xstrdup(metric);
		return v;
	}
	const char *pipeline = s->conf || s->group ? g->pipelines[s->pipeline] : NULL;
	v->name = pipeline ? xasprintf("%s/%s/%s", pipeline, s->name, metric) : xasprintf("%s/%s", s->name, metric);
	v->pipeline = pipeline ? xstrdup(pipeline) : NULL;
	v->resource = xstrdup(s->resource);
	v->kind = xstrdup(s->kind->info.id);
	return v;
}

void verdict_clear(struct verdict *v)
{
	free(v->name);
	free(v->pipeline);
	free(v->resource);
	free(v->kind);
	free(v->reason);
	free(v->warning);
	free(v->critical);
}

void verdicts_clear(struct verdicts *vs)
{
	for (unsigned i = 0; i < vs->n; i++)
		verdict_clear(&vs->v[i]);
	free(vs->v);
	*vs = (struct verdicts){ 0 };
}

void verdict_set(struct verdict *v, enum verdict_status st, const char *code, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	free(v->reason);
	v->reason = xstrdup(text);
	v->status = st;
	v->code = code;
}

/* What is well, or idle, and will not be told needs no words. True: that was it. */
static bool wordless(struct verdict *v, enum verdict_status st, const char *code)
{
	if (v->name || (st != VERDICT_OK && st != VERDICT_SKIPPED))
		return false;
	v->status = st;
	v->code = code;
	return true;
}

void verdict_err(struct verdict *v, const struct err *e)
{
	if (e->action[0])
		verdict_set(v, VERDICT_UNKNOWN, err_check_code(e->code), "%s: %s", e->action, e->text);
	else
		verdict_set(v, VERDICT_UNKNOWN, err_check_code(e->code), "%s%s%s", e->where, e->where[0] ? ": " : "", e->text);
}

/* ---- the default checks */

const struct err *discovery_err(const struct engine *g, unsigned k)
{
	const struct kind_state *st = &g->kind_state[k];
	if (st->list.code != ERR_OK)
		return &st->list;
	if (st->edges.code != ERR_OK)
		return &st->edges;
	for (unsigned i = 0; i < g->nres; i++)
		if (g->res[i]->kind == kinds[k] && g->res[i]->err)
			return g->res[i]->err;
	return NULL;
}

/* Never the newest periods, whose points may still change. */
int64_t judged_until(const struct engine *g, const struct stage *s, const struct measure *own)
{
	return (clock_wall() - stage_delay(g, s, own)) / STEP * STEP;
}

/* Up to what was known when the metric was last read: a row that is asked rarely is judged by what it said then, and by its age. */
static int64_t judged_to(const struct engine *g, const struct stage *s, const struct measure *own,
                         const struct value *val)
{
	int64_t now = clock_wall(), read = val->read_at && val->read_at < now ? val->read_at : now;
	return (read - stage_delay(g, s, own)) / STEP * STEP;
}

/* Idle when the metric only exists while something happens, else unknown. */
void verdict_empty(struct verdict *v, const struct metric_info *info, const struct value *val)
{
	char age[TEXT_NUM];
	bool sparse = info->sparse || info->from == FROM_RATIO || info->from == FROM_DIFFERENCE;
	if (sparse && wordless(v, VERDICT_SKIPPED, "IDLE"))
		return;
	text_duration(val->at ? clock_wall() - val->at : 0, age);
	if (sparse)
		verdict_set(v, VERDICT_SKIPPED, "IDLE", val->at ? "idle: last datapoint %s ago" : "idle: no datapoint", age);
	else if (val->at)
		verdict_set(v, VERDICT_UNKNOWN, "STALE", "the newest %s datapoint is %s old", info->key, age);
	else
		verdict_set(v, VERDICT_UNKNOWN, "NO_DATA", "no %s datapoint", info->key);
}

static struct verdict *begin(struct engine *g, struct stage *s, const struct metric_info *info,
                             const struct measure *own, const struct value *val, struct verdicts *out)
{
	struct verdict *v = verdicts_add(out, g, s, info->key);
	v->unit = unit_name(info->unit);
	v->window_end = judged_to(g, s, own, val);
	v->window_start = v->window_end - WINDOW;
	v->age_s = val->at ? clock_wall() - val->at : -1;
	v->source = g->live || g->round.active ? "live" : "cache";
	return v;
}

/* Its turn has passed, and nobody has come: there was no money for it, or nobody who answered. What has never been seen rests longer. */
static bool overdue(const struct engine *g, const struct stage *s, const struct metric_info *info,
                    const struct value *val)
{
	int64_t every = stage_every(g, s, info);
	return clock_wall() - val->read_at > stale_after(stage_delay(g, s, NULL), every > REST ? every : REST, STEP);
}

/* Nothing can be said of a value that was not, or could not be, read. */
static bool unreadable(const struct engine *g, const struct stage *s, struct verdict *v, const struct metric_info *info,
                       const struct value *val)
{
	char age[TEXT_NUM];
	bool late = !val->err && val->asked && overdue(g, s, info, val);
	if (val->err)
		verdict_err(v, val->err);
	else if (!val->asked)
		verdict_set(v, VERDICT_UNKNOWN, "NO_DATA", "%s was not read yet", info->key);
	else if (late) {
		text_duration(clock_wall() - val->read_at, age);
		verdict_set(v, VERDICT_UNKNOWN, "STALE", "%s was last read %s ago", info->key, age);
	}
	return val->err || !val->asked || late;
}

/* What a verdict looks at: the metric's own points, or those made of two others'. */
struct window {
	const struct series *points;
	struct series derived; /* cleared by the caller */
};

static void window_begin(const struct stage *s, const struct metric_info *info, const struct measure *own,
                         const struct verdict *v, struct window *w)
{
	w->points = stage_points(s, info, own);
	series_init(&w->derived, STEP);
	if (w->points)
		return;
	stage_series(s, info, own, v->window_start, &w->derived);
	w->points = &w->derived;
}

static void judge_error(struct engine *g, struct stage *s, struct verdicts *out)
{
	struct measure *own;
	const struct metric_info *info = stage_role(s, ROLE_ERROR, &own);
	if (!info)
		return;
	struct value val = stage_value(g, s, info, own);
	struct verdict *v = begin(g, s, info, own, &val, out);
	v->critical = v->name ? xasprintf("%g", ERROR_PERCENT) : NULL;
	if (unreadable(g, s, v, info, &val))
		return;
	struct window w;
	window_begin(s, info, own, v, &w);
	unsigned have = series_count(w.points, v->window_start, v->window_end);
	unsigned n = have < ERROR_POINTS ? (have ? have : 1) : ERROR_POINTS;
	struct rule rule = { .range = { .low = -INFINITY, .high = ERROR_PERCENT, .set = true }, .m = n, .n = n };
	struct rule_result r = rule_eval(&rule, w.points, v->window_start, v->window_end);
	series_clear(&w.derived);
	v->value = r.value;
	v->samples = r.samples;
	v->missing = r.missing;
	if (r.state != RULE_BREACHED && (r.state == RULE_NO_DATA || val.stale)) {
		verdict_empty(v, info, &val);
		return;
	}
	v->age_s = clock_wall() - r.at;
	if (r.state != RULE_BREACHED && wordless(v, VERDICT_OK, NULL))
		return;
	char pct[TEXT_NUM];
	char hm[16];
	clock_hm(r.at + STEP, hm);
	text_percent(r.value, pct);
	if (r.state == RULE_BREACHED)
		verdict_set(v, VERDICT_CRITICAL, NULL, "error rate %s %% > %g %%, %u of %u points to %s", pct, ERROR_PERCENT,
		            r.breaching, n, hm);
	else
		verdict_set(v, VERDICT_OK, NULL, "error rate %s %%", pct);
}

/* What a record's age is held against; 0 when nobody said. */
int64_t res_retention(const struct res *r)
{
	const struct fact *seconds = res_fact(r, "retention_s"), *hours = res_fact(r, "retention_h");
	if (seconds)
		return strtoll(seconds->value, NULL, 10);
	return hours ? strtoll(hours->value, NULL, 10) * 3600 : 0;
}

/* Growing is an alarm when the loss is within a day, or may be: a batch queue between two batches is not. */
static void say_age(struct verdict *v, const struct stage *s, double newest, double scale, bool growing, double slope)
{
	char age[TEXT_NUM], left[TEXT_NUM];
	int64_t keeps = res_retention(s->res);
	double loss_in = keeps && slope > 0 ? ((double)keeps - newest * scale) / slope : 0;
	v->value = newest;
	if (!growing && wordless(v, VERDICT_OK, NULL))
		return;
	text_duration((int64_t)(newest * scale), age);
	text_duration(loss_in > 0 ? (int64_t)loss_in : 0, left);
	if (!growing)
		verdict_set(v, VERDICT_OK, NULL, "oldest %s", age);
	else if (!keeps)
		verdict_set(v, VERDICT_CRITICAL, NULL, "oldest %s, growing %.2f s/s", age, slope);
	else if (loss_in <= LOSS_NEAR)
		verdict_set(v, VERDICT_CRITICAL, NULL, "oldest %s, growing %.2f s/s, at this pace lost in %s", age, slope,
		            left);
	else
		verdict_set(v, VERDICT_OK, NULL, "oldest %s, growing %.2f s/s, %s before loss", age, slope, left);
}

static void judge_age(struct engine *g, struct stage *s, struct verdicts *out)
{
	struct measure *own;
	const struct metric_info *info = stage_role(s, ROLE_AGE, &own);
	if (!info)
		return;
	struct value val = stage_value(g, s, info, own);
	struct verdict *v = begin(g, s, info, own, &val, out);
	if (unreadable(g, s, v, info, &val))
		return;
	struct window w;
	window_begin(s, info, own, v, &w);
	v->samples = series_count(w.points, v->window_start, v->window_end);
	v->missing = WINDOW / STEP - v->samples;
	double slope, scale = info->unit == UNIT_MILLISECONDS ? 0.001 : 1;
	bool growing = rule_age_growing(w.points, v->window_start, v->window_end, scale, &slope);
	series_clear(&w.derived);
	if (!growing && (v->samples == 0 || val.stale)) {
		verdict_empty(v, info, &val);
		return;
	}
	say_age(v, s, val.v, scale, growing, slope);
}

void judge_dlq(struct engine *g, struct stage *s, double max, struct verdicts *out)
{
	struct measure *own;
	const struct metric_info *info = stage_role(s, ROLE_BACKLOG, &own);
	if (!info || !s->res || !s->res->dlq)
		return;
	struct value val = stage_value(g, s, info, NULL);
	struct verdict *v = begin(g, s, info, own, &val, out);
	v->critical = v->name ? xasprintf("%g", max) : NULL;
	v->value = val.v;
	v->samples = isnan(val.v) ? 0u : 1u;
	if (unreadable(g, s, v, info, &val))
		return;
	if (val.v <= max && !val.stale && wordless(v, VERDICT_OK, NULL))
		return;
	char count[TEXT_NUM];
	text_number(val.v, count);
	if (isnan(val.v))
		verdict_empty(v, info, &val);
	else if (val.stale)
		verdict_set(v, VERDICT_UNKNOWN, "STALE", "the last count (%s) is old", count);
	else if (val.v > max)
		verdict_set(v, VERDICT_CRITICAL, NULL, "%s messages in this dead-letter queue > %g", count, max);
	else
		verdict_set(v, VERDICT_OK, NULL, "%s messages in this dead-letter queue", count);
}

static bool feeds(const struct metric_info *judged, const char *key)
{
	if (!judged)
		return false;
	return judged->a ? strcmp(judged->a, key) == 0 || strcmp(judged->b, key) == 0 : strcmp(judged->key, key) == 0;
}

uint32_t stage_judges(const struct stage *s)
{
	const struct kind_info *k = &s->kind->info;
	uint32_t bits = 0;
	for (unsigned i = 0; i < k->nmetrics && i < 32; i++) {
		const char *key = k->metrics[i].key;
		if ((!stage_own(s, ROLE_ERROR) && feeds(kind_role(k, ROLE_ERROR), key)) ||
		    (!stage_own(s, ROLE_AGE) && feeds(kind_role(k, ROLE_AGE), key)))
			bits |= UINT32_C(1) << i;
	}
	return bits;
}

/* A resource that is not in a complete list, that could not be listed, or that could not be described. */
static void judge_resource(struct engine *g, struct stage *s, struct verdicts *out)
{
	const struct kind_state *st = kind_state_of(g, s->kind);
	const struct err *e = s->res ? s->res->err : &st->list;
	if (e && e->code != ERR_OK)
		verdict_err(verdicts_add(out, g, s, "resource"), e);
	else if (!s->res && st->listed)
		verdict_set(verdicts_add(out, g, s, "resource"), VERDICT_UNKNOWN, err_check_code(ERR_NOTFOUND),
		            "no %s of this name in %s", s->kind->info.title, g->target.region);
}

void judge_stage(struct engine *g, struct stage *s, struct verdicts *out)
{
	judge_resource(g, s, out);
	judge_error(g, s, out);
	judge_dlq(g, s, 0, out);
	judge_age(g, s, out);
}

/* ---- health */

enum health verdicts_health(const struct verdicts *vs)
{
	static const enum health of[] = { [VERDICT_OK] = HEALTH_OK,
		                              [VERDICT_SKIPPED] = HEALTH_IDLE,
		                              [VERDICT_WARNING] = HEALTH_WARN,
		                              [VERDICT_UNKNOWN] = HEALTH_UNKNOWN,
		                              [VERDICT_CRITICAL] = HEALTH_ALARM };
	enum health worst = HEALTH_IDLE;
	for (unsigned i = 0; i < vs->n; i++)
		worst = of[vs->v[i].status] > worst ? of[vs->v[i].status] : worst;
	return worst;
}

/* Alarms in ALARM, by what they watch. */
struct firing {
	const char *name;
	struct metric_id id;
	const char *text;
};

static unsigned firing_alarms(const struct engine *g, struct firing **out)
{
	unsigned n = 0;
	*out = xcalloc(g->alarms.n, sizeof **out);
	for (unsigned i = 0; i < g->alarms.n; i++) {
		const struct alarm *a = &g->alarms.alarms[i];
		struct firing *f = &(*out)[n];
		if (a->state != ALARM_STATE_ALARM || !a->metric || a->composite || !metric_parse(&f->id, a->metric, NULL))
			continue;
		f->name = a->name;
		f->text = a->metric;
		n++;
	}
	return n;
}

bool stage_has_metric(const struct stage *s, const struct metric_id *id, const char *text)
{
	for (unsigned r = ROLE_IN; s->own && r < ROLE_COUNT; r++)
		if (s->own[r].m && strcmp(s->own[r].m->text, text) == 0)
			return true;
	if (strcmp(id->ns, s->kind->info.ns) != 0)
		return false;
	for (unsigned d = 0; d < id->ndims; d++)
		if (strcmp(id->dims[d].name, s->kind->info.dimension) == 0 && strcmp(id->dims[d].value, s->resource) == 0)
			return true;
	return false;
}

static void set_reason(struct stage *s, char *reason)
{
	free(s->reason);
	s->reason = reason;
}

static bool any_point(const struct stage *s)
{
	for (unsigned i = 0; i < s->kind->info.nmetrics; i++)
		if (s->m[i] && s->m[i]->series.len)
			return true;
	return false;
}

/* Traffic or a backlog seen lately: then it is not idle, whatever the metrics of the checks have not said. */
static bool in_use(const struct engine *g, const struct stage *s)
{
	static const enum role roles[] = { ROLE_IN, ROLE_OUT, ROLE_BACKLOG };
	for (unsigned i = 0; i < sizeof roles / sizeof *roles; i++) {
		struct measure *own;
		const struct metric_info *info = stage_role(s, roles[i], &own);
		struct value v = info ? stage_value(g, s, info, own) : (struct value){ .v = NAN };
		if (!v.stale && v.v > 0)
			return true;
	}
	return false;
}

/* Of what the history alone tells nothing is OK. */
static bool only_remembered(const struct engine *g, struct stage *s)
{
	bool answered = g->rounds_done > 0 || g->account_err.code != ERR_OK;
	for (unsigned i = 0; i < s->kind->info.nmetrics && !answered; i++)
		answered = s->m[i] && s->m[i]->known.read_at;
	if (g->live && answered)
		return false;
	s->health = any_point(s) ? HEALTH_STALE : HEALTH_UNKNOWN;
	set_reason(s, xstrdup(any_point(s) ? "from the history; asking AWS" : "asking AWS"));
	return true;
}

/* Idle since the newest datapoint of any of its metrics. */
static char *idle_words(const struct stage *s)
{
	char age[TEXT_NUM];
	int64_t newest = 0, at;
	double v;
	for (unsigned i = 0; i < s->kind->info.nmetrics; i++)
		if (s->m[i] && s->m[i]->id.ns && series_newest(&s->m[i]->series, &at, &v) && at > newest)
			newest = at;
	if (!newest)
		return xstrdup("idle: no datapoint");
	text_duration(clock_wall() - newest, age);
	return xasprintf("idle: last datapoint %s ago", age);
}

/* A stage whose input is published only while something comes in, and which had some, has fallen silent: nothing of it is wrong, but
 * "ok" would be said of a flow that is none. */
static char *silent_words(const struct engine *g, const struct stage *s)
{
	char age[TEXT_NUM];
	struct measure *own;
	const struct metric_info *info = stage_role(s, ROLE_IN, &own);
	struct value v = info ? stage_value(g, s, info, own) : (struct value){ .v = NAN };
	if (!info || !info->sparse || !v.at || !v.stale || v.err || overdue(g, s, info, &v))
		return NULL;
	text_duration(clock_wall() - v.at, age);
	return xasprintf("idle: %s last seen %s ago", info->title, age);
}

/* The first result that is as bad as the stage; NULL when it is well. */
static const char *reason_of(const struct stage *s, const struct verdicts *vs)
{
	for (unsigned i = 0; i < vs->n && s->health != HEALTH_OK; i++) {
		struct verdicts one = { .v = &vs->v[i], .n = 1 };
		if (verdicts_health(&one) == s->health)
			return vs->v[i].reason;
	}
	return NULL;
}

static void judge_one(struct engine *g, struct stage *s, const struct firing *f, unsigned nf)
{
	struct verdicts vs = { .untold = true };
	if (only_remembered(g, s))
		return;
	judge_stage(g, s, &vs);
	s->health = verdicts_health(&vs);
	if (s->health == HEALTH_IDLE && in_use(g, s))
		s->health = HEALTH_OK;
	const char *reason = reason_of(s, &vs);
	char *silent = s->health == HEALTH_OK && !in_use(g, s) ? silent_words(g, s) : NULL;
	if (silent)
		s->health = HEALTH_IDLE;
	set_reason(s, silent ? silent : s->health == HEALTH_IDLE ? idle_words(s) : xstrdup(reason ? reason : ""));
	for (unsigned i = 0; i < nf && s->health != HEALTH_ALARM; i++)
		if (stage_has_metric(s, &f[i].id, f[i].text)) {
			s->health = HEALTH_ALARM;
			set_reason(s, xasprintf("alarm %s", f[i].name));
		}
	verdicts_clear(&vs);
}

void judge_all(struct engine *g)
{
	struct firing *f;
	int64_t held = clock_pause();
	unsigned n = firing_alarms(g, &f);
	for (unsigned i = 0; i < g->nstages; i++)
		judge_one(g, g->stages[i], f, n);
	for (unsigned i = 0; i < n; i++)
		metric_clear(&f[i].id);
	free(f);
	loss_all(g);
	clock_hold(held);
}
