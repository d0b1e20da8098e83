/* REQUEST_ALARM_INIT: the two alarms of the mission for a pipeline or a resource, as a file. Asks what exists and which metrics CloudWatch
 * lists (calls without a price but ListMetrics', a cent for a thousand); writes nothing. */
#include "alarms/recipe.h"
#include "core/mem.h"
#include "engine/alarm_facts.h"
#include "engine/alarm_requests.h"

#include <stdlib.h>
#include <string.h>

#define SEED_NS "DataPipeline"
#define FILE_MOST (1024u * 1024)

struct init {
	struct alarm_facts facts;
	struct stage *stage;
	struct recipe_in in;
	struct recipe recipe;
	struct metric_id error, throughput; /* the seed's, when they are listed */
	char *dlq;
};

static void on_failure(struct engine *g, struct task *t, const struct err *e)
{
	t->result->err = *e;
	for (unsigned i = 0; e->code == ERR_NOTFOUND && i < nkinds; i++) /* not found because it could not be looked for */
		if (g->kind_state[i].list.code != ERR_OK) {
			t->result->err = g->kind_state[i].list;
			break;
		}
	if (g->account_err.code != ERR_OK)
		t->result->err = g->account_err;
	t->done = true;
}

/* ---- what is meant */

static const struct metric_id *own_of(const struct stage *s, enum role role)
{
	const struct measure *m = s->own ? s->own[role].m : NULL;
	return m && m->id.ns ? &m->id : NULL;
}

/* The stage that says most of a pipeline: with metrics of its own, else a function, else a queue, else what there is. */
static unsigned worth(const struct stage *s)
{
	if (own_of(s, ROLE_ERROR) || own_of(s, ROLE_IN) || own_of(s, ROLE_OUT))
		return 4;
	return strcmp(s->kind->info.id, "lambda") == 0 ? 3 : strcmp(s->kind->info.id, "sqs") == 0 ? 2 : 1;
}

static struct stage *of_pipeline(const struct engine *g, const char *name)
{
	struct stage *best = NULL;
	for (unsigned i = 0; i < g->nstages; i++)
		if (strcmp(g->pipelines[g->stages[i]->pipeline], name) == 0 && (!best || worth(g->stages[i]) > worth(best)))
			best = g->stages[i];
	return best;
}

static struct stage *meant(struct engine *g, const char *name, struct err *e)
{
	struct stage *s = of_pipeline(g, name);
	s = s ? s : inventory_stage(g, name, e);
	return s || e->code != ERR_NOTFOUND ? s : inventory_adhoc(g, name);
}

static const char *last_of(const char *arn)
{
	const char *colon = strrchr(arn, ':');
	return colon ? colon + 1 : arn;
}

/* By the queue's own redrive policy. */
static char *dlq_of(const struct stage *s)
{
	const struct fact *dlq = s->res ? res_fact(s->res, "dlq") : NULL;
	return dlq && dlq->value ? xstrdup(last_of(dlq->value)) : NULL;
}

/* KIND:NAME says which resource is meant; the alarms are called by its name. */
static const char *plain_name(const struct stage *s, const char *asked)
{
	const char *colon = strchr(asked, ':');
	return colon && strcmp(colon + 1, s->resource) == 0 ? s->resource : asked;
}

/* ---- the seed's own metrics, by a dimension that names it */

/* "enrich" says orders-enrich, too. */
static bool names(const char *value, const char *name)
{
	size_t n = strlen(name), v = strlen(value);
	return strcmp(value, name) == 0 || (n > v && strcmp(name + n - v, value) == 0 && strchr("-_./", name[n - v - 1]));
}

static bool seed_metric(const struct init *w, const char *name, const char *asked, const char *stat,
                        struct metric_id *out)
{
	const struct listing *l = facts_listing(&w->facts, SEED_NS, NULL);
	for (unsigned i = 0; l && l->err.code == ERR_OK && i < l->out.n; i++) {
		const struct metric_id *m = &l->out.metrics[i];
		if (strcmp(m->name, name) != 0 || m->ndims != 1 ||
		    !(names(m->dims[0].value, asked) || names(m->dims[0].value, w->stage->name) ||
		      names(m->dims[0].value, w->stage->resource)))
			continue;
		metric_set(out, m->ns, m->name, stat);
		metric_add_dim(out, m->dims[0].name, m->dims[0].value);
		return true;
	}
	return false;
}

/* ---- the file */

static const char *unseen(const struct init *w, const struct recipe_alarm *a, struct buf *room)
{
	buf_init(room, 4096);
	for (unsigned i = 0; i < a->n; i++)
		if (facts_seen_id(&w->facts, &a->metrics[i]) == LINT_NEVER) {
			if (room->n)
				buf_adds(room, ", ");
			metric_text(&a->metrics[i], room);
		}
	return room->n ? room->p : NULL;
}

static void give(struct task *t, struct init *w)
{
	struct result *r = t->result;
	struct buf b, error, throughput;
	struct json_out o;
	buf_init(&b, FILE_MOST);
	json_out_lines(&o, &b);
	recipe_file(&o, &w->in, &w->recipe, unseen(w, &w->recipe.error, &error),
	            unseen(w, &w->recipe.throughput, &throughput));
	if (o.ok)
		r->alarm_code.text = arena_strndup(&r->alarm_code.mem, b.p, b.n);
	else
		err_set(&r->err, ERR_LIMIT, "alarms init", "the file would be too large");
	buf_clear(&b);
	buf_clear(&error);
	buf_clear(&throughput);
}

static bool begin(struct engine *g, struct task *t, struct init *w)
{
	struct err e = { 0 };
	const char *name = t->rq.alarm_code.names[0];
	w->stage = meant(g, name, &e);
	if (!w->stage || g->closing || !engine_connect(g)) {
		on_failure(g, t, &e);
		return false;
	}
	w->dlq = dlq_of(w->stage);
	w->in = (struct recipe_in){ .name = plain_name(w->stage, name),
		                        .kind = w->stage->kind->info.id,
		                        .resource = w->stage->resource,
		                        .dlq = w->dlq };
	facts_want_metric(&w->facts, SEED_NS, NULL);
	facts_ask(g, &w->facts);
	return true;
}

/* Which metrics: the configured ones, the seed's, the kind's. */
static bool choose(struct engine *g, struct task *t, struct init *w)
{
	struct recipe_in *in = &w->in;
	in->error = own_of(w->stage, ROLE_ERROR);
	in->throughput = own_of(w->stage, ROLE_OUT) ? own_of(w->stage, ROLE_OUT) : own_of(w->stage, ROLE_IN);
	if (!in->error && seed_metric(w, "ErrorRate", in->name, "Average", &w->error))
		in->error = &w->error;
	if (!in->throughput && seed_metric(w, "RecordsProcessed", in->name, "Sum", &w->throughput))
		in->throughput = &w->throughput;
	if (!recipe_of(in, &w->recipe)) {
		err_set(&t->result->err, ERR_USAGE, in->name, "there is no recipe for a %s", w->stage->kind->info.title);
		return false;
	}
	for (unsigned i = 0; i < w->recipe.error.n; i++)
		facts_want_metric(&w->facts, w->recipe.error.metrics[i].ns, w->recipe.error.metrics[i].name);
	for (unsigned i = 0; i < w->recipe.throughput.n; i++)
		facts_want_metric(&w->facts, w->recipe.throughput.metrics[i].ns, w->recipe.throughput.metrics[i].name);
	facts_ask(g, &w->facts);
	return true;
}

void alarm_init_step(struct engine *g, struct task *t)
{
	enum { ROUND, BEGIN, SEED, LISTED };
	if (t->state == ROUND) {
		t->state = BEGIN;
		task_need(g, t, NEED_LIST | NEED_DESCRIBE | NEED_EDGES);
		return;
	}
	struct init *w = t->work ? t->work : (t->work = xcalloc(1, sizeof *w));
	if (t->state == BEGIN) {
		t->state = SEED;
		if (!begin(g, t, w))
			return;
	}
	if (w->facts.waiting)
		return;
	if (t->state == SEED) {
		t->state = LISTED;
		t->done = !choose(g, t, w);
		return;
	}
	give(t, w);
	t->done = true;
}

void alarm_init_abandon(struct task *t)
{
	struct init *w = t->work;
	if (!w)
		return;
	facts_clear(&w->facts);
	recipe_clear(&w->recipe);
	metric_clear(&w->error);
	metric_clear(&w->throughput);
	free(w->dlq);
	free(w);
}
