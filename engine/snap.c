/* Builds the picture the faces see: one arena, copied whole, so that it can cross to another thread and be freed at once. */
#include "aws/op_logs.h"
#include "core/mem.h"
#include "engine/changes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- rows */

static void fill_reading(struct engine *g, const struct stage *s, const struct metric_info *info, struct measure *own,
                         struct reading *r)
{
	struct value v = stage_value(g, s, info, own);
	*r = (struct reading){ .info = info, .value = v.v, .at = v.at, .stale = v.stale || v.err };
}

static void fill_readings(struct snapshot *snap, struct engine *g, const struct stage *s, struct row *row)
{
	const struct kind_info *k = &s->kind->info;
	unsigned own = 0;
	for (unsigned r = ROLE_IN; s->own && r < ROLE_COUNT; r++)
		own += s->own[r].m != NULL;
	struct reading *all = arena_array(&snap->mem, k->nmetrics + own, sizeof *all);
	for (unsigned i = 0; i < k->nmetrics; i++) {
		fill_reading(g, s, &k->metrics[i], NULL, &all[i]);
		if (k->metrics[i].role)
			row->by_role[k->metrics[i].role] = &all[i];
	}
	unsigned n = k->nmetrics;
	for (unsigned r = ROLE_IN; s->own && r < ROLE_COUNT; r++) {
		if (!s->own[r].m)
			continue;
		struct metric_info *info = arena_alloc(&snap->mem, sizeof *info);
		*info = s->own[r].info;
		info->title = arena_strdup(&snap->mem, info->title);
		info->name = arena_strdup(&snap->mem, info->name);
		info->stat = arena_strdup(&snap->mem, info->stat);
		fill_reading(g, s, info, s->own[r].m, &all[n]);
		row->by_role[r] = &all[n++];
	}
	row->readings = all;
	row->nreadings = n;
}

/* 48 minutes up to the newest settled one, scaled to the row's own maximum. */
static void fill_spark(struct engine *g, const struct stage *s, struct row *row)
{
	double v[SPARK_LEN], most = 0;
	struct measure *own;
	const struct metric_info *info = s->kind->info.spark ? stage_metric(s, s->kind->info.spark, &own) : NULL;
	memset(row->spark, SPARK_GAP, sizeof row->spark);
	row->spark_key = s->kind->info.spark;
	if (!info)
		return;
	int64_t end = (clock_wall() - stage_delay(g, s, own)) / STEP * STEP - STEP;
	stage_tail(s, info, own, end, SPARK_LEN, v);
	for (unsigned i = 0; i < SPARK_LEN; i++)
		most = v[i] > most ? v[i] : most;
	for (unsigned i = 0; i < SPARK_LEN; i++)
		if (!isnan(v[i]))
			row->spark[i] = v[i] <= 0 || most == 0 ? 0 : (uint8_t)ceil(v[i] / most * 8);
}

static void fill_facts(struct snapshot *snap, const struct res *r, struct row *row)
{
	struct fact *facts = arena_array(&snap->mem, r->nfacts, sizeof *facts);
	for (unsigned i = 0; i < r->nfacts; i++)
		if (strcmp(r->facts[i].key, "code_sha256") != 0) /* it tells a change, and nobody anything else */
			facts[row->nfacts++] =
			    (struct fact){ arena_strdup(&snap->mem, r->facts[i].key), arena_strdup(&snap->mem, r->facts[i].value) };
	row->facts = facts;
	row->dlq = r->dlq;
	row->fed_by = arena_strdup(&snap->mem, r->fed_by);
	row->feeds = arena_strdup(&snap->mem, r->feeds);
}

static void fill_loss(struct snapshot *snap, const struct stage *s, struct row *row)
{
	row->loss = s->loss;
	row->loss.where = arena_strdup(&snap->mem, s->loss.where);
	row->loss.basis = arena_strdup(&snap->mem, s->loss.basis);
}

static void fill_row(struct snapshot *snap, struct engine *g, const struct stage *s, struct row *row)
{
	row->id = s->id;
	row->kind = &s->kind->info;
	row->name = arena_strdup(&snap->mem, s->name);
	row->resource = arena_strdup(&snap->mem, s->resource);
	row->pipeline = s->pipeline;
	row->health = s->health;
	row->reason = arena_strdup(&snap->mem, s->reason ? s->reason : "");
	row->arn = arena_strdup(&snap->mem, s->res ? s->res->arn : s->conf ? s->conf->arn : NULL);
	row->every = stage_every(g, s, &s->kind->info.metrics[0]);
	row->slowed = g->threaded && s->sched.slowed;
	fill_readings(snap, g, s, row);
	fill_loss(snap, s, row);
	fill_spark(g, s, row);
	if (s->res)
		fill_facts(snap, s->res, row);
	snap->count[s->health]++;
}

/* What could not be listed, and relations that could not be read, may belong to any discovered pipeline. */
static bool discovery_failed(const struct engine *g)
{
	for (unsigned k = 0; k < nkinds; k++)
		if (g->kind_state[k].list.code != ERR_OK || g->kind_state[k].edges.code != ERR_OK)
			return true;
	return false;
}

static void fill_pipelines(struct snapshot *snap, struct engine *g, struct pipeline *pipes)
{
	bool unsure = g->conf->npipelines == 0 && discovery_failed(g);
	uint32_t first = 0;
	for (unsigned i = 0; i < g->nstages; i++)
		pipes[g->stages[i]->pipeline].n++;
	for (unsigned p = 0; p < g->npipelines; p++) {
		bool unknown = unsure || pipes[p].n == 0 || group_err(g, p);
		pipes[p].name = arena_strdup(&snap->mem, g->pipelines[p]);
		pipes[p].health = unknown ? HEALTH_UNKNOWN : HEALTH_IDLE;
		pipes[p].first = first;
		first += pipes[p].n;
	}
}

/* What a row says of its pipeline: that a dead-letter queue is empty says nothing of the stages before it. */
static enum health says(const struct row *r)
{
	return r->dlq && r->health == HEALTH_OK ? HEALTH_IDLE : r->health;
}

static void fill_rows(struct snapshot *snap, struct engine *g)
{
	struct row *rows = arena_array(&snap->mem, g->nstages, sizeof *rows);
	struct pipeline *pipes = arena_array(&snap->mem, g->npipelines, sizeof *pipes);
	uint32_t *next = xcalloc(g->npipelines + 1u, sizeof *next);
	fill_pipelines(snap, g, pipes);
	for (unsigned i = 0; i < g->nstages; i++) {
		struct pipeline *p = &pipes[g->stages[i]->pipeline];
		struct row *row = &rows[p->first + next[g->stages[i]->pipeline]++];
		g->stages[i]->row = (uint32_t)(row - rows);
		fill_row(snap, g, g->stages[i], row);
		p->health = says(row) > p->health ? says(row) : p->health;
	}
	free(next);
	snap->rows = rows;
	snap->nrows = g->nstages;
	snap->pipelines = pipes;
	snap->npipelines = g->npipelines;
}

/* ---- alarms and calls */

static int alarm_rank(enum alarm_state s)
{
	return s == ALARM_STATE_ALARM ? 0 : s == ALARM_STATE_OK ? 2 : 1;
}

static int worst_first(const void *a, const void *b)
{
	const struct alarm *x = a, *y = b;
	int d = alarm_rank(x->state) - alarm_rank(y->state);
	return d ? d : strcmp(x->name, y->name);
}

static void fill_alarms(struct snapshot *snap, const struct engine *g)
{
	struct alarm *alarms = arena_array(&snap->mem, g->alarms.n, sizeof *alarms);
	for (unsigned i = 0; i < g->alarms.n; i++) {
		alarms[i] = alarm_copy(&snap->mem, &g->alarms.alarms[i]);
		told_fill(g, &snap->mem, &alarms[i]);
	}
	if (g->alarms.n > 1)
		qsort(alarms, g->alarms.n, sizeof *alarms, worst_first);
	snap->alarms = alarms;
	snap->nalarms = g->alarms.n;
	snap->alarms_at = g->alarms_at;
	snap->alarms_current = g->alarms_read && g->alarms_err.code == ERR_OK;
}

/* A 200 is not success: what CloudWatch said of single metrics in its newest answers. */
static struct err results_err(const struct engine *g)
{
	static const struct err fine;
	for (unsigned i = 0; i < g->nmeasures; i++) {
		const struct measure *m = g->measure_list[i];
		if (m->id.ns && m->err)
			return *m->err;
	}
	return fine;
}

static bool beside_rounds(const struct op *op)
{
	return op == &op_filter_log_events || op == &op_list_subscriptions || op == &op_list_alarm_tags ||
	       op == &op_describe_alarm_history;
}

/* Credentials come first: what fails for want of them is explained by them. */
static void fill_apis(struct snapshot *snap, const struct engine *g)
{
	unsigned n = 0, at = 0;
	const struct aws_stat *stats = g->aws ? aws_stats(g->aws, &n) : NULL;
	struct api_health *apis = arena_array(&snap->mem, n + 1u, sizeof *apis);
	const struct err *why = g->account_err.code != ERR_OK ? &g->account_err : &snap->credential.err;
	if (why->code != ERR_OK) /* nothing can be asked, or soon not */
		apis[at++] = (struct api_health){ .op = "credentials", .last = *why, .failed = 1 };
	for (unsigned i = 0; i < n; i++) {
		if (optional_op(stats[i].op) && stats[i].last.code != ERR_OK)
			continue; /* events_note says it */
		struct api_health *a = &apis[at++];
		*a = (struct api_health){ .op = stats[i].op->iam,
			                      .last = stats[i].last,
			                      .ok_at = stats[i].ok_at,
			                      .calls = stats[i].calls,
			                      .failed = stats[i].failed,
			                      .aside = beside_rounds(stats[i].op) };
		if (stats[i].op == &op_get_metric_data && a->last.code == ERR_OK)
			a->last = results_err(g);
		if (stats[i].op == &op_list_subscriptions && a->last.code == ERR_NOTFOUND)
			err_clear(&a->last); /* an answer, about an alarm's topic: said there */
	}
	snap->apis = apis;
	snap->napis = at;
}

static void fill_credential(struct snapshot *snap, const struct engine *g)
{
	static const enum credential_state states[] = { [CRED_NONE] = CREDENTIAL_NONE,
		                                            [CRED_FETCHING] = CREDENTIAL_FETCHING,
		                                            [CRED_READY] = CREDENTIAL_READY,
		                                            [CRED_FAILED] = CREDENTIAL_FAILED,
		                                            [CRED_WANTS_CODE] = CREDENTIAL_WANTS_CODE };
	struct cred_info i;
	cred_look(g->cred, &i);
	snap->credential = (struct credential){ .state = states[i.state],
		                                    .from = cred_from_name(i.from),
		                                    .where = arena_strdup(&snap->mem, i.where),
		                                    .mfa_serial = arena_strdup(&snap->mem, i.mfa_serial),
		                                    .expires = i.expires,
		                                    .err = i.err };
}

static void fill_kinds(struct snapshot *snap)
{
	const struct kind_info **infos = arena_array(&snap->mem, nkinds, sizeof *infos);
	for (unsigned i = 0; i < nkinds; i++)
		infos[i] = &kinds[i]->info;
	snap->kinds = infos;
	snap->nkinds = nkinds;
}

static void fill_events(struct snapshot *snap, const struct engine *g)
{
	const struct events *l = &g->changes->list;
	struct event *v = arena_array(&snap->mem, l->n, sizeof *v);
	for (unsigned i = 0; i < l->n; i++)
		v[i] = event_copy(&snap->mem, &l->v[i]);
	snap->events = v;
	snap->nevents = l->n;
	char *note = optional_note(g);
	snap->events_note = arena_strdup(&snap->mem, note);
	free(note);
}

static int64_t data_to(const struct engine *g)
{
	int64_t newest = 0;
	for (unsigned i = 0; i < g->nmeasures; i++) {
		const struct measure *m = g->measure_list[i];
		if (m->id.ns && m->series.len && m->series.last + m->series.step > newest)
			newest = m->series.last + m->series.step;
	}
	return newest;
}

struct snapshot *snap_build(struct engine *g)
{
	struct snapshot *s = xcalloc(1, sizeof *s);
	int64_t held = clock_pause();
	arena_init(&s->mem);
	s->gen = ++g->gen;
	s->at = clock_wall();
	s->target = g->target;
	s->settled = !g->closing && (g->rounds_done > 0 || g->account_err.code != ERR_OK);
	s->polled_at = g->polled_at;
	fill_credential(s, g);
	fill_kinds(s);
	fill_rows(s, g);
	links_give(g, s);
	fill_alarms(s, g);
	fill_apis(s, g);
	fill_events(s, g);
	s->data_to = data_to(g);
	s->phase = g->rounds_done || g->account_err.code != ERR_OK ? PHASE_LIVE : s->nrows ? PHASE_CACHED : PHASE_STARTING;
	if (g->past)
		s->phase = PHASE_PAST;
	bill_show(g, s);
	first_show(g, s);
	const char *note = g->cache ? cache_note(g->cache) : g->cache_err.code != ERR_OK ? g->cache_err.text : NULL;
	s->cache_note = arena_strdup(&s->mem, note);
	clock_hold(held);
	return s;
}
