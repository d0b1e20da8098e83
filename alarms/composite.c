#include "alarms/composite.h"

#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH 64
#define CHILDREN 100
#define ELEMENTS 500

/* ---- the grammar: expr := term { (AND | OR) term }; term := NOT term | (expr) | TRUE | FALSE | STATE(name) | AT_LEAST(n, STATE, (names)) */

struct rule {
	struct arena *mem;
	const char *p;
	struct children *out;
	struct err *e;
	unsigned depth, elements;
	bool good;
};

static bool wrong(struct rule *r, const char *why)
{
	if (r->good)
		err_set(r->e, ERR_CONF, "", "AlarmRule: %s at \"%.40s\"", why, *r->p ? r->p : "its end");
	r->good = false;
	return false;
}

static void blanks(struct rule *r)
{
	r->p += strspn(r->p, " \t\r\n");
}

static bool take(struct rule *r, const char *mark)
{
	size_t n = strlen(mark);
	blanks(r);
	if (strncmp(r->p, mark, n) != 0)
		return false;
	r->p += n;
	return true;
}

static bool letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* A word that ends there. */
static bool keyword(struct rule *r, const char *word)
{
	size_t n = strlen(word);
	blanks(r);
	if (strncmp(r->p, word, n) != 0 || letter(r->p[n]))
		return false;
	r->p += n;
	return true;
}

/* An alarm's ARN names it behind ":alarm:". */
static void add_child(struct rule *r, const char *name, size_t n)
{
	const char *text = arena_strndup(r->mem, name, n),
	           *arn = strncmp(text, "arn:", 4) == 0 ? strstr(text, ":alarm:") : NULL;
	struct children *c = r->out;
	text = arn ? arn + strlen(":alarm:") : text;
	for (unsigned i = 0; i < c->n; i++)
		if (strcmp(c->v[i], text) == 0)
			return;
	if (c->n < CHILDREN)
		c->v[c->n++] = text;
	else
		wrong(r, "more than 100 alarms");
}

/* In quotes (\" stands for one), or bare up to what cannot be in a name. */
static bool name(struct rule *r)
{
	blanks(r);
	if (*r->p != '"') {
		size_t n = strcspn(r->p, " \t\r\n(),\"");
		if (!n)
			return wrong(r, "an alarm's name is wanted");
		add_child(r, r->p, n);
		r->p += n;
		return true;
	}
	size_t most = strlen(r->p), n = 0;
	char *text = arena_alloc(r->mem, most + 1);
	for (r->p++; *r->p && *r->p != '"'; r->p++) {
		if (*r->p == '\\' && (r->p[1] == '"' || r->p[1] == '\\'))
			r->p++;
		text[n++] = *r->p;
	}
	if (*r->p != '"' || !n)
		return wrong(r, "a name in quotes does not end");
	r->p++;
	add_child(r, text, n);
	return true;
}

static bool state(struct rule *r)
{
	return keyword(r, "ALARM") || keyword(r, "OK") || keyword(r, "INSUFFICIENT_DATA");
}

/* AT_LEAST(2, ALARM, (a, b)) or AT_LEAST(50%, NOT OK, (a, b)). */
static bool at_least(struct rule *r)
{
	blanks(r);
	if (!take(r, "("))
		return wrong(r, "( is wanted");
	blanks(r);
	size_t digits = strspn(r->p, "0123456789");
	r->p += digits;
	if (!digits)
		return wrong(r, "a number is wanted");
	take(r, "%");
	if (!take(r, ","))
		return wrong(r, ", is wanted");
	keyword(r, "NOT");
	if (!state(r) || !take(r, ",") || !take(r, "("))
		return wrong(r, "a state and a list of alarms are wanted");
	do {
		if (!name(r))
			return false;
	} while (take(r, ","));
	return (take(r, ")") && take(r, ")")) || wrong(r, ") is wanted");
}

static bool expression(struct rule *r);

static bool term(struct rule *r)
{
	while (keyword(r, "NOT"))
		;
	if (++r->elements > ELEMENTS)
		return wrong(r, "more than 500 elements");
	if (take(r, "("))
		return expression(r) && (take(r, ")") || wrong(r, ") is wanted"));
	if (keyword(r, "TRUE") || keyword(r, "FALSE"))
		return true;
	if (keyword(r, "AT_LEAST"))
		return at_least(r);
	if (!state(r))
		return wrong(r, "ALARM, OK, INSUFFICIENT_DATA, AT_LEAST, TRUE, FALSE, NOT or ( is wanted");
	if (!take(r, "("))
		return wrong(r, "( is wanted");
	return name(r) && (take(r, ")") || wrong(r, ") is wanted"));
}

static bool expression(struct rule *r)
{
	if (++r->depth > DEPTH)
		return wrong(r, "is nested too deeply");
	bool ok = term(r);
	while (ok && (keyword(r, "AND") || keyword(r, "OR")))
		ok = term(r);
	r->depth--;
	return ok;
}

bool composite_children(struct arena *mem, const char *rule, struct children *out, struct err *e)
{
	struct rule r = { .mem = mem, .p = rule, .out = out, .e = e, .good = true };
	*out = (struct children){ arena_array(mem, CHILDREN, sizeof *out->v), 0 };
	bool ok = expression(&r);
	blanks(&r);
	return ok && (*r.p == '\0' || wrong(&r, "AND or OR is wanted"));
}

/* ---- the order: Tarjan's strongly connected components, without recursion, so that a long chain costs no stack */

struct walk {
	struct arena *mem;
	const struct family *v;
	const struct family **sorted;
	unsigned n, clock;
	unsigned *seen, *low;  /* when it was first met, from 1; the earliest that it leads back to */
	unsigned *next;        /* child to look at */
	unsigned *path, npath; /* being visited */
	unsigned *open, nopen; /* met, and not yet in a component */
	unsigned *component;   /* from 1; 0: none yet */
	unsigned ncomponents;
	unsigned *order, norder;
};

static int by_name(const void *a, const void *b)
{
	const struct family *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

static unsigned find(const struct walk *w, const char *name)
{
	struct family key = { .name = name };
	const struct family *k = &key, **found = bsearch(&k, w->sorted, w->n, sizeof(struct family *), by_name);
	return found ? (unsigned)(*found - w->v) : w->n;
}

static void enter(struct walk *w, unsigned i)
{
	w->seen[i] = w->low[i] = ++w->clock;
	w->path[w->npath++] = i;
	w->open[w->nopen++] = i;
}

static void lower(struct walk *w, unsigned i, unsigned to)
{
	if (to < w->low[i])
		w->low[i] = to;
}

static void leave(struct walk *w, unsigned i)
{
	w->npath--;
	w->order[w->norder++] = i;
	if (w->npath)
		lower(w, w->path[w->npath - 1], w->low[i]);
	if (w->low[i] != w->seen[i])
		return;
	w->ncomponents++;
	do {
		w->component[w->open[--w->nopen]] = w->ncomponents;
	} while (w->open[w->nopen] != i);
}

static void visit(struct walk *w, unsigned root)
{
	enter(w, root);
	while (w->npath) {
		unsigned at = w->path[w->npath - 1];
		if (w->next[at] == w->v[at].children.n) {
			leave(w, at);
			continue;
		}
		unsigned child = find(w, w->v[at].children.v[w->next[at]++]);
		if (child == w->n)
			continue;
		if (!w->seen[child])
			enter(w, child);
		else if (!w->component[child])
			lower(w, at, w->seen[child]);
	}
}

/* A child in the same component; n: there is none. */
static unsigned onward(const struct walk *w, unsigned at)
{
	for (unsigned i = 0; i < w->v[at].children.n; i++) {
		unsigned child = find(w, w->v[at].children.v[i]);
		if (child != w->n && w->component[child] == w->component[at])
			return child;
	}
	return w->n;
}

/* Onward until somebody comes twice: from there on it is a ring. */
static const char *ring_of(struct walk *w, unsigned from)
{
	unsigned at = from, steps = 0;
	const char *text = NULL;
	if (onward(w, from) == w->n)
		return NULL;
	for (; steps < w->n; steps++)
		at = onward(w, at); /* now surely in the ring that this way ends in */
	unsigned first = at;
	do {
		text = text ? arena_printf(w->mem, "%s -> %s", text, w->v[at].name) : arena_strdup(w->mem, w->v[at].name);
		at = onward(w, at);
	} while (at != first);
	return arena_printf(w->mem, "%s -> %s", text, w->v[first].name);
}

void composite_order(struct arena *mem, const struct family *v, unsigned n, unsigned *order, const char **ring)
{
	struct walk w = { .mem = mem, .v = v, .n = n, .order = order };
	unsigned **columns[] = { &w.seen, &w.low, &w.next, &w.path, &w.open, &w.component };
	w.sorted = arena_array(mem, n, sizeof *w.sorted);
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
		*columns[i] = arena_array(mem, n, sizeof **columns[i]);
	for (unsigned i = 0; i < n; i++)
		w.sorted[i] = &v[i];
	if (n)
		qsort(w.sorted, n, sizeof(struct family *), by_name);
	for (unsigned i = 0; i < n; i++)
		if (!w.seen[i])
			visit(&w, i);
	for (unsigned i = 0; i < n; i++)
		ring[i] = ring_of(&w, i);
}
