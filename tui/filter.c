#include "tui/filter.h"

#include "tui/fields.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool text_holds(const char *text, const char *word, size_t n)
{
	size_t len = text ? strlen(text) : 0;
	for (size_t i = 0; i + n <= len; i++)
		if (strncasecmp(text + i, word, n) == 0)
			return true;
	return false;
}

enum by { BY_NAME, BY_KIND, BY_STATE, BY_PIPELINE, BY_NOTE, BY_ROLE, BY_LOSS };
static const struct column {
	const char *name;
	enum by by;
	enum role role;
} columns[] = {
	{ "stage", BY_NAME, ROLE_NONE },      { "name", BY_NAME, ROLE_NONE },         { "kind", BY_KIND, ROLE_NONE },
	{ "state", BY_STATE, ROLE_NONE },     { "pipeline", BY_PIPELINE, ROLE_NONE }, { "note", BY_NOTE, ROLE_NONE },
	{ "in", BY_ROLE, ROLE_IN },           { "out", BY_ROLE, ROLE_OUT },           { "err", BY_ROLE, ROLE_ERROR },
	{ "backlog", BY_ROLE, ROLE_BACKLOG }, { "oldest", BY_ROLE, ROLE_AGE },        { "age", BY_ROLE, ROLE_AGE },
	{ "latency", BY_ROLE, ROLE_LATENCY }, { "loss", BY_LOSS, ROLE_NONE },
};

static const struct column *column_find(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
		if (strlen(columns[i].name) == n && strncasecmp(columns[i].name, name, n) == 0)
			return &columns[i];
	return NULL;
}

static double number_of(const char *p, size_t n)
{
	static const struct {
		char end;
		double by;
	} ends[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'k', 1e3 }, { 'M', 1e6 }, { '%', 1 } };
	char text[32], *end;
	snprintf(text, sizeof text, "%.*s", (int)(n < 31 ? n : 31), p);
	double v = strtod(text, &end);
	for (size_t i = 0; end != text && i < sizeof ends / sizeof *ends; i++)
		if (end[0] == ends[i].end && !end[1])
			return v * ends[i].by;
	return end == text || *end ? NAN : v;
}

static bool number_holds(double have, const char *p, size_t n)
{
	bool more = p[0] == '>', less = p[0] == '<';
	double wanted = number_of(p + (more || less), n - (more || less));
	if (!isfinite(have))
		return n == 1 && p[0] == '-';
	if (!isfinite(wanted))
		return more || less; /* still being typed */
	return more ? have > wanted : less ? have < wanted : have == wanted;
}

/* The nearest instant that cannot be ruled out. */
static double seconds_left(const struct row *r, int64_t now)
{
	switch (r->loss.state) {
	case LOSS_EXACT:
	case LOSS_BETWEEN:
	case LOSS_AT_LEAST: return (double)(r->loss.low - now);
	case LOSS_AT_MOST: return (double)(r->loss.high - now);
	default: return NAN;
	}
}

static const char *pipeline_name(const struct snapshot *s, const struct row *r)
{
	return r->pipeline < s->npipelines ? s->pipelines[r->pipeline].name : NULL;
}

static bool column_holds(const struct snapshot *s, const struct row *r, const struct column *c, const char *p, size_t n,
                         int64_t now)
{
	char kind[FIELD_SIZE];
	field_kind(r, kind);
	switch (c->by) {
	case BY_NAME: return text_holds(r->name, p, n);
	case BY_KIND: return text_holds(kind, p, n);
	case BY_STATE: return text_holds(health_name(r->health), p, n);
	case BY_PIPELINE: return text_holds(pipeline_name(s, r), p, n);
	case BY_NOTE: return text_holds(r->reason, p, n);
	case BY_ROLE: return number_holds(field_number(r, c->role), p, n);
	case BY_LOSS: break;
	}
	return number_holds(seconds_left(r, now), p, n);
}

static bool word_holds(const struct snapshot *s, const struct row *r, const char *word, size_t n, int64_t now)
{
	const char *colon = memchr(word, ':', n);
	const struct column *c = colon ? column_find(word, (size_t)(colon - word)) : NULL;
	char kind[FIELD_SIZE];
	if (c && colon + 1 == word + n)
		return true; /* still being typed */
	if (c)
		return column_holds(s, r, c, colon + 1, n - (size_t)(colon + 1 - word), now);
	field_kind(r, kind);
	return text_holds(r->name, word, n) || text_holds(r->resource, word, n) || text_holds(kind, word, n) ||
	       text_holds(health_name(r->health), word, n) || text_holds(pipeline_name(s, r), word, n);
}

bool filter_matches(const struct snapshot *s, const struct row *r, const char *filter, int64_t now)
{
	for (const char *p = filter; *(p += strspn(p, " "));) {
		size_t n = strcspn(p, " ");
		bool without = p[0] == '!';
		if (n > without && word_holds(s, r, p + without, n - without, now) == without)
			return false;
		p += n;
	}
	return true;
}
