#include "pipeline/errors.h"

#include "core/mem.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHAPE_MOST 300
#define SAMPLE_MOST 240

struct seen { /* a line that is an error, or one that says whose a stream was from then on */
	int64_t at_ms;
	const char *stream;
	bool start;
	const char *request, *version, *message; /* NULL: it does not say */
	const char *shape, *type, *sample;
};

struct errors {
	struct arena mem;
	struct seen *v;
	unsigned n, cap;
	void *ids;     /* of events that came already */
	void *streams; /* their names, once each */
};

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void nothing(void *p)
{
	(void)p;
}

struct errors *errors_new(void)
{
	return xcalloc(1, sizeof(struct errors));
}

void errors_free(struct errors *e)
{
	if (!e)
		return;
	tdestroy(e->ids, nothing);
	tdestroy(e->streams, nothing);
	arena_clear(&e->mem);
	free(e->v);
	free(e);
}

/* The text's one copy; *known: it was there. */
static const char *intern(struct errors *e, void **tree, const char *text, bool *known)
{
	char **found = tfind(text, tree, by_text);
	*known = found != NULL;
	if (found)
		return *found;
	char *own = arena_strdup(&e->mem, text);
	tsearch(own, tree, by_text);
	return own;
}

static const char *said(struct errors *e, const char *text)
{
	return text[0] ? arena_strdup(&e->mem, text) : NULL;
}

/* 2026/11/23/[42]0123abcd: Lambda names the version in the stream. */
static const char *version_of_stream(struct errors *e, const char *stream)
{
	const char *open = strchr(stream, '['), *close = open ? strchr(open, ']') : NULL;
	return close && close > open + 1 && close - open < 24 ? arena_strndup(&e->mem, open + 1, (size_t)(close - open - 1))
	                                                      : NULL;
}

static const char *between(const struct error_line *l)
{
	return !l->type[0] || !l->text[0]           ? ""
	       : strncmp(l->text, "after ", 6) == 0 ? " "
	                                            : ": "; /* "Task timed out after 3 s" */
}

static void write_shape(struct errors *e, const struct error_line *l, struct seen *s)
{
	struct buf b, sample;
	buf_init(&b, 4096);
	buf_init(&sample, 4096);
	buf_adds(&b, l->type);
	if (l->text[0]) {
		buf_adds(&b, between(l));
		error_normalise(l->text, &b);
	}
	if (l->place[0])
		buf_addf(&b, ", at %s", l->place);
	if (!b.n)
		buf_adds(&b, "an error without words");
	s->shape = arena_strndup(&e->mem, b.p ? b.p : "", b.n < SHAPE_MOST ? b.n : SHAPE_MOST);
	buf_adds(&sample, l->type);
	buf_adds(&sample, between(l));
	error_mask(l->text, &sample);
	s->sample = arena_strndup(&e->mem, sample.p ? sample.p : "", sample.n < SAMPLE_MOST ? sample.n : SAMPLE_MOST);
	s->type = arena_strdup(&e->mem, l->type);
	buf_clear(&b);
	buf_clear(&sample);
}

static void add(struct errors *e, const char *stream, int64_t at_ms, const struct error_line *l, bool counts)
{
	bool known;
	if (l->what == LINE_ERROR ? !counts : l->what == LINE_OTHER && !(l->message[0] && l->request[0]))
		return;
	MEM_GROW(e->v, e->n, e->cap);
	struct seen *s = &e->v[e->n++];
	*s = (struct seen){ .at_ms = at_ms,
		                .stream = intern(e, &e->streams, stream ? stream : "", &known),
		                .start = l->what == LINE_START,
		                .request = said(e, l->request),
		                .version = said(e, l->version),
		                .message = said(e, l->message) };
	if (!s->version)
		s->version = version_of_stream(e, s->stream);
	if (l->what == LINE_ERROR)
		write_shape(e, l, s);
}

void errors_add(struct errors *e, const char *stream, const char *id, int64_t at_ms, struct span line)
{
	struct error_line l;
	bool known = false;
	if (id && *id)
		intern(e, &e->ids, id, &known);
	if (known)
		return;
	error_line_read(line, &l);
	add(e, stream, at_ms, &l, true);
}

void errors_add_context(struct errors *e, const char *stream, int64_t at_ms, struct span line)
{
	struct error_line l;
	error_line_read(line, &l);
	add(e, stream, at_ms, &l, false);
}

/* ---- grouping */

/* By stream and time; of one instant what began it stands first. */
static int by_stream(const void *a, const void *b)
{
	const struct seen *x = *(struct seen *const *)a, *y = *(struct seen *const *)b;
	int d = strcmp(x->stream, y->stream);
	if (d)
		return d;
	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	return y->start - x->start;
}

static bool same_request(const struct seen *a, const struct seen *b)
{
	return a->request && b->request && strcmp(a->request, b->request) == 0;
}

static void attribute_one(struct seen *s, const struct seen *start)
{
	if (!s->shape || !start)
		return;
	if (!s->request)
		s->request = start->request;
	if (same_request(s, start) && start->version)
		s->version = start->version;
}

static int by_request(const void *a, const void *b)
{
	const struct seen *x = *(struct seen *const *)a, *y = *(struct seen *const *)b;
	return strcmp(x->request, y->request);
}

/* What a request said of the message that it worked on holds for its errors. */
static void lend_messages(struct seen *copy, unsigned n)
{
	struct seen **v = xcalloc(n ? n : 1, sizeof(struct seen *));
	unsigned named = 0;
	for (unsigned i = 0; i < n; i++)
		if (copy[i].message && copy[i].request)
			v[named++] = &copy[i];
	qsort(v, named, sizeof(struct seen *), by_request);
	for (unsigned i = 0; i < n && named; i++) {
		const struct seen *s = &copy[i];
		struct seen **found =
		    s->shape && !s->message && s->request ? bsearch(&s, v, named, sizeof(struct seen *), by_request) : NULL;
		if (found)
			copy[i].message = (*found)->message;
	}
	free(v);
}

static void attribute(struct seen *copy, unsigned n)
{
	struct seen **v = xcalloc(n ? n : 1, sizeof(struct seen *));
	const struct seen *start = NULL;
	for (unsigned i = 0; i < n; i++)
		v[i] = &copy[i];
	qsort(v, n, sizeof(struct seen *), by_stream);
	for (unsigned i = 0; i < n; i++) {
		if (v[i]->start)
			start = v[i];
		else if (start && strcmp(start->stream, v[i]->stream) == 0)
			attribute_one(v[i], start);
	}
	free(v);
	lend_messages(copy, n);
}

/* By shape, the newest first. */
static int by_shape(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	int d = strcmp(x->shape ? x->shape : "", y->shape ? y->shape : "");
	if (d)
		return d;
	return x->at_ms == y->at_ms ? 0 : x->at_ms > y->at_ms ? -1 : 1;
}

unsigned errors_open(const struct errors *e, struct error_open *open, unsigned most)
{
	struct seen *v = xcalloc(e->n ? e->n : 1, sizeof *v);
	unsigned n = 0;
	if (e->n)
		memcpy(v, e->v, e->n * sizeof *v);
	qsort(v, e->n, sizeof *v, by_shape);
	for (unsigned i = 0; i < e->n && n < most; i++) {
		bool newest = v[i].shape && (i == 0 || !v[i - 1].shape || strcmp(v[i - 1].shape, v[i].shape) != 0);
		if (newest && v[i].stream[0] && (!v[i].request || !v[i].message))
			open[n++] = (struct error_open){ v[i].stream, v[i].at_ms };
	}
	free(v);
	return n;
}

static bool listed(const char *const *list, unsigned n, const char *id)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(list[i], id) == 0)
			return true;
	return false;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static unsigned different_requests(const struct seen *s, unsigned n)
{
	const char **ids = xcalloc(n ? n : 1, sizeof(char *));
	unsigned found = 0, different = 0;
	for (unsigned i = 0; i < n; i++)
		if (s[i].request)
			ids[found++] = s[i].request;
	qsort(ids, found, sizeof(char *), by_id);
	for (unsigned i = 0; i < found; i++)
		different += i == 0 || strcmp(ids[i], ids[i - 1]) != 0;
	free(ids);
	return different;
}

static void add_ids(struct error_group *g, struct arena *mem, const struct seen *s)
{
	if (s->request && g->nrequests < ERROR_IDS && !listed(g->requests, g->nrequests, s->request))
		g->requests[g->nrequests++] = arena_strdup(mem, s->request);
	if (s->message && g->nmessages < ERROR_IDS && !listed(g->messages, g->nmessages, s->message))
		g->messages[g->nmessages++] = arena_strdup(mem, s->message);
}

/* n lines of one shape, newest first. */
static struct error_group group_of(struct arena *mem, const struct seen *s, unsigned n)
{
	const struct seen *newest = s, *oldest = s + n - 1;
	struct error_group g = { .shape = arena_strdup(mem, newest->shape),
		                     .type = arena_strdup(mem, newest->type),
		                     .sample = arena_strdup(mem, newest->sample),
		                     .stream = arena_strdup(mem, newest->stream),
		                     .count = n,
		                     .first = oldest->at_ms / 1000,
		                     .last = newest->at_ms / 1000,
		                     .release = arena_strdup(mem, oldest->version),
		                     .newest_release = arena_strdup(mem, newest->version) };
	for (unsigned i = 0; i < n; i++)
		add_ids(&g, mem, &s[i]);
	g.requests_in_all = different_requests(s, n);
	return g;
}

static int newest_first(const void *a, const void *b)
{
	const struct error_group *x = a, *y = b;
	if (x->last != y->last)
		return x->last > y->last ? -1 : 1;
	return x->count != y->count ? (x->count > y->count ? -1 : 1) : strcmp(x->shape, y->shape);
}

struct error_group *errors_groups(const struct errors *e, struct arena *mem, unsigned *n)
{
	struct seen *v = xcalloc(e->n ? e->n : 1, sizeof *v);
	unsigned at = 0;
	*n = 0;
	if (e->n)
		memcpy(v, e->v, e->n * sizeof *v);
	attribute(v, e->n);
	qsort(v, e->n, sizeof *v, by_shape);
	struct error_group *groups = arena_array(mem, e->n, sizeof *groups);
	while (at < e->n && !v[at].shape)
		at++;
	while (at < e->n) {
		unsigned end = at;
		while (end < e->n && strcmp(v[end].shape, v[at].shape) == 0)
			end++;
		groups[(*n)++] = group_of(mem, &v[at], end - at);
		at = end;
	}
	free(v);
	if (*n > 1)
		qsort(groups, *n, sizeof *groups, newest_first);
	return groups;
}
