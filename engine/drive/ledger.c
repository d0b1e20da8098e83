/* A drive's memory: its entries, the changes of their states, and what is on the disk before what. */
#include "engine/drive/source.h"

#include "cache/file.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int64_t now_ms(void)
{
	return clock_wall_ms();
}

/* ---- entries */

static const struct drive *sorting; /* the engine has one thread */

static int by_id(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;
	return strcmp(sorting->v[*x].it.msg_id, sorting->v[*y].it.msg_id);
}

static void sort_index(struct drive *d)
{
	free(d->index);
	d->index = xcalloc(d->n ? d->n : 1, sizeof *d->index);
	d->nindex = d->n;
	for (unsigned i = 0; i < d->n; i++)
		d->index[i] = i;
	sorting = d;
	qsort(d->index, d->n, sizeof *d->index, by_id);
}

/* What came since the index was made is few: it is looked through. */
struct entry *drive_find(struct drive *d, const char *msg_id)
{
	if (d->n - d->nindex > 64)
		sort_index(d);
	unsigned lo = 0, hi = d->nindex;
	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		int c = strcmp(d->v[d->index[mid]].it.msg_id, msg_id);
		if (c == 0)
			return &d->v[d->index[mid]];
		*(c < 0 ? &lo : &hi) = c < 0 ? mid + 1 : mid;
	}
	for (unsigned i = d->nindex; i < d->n; i++)
		if (strcmp(d->v[i].it.msg_id, msg_id) == 0)
			return &d->v[i];
	return NULL;
}

static int64_t number(const char *text)
{
	return text ? strtoll(text, NULL, 10) : 0;
}

struct entry *drive_add(struct drive *d, struct message *m)
{
	char fp[FP_LEN], cause[CAUSE_LEN];
	struct ledger_past past;
	MEM_GROW(d->v, d->n, d->cap);
	struct entry *en = &d->v[d->n++];
	group_of_message(m, fp, cause);
	*en = (struct entry){ .msg = m, .cause = arena_strdup(d->mem, cause) };
	en->it = (struct replay_item){
		.seq = d->n,
		.msg_id = arena_strdup(d->mem, m->id),
		.handle = arena_strdup(d->mem, m->handle),
		.lease_until_ms = m->received_ms + (int64_t)d->run.lease_s * 1000,
		.sent_ms = number(message_fact(m, "SentTimestamp")),
		.group_id = arena_strdup(d->mem, message_fact(m, "MessageGroupId")),
		.source_arn = arena_strdup(d->mem, message_fact(m, "DeadLetterQueueSourceArn")),
		.bytes = (unsigned)m->body.n,
		.fp = arena_strdup(d->mem, fp),
		.state = ITEM_SELECTED,
	};
	body_hash(m->body.p, m->body.n, en->it.body_sha256);
	if (d->src->added)
		d->src->added(d, en);
	if (d->ledger && ledger_past(d->ledger, m->id, d->run.id, &past)) {
		en->it.code = "SEEN";
		en->it.text = arena_printf(d->mem, "run %s sent it before: %s", past.run, item_state_name(past.state));
	}
	past_look(d, en, m);
	return en;
}

/* ---- states */

bool drive_shift(struct drive *d, struct entry *en, enum item_event what, const char *detail)
{
	enum item_state from = en->it.state, to;
	if (!item_move(from, what, &to)) {
		log_error(LOG_ENGINE, "replay %s: message %u in state %s cannot take event %d", d->run.id, en->it.seq,
		          item_state_name(from), (int)what);
		return false;
	}
	MEM_GROW(d->changes, d->nchanges, d->cchanges);
	d->changes[d->nchanges++] = (struct ledger_change){ &en->it, from, to, detail };
	en->it.state = to;
	return true;
}

/* From here on nothing more is done: what the disk does not know must not happen. */
static bool broke(struct drive *d, const struct err *e)
{
	if (!d->broken) {
		log_error(LOG_ENGINE, "replay %s: %s: %s", d->run.id, e->where, e->text);
		d->t->result->err = *e;
	}
	d->broken = true;
	drive_end(d, RUN_PAUSED, "%s: %s", e->where, e->text);
	return false;
}

bool drive_commit(struct drive *d)
{
	struct err e = { 0 };
	unsigned n = d->nchanges;
	d->nchanges = 0;
	if (n == 0 || d->broken)
		return !d->broken;
	return ledger_commit(d->ledger, d->run.id, d->changes, n, &e) || broke(d, &e);
}

bool drive_save(struct drive *d)
{
	struct err e = { 0 };
	return !d->broken && (ledger_run_save(d->ledger, &d->run, &e) || broke(d, &e));
}

bool drive_touch(struct drive *d, struct entry *const *v, unsigned n)
{
	struct err e = { 0 };
	const struct replay_item *items[SQS_BATCH];
	if (d->plan || n == 0)
		return true;
	for (unsigned i = 0; i < n; i++)
		items[i] = &v[i]->it;
	/* Its row must be in the state that it is in. */
	return drive_commit(d) && (ledger_touch(d->ledger, d->run.id, items, n, &e) || broke(d, &e));
}

/* ---- the audit log */

void drive_gather(struct drive *d)
{
	d->gathering = true;
	d->held = false;
}

bool drive_sync(struct drive *d)
{
	struct err e = { 0 };
	bool held = d->held;
	d->gathering = d->held = false;
	if (held && !audit_sync(d->audit, &e))
		broke(d, &e);
	return drive_commit(d);
}

/* The first line since drive_gather begins the transaction. */
static bool begin_lines(struct drive *d, struct err *e)
{
	if (d->gathering && !d->held)
		d->held = audit_hold(d->audit, e);
	return d->held || !d->gathering;
}

bool drive_announce(struct drive *d, const struct op *op, const char *target, const char *fmt, ...)
{
	struct err e = { 0 };
	char detail[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(detail, sizeof detail, fmt, ap);
	va_end(ap);
	if (d->broken || !guard_holds(d))
		return false;
	char action[96];
	snprintf(action, sizeof action, "%s:%s", op->service->id, op->name);
	const char *run = d->run.id[0] ? d->run.id : NULL;
	return (begin_lines(d, &e) && audit_add(d->audit, &d->who.who, action, target, "announced", run, detail, &e)) ||
	       broke(d, &e);
}

void drive_note(struct drive *d, const char *action, const char *target, const char *outcome, const char *detail)
{
	struct err e = { 0 };
	const char *run = d->run.id[0] ? d->run.id : NULL;
	if (d->audit && !d->broken && !audit_add(d->audit, &d->who.who, action, target, outcome, run, detail, &e))
		broke(d, &e);
}

/* ---- the guard: one replay a queue and host */

static char *lock_path(const struct engine *g, const char *queue_arn)
{
	char hex[SHA_HEX];
	body_hash(queue_arn, strlen(queue_arn), hex);
	return xasprintf("%s/queue-%.16s", g->o.state_path, hex);
}

static bool lock_queue(const struct engine *g, const char *queue_arn, int *fd, struct err *e)
{
	char *path = lock_path(g, queue_arn);
	struct file_id id;
	pid_t holder = 0;
	enum file_lock got = FILE_TAKEN;
	for (unsigned i = 0; i < 10 && got == FILE_TAKEN; i++) { /* whoever only looks holds it for a moment */
		if (i)
			nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
		got = file_lock(path, fd, &id, &holder, e);
	}
	free(path);
	if (got == FILE_LOCKED)
		return true;
	*fd = -1;
	if (got == FILE_TAKEN)
		err_set(e, ERR_GATE, "replay", "process %ld on this host replays %s already", (long)holder, queue_arn);
	return false;
}

bool drive_lock(struct drive *d, struct err *e)
{
	return lock_queue(d->g, d->run.source_arn, &d->lock, e);
}

bool replay_keep_away(const struct engine *g, const struct replay_run *r, int *fd, struct err *e)
{
	return lock_queue(g, r->source_arn, fd, e);
}

void drive_unlock(struct drive *d)
{
	if (d->lock >= 0)
		close(d->lock);
	d->lock = -1;
}

bool replay_driven(const struct engine *g, const struct replay_run *r)
{
	char *path = lock_path(g, r->source_arn);
	struct file_id id;
	struct err e = { 0 };
	pid_t holder = 0;
	int fd = -1;
	enum file_lock got = file_lock(path, &fd, &id, &holder, &e);
	if (got == FILE_LOCKED)
		close(fd);
	free(path);
	return got == FILE_TAKEN;
}
