#include "sim/sim_log.h"

#include "core/mem.h"
#include "sim/world.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_LINES 50000

/* ---- groups */

struct log_group *log_group_find(const struct world *w, const char *name)
{
	bool found;
	unsigned at = world_find((void *const *)w->groups, w->ngroups, name, &found);
	return found ? w->groups[at] : NULL;
}

struct log_group *log_group_of(struct world *w, const struct sim_function *fn)
{
	char name[160];
	bool found;
	snprintf(name, sizeof name, "/aws/lambda/%.128s", fn->name);
	unsigned at = world_find((void *const *)w->groups, w->ngroups, name, &found);
	if (found)
		return w->groups[at];
	struct log_group *g = xcalloc(1, sizeof *g);
	g->name = xstrdup(name);
	g->created_ms = w->now_ms;
	WORLD_INSERT(w->groups, w->ngroups, w->capgroups, at, g);
	return g;
}

static void forget(struct log_group *g, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		free(g->lines[i].text);
	g->nlines -= n;
	if (n && g->nlines)
		memmove(g->lines, g->lines + n, g->nlines * sizeof *g->lines);
}

void logs_free(struct world *w)
{
	for (unsigned i = 0; i < w->ngroups; i++) {
		forget(w->groups[i], w->groups[i]->nlines);
		free(w->groups[i]->lines);
		free(w->groups[i]->name);
		free(w->groups[i]);
	}
	free(w->groups);
}

struct keeper {
	struct log_sink sink;
	struct log_group *group;
};

static void keep(struct log_sink *to, int64_t at_ms, const char *stream, const char *text)
{
	struct log_group *g = ((struct keeper *)to)->group;
	if (g->nlines == KEEP_LINES)
		forget(g, KEEP_LINES / 10);
	MEM_GROW(g->lines, g->nlines, g->caplines);
	struct log_line *l = &g->lines[g->nlines++];
	*l = (struct log_line){ .at_ms = at_ms, .text = xstrdup(text) };
	snprintf(l->stream, sizeof l->stream, "%s", stream);
}

void log_run(struct world *w, const struct sim_run *run)
{
	struct keeper k = { { keep }, log_group_of(w, run->fn) };
	run_lines(run, &k.sink);
}

/* ---- patterns */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Where a term ends that begins at p: at the closing quote, or at what is no letter of a word. */
static const char *term_end(const char *p, bool quoted)
{
	while (quoted ? *p && *p != '"' : is_word(*p))
		p += *p == '\\' && p[1] ? 2 : 1;
	return p;
}

static char *unescaped(const char *from, const char *end, bool quoted)
{
	char *text = xmalloc((size_t)(end - from) + 1), *to = text;
	for (const char *c = from; c < end; c++) {
		if (*c == '\\' && quoted)
			c++;
		*to++ = *c;
	}
	*to = '\0';
	return text;
}

/* One term at *p, which moves past it. */
static bool parse_term(const char **p, struct log_filter *f)
{
	char kind = **p == '?' || **p == '-' ? *(*p)++ : '+';
	bool quoted = **p == '"';
	const char *from = *p + quoted, *end = term_end(from, quoted);
	if (end == from || (quoted && *end != '"') || f->n == sizeof f->term / sizeof *f->term)
		return false;
	f->term[f->n].text = unescaped(from, end, quoted);
	f->term[f->n++].kind = kind;
	*p = end + quoted;
	return !**p || isspace((unsigned char)**p);
}

bool log_filter_parse(const char *pattern, struct log_filter *f)
{
	f->n = 0;
	for (const char *p = pattern; *p;) {
		if (isspace((unsigned char)*p))
			p++;
		else if (!parse_term(&p, f))
			return false;
	}
	return true;
}

void log_filter_clear(struct log_filter *f)
{
	for (unsigned i = 0; i < f->n; i++)
		free(f->term[i].text);
	f->n = 0;
}

static bool passes(const struct log_filter *f, const char *text)
{
	bool any = false, all = true, has;
	unsigned optional = 0, others = 0;
	for (unsigned i = 0; f && i < f->n; i++) {
		has = strstr(text, f->term[i].text) != NULL;
		optional += f->term[i].kind == '?';
		others += f->term[i].kind != '?';
		any = any || (f->term[i].kind == '?' && has);
		all = all && (f->term[i].kind == '?' || has == (f->term[i].kind == '+'));
	}
	return others ? all : !optional || any; /* beside other terms, AWS ignores the optional ones */
}

/* Could a good invocation's line hold this? Its words are known; all else is digits and what ids are made of. */
static bool ordinary(const char *term)
{
	static const char words[] = "START RequestId Version LATEST END REPORT Duration ms Billed Memory Size MB Max Used";
	for (const char *p = term; *p;) {
		char word[64];
		size_t n = 0;
		while (is_word(p[n]))
			n++;
		if (n >= sizeof word)
			return false;
		snprintf(word, sizeof word, "%.*s", (int)n, p);
		if (n && word[strspn(word, "0123456789abcdef")] && !strstr(words, word))
			return false;
		p += n ? n : 1;
	}
	return true;
}

static bool wants_ordinary(const struct log_filter *f)
{
	unsigned optional = 0, others = 0, possible = 0;
	for (unsigned i = 0; f && i < f->n; i++) {
		bool ok = ordinary(f->term[i].text);
		if (f->term[i].kind == '+' && !ok)
			return false;
		optional += f->term[i].kind == '?';
		others += f->term[i].kind != '?';
		possible += f->term[i].kind == '?' && ok;
	}
	return others || !optional || possible;
}

/* ---- reading a minute */

struct reader {
	struct log_sink sink;
	const struct log_want *want;
	struct log_found *out;
	int64_t minute;
};

static bool right_stream(const struct log_want *want, const char *stream)
{
	if (!want->stream)
		return true;
	return want->prefix ? strncmp(stream, want->stream, strlen(want->stream)) == 0 : strcmp(stream, want->stream) == 0;
}

static void take(struct log_sink *to, int64_t at_ms, const char *stream, const char *text)
{
	struct reader *r = (struct reader *)to;
	r->out->looked++;
	if (at_ms / 60000 != r->minute || at_ms < r->want->from_ms || at_ms > r->want->to_ms ||
	    !right_stream(r->want, stream) || !passes(r->want->filter, text))
		return;
	MEM_GROW(r->out->line, r->out->n, r->out->cap);
	struct log_line *l = &r->out->line[r->out->n];
	*l = (struct log_line){ .at_ms = at_ms, .order = r->out->n++, .text = xstrdup(text) };
	snprintf(l->stream, sizeof l->stream, "%s", stream);
}

static int by_time(const void *a, const void *b)
{
	const struct log_line *x = a, *y = b;
	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static const struct sim_function *owner(const struct world *w, const struct log_group *g)
{
	const char *name = strrchr(g->name, '/');
	return name ? world_function(w, name + 1) : NULL;
}

/* An invocation's last lines may fall into a later minute than its first. */
void log_minute(const struct world *w, const struct log_group *g, int64_t minute, const struct log_want *want,
                struct log_found *out)
{
	struct reader r = { { take }, want, out, minute };
	const struct sim_function *fn = owner(w, g);
	bool ordinary_too = wants_ordinary(want->filter);
	unsigned first = out->n;
	int64_t back = fn ? fn->timeout / 60 + 1 : 0;
	for (int64_t d = back; fn && d >= 0; d--) {
		const struct lived *l = life_at(fn, minute - d);
		if (l)
			life_lines(w, fn, l, d > 1 || !ordinary_too, &r.sink);
	}
	for (unsigned i = 0; i < g->nlines; i++)
		take(&r.sink, g->lines[i].at_ms, g->lines[i].stream, g->lines[i].text);
	if (out->n > first)
		qsort(out->line + first, out->n - first, sizeof *out->line, by_time);
}

void log_found_clear(struct log_found *f)
{
	for (unsigned i = 0; i < f->n; i++)
		free(f->line[i].text);
	free(f->line);
	*f = (struct log_found){ 0 };
}

int64_t log_oldest_ms(const struct world *w, const struct log_group *g)
{
	const struct sim_function *fn = owner(w, g);
	int64_t oldest = g->nlines ? g->lines[0].at_ms : INT64_MAX;
	if (fn && fn->nlived && fn->lived[0].minute * 60000 < oldest)
		oldest = fn->lived[0].minute * 60000;
	return oldest;
}
