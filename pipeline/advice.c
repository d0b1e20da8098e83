/* What edges and facts say is wrong with the wiring. A rule that lacks one of its facts says nothing. */
#include "core/mem.h"
#include "core/text.h"
#include "pipeline/inside.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VISIBILITY_TIMES 6 /* AWS's advice: a queue's visibility timeout is six times its function's timeout */

__attribute__((format(printf, 4, 5))) static void say(struct drawing *d, const char *code, uint32_t node,
                                                      const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	MEM_GROW(d->verdicts, d->nverdicts, d->cverdicts);
	d->verdicts[d->nverdicts++] = (struct flow_verdict){ code, node, arena_strdup(&d->flow->mem, text) };
}

static bool number(const struct node *n, const char *key, int64_t *v)
{
	const struct fact *f = fact_of(n->resource, key);
	char *end;
	if (!f || !*f->value)
		return false;
	*v = strtoll(f->value, &end, 10);
	return *end == '\0';
}

static bool is_fact(const struct node *n, const char *key, const char *value)
{
	const struct fact *f = fact_of(n->resource, key);
	return f && strcmp(f->value, value) == 0;
}

static bool is_kind(const struct node *n, const char *kind)
{
	return strcmp(n->kind, kind) == 0;
}

/* What leads into and out of a node, counted once for all advice. */
struct ends {
	uint32_t *mappings; /* out of it */
	uint32_t *sources;  /* into it, as dead-letter edges of either kind */
};

static enum relation_kind kind_of(const struct edge *e)
{
	return e->relation ? e->relation->kind : RELATION_DLQ;
}

static bool is_redrive(const struct edge *e)
{
	return kind_of(e) == RELATION_DLQ || kind_of(e) == RELATION_DLQ_SOURCE;
}

static void count_ends(const struct drawing *d, struct ends *c)
{
	c->mappings = xcalloc(d->nnodes + 1u, sizeof *c->mappings);
	c->sources = xcalloc(d->nnodes + 1u, sizeof *c->sources);
	for (uint32_t i = 0; i < d->nedges; i++) {
		const struct edge *e = &d->edges[i];
		if (kind_of(e) == RELATION_MAPPING)
			c->mappings[e->from]++;
		else
			c->sources[e->to]++;
	}
}

/* Other readers than Lambda leave no trace in these facts, but for a stream's registered ones. */
static void no_consumer(struct drawing *d, const struct ends *c, uint32_t i)
{
	const struct node *n = &d->nodes[i];
	int64_t registered;
	if (!d->facts->mappings_known || !n->resource || c->mappings[i] || c->sources[i])
		return;
	if (is_kind(n, "sqs"))
		say(d, "no_consumer", i, "no Lambda function reads this queue; whether anything else does cannot be seen here");
	else if (is_kind(n, "kinesis") && (!number(n, "consumers", &registered) || registered == 0))
		say(d, "no_consumer", i,
		    "neither a Lambda function nor a registered consumer reads this stream; other readers cannot be seen here");
}

/* The on-call person cannot tell from the queue whose failures these are. */
static void shared_dlq(struct drawing *d, const struct ends *c, uint32_t i)
{
	if (c->sources[i] > 1)
		say(d, "dlq_shared", i, "%" PRIu32 " sources share this dead-letter queue", c->sources[i]);
}

static void max_receive_count(struct drawing *d, uint32_t i)
{
	int64_t n;
	if (number(&d->nodes[i], "max_receive_count", &n) && n == 1)
		say(d, "max_receive_1", i,
		    "maxReceiveCount is 1: a message that is received once and not deleted in time is gone to the dead-letter "
		    "queue");
}

/* A standard queue's message keeps its first date when it moves; a FIFO queue's begins anew. */
static void dlq_retention(struct drawing *d, const struct edge *e)
{
	const struct node *from = &d->nodes[e->from], *to = &d->nodes[e->to];
	int64_t keeps, source;
	char a[TEXT_NUM], b[TEXT_NUM];
	if (!is_redrive(e) || is_fact(to, "fifo", "true") || !number(from, "retention_s", &source) ||
	    !number(to, "retention_s", &keeps) || keeps > source)
		return;
	text_duration(keeps, a);
	text_duration(source, b);
	say(d, "dlq_retention", e->to, "keeps messages for %s, and %s for %s: what fails late is gone before anybody looks",
	    a, from->name, b);
}

static void visibility(struct drawing *d, const struct edge *e)
{
	const struct node *from = &d->nodes[e->from], *to = &d->nodes[e->to];
	int64_t timeout, visible;
	if (!is_kind(from, "sqs") || !number(from, "visibility_s", &visible) || !number(to, "timeout_s", &timeout) ||
	    visible >= VISIBILITY_TIMES * timeout)
		return;
	say(d, "visibility", e->from,
	    "visibility timeout %" PRId64 " s < %d x the %" PRId64
	    " s timeout of %s: messages may come again while they are "
	    "being worked on",
	    visible, VISIBILITY_TIMES, timeout, to->name);
}

static void disabled(struct drawing *d, const struct edge *e)
{
	const struct relation *r = e->relation;
	if (!r->state || strncmp(r->state, "Disabl", 6) != 0)
		return;
	say(d, "consumer_disabled", e->from, "its mapping to %s is %s%s%s: nothing is read", d->nodes[e->to].name, r->state,
	    r->reason ? ": " : "", r->reason ? r->reason : "");
}

/* A batch that always fails stops its shard for as long as it may be tried again. */
static void poison(struct drawing *d, const struct edge *e)
{
	const struct relation *r = e->relation;
	if (!is_kind(&d->nodes[e->from], "kinesis"))
		return;
	const char *name = d->nodes[e->to].name;
	if (!r->on_failure)
		say(d, "no_on_failure", e->from, "its mapping to %s has no on-failure destination: what is given up is lost",
		    name);
	if (r->retries == -1 && r->record_age_s == -1)
		say(d, "infinite_retries", e->from,
		    "its mapping to %s retries without end: one bad record stops its shard until it expires", name);
}

static int by_arn(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The queue says it redrives there, and the dead-letter queue does not name it: one of the two answers is not true (any more). */
static void unconfirmed(struct drawing *d, const struct edge *e)
{
	const char *arn = d->nodes[e->to].id;
	const struct flow_facts *f = d->facts;
	if (kind_of(e) != RELATION_DLQ || e->confirmed || !f->nasked ||
	    !bsearch(&arn, f->asked, f->nasked, sizeof *f->asked, by_arn))
		return;
	say(d, "dlq_unconfirmed", e->from,
	    "its redrive policy names %s, which does not list it among its sources: changed within the last minute, or not "
	    "allowed",
	    d->nodes[e->to].name);
}

void advise(struct drawing *d)
{
	struct ends c;
	count_ends(d, &c);
	for (uint32_t i = 0; i < d->nnodes; i++) {
		no_consumer(d, &c, i);
		shared_dlq(d, &c, i);
		max_receive_count(d, i);
	}
	for (uint32_t i = 0; i < d->nedges; i++) {
		const struct edge *e = &d->edges[i];
		if (kind_of(e) == RELATION_MAPPING) {
			disabled(d, e);
			poison(d, e);
			visibility(d, e);
		}
		dlq_retention(d, e);
		unconfirmed(d, e);
		if (e->back)
			say(d, "cycle", e->from, "its %s edge to %s closes a cycle",
			    kind_of(e) == RELATION_MAPPING ? "mapping" : "dead-letter", d->nodes[e->to].name);
	}
	free(c.mappings);
	free(c.sources);
}
