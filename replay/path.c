#include "replay/path.h"

#include <stdlib.h>
#include <string.h>

struct at { const char *p, *end; };

static void blanks(struct at *a)
{
	while (a->p < a->end && strchr(" \t\r\n", *a->p) && *a->p)
		a->p++;
}

/* Over a string, its quotes included; the text is known to be JSON. */
static struct span string(struct at *a)
{
	const char *from = a->p++;
	while (a->p < a->end && *a->p != '"')
		a->p += *a->p == '\\' ? 2 : 1;
	a->p = a->p < a->end ? a->p + 1 : a->end;
	return (struct span){ from, (size_t)(a->p - from) };
}

/* Over any value. */
static struct span value_of(struct at *a)
{
	unsigned depth = 0;
	blanks(a);
	const char *from = a->p;
	do {
		if (a->p >= a->end)
			break;
		if (*a->p == '"') {
			string(a);
		} else if (*a->p == '{' || *a->p == '[') {
			depth++;
			a->p++;
		} else if (*a->p == '}' || *a->p == ']') {
			depth--;
			a->p++;
		} else if (depth) {
			a->p++;
		} else {
			while (a->p < a->end && !strchr(",]} \t\r\n", *a->p))
				a->p++;
		}
	} while (depth);
	return (struct span){ from, (size_t)(a->p - from) };
}

/* The next of an object's or array's, behind its bracket or comma; false at its end. */
static bool next(struct at *a)
{
	blanks(a);
	if (a->p < a->end && *a->p == ',')
		a->p++;
	blanks(a);
	return a->p < a->end && *a->p != '}' && *a->p != ']';
}

static bool member(struct at *a, const char *key, size_t n)
{
	blanks(a);
	if (a->p >= a->end || *a->p++ != '{')
		return false;
	while (next(a)) {
		struct span k = string(a);
		blanks(a);
		a->p++; /* the colon */
		blanks(a);
		if (k.n == n + 2 && memcmp(k.p + 1, key, n) == 0)
			return true;
		value_of(a);
	}
	return false;
}

static bool element(struct at *a, unsigned long i)
{
	blanks(a);
	if (a->p >= a->end || *a->p++ != '[')
		return false;
	while (next(a)) {
		if (i-- == 0)
			return true;
		value_of(a);
	}
	return false;
}

static size_t head(const char *path, size_t n)
{
	return n && path[0] == '$' ? 1 : 0;
}

/* One step of a path from *i on: a key, or the number of an element; false: it is none. */
static bool step(const char *path, size_t n, size_t *i, const char **key, size_t *nkey, unsigned long *number)
{
	*key = NULL;
	if (path[*i] == '[') {
		char *end;
		*number = strtoul(path + *i + 1, &end, 10);
		bool ok = path[*i + 1] >= '0' && path[*i + 1] <= '9' && end < path + n && *end == ']';
		*i = (size_t)(end - path) + 1;
		return ok;
	}
	*i += path[*i] == '.';
	*key = path + *i;
	*nkey = 0;
	while (*i < n && path[*i] != '.' && path[*i] != '[')
		++*nkey, ++*i;
	return *nkey > 0;
}

bool path_valid(const char *path, size_t n)
{
	const char *key;
	size_t nkey;
	unsigned long number;
	size_t i = head(path, n);
	if (i == n)
		return false;
	while (i < n)
		if (!step(path, n, &i, &key, &nkey, &number))
			return false;
	return true;
}

bool path_find(struct span text, const char *path, size_t n, struct span *value)
{
	struct at a = { text.p, text.p + text.n };
	const char *key;
	size_t nkey;
	unsigned long number;
	for (size_t i = head(path, n); i < n;)
		if (!step(path, n, &i, &key, &nkey, &number) || !(key ? member(&a, key, nkey) : element(&a, number)))
			return false;
	*value = value_of(&a);
	return value->n > 0;
}
