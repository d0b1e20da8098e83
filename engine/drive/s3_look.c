/* Finding objects: the freeze lists them (or goes through the keys that were given) and, where it needs to know more, looks at each; later
 * each is looked at again before its turn. What changed since is SKIPPED, what is not there any more is GONE. */
#include "engine/drive/s3.h"

#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OBJECT_MOST (16u << 20)

/* ---- one look */

static void on_looked(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct look *l = ctx;
	(void)op, (void)in, (void)out;
	l->err = *e;
	l->answered = true;
}

static bool look_at(struct drive *d, struct look *l, unsigned at, const char *key, const char *version)
{
	struct objects *o = objects_of(d);
	free(l->key);
	l->key = xstrdup(key);
	l->at = at;
	l->d = d;
	if (o->contents) {
		if (!drive_announce(d, &op_get_object, o->bucket, "%.160s", key))
			return false;
		buf_clear(&l->got.body);
		buf_init(&l->got.body, OBJECT_MOST);
		l->get_in = (struct get_object_in){ o->bucket, l->key, version, NULL };
		aws_call_permitted(d->g->aws, &d->receive, CALL_ACT, &op_get_object, &l->get_in, &l->got, on_looked, l);
	} else {
		l->head_in = (struct object_in){ o->bucket, l->key, version };
		aws_call_as(d->g->aws, CALL_ACT, &op_head_object, &l->head_in, &l->head, on_looked, l);
	}
	l->on = true;
	return true;
}

/* version: only an item that was frozen with one is compared with it. */
static struct message *message_of(const struct drive *d, struct look *l, bool version)
{
	struct objects *o = objects_of(d);
	const struct head_object_out *h = o->contents ? &l->got.head : &l->head;
	const struct object_facts facts = {
		o->bucket, l->key, h->etag, version ? h->version : "", h->size, h->modified_ms
	};
	struct message *m = o->contents ? object_content(&facts, buf_span(&l->got.body)) : object_message(&facts);
	m->received_ms = now_ms();
	return m;
}

static struct look *free_look(struct objects *o)
{
	for (unsigned i = 0; i < LOOKS; i++)
		if (!o->looks[i].on)
			return &o->looks[i];
	return NULL;
}

static bool any_on(const struct objects *o)
{
	for (unsigned i = 0; i < LOOKS; i++)
		if (o->looks[i].on)
			return true;
	return false;
}

/* ---- the freeze */

static void on_listed(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct objects *o = ctx;
	(void)op, (void)in, (void)out;
	o->err = *e;
	o->answered = true;
}

static void list(struct drive *d, struct objects *o)
{
	arena_clear(&o->listed.mem);
	arena_init(&o->listed.mem);
	o->listed.n = 0;
	o->list_in = (struct list_objects_in){ .bucket = o->bucket, .prefix = o->prefix };
	o->listing = true;
	o->answered = false;
	aws_call_as(d->g->aws, CALL_ACT, &op_list_objects, &o->list_in, &o->listed, on_listed, o);
}

static bool room(const struct drive *d)
{
	return !d->run.limit || d->n < d->run.limit;
}

static void freeze(struct drive *d, struct message *m, const char *version)
{
	if (drive_find(d, m->id) || !room(d)) { /* a key that was named twice */
		message_free(m);
		return;
	}
	struct entry *en = drive_add(d, m);
	en->it.place = version && *version ? arena_strdup(d->mem, version) : NULL;
	drop_message(en); /* it costs nothing to be looked at again */
}

/* What the console shows as a folder. */
static bool is_folder(const struct s3_object *v)
{
	size_t n = strlen(v->key);
	return n && v->key[n - 1] == '/' && v->size == 0;
}

static void freeze_listed(struct drive *d, struct objects *o)
{
	unsigned had = d->n;
	for (unsigned i = 0; i < o->listed.n && room(d); i++) {
		const struct s3_object *v = &o->listed.v[i];
		const struct object_facts facts = { o->bucket, v->key, v->etag ? v->etag : "", "", v->size, v->modified_ms };
		if (is_folder(v))
			o->folders++;
		else
			freeze(d, object_message(&facts), NULL);
	}
	drive_added(d, had);
}

static const char *candidate(const struct objects *o, unsigned i)
{
	return o->nkeys ? o->keys[i] : o->listed.v[i].key;
}

static unsigned candidates(const struct objects *o)
{
	return o->nkeys ? o->nkeys : o->listed.n;
}

/* A record that cannot be invoked again is left where it is, and said. */
static bool is_good(const struct drive *d, struct objects *o, struct message *m)
{
	struct err e = { 0 };
	if (!o->contents)
		return true;
	enum async_found found = note_async(m, &e);
	if (found == ASYNC_FOUND && (*message_fact(m, FUNCTION_FACT) || d->t->rq.replay.through))
		return true;
	if (found == ASYNC_FOUND)
		err_set(&e, ERR_USAGE, "--through", "it names no function; --through does");
	if (o->bad++ == 0)
		snprintf(o->why, sizeof o->why, "%.80s: %.100s", m->id,
		         found == ASYNC_NONE ? "it is no on-failure record" : e.text);
	return false;
}

static void hear_candidate(struct drive *d, struct objects *o, struct look *l)
{
	unsigned had = d->n;
	if (l->err.code == ERR_NOTFOUND) {
		o->absent++;
		return;
	}
	if (l->err.code != ERR_OK) {
		drive_fail(d, &l->err);
		return;
	}
	struct message *m = message_of(d, l, true);
	if (is_good(d, o, m))
		freeze(d, m, o->contents ? l->got.head.version : l->head.version);
	else
		message_free(m);
	drive_added(d, had);
}

/* Each candidate in its turn. True: all of them were looked at. */
static bool look_on(struct drive *d, struct objects *o)
{
	for (struct look *l; !d->ending && room(d) && o->next < candidates(o) && (l = free_look(o)); o->next++) {
		const char *key = candidate(o, o->next);
		if (!o->nkeys && is_folder(&o->listed.v[o->next]))
			o->folders++;
		else if (!look_at(d, l, o->next, key, NULL))
			break;
	}
	return !any_on(o);
}

static void tell_left_out(struct drive *d, const struct objects *o)
{
	if (o->absent)
		drive_warn(d, "%u of the keys are not there", o->absent);
	if (o->folders)
		drive_warn(d, "%u empty objects that stand for folders are left out", o->folders);
	if (o->bad)
		drive_warn(d, "%u objects cannot be invoked again and are left where they are; the first: %s", o->bad, o->why);
	if (d->n > 10000)
		drive_warn(d, "more than 10000 objects: S3 Batch Operations does that without this machine");
}

/* A list that is gone with the process that had it cannot be frozen anew. */
static bool has_its_keys(struct drive *d, const struct objects *o)
{
	char sha[SHA_HEX];
	const char *frozen = d->run.origin ? strstr(d->run.origin, "keys=") : NULL;
	struct span keys = d->t->rq.replay.keys;
	struct err e = { 0 };
	if (!d->resumed || (!frozen && !o->nkeys))
		return true;
	body_hash(keys.p ? keys.p : "", keys.n, sha);
	if (frozen && keys.p && strcmp(frozen + 5, sha) == 0)
		return true;
	err_set(&e, ERR_USAGE, "--keys",
	        "run %s was broken off while it was frozen from a list of keys: give the same list again, or start anew",
	        d->run.id);
	drive_fail(d, &e);
	return false;
}

static void freeze_begin(struct drive *d, struct objects *o)
{
	o->next = o->folders = o->absent = o->bad = 0;
	if (!has_its_keys(d, o))
		return;
	if (!o->nkeys)
		list(d, o);
	o->looking = o->nkeys > 0;
	d->sweep.on = true;
}

/* True: over. */
static bool freeze_on(struct drive *d, struct objects *o)
{
	if (o->listing && !o->answered)
		return false;
	if (o->listing) {
		o->listing = false;
		if (o->err.code != ERR_OK) {
			drive_fail(d, &o->err);
			return true;
		}
		o->looking = o->contents;
		if (!o->contents)
			freeze_listed(d, o);
	}
	if (o->looking && !look_on(d, o))
		return false;
	tell_left_out(d, o);
	return true;
}

/* ---- right before its turn */

static void turn_begin(struct drive *d, struct objects *o)
{
	unsigned most = drive_take_most(d);
	o->taken = 0;
	for (unsigned i = d->first; i < d->n && o->taken < most; i++) {
		struct look *l = d->v[i].asked ? free_look(o) : NULL;
		if (!d->v[i].asked)
			continue;
		if (!l || !look_at(d, l, i, object_key(d->v[i].it.msg_id), d->v[i].it.place))
			break;
		o->taken++;
	}
	d->sweep.on = o->taken > 0;
}

static bool same_body(const struct entry *en, const struct message *m)
{
	char sha[SHA_HEX];
	body_hash(m->body.p, m->body.n, sha);
	return strcmp(sha, en->it.body_sha256) == 0;
}

static void changed(struct drive *d, struct entry *en)
{
	en->asked = false;
	en->it.code = "CHANGED";
	en->it.text = "the object is not the one that was frozen: it was written again since";
	if (en->it.state == ITEM_SELECTED)
		drive_shift(d, en, MOVE_SKIP, en->it.text);
	else
		en->retold = true;
}

static void hear_turn(struct drive *d, struct look *l)
{
	struct entry *en = &d->v[l->at];
	if (l->err.code == ERR_NOTFOUND) {
		drive_missed(d, en);
	} else if (l->err.code != ERR_OK) {
		en->asked = false;
		drive_end(d, RUN_PAUSED, "%s: %s", l->err.where, l->err.text);
	} else {
		struct message *m = message_of(d, l, en->it.place != NULL);
		struct err e;
		if (same_body(en, m)) {
			if (objects_of(d)->contents)
				note_async(m, &e);
			drive_take(d, en, m);
		} else {
			changed(d, en);
			message_free(m);
		}
	}
	drive_commit(d);
}

/* ---- a turn */

void objects_begin(struct drive *d)
{
	struct objects *o = objects_of(d);
	if (d->phase == PHASE_FREEZE)
		freeze_begin(d, o);
	else
		turn_begin(d, o);
	d->sweep.flying = o->listing || any_on(o);
}

bool objects_step(struct drive *d)
{
	struct objects *o = objects_of(d);
	for (unsigned i = 0; i < LOOKS; i++) {
		struct look *l = &o->looks[i];
		if (!l->on || !l->answered)
			continue;
		l->on = l->answered = false;
		if (d->phase == PHASE_FREEZE && !d->ending)
			hear_candidate(d, o, l);
		else if (d->phase != PHASE_FREEZE)
			hear_turn(d, l);
	}
	bool over = d->phase == PHASE_FREEZE && !d->ending ? freeze_on(d, o) : !any_on(o) && !(o->listing && !o->answered);
	d->sweep.flying = (o->listing && !o->answered) || any_on(o);
	if (over)
		d->sweep.on = false;
	return over;
}
