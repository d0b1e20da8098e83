#include "core/model/record.h"

#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

void stream_records_init(struct stream_records *r)
{
	*r = (struct stream_records){ .v = NULL };
	arena_init(&r->mem);
}

void stream_records_clear(struct stream_records *r)
{
	arena_clear(&r->mem);
	free(r->v);
	*r = (struct stream_records){ .v = NULL };
}

struct stream_record *stream_records_add(struct stream_records *r)
{
	MEM_GROW(r->v, r->n, r->cap);
	struct stream_record *v = &r->v[r->n++];
	*v = (struct stream_record){ .sequence = NULL };
	return v;
}

bool sequence_valid(const char *s)
{
	size_t n = s ? strlen(s) : 0;
	return n >= 1 && n <= SEQUENCE_MOST && strspn(s, "0123456789") == n && (s[0] != '0' || n == 1);
}

int sequence_compare(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	return na != nb ? na < nb ? -1 : 1 : strcmp(a, b);
}
