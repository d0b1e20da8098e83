#include "cache/names.h"

#include "cache/tick.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_bytes(uint64_t h, const void *p, size_t n)
{
	const uint8_t *bytes = p;
	for (size_t i = 0; i < n; i++)
		h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* Lies in the file: it must never change. FNV-1a over target, NUL, metric, NUL, step (four bytes, least first). */
static uint64_t hash_of(const char *target, const char *metric, uint32_t step)
{
	uint8_t bytes[4] = { (uint8_t)step, (uint8_t)(step >> 8), (uint8_t)(step >> 16), (uint8_t)(step >> 24) };
	uint64_t h = hash_bytes(UINT64_C(0xcbf29ce484222325), target, strlen(target) + 1);
	h = hash_bytes(h, metric, strlen(metric) + 1);
	return hash_bytes(h, bytes, sizeof bytes);
}

void names_clear(struct names *ns)
{
	for (uint32_t i = 0; i < ns->n; i++)
		free(ns->v[i].metric);
	for (unsigned i = 0; i < ns->ntargets; i++)
		free(ns->targets[i]);
	free(ns->v);
	free(ns->by_id);
	free(ns->slots);
	free(ns->targets);
	*ns = (struct names){ 0 };
}

/* ---- in memory */

static const char *intern_target(struct names *ns, const char *target)
{
	for (unsigned i = ns->ntargets; i-- > 0;)
		if (strcmp(ns->targets[i], target) == 0)
			return ns->targets[i];
	MEM_GROW(ns->targets, ns->ntargets, ns->captargets);
	return ns->targets[ns->ntargets++] = xstrdup(target);
}

static bool is_name(const struct name *m, uint64_t hash, const char *target, const char *metric, uint32_t step)
{
	return m->hash == hash && m->step == step && strcmp(m->metric, metric) == 0 && strcmp(m->target, target) == 0;
}

static struct name *known(const struct names *ns, uint64_t hash, const char *target, const char *metric, uint32_t step)
{
	if (!ns->nslots)
		return NULL;
	for (uint32_t i = (uint32_t)hash & (ns->nslots - 1); ns->slots[i]; i = (i + 1) & (ns->nslots - 1)) {
		struct name *m = &ns->v[ns->slots[i] - 1];
		if (is_name(m, hash, target, metric, step))
			return m;
	}
	return NULL;
}

static void slot_in(struct names *ns, uint32_t index)
{
	uint32_t i = (uint32_t)ns->v[index].hash & (ns->nslots - 1);
	while (ns->slots[i])
		i = (i + 1) & (ns->nslots - 1);
	ns->slots[i] = index + 1;
}

static void grow_slots(struct names *ns)
{
	ns->nslots = ns->nslots ? ns->nslots * 2 : 64;
	free(ns->slots);
	ns->slots = xcalloc(ns->nslots, sizeof *ns->slots);
	for (uint32_t i = 0; i < ns->n; i++)
		slot_in(ns, i);
}

static void grow_ids(struct names *ns, uint32_t id)
{
	uint32_t n = ns->nids ? ns->nids : 64;
	while (n <= id)
		n *= 2;
	if (n == ns->nids)
		return;
	ns->by_id = xreallocarray(ns->by_id, n, sizeof *ns->by_id);
	memset(ns->by_id + ns->nids, 0, (n - ns->nids) * sizeof *ns->by_id);
	ns->nids = n;
}

/* The file's id unless an older name, of another file, holds it already. */
static uint32_t free_id(struct names *ns, uint32_t file)
{
	uint32_t id = file;
	if (id < ns->nids && ns->by_id[id])
		for (id = 1; id < ns->nids && ns->by_id[id]; id++)
			;
	return id;
}

static struct name *add(struct names *ns, struct name m, const char *target, const char *metric)
{
	m.id = free_id(ns, m.file);
	if (m.id >= SERIES_LIMIT)
		return NULL;
	m.target = intern_target(ns, target);
	m.metric = xstrdup(metric);
	MEM_GROW(ns->v, ns->n, ns->cap);
	ns->v[ns->n++] = m;
	if (2 * ns->n > ns->nslots)
		grow_slots(ns);
	else
		slot_in(ns, ns->n - 1);
	grow_ids(ns, m.id);
	ns->by_id[m.id] = ns->n;
	ns->differ |= m.id != m.file;
	return &ns->v[ns->n - 1];
}

static struct name *of_id(const struct names *ns, uint32_t id)
{
	return id && id < ns->nids && ns->by_id[id] ? &ns->v[ns->by_id[id] - 1] : NULL;
}

/* ---- in the file */

static int bind_name(sqlite3_stmt *st, int at, const char *target, const char *metric, uint32_t step)
{
	int rc = sqlite3_bind_text(st, at, target, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(st, at + 1, metric, -1, SQLITE_STATIC);
	return rc == SQLITE_OK ? sqlite3_bind_int64(st, at + 2, step) : rc;
}

/* *file 0: it is not there. */
static int look_up(struct db *d, uint64_t hash, const char *target, const char *metric, uint32_t step, uint32_t *file)
{
	sqlite3_stmt *st;
	*file = 0;
	int rc = db_prepare(d, DB_SERIES_FIND, &st);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(st, 1, (int64_t)hash);
	if (rc == SQLITE_OK)
		rc = bind_name(st, 2, target, metric, step);
	if (rc == SQLITE_OK)
		rc = db_step(st);
	if (rc == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(st, 0);
		rc = id > 0 && id < SERIES_LIMIT ? SQLITE_OK : SQLITE_CORRUPT;
		*file = rc ? 0 : (uint32_t)id;
	}
	sqlite3_reset(st);
	return rc;
}

static int read_last(struct names *ns, struct db *d)
{
	int64_t last;
	int rc = db_number(d, DB_SERIES_LAST, 0, NULL, 0, &last);
	if (rc)
		return rc;
	if (last < 0 || last >= SERIES_LIMIT)
		return SQLITE_CORRUPT;
	ns->last = (uint32_t)last;
	return SQLITE_OK;
}

int names_find(struct names *ns, struct db *d, bool write, const char *target, const char *metric, uint32_t step,
               uint32_t *id)
{
	uint64_t hash = hash_of(target, metric, step);
	struct name *m = known(ns, hash, target, metric, step);
	*id = m ? m->id : 0;
	if (m || !d->sql)
		return SQLITE_OK;
	struct name new = { .hash = hash, .step = step };
	int rc = look_up(d, hash, target, metric, step, &new.file);
	new.stored = new.file != 0;
	if (rc || (!new.stored && !write))
		return rc;
	if (!new.stored) {
		rc = ns->last ? SQLITE_OK : read_last(ns, d);
		if (rc || ns->last + 1 >= SERIES_LIMIT)
			return rc;
		new.file = ++ns->last;
		ns->unstored++;
	}
	m = add(ns, new, target, metric);
	*id = m ? m->id : 0;
	return SQLITE_OK;
}

/* An id from before, of the same file, that nobody has asked for by name this time. */
static struct name *adopt(struct names *ns, struct db *d, uint32_t id)
{
	sqlite3_stmt *st;
	struct name *m = NULL;
	if (!id || id >= SERIES_LIMIT || !d->sql || db_prepare(d, DB_SERIES_GET, &st))
		return NULL;
	if (sqlite3_bind_int64(st, 1, id) == SQLITE_OK && db_step(st) == SQLITE_ROW) {
		const char *target = (const char *)sqlite3_column_text(st, 0),
		           *metric = (const char *)sqlite3_column_text(st, 1);
		struct name new = { .step = (uint32_t)sqlite3_column_int64(st, 2), .file = id, .stored = true };
		target = target ? target : "";
		metric = metric ? metric : "";
		new.hash = hash_of(target, metric, new.step);
		if (!known(ns, new.hash, target, metric, new.step))
			m = add(ns, new, target, metric);
	}
	sqlite3_reset(st);
	return m;
}

static struct name *find_id(struct names *ns, struct db *d, uint32_t id)
{
	struct name *m = of_id(ns, id);
	return m ? m : adopt(ns, d, id);
}

bool names_adopt(struct names *ns, struct db *d, uint32_t id)
{
	return find_id(ns, d, id) != NULL;
}

uint32_t names_file(struct names *ns, struct db *d, uint32_t id)
{
	struct name *m = find_id(ns, d, id);
	if (m && !m->file && d->sql && look_up(d, m->hash, m->target, m->metric, m->step, &m->file) == SQLITE_OK)
		m->stored = m->file != 0;
	return m ? m->file : 0;
}

static int store(struct db *d, const struct name *m)
{
	sqlite3_stmt *st;
	int rc = db_prepare(d, DB_SERIES_ADD, &st);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(st, 1, m->file);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(st, 2, (int64_t)m->hash);
	if (rc == SQLITE_OK)
		rc = bind_name(st, 3, m->target, m->metric, m->step);
	if (rc == SQLITE_OK)
		rc = db_step(st);
	sqlite3_reset(st);
	return rc == SQLITE_OK && sqlite3_changes(d->sql) == 0 ? SQLITE_CONSTRAINT : rc;
}

int names_store(struct names *ns, struct db *d)
{
	int rc = SQLITE_OK;
	for (uint32_t i = 0; i < ns->n && ns->unstored && rc == SQLITE_OK; i++)
		if (!ns->v[i].stored)
			rc = store(d, &ns->v[i]);
	return rc;
}

void names_stored(struct names *ns)
{
	for (uint32_t i = 0; i < ns->n && ns->unstored; i++)
		ns->v[i].stored = true;
	ns->unstored = 0;
}

/* Names that the file does not have get their old ids when it is empty, else new ones behind its last. */
static void place(struct names *ns, struct name *m, bool empty)
{
	m->file = empty ? m->id : ++ns->last;
	if (m->file > ns->last)
		ns->last = m->file;
	ns->unstored++;
}

int names_rebind(struct names *ns, struct db *d, bool write)
{
	int rc = read_last(ns, d);
	bool empty = ns->last == 0;
	ns->unstored = 0;
	ns->differ = false;
	for (uint32_t i = 0; i < ns->n && rc == SQLITE_OK; i++) {
		struct name *m = &ns->v[i];
		rc = look_up(d, m->hash, m->target, m->metric, m->step, &m->file);
		m->stored = m->file != 0;
		if (rc == SQLITE_OK && !m->stored && write)
			place(ns, m, empty);
		ns->differ |= m->id != m->file;
	}
	return rc;
}
