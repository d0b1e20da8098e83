/* Stacks and tags: who belongs together by another's word. Their members become stages of the [pipeline] that names them, or the one
 * pipeline of a `discover` request. A round waits for them as it waits for lists. */
#include "core/mem.h"
#include "engine/inside.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define NESTED_MOST 100 /* stacks within one stack */

struct ask_members {
	struct engine *g;
	struct group *group;
	struct group_in in;
	struct found found;
};

/* ---- pipelines by name */

unsigned inventory_pipeline(struct engine *g, const char *name)
{
	MEM_GROW(g->pipelines, g->npipelines, g->cpipelines);
	g->pipelines[g->npipelines] = xstrdup(name);
	return g->npipelines++;
}

void inventory_pipelines_clear(struct engine *g)
{
	for (unsigned i = 0; i < g->npipelines; i++)
		free(g->pipelines[i]);
	g->npipelines = 0;
}

/* ---- groups */

static void clear_members(struct group *p)
{
	arena_clear(&p->mem);
	arena_init(&p->mem);
	free(p->v);
	p->v = NULL;
	p->n = p->cap = p->others = 0;
	for (unsigned i = 0; i < p->nnested; i++)
		free(p->nested[i]);
	free(p->nested);
	p->nested = NULL;
	p->nnested = p->asked = 0;
}

struct group *group_new(struct engine *g, const char *name, const char *stack, const char *tag, unsigned pipeline)
{
	struct group *p = xcalloc(1, sizeof *p);
	const char *eq = tag ? strchr(tag, '=') : NULL;
	p->name = xstrdup(name);
	p->stack = stack ? xstrdup(stack) : NULL;
	p->key = !tag ? NULL : eq ? xstrndup(tag, (size_t)(eq - tag)) : xstrdup(tag);
	p->value = eq ? xstrdup(eq + 1) : NULL;
	p->pipeline = pipeline;
	arena_init(&p->mem);
	g->groups = xreallocarray(g->groups, g->ngroups + 1u, sizeof *g->groups);
	g->groups[g->ngroups++] = p;
	return p;
}

static void group_free(struct group *p)
{
	clear_members(p);
	arena_clear(&p->mem);
	free(p->name);
	free(p->stack);
	free(p->key);
	free(p->value);
	free(p);
}

void group_drop(struct engine *g, struct group *p)
{
	unsigned i = 0;
	while (i < g->ngroups && g->groups[i] != p)
		i++;
	if (i == g->ngroups)
		return;
	g->groups[i] = g->groups[--g->ngroups];
	group_free(p);
}

void groups_init(struct engine *g)
{
	for (unsigned i = 0; i < g->conf->npipelines; i++) {
		const struct conf_pipeline *c = &g->conf->pipelines[i];
		if (c->stack)
			group_new(g, c->name, c->stack, NULL, i);
		if (c->tag)
			group_new(g, c->name, NULL, c->tag, i);
	}
}

void groups_free(struct engine *g)
{
	for (unsigned i = 0; i < g->ngroups; i++)
		group_free(g->groups[i]);
	free(g->groups);
	g->groups = NULL;
	g->ngroups = 0;
}

const struct group *group_of(const struct engine *g, unsigned pipeline)
{
	for (unsigned i = 0; i < g->ngroups; i++)
		if (g->groups[i]->pipeline == pipeline)
			return g->groups[i];
	return NULL;
}

const struct err *group_err(const struct engine *g, unsigned pipeline)
{
	for (unsigned i = 0; i < g->ngroups; i++)
		if (g->groups[i]->pipeline == pipeline && g->groups[i]->err.code != ERR_OK)
			return &g->groups[i]->err;
	return NULL;
}

/* ---- members */

int member_order(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int d = strcmp(x->kind->info.id, y->kind->info.id);
	return d ? d : strcmp(x->name, y->name);
}

bool group_has(const struct group *p, const struct kind *k, const char *name)
{
	struct member want = { k, name };
	return p->n && bsearch(&want, p->v, p->n, sizeof *p->v, member_order);
}

static const struct kind *kind_of_type(const char *type)
{
	for (unsigned i = 0; type && i < nkinds; i++)
		if (strcmp(kinds[i]->cfn_type, type) == 0)
			return kinds[i];
	return NULL;
}

/* Of a queue a stack knows the URL. */
static const char *physical_name(const char *id)
{
	const char *slash = strstr(id, "://") ? strrchr(id, '/') : NULL;
	return slash && slash[1] ? slash + 1 : id;
}

static void add_nested(struct group *p, const char *arn)
{
	for (unsigned i = 0; i < p->nnested; i++)
		if (strcmp(p->nested[i], arn) == 0)
			return;
	if (p->nnested == NESTED_MOST)
		return;
	p->nested = xreallocarray(p->nested, p->nnested + 1u, sizeof *p->nested);
	p->nested[p->nnested++] = xstrdup(arn);
}

static void add_member(struct engine *g, struct group *p, const struct found_res *r)
{
	const char *name = physical_name(r->name);
	const struct kind *k = r->arn ? kind_of_arn(r->arn, &name) : kind_of_type(r->handle);
	if (r->handle && strcmp(r->handle, STACK_TYPE) == 0) {
		add_nested(p, r->name);
	} else if (!k) {
		p->others++;
	} else if (!r->arn || !g->target.region[0] || strstr(r->arn, g->target.region)) {
		MEM_GROW(p->v, p->n, p->cap);
		p->v[p->n++] = (struct member){ k, arena_strdup(&p->mem, name) };
	}
}

static void add_members(struct engine *g, struct group *p, const struct found *f)
{
	for (unsigned i = 0; i < f->nres; i++)
		add_member(g, p, &f->res[i]);
	unsigned keep = 0;
	if (p->n > 1)
		qsort(p->v, p->n, sizeof *p->v, member_order);
	for (unsigned i = 0; i < p->n; i++)
		if (!keep || member_order(&p->v[keep - 1], &p->v[i]) != 0)
			p->v[keep++] = p->v[i];
	p->n = keep;
}

/* ---- asking */

static void ask(struct engine *g, struct group *p, const char *stack);

/* AWS's word for "no such stack" is a validation error. */
static void in_plain_words(const struct engine *g, struct group *p)
{
	struct err *e = &p->err;
	if (p->stack && e->code == ERR_REFUSED && strstr(e->text, "does not exist"))
		err_set(e, ERR_NOTFOUND, p->stack, "there is no CloudFormation stack of this name in %s", g->target.region);
}

static void members_known(struct engine *g, struct group *p)
{
	p->known = true;
	if (p->pipeline != UINT_MAX) {
		inventory_members(g, p);
		inventory_bind(g);
		discover_members(g);
	}
}

static void on_members(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct ask_members *a = ctx;
	struct engine *g = a->g;
	struct group *p = a->group;
	p->err = *e;
	if (e->code == ERR_OK) {
		if (!p->asked) /* the new list takes the old one's place when it is there, not before */
			clear_members(p);
		add_members(g, p, &a->found);
		if (p->asked < p->nnested && !g->closing)
			ask(g, p, p->nested[p->asked++]);
		else
			members_known(g, p);
	}
	p->known = p->known && (e->code == ERR_OK || !p->asked); /* a list that is half new is no list */
	in_plain_words(g, p);
	g->round.lists_pending--;
	found_clear(&a->found);
	free(a->in.page.token);
	free(a);
	round_arrived(g);
}

static void ask(struct engine *g, struct group *p, const char *stack)
{
	struct ask_members *a = xcalloc(1, sizeof *a);
	a->g = g;
	a->group = p;
	a->in = (struct group_in){ .stack = stack, .key = p->key, .value = p->value };
	found_init(&a->found);
	round_expect(g);
	g->round.lists_pending++;
	aws_call_as(g->aws, CALL_DISCOVERY, stack ? &op_list_stack_resources : &op_get_resources, &a->in, &a->found,
	            on_members, a);
}

void groups_begin(struct engine *g)
{
	for (unsigned i = 0; i < g->ngroups; i++) {
		g->groups[i]->asked = 0;
		ask(g, g->groups[i], g->groups[i]->stack);
	}
}
