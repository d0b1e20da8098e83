#include "engine/drive/guard.h"

#include "engine/drive/drive.h"

#include "core/file.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LOCK_BYTES 4096
#define LEASE_MOST_S 86400
#define TRIES 5
#define RETRY_MS 2000
#define SLACK_MS 2000 /* Last-Modified and Date are whole seconds */
#define LEAVE_MS 3000 /* so long the end of a run waits for it */

const char *guard_words(struct arena *mem, const struct conf_target *t)
{
	if (!t || !t->lock_bucket)
		return GUARD_HOST_ONLY;
	return arena_printf(mem, "an object in s3://%s/locks/, and a lock on this host", t->lock_bucket);
}

/* ---- what it is */

/* The kernel's run and the lock file: who has that lock is the only one of its kind, whatever the host calls itself. */
static void name_place(const struct drive *d, char out[65])
{
	char text[256];
	struct buf boot;
	struct err e;
	struct stat st = { 0 };
	uint8_t digest[HASH_SHA256];
	buf_init(&boot, 64);
	if (!file_read("/proc/sys/kernel/random/boot_id", FILE_ANY, 64, &boot, NULL, &e) || fstat(d->lock, &st) != 0) {
		buf_clear(&boot);
		out[0] = '\0'; /* then nobody is taken for us */
		return;
	}
	int n = snprintf(text, sizeof text, "%.*s %" PRIuMAX " %" PRIuMAX, (int)boot.n, boot.p, (uintmax_t)st.st_dev,
	                 (uintmax_t)st.st_ino);
	hash_sha256(text, (size_t)n, digest);
	hash_hex(digest, sizeof digest, out);
	buf_clear(&boot);
}

static bool permits(struct drive *d, struct guard *g, struct err *e)
{
	struct consent c = d->t->rq.consent;
	struct result refused = { 0 };
	const struct gate_act get = { MODE_INSPECT, &op_get_object, "read the replay lock", false, 0 },
	                      put = { MODE_OPERATE, &op_put_object, "write the replay lock", false, 0 };
	c.yes = true;
	c.person = false;
	bool ok = gate_open(d->g->o.target, &c, &get, &g->get, &refused) &&
	          (d->plan || gate_open(d->g->o.target, &c, &put, &g->put, &refused));
	if (!ok)
		*e = refused.err;
	return ok;
}

bool guard_begin(struct drive *d, struct err *e)
{
	struct guard *g = &d->guard;
	char sha[SHA_HEX];
	uint8_t noise[16];
	d->r->guard = guard_words(d->mem, d->g->o.target);
	if (!d->g->o.target || !d->g->o.target->lock_bucket)
		return true;
	g->bucket = d->g->o.target->lock_bucket;
	g->lease_ms = 1000 * (d->g->o.target->lock_lease > 0 ? d->g->o.target->lock_lease : GUARD_LEASE_S);
	body_hash(d->run.source_arn, strlen(d->run.source_arn), sha);
	snprintf(g->key, sizeof g->key, "locks/%s", sha);
	if (!hash_random(noise, sizeof noise))
		return err_set(e, ERR_INTERNAL, "replay lock", "no random numbers: nobody could tell whose it is");
	hash_hex(noise, sizeof noise, g->owner);
	name_place(d, g->place);
	buf_init(&g->got.body, LOCK_BYTES);
	buf_init(&g->body, LOCK_BYTES);
	g->state = GUARD_LOOKING;
	return permits(d, g, e);
}

void guard_clear(struct drive *d)
{
	if (d->guard.flying && !d->guard.answered && d->g->aws)
		aws_cancel(d->g->aws, d->guard.call);
	buf_clear(&d->guard.got.body);
	buf_clear(&d->guard.body);
}

/* ---- calls */

static void on_answer(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct guard *g = ctx;
	(void)op, (void)in, (void)out;
	g->err = *e;
	g->answered = true;
}

static void look(struct drive *d, struct guard *g)
{
	g->state = g->renewing ? g->state : GUARD_LOOKING;
	g->flying = true;
	g->answered = false;
	g->get_in = (struct get_object_in){ .bucket = g->bucket, .key = g->key };
	g->call = aws_call_permitted(d->g->aws, &g->get, CALL_ACT, &op_get_object, &g->get_in, &g->got, on_answer, g);
}

static void say(struct drive *d, struct guard *g, bool released)
{
	struct json_out o;
	buf_reset(&g->body);
	json_out_init(&o, &g->body);
	json_out_object(&o, NULL);
	json_out_int(&o, "version", 1);
	json_out_str(&o, "source", d->run.source_arn);
	json_out_str(&o, "owner", g->owner);
	json_out_str(&o, "place", g->place);
	json_out_str(&o, "run", d->run.id[0] ? d->run.id : NULL);
	json_out_str(&o, "by", d->who.user);
	json_out_str(&o, "host", d->who.host);
	json_out_int(&o, "fence", g->fence);
	json_out_int(&o, "renewals", g->renewals);
	json_out_int(&o, "lease_seconds", g->lease_ms / 1000);
	json_out_bool(&o, "released", released);
	json_out_object_end(&o);
}

/* etag "": only if there is none. False: it could not be announced, so it must not be done. */
static bool put(struct drive *d, struct guard *g, const char *etag, bool released)
{
	struct err e = { 0 };
	char detail[96];
	snprintf(detail, sizeof detail, "%s, fence %" PRId64,
	         released      ? "left"
	         : g->renewing ? "renewed"
	                       : "taken",
	         g->fence);
	if (!audit_add(d->audit, &d->who.who, "s3:PutObject", g->key, "announced", d->run.id[0] ? d->run.id : NULL, detail,
	               &e))
		return false;
	say(d, g, released);
	g->began_mono = clock_mono_ms();
	g->began_wall = clock_wall_ms();
	if (etag != g->etag)
		snprintf(g->etag, sizeof g->etag, "%s", etag);
	g->put_in =
	    (struct put_object_in){ g->bucket, g->key, "application/json", *g->etag ? g->etag : NULL, buf_span(&g->body) };
	g->flying = true;
	g->answered = false;
	g->call = aws_call_permitted(d->g->aws, &g->put, CALL_ACT, &op_put_object, &g->put_in, &g->done, on_answer, g);
	return true;
}

static void held(struct guard *g, const char *etag)
{
	snprintf(g->etag, sizeof g->etag, "%s", etag);
	g->state = GUARD_HELD;
	g->mono_ms = g->began_mono;
	g->wall_ms = g->began_wall;
	g->next_ms = g->began_mono + g->lease_ms / 3;
	g->renewing = false;
}

/* ---- taking it */

struct lock_said { /* borrowed from doc */
	struct json *doc;
	const char *owner, *place, *host, *by, *run;
	int64_t fence, lease_s;
	bool released;
};

static bool read_lock(const struct guard *g, struct lock_said *l)
{
	struct json *doc = json_parse(buf_span(&g->got.body), NULL);
	*l = (struct lock_said){ .doc = doc,
		                     .owner = json_get_str(doc, "owner"),
		                     .place = json_get_str(doc, "place"),
		                     .host = json_get_str(doc, "host"),
		                     .by = json_get_str(doc, "by"),
		                     .run = json_get_str(doc, "run") };
	json_bool(json_get(doc, "released"), &l->released);
	return l->owner && json_int(json_get(doc, "fence"), &l->fence) &&
	       json_int(json_get(doc, "lease_seconds"), &l->lease_s) && l->lease_s > 0 && l->lease_s <= LEASE_MOST_S;
}

/* By S3's own clock alone: it says when the object was written and what time it is. */
static bool has_lapsed(const struct guard *g, const struct lock_said *l)
{
	return g->got.now_ms && g->got.head.modified_ms &&
	       g->got.now_ms - g->got.head.modified_ms > 1000 * l->lease_s + SLACK_MS;
}

static void fails(struct drive *d, enum err_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void fails(struct drive *d, enum err_code code, const char *fmt, ...)
{
	struct err e = { 0 };
	char text[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	err_set(&e, code, "replay", "%s", text);
	drive_fail(d, &e);
}

/* True: over. */
static bool want(struct drive *d, struct guard *g, int64_t fence, const char *etag)
{
	if (d->plan) {
		g->state = GUARD_NONE;
		return true;
	}
	g->fence = fence;
	g->state = GUARD_WRITING;
	if (put(d, g, etag, false))
		return false;
	fails(d, ERR_DB, "the audit log cannot be written");
	return true;
}

/* May it be taken? Left, lapsed, or of a process of this host that is gone: its host's lock is ours now. */
static bool is_free(const struct guard *g, const struct lock_said *l)
{
	return l->released || has_lapsed(g, l) || (g->place[0] && l->place && strcmp(l->place, g->place) == 0);
}

static bool hear_lock(struct drive *d, struct guard *g)
{
	struct lock_said l;
	bool known = read_lock(g, &l), over = true;
	if (!known)
		fails(d, ERR_GATE, "s3://%s/%s is no replay lock: nobody can say who holds it", g->bucket, g->key);
	else if (g->tries && strcmp(l.owner, g->owner) == 0)
		held(g, g->got.head.etag);
	else if (is_free(g, &l))
		over = want(d, g, l.fence + 1, g->got.head.etag);
	else
		fails(d, ERR_GATE, "%s on %s replays it already: the lock in s3://%s is held", l.by ? l.by : "somebody",
		      l.host ? l.host : "another host", g->bucket);
	json_free(l.doc);
	return over;
}

static bool hear_look(struct drive *d, struct guard *g)
{
	if (g->err.code == ERR_NOTFOUND && !strstr(g->err.text, "NoSuchBucket"))
		return want(d, g, 1, "");
	if (g->err.code == ERR_OK)
		return hear_lock(d, g);
	drive_fail(d, &g->err);
	return true;
}

/* True: over. */
static bool hear_put(struct drive *d, struct guard *g)
{
	bool lost_race = g->err.code == ERR_CONFLICT || g->err.code == ERR_NOTFOUND;
	if (g->err.code == ERR_OK) {
		held(g, g->done.etag);
		return true;
	}
	if ((!lost_race && !g->err.in_doubt) || ++g->tries >= TRIES) {
		drive_fail(d, &g->err);
		return true;
	}
	look(d, g);
	return false;
}

bool guard_take(struct drive *d)
{
	struct guard *g = &d->guard;
	if (g->state == GUARD_NONE || g->state == GUARD_HELD)
		return true;
	if (!g->flying) {
		look(d, g);
		return false;
	}
	if (!g->answered)
		return false;
	g->flying = g->answered = false;
	return g->state == GUARD_LOOKING ? hear_look(d, g) : hear_put(d, g);
}

/* ---- having it */

static int64_t age(const struct guard *g)
{
	int64_t mono = clock_mono_ms() - g->mono_ms,
	        wall = clock_wall_ms() - g->wall_ms; /* one stands still in a sleep, the other is set */
	return mono > wall ? mono : wall;
}

static void lose(struct drive *d, struct guard *g, const char *why)
{
	if (g->state == GUARD_LOST)
		return;
	g->state = GUARD_LOST;
	log_error(LOG_ENGINE, "replay %s: its lock is lost: %s", d->run.id, why);
	drive_end(d, RUN_PAUSED, "its lock in s3://%s was lost (%s): nothing more was done", g->bucket, why);
}

bool guard_holds(struct drive *d)
{
	struct guard *g = &d->guard;
	if (g->state == GUARD_HELD && age(g) > g->lease_ms - g->lease_ms / 12)
		lose(d, g, "it could not be renewed in time");
	return g->state != GUARD_LOST;
}

static void hear_renewal(struct drive *d, struct guard *g)
{
	struct lock_said l;
	bool looked = g->looked;
	g->looked = false;
	if (!looked && g->err.code == ERR_OK) {
		held(g, g->done.etag);
	} else if (!looked && (g->err.code == ERR_CONFLICT || g->err.code == ERR_NOTFOUND)) {
		/* Somebody else wrote it; or we did, and the answer was lost: then it says so. */
		g->looked = true;
		look(d, g);
	} else if (looked && g->err.code == ERR_OK) {
		bool mine = read_lock(g, &l) && strcmp(l.owner, g->owner) == 0 && l.fence == g->fence && !l.released;
		json_free(l.doc);
		if (mine)
			snprintf(g->etag, sizeof g->etag, "%s", g->got.head.etag), g->next_ms = clock_mono_ms();
		else
			lose(d, g, "somebody else has it");
		g->renewing = false;
	} else if (looked && g->err.code == ERR_NOTFOUND) {
		lose(d, g, "it was deleted");
	} else {
		g->renewing = false;
		g->next_ms = clock_mono_ms() + RETRY_MS;
	}
}

void guard_turn(struct drive *d, int64_t *wake_ms)
{
	struct guard *g = &d->guard;
	if (g->state != GUARD_HELD || g->leaving)
		return;
	if (g->flying && g->answered) {
		g->flying = g->answered = false;
		hear_renewal(d, g);
	}
	if (!guard_holds(d) || g->flying)
		return;
	if (clock_mono_ms() >= g->next_ms) {
		g->renewing = true;
		g->renewals++;
		if (!put(d, g, g->etag, false))
			lose(d, g, "the audit log cannot be written");
	} else {
		*wake_ms = wake_sooner(*wake_ms, g->next_ms);
	}
}

/* ---- leaving it: marked as free, its fence kept, so that the next one counts on */

bool guard_leave(struct drive *d, int64_t *wake_ms)
{
	struct guard *g = &d->guard;
	if (g->state != GUARD_HELD)
		return true;
	if (g->flying && !g->answered) {
		*wake_ms = g->began_mono + LEAVE_MS;
		return clock_mono_ms() >= *wake_ms;
	}
	bool renewed = g->flying;
	g->flying = g->answered = false;
	if (g->leaving)
		return true;
	if (renewed)
		hear_renewal(d, g);
	if (g->flying)
		return false;
	g->leaving = true;
	g->renewals++;
	*wake_ms = clock_mono_ms() + LEAVE_MS;
	return !guard_holds(d) || !put(d, g, g->etag, true);
}
