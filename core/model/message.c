#include "core/model/message.h"

#include "core/hash.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

const char *message_fact(const struct message *m, const char *name)
{
	for (unsigned i = 0; i < m->nfacts; i++)
		if (strcmp(m->facts[i].name, name) == 0)
			return m->facts[i].value;
	return NULL;
}

const struct message_attr *message_attr(const struct message *m, const char *name)
{
	for (unsigned i = 0; i < m->nattrs; i++)
		if (strcmp(m->attrs[i].name, name) == 0)
			return &m->attrs[i];
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	const struct message_attr *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

static void sized(struct buf *b, const void *p, size_t n)
{
	unsigned char size[4] = { (unsigned char)(n >> 24), (unsigned char)(n >> 16), (unsigned char)(n >> 8),
		                      (unsigned char)n };
	buf_add(b, size, sizeof size);
	buf_add(b, p, n);
}

void message_attrs_md5(const struct message_attr *attrs, unsigned n, char out[33])
{
	uint8_t digest[HASH_MD5];
	const struct message_attr **sorted = xcalloc(n ? n : 1, sizeof *sorted);
	struct buf b;
	buf_init(&b, 64u << 20);
	for (unsigned i = 0; i < n; i++)
		sorted[i] = &attrs[i];
	qsort(sorted, n, sizeof *sorted, by_name);
	for (unsigned i = 0; i < n; i++) {
		sized(&b, sorted[i]->name, strlen(sorted[i]->name));
		sized(&b, sorted[i]->type, strlen(sorted[i]->type));
		buf_addc(&b, sorted[i]->binary ? 2 : 1);
		sized(&b, sorted[i]->value.p, sorted[i]->value.n);
	}
	hash_md5(b.p ? b.p : "", b.n, digest);
	hash_hex(digest, sizeof digest, out);
	buf_clear(&b);
	free(sorted);
}

void message_free(struct message *m)
{
	if (!m)
		return;
	arena_clear(&m->mem);
	free(m);
}
