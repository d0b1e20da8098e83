/* Small named values beside the points. */
#include "cache/work.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

struct named {
	const char *target, *name, *text;
	char *found; /* NULL: it is not there */
};

static int read_text(struct db *d, void *ctx)
{
	struct named *n = ctx;
	sqlite3_stmt *st;
	int rc = db_prepare(d, DB_TEXT_GET, &st);
	free(n->found);
	n->found = NULL;
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(st, 1, n->target, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(st, 2, n->name, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = db_step(st);
	if (rc == SQLITE_ROW) {
		const char *p = sqlite3_column_blob(st, 0);
		n->found = xstrndup(p ? p : "", (size_t)sqlite3_column_bytes(st, 0));
		rc = SQLITE_OK;
	}
	sqlite3_reset(st);
	return rc;
}

static int write_text(struct db *d, void *ctx)
{
	struct named *n = ctx;
	int rc = read_text(d, n);
	bool same = n->found && strcmp(n->found, n->text) == 0;
	free(n->found);
	n->found = NULL;
	if (rc || same)
		return rc;
	sqlite3_stmt *st;
	const char *const values[] = { n->target, n->name, n->text };
	rc = db_prepare(d, DB_TEXT_PUT, &st);
	for (int i = 0; i < 3 && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_text(st, i + 1, values[i], -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = db_step(st);
	sqlite3_reset(st);
	return rc;
}

bool cache_put_text(struct cache *c, const char *target, const char *name, const char *text, struct err *e)
{
	struct named n = { .target = target, .name = name, .text = text };
	return cache_work(c, true, write_text, &n, e);
}

char *cache_get_text(struct cache *c, const char *target, const char *name)
{
	struct named n = { .target = target, .name = name };
	cache_work(c, false, read_text, &n, NULL);
	return n.found;
}
