#include "engine/alarm_facts.h"

#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

#define LISTINGS 300 /* each is a call */
#define TOPICS 200

void facts_want_metric(struct alarm_facts *f, const char *ns, const char *name)
{
	if (facts_listing(f, ns, name) || f->nlistings == LISTINGS)
		return;
	struct listing *l = xcalloc(1, sizeof *l);
	*l = (struct listing){ .next = f->listings, .facts = f, .ns = xstrdup(ns), .name = name ? xstrdup(name) : NULL };
	f->listings = l;
	f->nlistings++;
}

void facts_want_topic(struct alarm_facts *f, const char *arn)
{
	if (strncmp(arn, "arn:", 4) != 0 || !strstr(arn, ":sns:") || f->ntopics == TOPICS)
		return;
	for (const struct topic_ask *t = f->topics; t; t = t->next)
		if (strcmp(t->arn, arn) == 0)
			return;
	struct topic_ask *t = xcalloc(1, sizeof *t);
	*t = (struct topic_ask){ .next = f->topics, .facts = f, .arn = xstrdup(arn) };
	f->topics = t;
	f->ntopics++;
}

static void on_listing(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct listing *l = ctx;
	l->err = *e;
	l->facts->waiting--;
}

static void on_topic(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct topic_ask *t = ctx;
	t->err = *e;
	t->facts->waiting--;
}

void facts_ask(struct engine *g, struct alarm_facts *f)
{
	for (struct listing *l = f->listings; l; l = l->next) {
		if (l->asked)
			continue;
		l->asked = true;
		l->in = (struct list_metrics_in){ .ns = l->ns, .name = l->name };
		f->waiting++;
		aws_call(g->aws, &op_list_metrics, &l->in, &l->out, on_listing, l);
	}
	for (struct topic_ask *t = f->topics; t; t = t->next) {
		if (t->asked)
			continue;
		t->asked = true;
		t->in.topic = t->arn;
		f->waiting++;
		aws_call(g->aws, &op_list_subscriptions, &t->in, &t->out, on_topic, t);
	}
}

void facts_clear(struct alarm_facts *f)
{
	for (struct listing *l = f->listings, *next; l; l = next) {
		next = l->next;
		list_metrics_out_clear(&l->out);
		free(l->in.page.token);
		free(l->ns);
		free(l->name);
		free(l);
	}
	for (struct topic_ask *t = f->topics, *next; t; t = next) {
		next = t->next;
		list_subscriptions_out_clear(&t->out);
		free(t->in.page.token);
		free(t->arn);
		free(t);
	}
	*f = (struct alarm_facts){ 0 };
}

const struct listing *facts_listing(const struct alarm_facts *f, const char *ns, const char *name)
{
	for (const struct listing *l = f->listings; l; l = l->next)
		if (strcmp(l->ns, ns) == 0 && !l->name == !name && (!name || strcmp(l->name, name) == 0))
			return l;
	return NULL;
}

static bool has_dimension(const struct metric_id *m, const char *name, const char *value)
{
	for (unsigned i = 0; i < m->ndims; i++)
		if (name && value && strcmp(m->dims[i].name, name) == 0 && strcmp(m->dims[i].value, value) == 0)
			return true;
	return false;
}

static bool same_dimensions(const struct metric_id *m, const struct json *dimensions)
{
	unsigned n = 0;
	for (const struct json *d = json_first(dimensions); d; d = json_next(d), n++)
		if (!has_dimension(m, json_get_str(d, "Name"), json_get_str(d, "Value")))
			return false;
	return n == m->ndims;
}

static const struct listing *read_listing(const struct alarm_facts *f, const char *ns, const char *name)
{
	const struct listing *l = facts_listing(f, ns, name);
	l = l ? l : facts_listing(f, ns, NULL);
	return l && l->asked && l->err.code == ERR_OK ? l : NULL;
}

enum lint_seen facts_seen(const void *facts, const char *ns, const char *name, const struct json *dimensions)
{
	const struct listing *l = read_listing(facts, ns, name);
	for (unsigned i = 0; l && i < l->out.n; i++)
		if (strcmp(l->out.metrics[i].name, name) == 0 && same_dimensions(&l->out.metrics[i], dimensions))
			return LINT_SEEN;
	return l ? LINT_NEVER : LINT_NOT_KNOWN;
}

enum lint_seen facts_seen_id(const struct alarm_facts *f, const struct metric_id *m)
{
	const struct listing *l = read_listing(f, m->ns, m->name);
	for (unsigned i = 0; l && i < l->out.n; i++) {
		const struct metric_id *is = &l->out.metrics[i];
		bool same = strcmp(is->name, m->name) == 0 && is->ndims == m->ndims;
		for (unsigned k = 0; same && k < m->ndims; k++)
			same = has_dimension(is, m->dims[k].name, m->dims[k].value);
		if (same)
			return LINT_SEEN;
	}
	return l ? LINT_NEVER : LINT_NOT_KNOWN;
}

struct lint_topic *facts_topics(const struct alarm_facts *f, struct arena *mem, unsigned *n)
{
	struct lint_topic *v = arena_array(mem, f->ntopics, sizeof *v);
	*n = 0;
	for (const struct topic_ask *t = f->topics; t; t = t->next)
		v[(*n)++] = (struct lint_topic){ .arn = t->arn,
			                             .known = t->asked && t->err.code == ERR_OK,
			                             .confirmed = t->out.confirmed,
			                             .pending = t->out.pending,
			                             .missing = t->err.code == ERR_NOTFOUND ? "there is no such topic" : NULL };
	return v;
}
