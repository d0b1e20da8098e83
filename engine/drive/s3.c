/* source_s3 and source_failures_s3: what is meant by the names, what is sent of an object. Looking at objects is s3_look.c's. */
#include "engine/drive/s3.h"

#include "core/hash.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MOST 1000000
#define CALL_MOST_S 900 /* of a function that is not known beforehand */

/* ---- names */

static bool is_bucket(const char *s, size_t n)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	return n >= 3 && n <= 255 && strspn(s, allowed) >= n;
}

/* What the run's row has of it, or the request: which event, which keys. */
static bool read_origin(struct drive *d, struct objects *o, struct err *e)
{
	const struct replay_request *rq = &d->t->rq.replay;
	const char *origin = d->resumed ? d->run.origin : NULL;
	o->as_notification = origin ? strstr(origin, "event=s3") != NULL : rq->as_s3_event;
	if (o->contents && rq->as_s3_event)
		return err_set(e, ERR_USAGE, "--event", "the event of a failed invocation is in its record");
	if (rq->where)
		return err_set(e, ERR_USAGE, "--where", "objects are chosen by a longer prefix, or with --keys FILE");
	return true;
}

/* One key a line. */
static bool read_keys(struct drive *d, struct objects *o, struct err *e)
{
	struct span all = d->t->rq.replay.keys;
	if (!all.p)
		return true;
	o->text = xstrndup(all.p, all.n);
	for (char *line = o->text, *end; line && *line; line = end ? end + 1 : NULL) {
		end = strchr(line, '\n');
		size_t n = end ? (size_t)(end - line) : strlen(line);
		line[n] = '\0';
		if (n && line[n - 1] == '\r')
			line[n - 1] = '\0';
		if (!*line)
			continue;
		if (strlen(line) > S3_KEY_BYTES || strncmp(line, o->prefix, strlen(o->prefix)) != 0)
			return err_set(e, ERR_USAGE, "--keys", "'%.80s' is no key below s3://%s/%s", line, o->bucket, o->prefix);
		if (o->nkeys == KEYS_MOST)
			return err_set(e, ERR_USAGE, "--keys", "more than %d keys", KEYS_MOST);
		MEM_GROW(o->keys, o->nkeys, o->ckeys);
		o->keys[o->nkeys++] = line;
	}
	return o->nkeys || err_set(e, ERR_USAGE, "--keys", "names no key");
}

bool objects_names(struct drive *d, const char *rest, bool contents, struct err *e)
{
	size_t n = strcspn(rest, "/");
	if (!is_bucket(rest, n) || strlen(rest + n) > S3_KEY_BYTES + 1)
		return err_set(e, ERR_USAGE, "SOURCE", "s3://BUCKET/PREFIX, and '%.80s' names no bucket", rest);
	struct objects *o = d->own = xcalloc(1, sizeof *o);
	o->contents = contents;
	o->bucket = xstrndup(rest, n);
	o->prefix = xstrdup(rest[n] ? rest + n + 1 : "");
	arena_init(&o->listed.mem);
	return read_origin(d, o, e) && read_keys(d, o, e);
}

static bool names(struct drive *d, const char *text, struct err *e)
{
	return objects_names(d, text + strlen("s3://"), false, e);
}

static bool names_failures(struct drive *d, const char *text, struct err *e)
{
	return objects_names(d, text + strlen("failures:s3://"), true, e);
}

void objects_clear(struct drive *d)
{
	struct objects *o = d->own;
	if (!o)
		return;
	for (unsigned i = 0; i < LOOKS; i++) {
		free(o->looks[i].key);
		buf_clear(&o->looks[i].got.body);
	}
	arena_clear(&o->listed.mem);
	free(o->listed.page.token);
	free(o->listed.v);
	free(o->keys);
	free(o->text);
	free(o->bucket);
	free(o->prefix);
	free(o);
	d->own = NULL;
}

/* ---- the run's row */

/* A freeze that was broken off is made anew, and needs the same keys: their digest says whether they are. */
static const char *origin_of(struct drive *d, const struct objects *o)
{
	char sha[SHA_HEX] = "";
	struct span keys = d->t->rq.replay.keys;
	if (keys.p)
		body_hash(keys.p, keys.n, sha);
	return arena_printf(d->mem, "event=%s%s%s", o->as_notification ? "s3" : "object", keys.p ? " keys=" : "", sha);
}

void objects_settle(struct drive *d, const char *scheme)
{
	struct objects *o = objects_of(d);
	struct replay_run *r = &d->run;
	r->source = arena_printf(d->mem, "%s%s/%s", scheme, o->bucket, o->prefix);
	r->source_arn = arena_printf(d->mem, "arn:%s:s3:::%s/%s", d->g->target.partition, o->bucket, o->prefix);
	r->source_url = "";
	r->account = arena_strdup(d->mem, d->g->target.account);
	r->region = arena_strdup(d->mem, d->g->target.region);
	r->origin = origin_of(d, o);
	r->batch = 1;
	d->r->queue_arn = r->source_arn;
	if (!r->call_s)
		r->call_s = CALL_MOST_S;
}

static void settle(struct drive *d)
{
	objects_settle(d, "s3://");
}

static void settle_failures(struct drive *d)
{
	objects_settle(d, "failures:s3://");
}

/* Reading what is stored needs inspect. */
static bool may_read(struct drive *d)
{
	struct consent c = d->t->rq.consent;
	struct result refused = { 0 };
	const struct gate_act act = { MODE_INSPECT, &op_get_object, "read objects", false, 0 };
	c.yes = true;
	c.person = false;
	bool ok = gate_open(d->g->o.target, &c, &act, &d->receive, &refused);
	if (!ok)
		d->t->result->err = refused.err;
	return ok;
}

/* ---- what is sent */

static bool event(struct drive *d, struct flight *f)
{
	struct object_facts o;
	object_of_message(d->v[f->at[0]].msg, &o);
	if (objects_of(d)->as_notification)
		return event_s3(&f->payload, &o, d->run.region, d->g->target.partition);
	return event_object(&f->payload, &o, clock_wall());
}

static const char *function_of_failure(const struct drive *d, const struct entry *en)
{
	bool through = d->run.dest && *d->run.dest;
	return through || !en->msg ? NULL : message_fact(en->msg, FUNCTION_FACT);
}

static const struct prepare_step steps[] = { { ask_function, hear_function, false, false, NULL } };

const struct replay_source source_s3 = {
	.prefix = "s3://",
	.form = "s3://BUCKET/PREFIX",
	.kept = "the bucket",
	.names = names,
	.steps = steps,
	.nsteps = sizeof steps / sizeof *steps,
	.settle = settle,
	.begin = objects_begin,
	.step = objects_step,
	.event = event,
	.clear = objects_clear,
};

const struct replay_source source_failures_s3 = {
	.prefix = "failures:s3://",
	.form = "failures:s3://BUCKET/PREFIX",
	.kept = "the bucket",
	.through = true,
	.names = names_failures,
	.may_read = may_read,
	.steps = steps,
	.nsteps = sizeof steps / sizeof *steps,
	.settle = settle_failures,
	.begin = objects_begin,
	.step = objects_step,
	.event = async_event,
	.function = function_of_failure,
	.clear = objects_clear,
};
