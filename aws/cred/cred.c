#include "aws/cred/cred.h"

#include "core/clock.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/thread.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FETCH_MS 75000         /* one fetch: a process may take a minute */
#define RENEW_BEFORE (15 * 60) /* seconds: from here on new keys are tried for, while the old ones still serve */
#define RENEW_EVERY_MS 60000   /* between such tries */
#define LOOK_READY_MS 10000    /* how often the files are looked at */
#define LOOK_FAILED_MS 2000    /* ... while there are no keys: somebody is just renewing them */
#define BACKOFF_FIRST_MS 2000  /* between fetches that fail */
#define BACKOFF_MOST_MS 60000
#define STAMPS 6

/* What tells whether a file is still the one that was read. */
struct stamp {
	char *path;
	int64_t mtime_ns;
	uint64_t inode, size;
	bool there;
};

struct job { /* one fetch; while it runs on a thread of its own, nobody else touches it */
	struct fetch fetch;
	const struct cred_source *source;
	struct keys keys;
	struct err err;
	bool ok;
	char code[16];
	atomic_bool stop, finished;
	void (*wake)(void *ctx);
	void *wake_ctx;
};

struct cred {
	const struct account *account;
	struct cred_source *source; /* NULL: plan_err says why */
	struct err plan_err, err;
	struct keys keys;
	uint64_t generation;
	bool refused;  /* the service does not take these keys; others are to be fetched */
	bool hopeless; /* ... and what was fetched was the same */
	unsigned failures;
	int64_t retry_ms; /* monotonic: not before */
	bool again;       /* somebody may have mended it: fetch whatever the last try said */
	struct stamp stamps[STAMPS];
	unsigned nstamps;
	int64_t looked_ms;
	char code[16];
	cred_ask *ask;
	void *ask_ctx;
	int64_t deadline_ms;
	bool threaded, running;
	void (*wake)(void *ctx);
	void *wake_ctx;
	pthread_t thread;
	struct job job;
};

/* ---- providers */

static cred_provider *const providers[CRED_FROM_COUNT] = {
#define X(code, name, function) [CRED_##code] = function,
	CRED_PROVIDERS(X)
#undef X
};

static const char *const names[CRED_FROM_COUNT] = {
#define X(code, name, function) [CRED_##code] = name,
	CRED_PROVIDERS(X)
#undef X
};

const char *cred_from_name(enum cred_from from)
{
	return names[from] ? names[from] : "unknown";
}

bool cred_fetch(struct fetch *f, const struct cred_source *s, struct keys *out, struct err *e)
{
	err_clear(e);
	*out = (struct keys){ 0 };
	if (!providers[s->from])
		return err_set(e, ERR_NOCRED, s->where, "this version has no such source of credentials");
	bool ok = providers[s->from](f, s, out, e) && keys_valid(out, s->where, e);
	if (!ok)
		keys_clear(out);
	return ok;
}

/* ---- files that keys come from */

static void stamp_read(struct stamp *s)
{
	struct stat st;
	s->there = stat(s->path, &st) == 0;
	s->mtime_ns = s->there ? (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec : 0;
	s->inode = s->there ? (uint64_t)st.st_ino : 0;
	s->size = s->there ? (uint64_t)st.st_size : 0;
}

static void stamp_add(struct cred *c, const char *path)
{
	if (!path || c->nstamps == STAMPS)
		return;
	c->stamps[c->nstamps] = (struct stamp){ .path = xstrdup(path) };
	stamp_read(&c->stamps[c->nstamps++]);
}

static void stamps_clear(struct cred *c)
{
	for (unsigned i = 0; i < c->nstamps; i++)
		free(c->stamps[i].path);
	c->nstamps = 0;
}

static void stamps_take(struct cred *c)
{
	stamps_clear(c);
	stamp_add(c, c->account->config_file);
	stamp_add(c, c->account->credentials_file);
	for (const struct cred_source *s = c->source; s; s = s->base)
		stamp_add(c, s->file);
	c->looked_ms = clock_mono_ms();
}

static bool files_changed(struct cred *c)
{
	bool changed = false;
	c->looked_ms = clock_mono_ms();
	for (unsigned i = 0; i < c->nstamps; i++) {
		struct stamp now = { .path = c->stamps[i].path };
		stamp_read(&now);
		changed = changed || now.there != c->stamps[i].there || now.mtime_ns != c->stamps[i].mtime_ns ||
		          now.inode != c->stamps[i].inode || now.size != c->stamps[i].size;
		c->stamps[i] = now;
	}
	return changed;
}

static void plan(struct cred *c)
{
	cred_source_free(c->source);
	c->source = chain_plan(c->account->profile.value ? c->account->profile.value : "default", c->account->profile_asked,
	                       &c->plan_err);
	stamps_take(c);
}

static int look_every(const struct cred *c)
{
	return c->err.code == ERR_OK && c->source ? LOOK_READY_MS : LOOK_FAILED_MS;
}

/* A file that changes is taken up without a restart. */
static void look(struct cred *c)
{
	if (!c->account || c->running || clock_mono_ms() - c->looked_ms < look_every(c) || !files_changed(c))
		return;
	log_info(LOG_AWS, "a file of credentials has changed: read again");
	plan(c);
	c->again = true;
	c->hopeless = false;
	c->failures = 0;
}

/* ---- codes of MFA devices */

static const char *serial_of(const struct cred_source *s)
{
	for (; s; s = s->base)
		if (s->mfa_serial)
			return s->mfa_serial;
	return NULL;
}

static bool lacks_code(struct cred *c)
{
	const char *serial = serial_of(c->source);
	if (!serial || *c->code)
		return false;
	if (c->ask && c->ask(c->ask_ctx, serial, c->code))
		return false;
	c->ask = NULL; /* nobody answers: the keys are not on their way */
	return true;
}

/* ---- one fetch */

static void run(struct job *j)
{
	j->ok = cred_fetch(&j->fetch, j->source, &j->keys, &j->err);
	fetch_end(&j->fetch);
}

static void *run_thread(void *arg)
{
	struct job *j = arg;
	run(j);
	sign_forget(); /* this thread's */
	void (*wake)(void *) = j->wake;
	void *ctx = j->wake_ctx;
	atomic_store(&j->finished, true);
	if (wake)
		wake(ctx);
	return NULL;
}

static void take_keys(struct cred *c, struct keys *k)
{
	bool same = c->generation && keys_same(&c->keys, k);
	c->hopeless = same && c->refused;
	keys_clear(&c->keys);
	c->keys = *k;
	*k = (struct keys){ 0 };
	c->generation += !same;
	c->failures = 0;
	c->retry_ms = clock_mono_ms() + RENEW_EVERY_MS;
	if (!c->hopeless) {
		err_clear(&c->err);
		c->refused = false;
	}
	if (c->keys.expires && c->keys.expires <= clock_wall()) {
		char when[CLOCK_RFC3339_SIZE];
		clock_rfc3339(c->keys.expires, when);
		err_set(&c->err, ERR_AUTH, c->source->where, "the keys expired at %s", when);
		c->retry_ms = clock_mono_ms() + BACKOFF_MOST_MS;
	}
	log_info(LOG_AWS, "credentials: %s, from %s", cred_from_name(c->source->from), c->source->where);
}

static void take_failure(struct cred *c, const struct err *e)
{
	int shift = c->failures < 5 ? (int)c->failures : 5;
	int64_t wait = (int64_t)BACKOFF_FIRST_MS << shift;
	c->err = *e;
	c->failures++;
	c->retry_ms = clock_mono_ms() + (wait < BACKOFF_MOST_MS ? wait : BACKOFF_MOST_MS);
	log_warn(LOG_AWS, "credentials: %s: %s", e->where, e->text);
}

static void take_result(struct cred *c)
{
	struct job *j = &c->job;
	if (j->ok)
		take_keys(c, &j->keys);
	else
		take_failure(c, &j->err);
	hash_wipe(j->code, sizeof j->code);
	hash_wipe(c->code, sizeof c->code);
	c->again = false;
}

static void start(struct cred *c)
{
	struct job *j = &c->job;
	int64_t now = clock_mono_ms(), until = now + FETCH_MS;
	*j = (struct job){ .source = c->source, .wake = c->wake, .wake_ctx = c->wake_ctx };
	memcpy(j->code, c->code, sizeof j->code);
	if (!c->threaded && c->deadline_ms && c->deadline_ms < until)
		until = c->deadline_ms;
	j->fetch = (struct fetch){
		.account = c->account, .code = *j->code ? j->code : NULL, .stop = &j->stop, .deadline_ms = until
	};
	bool waits = c->source->from != CRED_STATIC;
	if (waits && c->threaded && thread_start(&c->thread, run_thread, j) == 0) {
		c->running = true;
		return;
	}
	run(j);
	take_result(c);
}

static bool expires_soon(const struct cred *c)
{
	return c->keys.expires && c->keys.expires - clock_wall() < RENEW_BEFORE;
}

static bool expired(const struct cred *c)
{
	return c->keys.expires && c->keys.expires <= clock_wall();
}

static bool wants_fetch(const struct cred *c)
{
	if (c->running || !c->account || !c->source)
		return false;
	if (c->again)
		return true;
	if (c->generation && !c->refused && expired(c) && c->err.code == ERR_OK)
		return true; /* they live less long than the pause between two renewals, which is meant for the time before their end */
	if (c->generation && !c->refused && !expires_soon(c))
		return false;
	/* A source that gave the refused keys once more may have others later; what stands in a file or the environment is looked
	 * at there. */
	return !(c->hopeless && c->source->from == CRED_STATIC) && clock_mono_ms() >= c->retry_ms;
}

/* ---- the face */

static bool valid_now(const struct cred *c)
{
	return c->generation && (!c->refused || c->hopeless) && !expired(c);
}

/* Also those that the service has just refused: that is when it talks about them. */
void cred_mask(const struct cred *c, struct err *e)
{
	if (c)
		sign_mask(&(struct sign_keys){ c->keys.access_key, c->keys.secret_key, c->keys.session_token }, e);
}

int cred_turn(struct cred *c)
{
	if (c->running && atomic_load(&c->job.finished)) {
		pthread_join(c->thread, NULL);
		c->running = false;
		take_result(c);
	}
	look(c);
	if (wants_fetch(c) && !lacks_code(c))
		start(c);
	if (!c->account)
		return -1;
	if (c->running)
		return LOOK_READY_MS; /* its end wakes */
	int64_t left = c->looked_ms + look_every(c) - clock_mono_ms();
	return left < 0 ? 0 : (int)left;
}

static enum cred_state state_of(const struct cred *c)
{
	if (valid_now(c))
		return CRED_READY;
	if (c->running)
		return CRED_FETCHING;
	if (c->account && !c->source)
		return CRED_FAILED;
	if (serial_of(c->source) && !*c->code && !c->ask)
		return CRED_WANTS_CODE;
	return wants_fetch(c) ? CRED_FETCHING : CRED_FAILED;
}

static void say_why(const struct cred *c, enum cred_state state, struct err *e)
{
	if (state == CRED_WANTS_CODE)
		err_set(e, ERR_NOCRED, c->source->where, "a code of the MFA device %.100s is needed%s%.100s",
		        serial_of(c->source), c->err.code != ERR_OK ? "; the last one: " : "",
		        c->err.code != ERR_OK ? c->err.text : "");
	else if (c->account && !c->source)
		*e = c->plan_err;
	else
		*e = c->err;
	if (e->code == ERR_OK) /* no failure may look like none */
		err_set(e, ERR_AUTH, c->source ? c->source->where : "credentials", "the keys have expired");
}

enum cred_state cred_keys(const struct cred *c, struct sign_keys *out, uint64_t *generation, struct err *e)
{
	enum cred_state state = state_of(c);
	if (e)
		err_clear(e);
	if (state == CRED_READY) {
		*out = (struct sign_keys){ c->keys.access_key, c->keys.secret_key, c->keys.session_token };
		*generation = c->generation;
	} else if (state != CRED_FETCHING && e) {
		say_why(c, state, e);
	}
	return state;
}

bool cred_refused(struct cred *c, uint64_t generation, const struct err *why)
{
	if (!c->account || c->hopeless)
		return false;
	if (generation != c->generation)
		return true; /* other keys have come since */
	if (!c->refused) {
		log_warn(LOG_AWS, "credentials: the service refused them: %s", why->text);
		c->refused = true;
		c->retry_ms = 0;
		c->err = *why;
		if (!c->running)
			plan(c); /* keys that were renewed in a file in the meantime */
	}
	return true;
}

void cred_look(const struct cred *c, struct cred_info *out)
{
	const struct cred_source *s = c->source;
	*out = (struct cred_info){ .state = state_of(c), .generation = c->generation };
	if (s) {
		out->from = s->from;
		out->where = s->where;
		out->profile = s->profile;
		out->role_arn = s->role_arn;
		out->mfa_serial = serial_of(s);
	}
	if (c->generation) {
		size_t n = strlen(c->keys.access_key);
		snprintf(out->access_key, sizeof out->access_key, "****%s", n >= 8 ? c->keys.access_key + n - 4 : "");
		out->token = c->keys.session_token;
		out->account = c->keys.account;
		out->expires = c->keys.expires;
	}
	if (out->state != CRED_READY && out->state != CRED_FETCHING)
		say_why(c, out->state, &out->err);
	else
		out->err = c->err;
}

char *cred_identity(const struct cred *c)
{
	const struct cred_source *s = c->source;
	if (!s)
		return NULL;
	switch (s->from) {
	case CRED_STATIC: return xstrdup(s->keys.access_key);
	case CRED_ROLE:
	case CRED_WEB: return xstrdup(s->role_arn);
	case CRED_SSO:
		return xasprintf("%s|%s|%s", s->sso_start_url, s->sso_account ? s->sso_account : "",
		                 s->sso_role ? s->sso_role : "");
	case CRED_LOGIN: return xstrdup(s->login_session);
	case CRED_PROCESS: return xstrdup(s->command);
	default: return NULL; /* whatever machine this is: another one may share the home folder */
	}
}

/* ---- life */

struct cred *cred_new(const struct account *a)
{
	struct cred *c = xcalloc(1, sizeof *c);
	c->account = a;
	if (a->fixed) { /* of given values alone */
		struct cred *fixed = cred_fixed(a->fixed);
		free(c);
		return fixed;
	}
	plan(c);
	return c;
}

struct cred *cred_fixed(const struct keys *k)
{
	struct cred *c = xcalloc(1, sizeof *c);
	keys_copy(&c->keys, k);
	c->source = chain_static(k, "given");
	c->generation = 1;
	return c;
}

void cred_free(struct cred *c)
{
	if (!c)
		return;
	if (c->running) {
		atomic_store(&c->job.stop, true);
		pthread_join(c->thread, NULL);
	}
	keys_clear(&c->job.keys);
	hash_wipe(c->job.code, sizeof c->job.code);
	hash_wipe(c->code, sizeof c->code);
	keys_clear(&c->keys);
	cred_source_free(c->source);
	stamps_clear(c);
	free(c);
}

void cred_threaded(struct cred *c, void (*wake)(void *ctx), void *ctx)
{
	c->threaded = true;
	c->wake = wake;
	c->wake_ctx = ctx;
}

void cred_deadline(struct cred *c, int64_t deadline_ms)
{
	c->deadline_ms = deadline_ms;
}

void cred_on_ask(struct cred *c, cred_ask *ask, void *ctx)
{
	c->ask = ask;
	c->ask_ctx = ctx;
}

void cred_code(struct cred *c, const char *code)
{
	snprintf(c->code, sizeof c->code, "%s", code);
	c->again = true;
}
