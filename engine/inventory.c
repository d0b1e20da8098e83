/* What exists: resources as discovery found them, stages as the configuration (or discovery) names them, and one measure
 * for each series, however many stages show it. */
#include "core/hash.h"
#include "core/log.h"
#include "core/mem.h"
#include "engine/inside.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- resources */

struct kind_state *kind_state_of(const struct engine *g, const struct kind *k)
{
	unsigned i = 0;
	while (kinds[i] != k)
		i++;
	return &g->kind_state[i];
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct res *)a)->key, ((const struct res *)b)->key);
}

static void res_free(struct res *r)
{
	free(r->key);
	free(r->name);
	free(r->arn);
	free(r->handle);
	free(r->fed_by);
	free(r->feeds);
	free(r->group);
	free(r->err);
	arena_clear(&r->mem);
	closer_free(r->closer);
	free(r);
}

struct res *inventory_res(struct engine *g, const struct kind *k, const char *name, bool add)
{
	struct res want = { .key = xasprintf("%s:%s", k->info.id, name) };
	struct res **found = tfind(&want, &g->res_tree, by_key);
	if (found || !add) {
		free(want.key);
		return found ? *found : NULL;
	}
	struct res *r = xcalloc(1, sizeof *r);
	r->kind = k;
	r->key = want.key;
	r->name = xstrdup(name);
	arena_init(&r->mem);
	tsearch(r, &g->res_tree, by_key);
	MEM_GROW(g->res, g->nres, g->cres);
	g->res[g->nres++] = r;
	return r;
}

struct res *inventory_by_arn(struct engine *g, const char *arn)
{
	const char *name;
	const struct kind *k = kind_of_arn(arn, &name);
	struct res *r = k ? inventory_res(g, k, name, false) : NULL;
	/* The same name in another account or region is another resource. */
	if (r && r->arn)
		return strcmp(r->arn, arn) == 0 ? r : NULL;
	return r && (!g->target.account[0] || strstr(arn, g->target.account)) ? r : NULL;
}

char *arn_of(const struct engine *g, const struct kind *k, const char *name)
{
	const struct target *t = &g->target;
	return xasprintf("arn:%s:%s:%s:%s:%s%s", t->partition, k->arn_service, t->region[0] ? t->region : "*",
	                 t->account[0] ? t->account : "*", k->arn_prefix, name);
}

const struct fact *res_fact(const struct res *r, const char *key)
{
	for (unsigned i = 0; r && i < r->nfacts; i++)
		if (strcmp(r->facts[i].key, key) == 0)
			return &r->facts[i];
	return NULL;
}

static void replace(char **at, const char *value)
{
	if (!value || (*at && strcmp(*at, value) == 0))
		return;
	free(*at);
	*at = xstrdup(value);
}

/* Facts arrive for many resources in one answer: each takes its own. */
static void take_facts(struct engine *g, const struct kind *k, const struct found *f, struct res *only)
{
	for (unsigned i = 0; i < f->nfacts; i++) {
		struct res *r = only ? only : inventory_res(g, k, f->facts[i].res, false);
		if (!r)
			continue;
		struct fact *more = arena_array(&r->mem, r->nfacts + 1u, sizeof *more);
		if (r->nfacts)
			memcpy(more, r->facts, r->nfacts * sizeof *more);
		more[r->nfacts] =
		    (struct fact){ arena_strdup(&r->mem, f->facts[i].key), arena_strdup(&r->mem, f->facts[i].value) };
		r->facts = more;
		r->nfacts++;
	}
}

static void drop_facts(struct res *r)
{
	arena_clear(&r->mem);
	r->facts = NULL;
	r->nfacts = 0;
}

static void drop_res(struct engine *g, unsigned i)
{
	struct res *r = g->res[i];
	for (unsigned s = 0; s < g->nstages; s++) /* rare, so a walk will do */
		if (g->stages[s]->res == r)
			g->stages[s]->res = NULL;
	tdelete(r, &g->res_tree, by_key);
	res_free(r);
	g->res[i] = g->res[--g->nres];
}

void inventory_listed(struct engine *g, const struct kind *k, const struct found *f)
{
	for (unsigned i = 0; i < g->nres; i++)
		if (g->res[i]->kind == k)
			g->res[i]->seen = false;
	for (unsigned i = 0; i < f->nres; i++) {
		struct res *r = inventory_res(g, k, f->res[i].name, true);
		r->seen = true;
		replace(&r->arn, f->res[i].arn);
		replace(&r->handle, f->res[i].handle);
		if (!k->describe)
			drop_facts(r);
	}
	if (!k->describe)
		take_facts(g, k, f, NULL);
	for (unsigned i = g->nres; i-- > 0;)
		if (g->res[i]->kind == k && !g->res[i]->seen)
			drop_res(g, i);
}

void inventory_described(struct engine *g, struct res *r, const struct found *f)
{
	int64_t now = clock_wall();
	drop_facts(r);
	take_facts(g, r->kind, f, r);
	if (f->nres)
		replace(&r->arn, f->res[0].arn);
	for (unsigned i = 0; i < f->nvalues; i++)
		ingest_direct(g, inventory_direct(g, r->kind, f->values[i].key, r->name), now, f->values[i].v);
	r->described = true;
}

static void relate(struct engine *g, const struct relation *e)
{
	struct res *from = inventory_by_arn(g, e->from), *to = inventory_by_arn(g, e->to);
	if (e->kind != RELATION_MAPPING && to)
		to->dlq = to->dlq_seen = true;
	if (!from || !to)
		return;
	const char *state = e->state && strcmp(e->state, "Enabled") != 0 ? e->state : NULL;
	char *feeds = state ? xasprintf("%s (%s)", to->key, state) : xstrdup(to->key);
	char *fed = state ? xasprintf("%s (%s)", from->key, state) : xstrdup(from->key);
	/* A mapping says where records flow; a dead-letter edge only fills what is still empty. */
	if (e->kind == RELATION_MAPPING || !from->feeds)
		replace(&from->feeds, feeds);
	if (e->kind == RELATION_MAPPING || !to->fed_by)
		replace(&to->fed_by, fed);
	free(feeds);
	free(fed);
}

void inventory_related(struct engine *g, const struct found *f)
{
	for (unsigned i = 0; i < f->nedges; i++)
		relate(g, &f->edges[i]);
}

void inventory_relations_begin(struct engine *g)
{
	for (unsigned i = 0; i < g->nres; i++)
		g->res[i]->dlq_seen = false;
}

void inventory_relations_end(struct engine *g)
{
	for (unsigned i = 0; i < g->nres; i++)
		g->res[i]->dlq = g->res[i]->dlq_seen;
}

static bool take_account(struct engine *g, const char *arn)
{
	for (unsigned colon = 0; arn && colon < 4; colon++) {
		arn = strchr(arn, ':');
		arn = arn ? arn + 1 : NULL;
	}
	if (!arn || strspn(arn, "0123456789") != 12)
		return false;
	memcpy(g->target.account, arn, 12);
	g->target.account[12] = '\0';
	store_account(g);
	return true;
}

void inventory_account(struct engine *g)
{
	for (unsigned i = 0; i < g->alarms.n; i++)
		if (take_account(g, g->alarms.alarms[i].arn))
			return;
	for (unsigned i = 0; i < g->nres; i++)
		if (take_account(g, g->res[i]->arn))
			return;
}

/* ---- stages */

static uint64_t fnv(uint64_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return (h ^ 0xff) * 0x100000001b3u;
}

static uint64_t stage_id(const char *pipeline, const char *name, const struct kind *k, const char *resource)
{
	uint64_t h = fnv(fnv(fnv(fnv(0xcbf29ce484222325u, pipeline), name), k->info.id), resource);
	return h ? h : 1;
}

static struct measure *kind_measure(struct engine *g, const struct kind *k, const struct metric_info *info,
                                    const char *resource)
{
	if (info->from == FROM_DIRECT)
		return inventory_direct(g, k, info->key, resource);
	if (info->from != FROM_CLOUDWATCH)
		return NULL;
	struct metric_id id = { 0 };
	metric_set(&id, k->info.ns, info->name, info->stat);
	metric_add_dim(&id, k->info.dimension, resource);
	struct measure *m = inventory_measure(g, &id, STEP, info->sparse);
	metric_clear(&id);
	return m;
}

static enum unit own_unit(enum role role)
{
	switch (role) {
	case ROLE_ERROR: return UNIT_PERCENT;
	case ROLE_LATENCY: return UNIT_MILLISECONDS;
	case ROLE_AGE: return UNIT_SECONDS;
	default: return UNIT_COUNT;
	}
}

static void own_measures(struct engine *g, struct stage *s)
{
	for (unsigned r = ROLE_IN; s->conf && r < ROLE_COUNT; r++) {
		const struct metric_id *id = &s->conf->metric[r];
		if (!id->name)
			continue;
		s->own = s->own ? s->own : xcalloc(ROLE_COUNT, sizeof *s->own);
		s->own[r].m = inventory_measure(g, id, STEP, false);
		s->own[r].info = (struct metric_info){ .key = role_name((enum role)r),
			                                   .title = id->name,
			                                   .from = FROM_CLOUDWATCH,
			                                   .name = id->name,
			                                   .stat = id->stat,
			                                   .role = (enum role)r,
			                                   .unit = own_unit((enum role)r) };
	}
}

static struct stage *stage_new(struct engine *g, unsigned pipeline, const char *name, const struct kind *k,
                               const char *resource, const struct conf_stage *conf)
{
	struct stage *s = xcalloc(1, sizeof *s);
	const char *home = g->conf->npipelines ? g->pipelines[pipeline] : DISCOVERED; /* wherever it is grouped later */
	s->id = stage_id(home, name, k, resource);
	s->name = xstrdup(name);
	s->resource = xstrdup(resource);
	s->kind = k;
	s->conf = conf;
	s->pipeline = pipeline;
	s->health = HEALTH_UNKNOWN;
	s->row = UINT32_MAX;
	s->m = xcalloc(k->info.nmetrics, sizeof *s->m);
	for (unsigned i = 0; i < k->info.nmetrics; i++)
		s->m[i] = kind_measure(g, k, &k->info.metrics[i], resource);
	s->loss.state = k->keeps == KEEPS_NOTHING ? LOSS_NONE : LOSS_UNKNOWN;
	own_measures(g, s);
	s->judged = stage_judges(s);
	MEM_GROW(g->stages, g->nstages, g->cstages);
	g->stages[g->nstages++] = s;
	g->stages_changed = true;
	return s;
}

static void stage_free(struct stage *s)
{
	free(s->name);
	free(s->resource);
	free(s->reason);
	free(s->m);
	free(s->own);
	free(s);
}

void inventory_init(struct engine *g)
{
	g->kind_state = xcalloc(nkinds, sizeof *g->kind_state);
	const struct conf *c = g->conf;
	for (unsigned p = 0; p < c->npipelines; p++) {
		unsigned at = inventory_pipeline(g, c->pipelines[p].name);
		for (unsigned i = 0; i < c->nstages; i++) {
			const struct conf_stage *s = &c->stages[i];
			const struct kind *k = strcmp(s->pipeline, c->pipelines[p].name) == 0 ? kind_find(s->kind) : NULL;
			if (k)
				stage_new(g, at, s->name, k, s->resource, s);
		}
	}
	if (c->npipelines == 0)
		inventory_pipeline(g, DISCOVERED);
	groups_init(g);
}

static void drop_gone_stages(struct engine *g)
{
	unsigned keep = 0;
	for (unsigned i = 0; i < g->nstages; i++) {
		if (g->stages[i]->res) {
			g->stages[keep++] = g->stages[i];
			continue;
		}
		links_clear(g);
		stage_free(g->stages[i]);
		g->stages_changed = true;
	}
	g->nstages = keep;
}

/* Without pipelines in the configuration every resource is a stage. */
static void stages_from_resources(struct engine *g)
{
	drop_gone_stages(g);
	for (unsigned i = 0; i < g->nres; i++) {
		struct res *r = g->res[i];
		if (r->stage)
			continue;
		r->stage = stage_new(g, 0, r->name, r->kind, r->name, NULL);
		r->stage->res = r;
		r->shown = true;
	}
	if (g->stages_changed)
		flow_sort(g);
}

static void drop_former_members(struct engine *g, const struct group *p)
{
	unsigned keep = 0;
	for (unsigned i = 0; i < g->nstages; i++) {
		struct stage *s = g->stages[i];
		if (s->group != p || group_has(p, s->kind, s->resource)) {
			g->stages[keep++] = s;
			continue;
		}
		links_clear(g);
		stage_free(s);
		g->stages_changed = true;
	}
	g->nstages = keep;
}

/* What the pipeline shows already, sorted. A member that the configuration names as a stage of it is that stage. */
static struct member *shown_members(const struct engine *g, unsigned pipeline, unsigned *n)
{
	struct member *v = xcalloc(g->nstages + 1u, sizeof *v);
	*n = 0;
	for (unsigned i = 0; i < g->nstages; i++) {
		const struct stage *s = g->stages[i];
		if (s->pipeline == pipeline && (s->conf || s->group))
			v[(*n)++] = (struct member){ s->kind, s->resource };
	}
	if (*n > 1)
		qsort(v, *n, sizeof *v, member_order);
	return v;
}

void inventory_members(struct engine *g, const struct group *p)
{
	unsigned n;
	drop_former_members(g, p);
	struct member *shown = shown_members(g, p->pipeline, &n);
	for (unsigned i = 0; i < p->n; i++)
		if (!n || !bsearch(&p->v[i], shown, n, sizeof *shown, member_order))
			stage_new(g, p->pipeline, p->v[i].name, p->v[i].kind, p->v[i].name, NULL)->group = p;
	free(shown);
}

void inventory_bind(struct engine *g)
{
	if (g->conf->npipelines == 0) {
		stages_from_resources(g);
		return;
	}
	for (unsigned i = 0; i < g->nstages; i++) {
		struct stage *s = g->stages[i];
		s->res = inventory_res(g, s->kind, s->resource, false);
		if (s->res)
			s->res->shown = true;
	}
}

/* "orders/enrich", "enrich", "orders-enrich" or "lambda:orders-enrich". */
static bool stage_is(const struct engine *g, const struct stage *s, const char *name)
{
	const char *pipeline = g->pipelines[s->pipeline];
	size_t n = strlen(pipeline), k = strlen(s->kind->info.id);
	if (strcmp(s->name, name) == 0 || strcmp(s->resource, name) == 0)
		return true;
	if (strncmp(name, pipeline, n) == 0 && name[n] == '/' && strcmp(name + n + 1, s->name) == 0)
		return true;
	return strncmp(name, s->kind->info.id, k) == 0 && name[k] == ':' && strcmp(name + k + 1, s->resource) == 0;
}

struct stage *inventory_stage(struct engine *g, const char *name, struct err *e)
{
	struct stage *found = NULL;
	for (unsigned i = 0; i < g->nstages; i++) {
		struct stage *s = g->stages[i];
		if (!stage_is(g, s, name))
			continue;
		if (found && (found->kind != s->kind || strcmp(found->resource, s->resource) != 0)) {
			err_set(e, ERR_USAGE, name, "%s:%s and %s:%s both have this name; say KIND:NAME", found->kind->info.id,
			        found->resource, s->kind->info.id, s->resource);
			return NULL;
		}
		found = found ? found : s;
	}
	if (!found)
		err_set(e, ERR_NOTFOUND, name, "no stage or resource of this name was found");
	return found;
}

struct stage *inventory_adhoc(struct engine *g, const char *name)
{
	const char *colon = strchr(name, ':');
	char *id = colon ? xstrndup(name, (size_t)(colon - name)) : NULL;
	const struct kind *k = id ? kind_find(id) : NULL;
	free(id);
	return k && colon[1] ? stage_new(g, 0, colon + 1, k, colon + 1, NULL) : NULL;
}

/* ---- */

static void nothing(void *p)
{
	(void)p;
}

void inventory_free(struct engine *g)
{
	for (unsigned i = 0; i < g->nstages; i++)
		stage_free(g->stages[i]);
	measures_free(g);
	tdestroy(g->res_tree, nothing);
	for (unsigned i = 0; i < g->nres; i++)
		res_free(g->res[i]);
	arena_clear(&g->losses);
	inventory_pipelines_clear(g);
	groups_free(g);
	for (unsigned i = 0; g->kind_state && i < nkinds; i++)
		relations_clear(&g->kind_state[i].relations);
	relations_clear(&g->sources);
	links_clear(g);
	free(g->stages);
	free(g->res);
	free(g->pipelines);
	free(g->kind_state);
	g->res_tree = NULL;
	g->res = NULL;
	g->stages = NULL;
	g->pipelines = NULL;
	g->kind_state = NULL;
	g->nres = g->cres = 0;
	g->nstages = g->cstages = g->npipelines = g->cpipelines = 0;
}
