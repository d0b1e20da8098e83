/* REQUEST_CHECK: what was named (or sluice's defaults) judged once, from one round of calls. Nothing unknown ends as OK. */
#include "alarms/rule.h"
#include "core/mem.h"
#include "core/text.h"
#include "engine/inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A metric judged by name: from the command line or a [check] section. */
struct named {
	const char *name;               /* of the check; NULL: the metric's own text */
	struct stage *s;                /* NULL for a full metric */
	const struct metric_info *info; /* of the stage's metric */
	struct measure *m;              /* of a full metric, or the stage's own */
	struct rule warn, crit;
	const char *warning, *critical, *no_data;
	int64_t window, delay; /* delay -1: as learned, until settle_delays() has looked */
	int64_t learned;
	struct err problem; /* it cannot be judged at all */
};
struct plan {
	struct named *v;
	unsigned n, needs;
	bool defaults;
	struct group **tags; /* of rq.select */
};

/* ---- what is asked for */

static bool set_ranges(struct named *n, const char *warning, const char *critical)
{
	n->warning = warning;
	n->critical = critical;
	return (!warning || range_parse(&n->warn.range, warning, &n->problem)) &&
	       (!critical || range_parse(&n->crit.range, critical, &n->problem));
}

static void set_points(struct named *n, unsigned m, unsigned of, unsigned min_samples, int64_t window, uint32_t period)
{
	n->warn.m = n->crit.m = m;
	n->warn.n = n->crit.n = of;
	n->warn.min_samples = n->crit.min_samples = min_samples;
	n->window = window ? window : WINDOW;
	if (!window && n->window < (int64_t)period * (of ? of : 1))
		n->window = (int64_t)period * (of ? of : 1);
	if (n->problem.code == ERR_OK && n->window < period)
		err_set(&n->problem, ERR_USAGE, "window", "shorter than one period of %u s", period);
	if (n->problem.code == ERR_OK && n->window / period > SERIES_WIDEST - 4)
		err_set(&n->problem, ERR_USAGE, "window", "more than %d periods of %u s; use a longer period (METRIC@300)",
		        SERIES_WIDEST - 4, period);
}

/* NS/NAME{..}:STAT@PERIOD: the period is what follows the last '@' when it is a number. */
static char *split_period(const char *text, uint32_t *period, struct err *e)
{
	const char *at = strrchr(text, '@');
	char *end;
	*period = STEP;
	if (!at || at[1] < '0' || at[1] > '9')
		return xstrdup(text);
	unsigned long p = strtoul(at + 1, &end, 10);
	if (*end != '\0')
		return xstrdup(text);
	if (p == 0 || p > 86400 || p % 60 != 0)
		err_set(e, ERR_USAGE, text, "the period is a multiple of 60 up to 86400 seconds");
	else
		*period = (uint32_t)p;
	return xstrndup(text, (size_t)(at - text));
}

static void add_extra(struct engine *g, struct measure *m)
{
	if (!m)
		return;
	for (unsigned i = 0; i < g->nextra; i++) /* from an earlier sample of the same check */
		if (g->extra[i] == m)
			return;
	g->extra = xreallocarray(g->extra, g->nextra + 1u, sizeof(struct measure *));
	g->extra[g->nextra++] = m;
}

static void resolve_metric(struct engine *g, struct named *n, const char *text)
{
	struct metric_id id = { 0 };
	uint32_t period;
	char *plain = split_period(text, &period, &n->problem);
	if (n->problem.code == ERR_OK && metric_parse(&id, plain, &n->problem)) {
		n->m = inventory_measure(g, &id, period, false);
		add_extra(g, n->m);
		metric_clear(&id);
	}
	free(plain);
}

static void resolve_stage_metric(struct engine *g, struct named *n, const struct conf_check *c)
{
	char *name = xasprintf("%s/%s", c->pipeline, c->stage);
	n->s = inventory_stage(g, name, &n->problem);
	free(name);
	if (!n->s)
		return;
	n->info = stage_metric(n->s, c->metric, &n->m);
	if (!n->info) {
		err_set(&n->problem, ERR_CONF, c->name, "%s has no metric \"%s\"", n->s->kind->info.title, c->metric);
		return;
	}
	add_extra(g, n->m);
	const struct kind_info *k = &n->s->kind->info;
	for (unsigned i = 0; !n->m && i < k->nmetrics; i++)
		if (strcmp(k->metrics[i].key, n->info->a ? n->info->a : n->info->key) == 0 ||
		    (n->info->b && strcmp(k->metrics[i].key, n->info->b) == 0))
			add_extra(g, n->s->m[i]);
}

static void plan_named(struct engine *g, struct plan *p, const struct check_request *rq)
{
	for (unsigned i = 0; i < rq->nmetrics; i++) {
		struct named *n = &p->v[p->n++];
		n->no_data = rq->no_data;
		n->delay = rq->delay_s;
		if (set_ranges(n, rq->metrics[i].warning, rq->metrics[i].critical))
			resolve_metric(g, n, rq->metrics[i].metric);
		n->name = rq->metrics[i].metric;
		set_points(n, rq->m, rq->n, rq->min_samples, rq->window, n->m ? n->m->series.step : STEP);
	}
}

static void plan_configured(struct engine *g, struct plan *p, const struct check_request *rq)
{
	for (unsigned i = 0; i < g->conf->nchecks; i++) {
		const struct conf_check *c = &g->conf->checks[i];
		struct named *n = &p->v[p->n++];
		n->name = c->name;
		n->no_data = c->no_data ? c->no_data : rq->no_data;
		n->delay = c->delay >= 0 ? c->delay : rq->delay_s;
		if (!set_ranges(n, c->warning, c->critical))
			continue;
		if (c->stage)
			resolve_stage_metric(g, n, c);
		else
			resolve_metric(g, n, c->metric);
		set_points(n, c->n ? c->m : rq->m, c->n ? c->n : rq->n, c->min_samples ? c->min_samples : rq->min_samples,
		           c->window ? c->window : rq->window, STEP);
	}
}

static bool explicit(const struct check_request *rq)
{
	return rq->alarms || rq->dlq || rq->nmetrics || rq->ttl_min;
}

/* Who says a shorter delay than was learned takes points as they are by then. */
static void settle_delays(struct engine *g, struct plan *p)
{
	g->delay_said = false;
	for (unsigned i = 0; i < p->n; i++) {
		struct named *n = &p->v[i];
		n->learned = n->s ? stage_delay(g, n->s, n->m) : n->m ? late_delay(&g->late, n->m->id.ns) : LATE_UNKNOWN;
		if (n->delay < 0) {
			n->delay = n->learned;
		} else if (!g->delay_said || n->delay < g->said_delay) {
			g->delay_said = true;
			g->said_delay = n->delay;
		}
	}
}

static int64_t longest(const struct plan *p, const struct check_request *rq)
{
	int64_t most = WINDOW + (rq->delay_s > LATE_MOST ? rq->delay_s : LATE_MOST);
	for (unsigned i = 0; i < p->n; i++) {
		const struct named *n = &p->v[i];
		int64_t back = n->window + n->delay + (n->m ? n->m->series.step : STEP);
		most = back > most ? back : most;
	}
	return most + STEP;
}

static unsigned needs_of(struct engine *g, const struct plan *p, const struct check_request *rq)
{
	unsigned needs = rq->identity ? NEED_IDENTITY : 0;
	if (p->defaults)
		return needs | NEED_LIST | NEED_DESCRIBE | NEED_EDGES | NEED_ALARMS | NEED_JUDGED;
	if (rq->alarms)
		needs |= NEED_ALARMS;
	if (rq->dlq)
		needs |= NEED_LIST | NEED_DESCRIBE | NEED_EDGES | kind_bit(kind_find("sqs")) | kind_bit(kind_find("lambda"));
	if (rq->ttl_min)
		needs |= NEED_LIST | NEED_DESCRIBE | NEED_EDGES | NEED_CLOCKS;
	if (g->nextra)
		needs |= NEED_EXTRA;
	for (unsigned i = 0; i < p->n; i++) /* a direct reading comes with the resource's description */
		if (p->v[i].info && p->v[i].info->from == FROM_DIRECT)
			needs |= NEED_LIST | NEED_DESCRIBE | kind_bit(p->v[i].s->kind);
	return needs;
}

/* What the options leave open, [checks] may say. */
static void fill(struct check_request *rq, const struct conf_checks *c)
{
	if (!explicit(rq)) {
		rq->alarms = c->alarms;
		rq->dlq = c->dlq_max >= 0;
		rq->dlq_max = c->dlq_max;
		rq->ttl_min = c->ttl_min;
	}
	if (!rq->in_alarm_said)
		rq->in_alarm_is_warning = rq->in_alarm_is_warning || (c->in_alarm_is && strcmp(c->in_alarm_is, "warn") == 0);
	if (!rq->n) {
		rq->m = c->each.m;
		rq->n = c->each.n;
	}
	rq->window = rq->window ? rq->window : c->each.window;
	rq->min_samples = rq->min_samples ? rq->min_samples : c->each.min_samples;
	rq->no_data = rq->no_data ? rq->no_data : c->each.no_data;
	rq->delay_s = rq->delay_s >= 0 ? rq->delay_s : c->each.delay;
}

/* ---- what it would cost */

static unsigned would_bill(struct engine *g, unsigned needs)
{
	unsigned n = 0;
	g->round.needs = needs;
	poll_plan(g);
	for (const struct batch *b = g->plan; b; b = b->next)
		n += b->n;
	g->stages_changed = true; /* the poll plans for itself */
	return n;
}

/* Everything that is free has been asked; false when what comes next would cost too much, or nobody can tell. */
static bool affordable(struct engine *g, const struct plan *p, struct task *t)
{
	const struct check_request *rq = &t->rq.check;
	struct err *e = &t->result->err;
	if (g->closing)
		return err_set(e, ERR_TIMEOUT, "--max-cost", "what this costs was not known in time; nothing was polled");
	unsigned polls = rq->polls ? rq->polls : 1, n = would_bill(g, p->needs);
	double usd = n * USD_PER_METRIC * polls;
	char times[32] = "";
	if (usd <= rq->max_usd + USD_PER_METRIC / 2)
		return true;
	if (polls > 1)
		snprintf(times, sizeof times, ", %u times", polls);
	return err_set(e, ERR_LIMIT, "--max-cost",
	               "an estimated $%.5f (%u metrics%s) is more than $%.5f; nothing was polled", usd, n, times,
	               rq->max_usd);
}

static void plan(struct engine *g, struct task *t)
{
	bool named = explicit(&t->rq.check);
	fill(&t->rq.check, &g->conf->checking);
	const struct check_request *rq = &t->rq.check;
	struct plan *p = arena_alloc(&t->mem, sizeof *p);
	p->v = arena_array(&t->mem, rq->nmetrics + g->conf->nchecks + 1u, sizeof *p->v);
	plan_named(g, p, rq);
	if (!named) {
		plan_configured(g, p, rq);
		p->defaults = g->conf->nchecks == 0 && !explicit(rq);
	}
	p->tags = arena_array(&t->mem, rq->nselect + 1u, sizeof(struct group *));
	p->needs = needs_of(g, p, rq) | select_begin(g, rq, p->tags);
	if (p->needs & NEED_POLL)
		store_peek(g);
	settle_delays(g, p);
	g->lookback = longest(p, rq);
	for (unsigned i = 0; i < g->nextra; i++)
		series_widen(&g->extra[i]->series, (unsigned)(g->lookback / g->extra[i]->series.step) + 2);
	t->work = p;
}

/* ---- verdicts of named metrics */

static enum verdict_status no_data_status(const char *said)
{
	if (said && strcmp(said, "ok") == 0)
		return VERDICT_OK;
	if (said && strcmp(said, "warn") == 0)
		return VERDICT_WARNING;
	return said && strcmp(said, "crit") == 0 ? VERDICT_CRITICAL : VERDICT_UNKNOWN;
}

static void say_breach(struct verdict *v, const struct named *n, bool crit, const struct rule_result *r)
{
	char value[32], limit[RANGE_TEXT];
	const struct range *range = crit ? &n->crit.range : &n->warn.range;
	unsigned of = n->crit.n ? n->crit.n : 1, seen = r->samples < of ? r->samples : of;
	enum verdict_status status = crit ? VERDICT_CRITICAL : VERDICT_WARNING;
	snprintf(value, sizeof value, "%.6g", r->value);
	range_text(range, limit);
	if (range_breached(range, r->value))
		verdict_set(v, status, NULL, "%s %s, %u of %u points", value, limit, r->breaching, seen);
	else
		verdict_set(v, status, NULL, "%u of %u points %s, the newest is %s", r->breaching, seen, limit, value);
}

static void judge_points(struct verdict *v, const struct named *n, const struct series *s, int64_t stale)
{
	struct rule_result c = rule_eval(&n->crit, s, v->window_start, v->window_end);
	struct rule_result w = rule_eval(&n->warn, s, v->window_start, v->window_end);
	char value[32];
	v->value = c.value;
	v->samples = c.samples;
	v->missing = c.missing;
	v->age_s = c.samples ? clock_wall() - c.at : -1;
	snprintf(value, sizeof value, "%.6g", c.value);
	unsigned of = n->crit.n ? n->crit.n : 1;
	if (c.state == RULE_BREACHED || w.state == RULE_BREACHED)
		say_breach(v, n, c.state == RULE_BREACHED, c.state == RULE_BREACHED ? &c : &w);
	else if (c.state == RULE_NO_DATA)
		verdict_set(v, no_data_status(n->no_data), "NO_DATA", "no datapoint in the window");
	else if (c.state == RULE_TOO_FEW || w.state == RULE_TOO_FEW)
		verdict_set(v, VERDICT_UNKNOWN, "TOO_FEW", "%u datapoints, %u wanted", c.samples,
		            n->crit.min_samples > of ? n->crit.min_samples : of);
	else if (v->age_s - v->period > stale)
		verdict_set(v, VERDICT_UNKNOWN, "STALE", "%s, but that is %lld s old", value, (long long)v->age_s);
	else
		verdict_set(v, VERDICT_OK, NULL, "%s", value);
}

/* What the service says right now: one reading, no window. */
static void judge_direct(struct engine *g, struct verdict *v, const struct named *n)
{
	struct value val = stage_value(g, n->s, n->info, NULL);
	char value[32], limit[RANGE_TEXT];
	text_exact(val.v, value);
	v->value = val.v;
	v->samples = isnan(val.v) ? 0u : 1u;
	v->age_s = val.at ? clock_wall() - val.at : -1;
	v->window_start = v->window_end = val.at;
	bool crit = range_breached(&n->crit.range, val.v), warn = range_breached(&n->warn.range, val.v);
	range_text(crit ? &n->crit.range : &n->warn.range, limit);
	if (isnan(val.v))
		verdict_set(v, no_data_status(n->no_data), "NO_DATA", "no reading");
	else if (val.stale)
		verdict_set(v, VERDICT_UNKNOWN, "STALE", "the last reading (%s) is old", value);
	else if (crit || warn)
		verdict_set(v, crit ? VERDICT_CRITICAL : VERDICT_WARNING, NULL, "%s %s", value, limit);
	else
		verdict_set(v, VERDICT_OK, NULL, "%s", value);
}

/* Who says that a period takes longer to arrive calls nothing old that is younger. */
static int64_t stale(const struct engine *g, const struct named *n, uint32_t period)
{
	return stale_after(n->delay > n->learned ? n->delay : n->learned, g->o.poll_s, period);
}

static void judge_named(struct engine *g, const struct named *n, struct verdicts *out)
{
	struct verdict *v = verdicts_add(out, g, NULL, n->name);
	struct series series;
	if (n->s) {
		v->pipeline = xstrdup(g->pipelines[n->s->pipeline]);
		v->resource = xstrdup(n->s->resource);
		v->kind = xstrdup(n->s->kind->info.id);
		v->unit = n->info ? unit_name(n->info->unit) : NULL;
	} else {
		v->kind = xstrdup("cloudwatch");
	}
	v->warning = n->warning ? xstrdup(n->warning) : NULL;
	v->critical = n->critical ? xstrdup(n->critical) : NULL;
	v->period = n->m ? n->m->series.step : STEP;
	v->window_end = (clock_wall() - n->delay) / v->period * v->period;
	v->window_start = v->window_end - n->window;
	v->source = "live";
	const struct err *e = n->problem.code != ERR_OK ? &n->problem
	                      : n->s                    ? stage_err(g, n->s, n->info, n->m)
	                      : n->m->err               ? n->m->err
	                                                : NULL;
	if (e) {
		verdict_err(v, e);
		return;
	}
	if (n->info && n->info->from == FROM_DIRECT)
		judge_direct(g, v, n);
	else if (n->s) {
		stage_series(n->s, n->info, n->m, v->window_start, &series);
		judge_points(v, n, &series, stale(g, n, v->period));
		series_clear(&series);
	} else
		judge_points(v, n, &n->m->series, stale(g, n, v->period));
}

/* ---- verdicts of everything else */

static void judge_alarms(struct engine *g, const struct check_request *rq, struct verdicts *out)
{
	if (!g->alarms_read || g->alarms_err.code != ERR_OK) {
		struct verdict *v = verdicts_add(out, g, NULL, "alarms");
		if (g->alarms_err.code != ERR_OK)
			verdict_err(v, &g->alarms_err);
		else
			verdict_set(v, VERDICT_UNKNOWN, "TIMEOUT", "the alarms were not read");
		return;
	}
	for (unsigned i = 0; i < g->alarms.n; i++) {
		const struct alarm *a = &g->alarms.alarms[i];
		char *name = xasprintf("alarms/%s", a->name);
		struct verdict *v = verdicts_add(out, g, NULL, name);
		const char *reason = a->reason ? a->reason : "";
		free(name);
		v->kind = xstrdup("cloudwatch");
		v->source = "live";
		if (a->state == ALARM_STATE_OK)
			verdict_set(v, VERDICT_OK, NULL, "%s", reason);
		else if (a->state == ALARM_STATE_ALARM)
			verdict_set(v, rq->in_alarm_is_warning ? VERDICT_WARNING : VERDICT_CRITICAL, NULL, "in ALARM: %s", reason);
		else if (a->state == ALARM_STATE_INSUFFICIENT)
			verdict_set(v, VERDICT_WARNING, NULL, "INSUFFICIENT_DATA: %s", reason);
		else
			verdict_set(v, VERDICT_UNKNOWN, "BADREPLY", "its state is not one this version knows");
	}
	if (g->alarms.n == 0)
		verdict_set(verdicts_add(out, g, NULL, "alarms"), VERDICT_SKIPPED, "IDLE",
		            "there are no alarms in this account and region");
}

static void judge_discovery(struct engine *g, struct verdicts *out)
{
	for (unsigned k = 0; k < nkinds; k++) {
		const struct err *e = discovery_err(g, k);
		if (!e)
			continue;
		char *name = xasprintf("discover/%s", kinds[k]->info.id);
		struct verdict *v = verdicts_add(out, g, NULL, name);
		v->kind = xstrdup(kinds[k]->info.id);
		verdict_err(v, e);
		free(name);
	}
	for (unsigned p = 0; p < g->npipelines; p++) {
		const struct err *e = group_err(g, p);
		if (!e)
			continue;
		char *name = xasprintf("discover/%s", g->pipelines[p]);
		struct verdict *v = verdicts_add(out, g, NULL, name);
		v->pipeline = xstrdup(g->pipelines[p]);
		verdict_err(v, e);
		free(name);
	}
}

/* Everything was listed, and it was nothing. */
static bool nothing_there(const struct engine *g)
{
	for (unsigned k = 0; k < nkinds; k++)
		if (discovery_err(g, k))
			return false;
	return g->alarms_read && g->alarms_err.code == ERR_OK && g->nstages == 0 && g->alarms.n == 0;
}

static void judge(struct engine *g, const struct plan *p, const struct check_request *rq, struct verdicts *out)
{
	for (unsigned i = 0; i < p->n; i++)
		judge_named(g, &p->v[i], out);
	if (p->defaults || rq->dlq || rq->ttl_min)
		judge_discovery(g, out);
	if (p->defaults)
		for (unsigned i = 0; i < g->nstages; i++)
			judge_stage(g, g->stages[i], out);
	if (rq->dlq)
		check_dlqs(g, rq->dlq_max, out);
	if (rq->ttl_min)
		check_clocks(g, rq->ttl_min, out);
	if (p->defaults || rq->alarms)
		judge_alarms(g, rq, out);
	if (p->defaults && nothing_there(g)) /* the wrong region must not look green */
		verdict_set(verdicts_add(out, g, NULL, "discover"), VERDICT_UNKNOWN, "NO_DATA",
		            "nothing to judge in %s: no queue, stream, function or alarm", g->target.region);
}

/* ---- the result */

/* One dead endpoint or one wrong key fails every operation: it is said once. */
static bool same_cause(const struct aws_stat *stats, unsigned i)
{
	enum err_code code = stats[i].last.code;
	for (unsigned j = 0; j < i; j++)
		if (stats[j].last.code == code && err_shared(code))
			return true;
	return false;
}

static void add_causes(struct engine *g, struct check_result *r)
{
	unsigned n = 0;
	const struct aws_stat *stats = g->aws ? aws_stats(g->aws, &n) : NULL;
	r->causes = xcalloc(n + 1u, sizeof *r->causes);
	for (unsigned i = 0; i < n; i++) {
		if (stats[i].last.code == ERR_OK || same_cause(stats, i))
			continue;
		char line[1024];
		err_line(&stats[i].last, line, sizeof line);
		r->causes[r->ncauses++].text = xstrdup(line);
	}
}

/* Asks for what the plan needs, what is free first when there is a limit to the cost. False: there is nothing to wait for. */
static bool ask(struct engine *g, struct task *t)
{
	enum { PLAN, PRICE, ASKED };
	if (t->state == ASKED)
		return false;
	if (t->state == PLAN)
		plan(g, t);
	const struct plan *p = t->work;
	bool paid = t->rq.check.priced && (p->needs & NEED_POLL);
	unsigned needs = p->needs;
	if (t->state == PLAN && paid && (needs & ~(unsigned)NEED_POLL)) {
		t->state = PRICE;
		task_need(g, t, needs & ~(unsigned)NEED_POLL);
		return true;
	}
	if (t->state == PRICE)
		needs &= NEED_POLL;
	t->state = ASKED;
	if (paid && !affordable(g, p, t)) {
		t->done = true;
		return true;
	}
	if (needs)
		task_need(g, t, needs);
	return needs != 0;
}

void check_step(struct engine *g, struct task *t)
{
	struct check_result *r = &t->result->check;
	r->status = VERDICT_UNKNOWN;
	r->target = g->target;
	if (g->account_err.code != ERR_OK) {
		t->result->err = g->account_err;
		t->done = true;
		return;
	}
	if (ask(g, t))
		return;
	const struct plan *p = t->work;
	struct verdicts vs = { 0 };
	judge(g, p, &t->rq.check, &vs);
	select_apply(g, &t->rq.check, p->tags, &vs);
	r->target = g->target;
	r->verdicts = vs.v;
	r->n = vs.n;
	r->defaults = p->defaults;
	r->metrics = g->metrics_asked;
	r->usd = g->metrics_asked * USD_PER_METRIC;
	r->status = VERDICT_OK;
	for (unsigned i = 0; i < vs.n; i++)
		if (vs.v[i].status != VERDICT_SKIPPED && vs.v[i].status > r->status)
			r->status = vs.v[i].status;
	add_causes(g, r);
	t->done = true;
}
