#include "core/buf.h"

#include "core/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct span span_of(const char *s)
{
	return (struct span){ s, s ? strlen(s) : 0 };
}

bool span_eq(struct span a, const char *s)
{
	size_t n = strlen(s);
	return a.n == n && (n == 0 || memcmp(a.p, s, n) == 0);
}

static int lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

bool span_eq_nocase(struct span a, const char *s)
{
	if (a.n != strlen(s))
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(s[i]))
			return false;
	return true;
}

struct span span_trim(struct span a)
{
	while (a.n && (a.p[0] == ' ' || a.p[0] == '\t'))
		a.p++, a.n--;
	while (a.n && (a.p[a.n - 1] == ' ' || a.p[a.n - 1] == '\t'))
		a.n--;
	return a;
}

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_init_secret(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max, .secret = true };
}

void buf_clear(struct buf *b)
{
	if (b->secret && b->p)
		explicit_bzero(b->p, b->cap);
	free(b->p);
	*b = (struct buf){ .max = b->max, .secret = b->secret };
}

void buf_reset(struct buf *b)
{
	b->n = 0;
	b->full = false;
	if (b->secret && b->p)
		explicit_bzero(b->p, b->cap);
	if (b->p)
		b->p[0] = '\0';
}

/* What realloc would do, but for the old copy. */
static void move(struct buf *b, size_t cap)
{
	char *p = xmalloc(cap);
	if (b->p) {
		memcpy(p, b->p, b->n + 1);
		explicit_bzero(b->p, b->cap);
	}
	free(b->p);
	b->p = p;
}

/* Room for n more bytes and the NUL, or a full buf. */
static bool reserve(struct buf *b, size_t n)
{
	if (b->full || n > b->max - b->n) {
		b->full = true;
		return false;
	}
	size_t need = b->n + n + 1;
	if (need <= b->cap)
		return true;
	size_t cap = b->cap ? b->cap * 2 : 64; /* one large piece gets what it needs, many small ones double */
	if (cap < need)
		cap = need;
	if (cap > b->max + 1)
		cap = b->max + 1;
	if (b->secret)
		move(b, cap);
	else
		b->p = xrealloc(b->p, cap);
	b->cap = cap;
	return true;
}

char *buf_room(struct buf *b, size_t n)
{
	if (!reserve(b, n))
		return NULL;
	b->p[b->n + n] = '\0';
	return b->p + b->n;
}

bool buf_add(struct buf *b, const void *p, size_t n)
{
	if (!reserve(b, n))
		return false;
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
	return true;
}

bool buf_adds(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

bool buf_addspan(struct buf *b, struct span s)
{
	return buf_add(b, s.p, s.n);
}

bool buf_addc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

bool buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	bool ok = n >= 0 && reserve(b, (size_t)n);
	if (ok) {
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
	return ok;
}

bool buf_full(const struct buf *b)
{
	return b->full;
}

struct span buf_span(const struct buf *b)
{
	return (struct span){ b->p ? b->p : "", b->n };
}

void buf_fit(struct buf *b)
{
	if (!b->p || b->cap == b->n + 1)
		return;
	if (b->secret)
		move(b, b->n + 1);
	else
		b->p = xrealloc(b->p, b->n + 1);
	b->cap = b->n + 1;
}

char *buf_steal(struct buf *b)
{
	char *p = b->p ? b->p : xstrdup("");
	b->p = NULL;
	buf_init(b, b->max);
	return p;
}
