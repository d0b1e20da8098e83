/* Between the engine and the history file: what is kept, under which key, and what the first frame is made from. */
#include "core/hash.h"
#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "engine/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INVENTORY "inventory"
#define DELAYS "delays"
#define DELAYS_MAX (1u << 20)
#define INVENTORY_MAX (64u << 20)
#define WAIT_MOST (32u << 10)   /* points */
#define COARSE_AGE (63 * 86400) /* CloudWatch keeps five-minute points as long */

void store_open(struct engine *g)
{
	if (!g->o.cache_path)
		return;
	g->cache = cache_open(g->o.cache_path, &g->cache_err);
	if (!g->cache)
		log_warn(LOG_ENGINE, "no history: %s", g->cache_err.text);
	const struct conf *conf = g->conf;
	struct cache_limits limits = { .retention = conf->retention,
		                           .fine_age = conf->history_fine,
		                           .coarse_age = conf->history_fine > COARSE_AGE ? conf->history_fine : COARSE_AGE,
		                           .bytes = conf->history_max };
	if (g->cache)
		cache_limit(g->cache, &limits);
}

/* ---- how late points are */

static void load_delays(struct engine *g, struct cache *c, const struct target *of)
{
	char target[TARGET_KEY];
	struct err e = { 0 };
	if (g->late.loaded || !of->account[0])
		return;
	g->late.loaded = true;
	target_key(of, target);
	char *text = cache_get_text(c, target, DELAYS);
	struct json *doc = text ? json_parse(span_of(text), &e) : NULL;
	late_read(&g->late, doc);
	json_free(doc);
	free(text);
}

static void save_delays(struct engine *g)
{
	char target[TARGET_KEY];
	struct err e = { 0 };
	struct buf b;
	if (!g->cache || !cache_is_writer(g->cache) || !g->target.account[0] || !g->late.n)
		return;
	target_key(&g->target, target);
	buf_init(&b, DELAYS_MAX);
	late_write(&g->late, &b);
	if (!cache_put_text(g->cache, target, DELAYS, b.p, &e))
		log_warn(LOG_ENGINE, "what was learned of delays is not kept: %s", e.text);
	buf_clear(&b);
	g->late.changed = false;
}

void store_close(struct engine *g)
{
	if (g->threaded)
		save_delays(g);
	if (g->cache) {
		bill_save(g);
		cache_close(g->cache);
	}
	g->cache = NULL;
}

/* ---- which account these credentials belonged to, so that the first frame need not wait for STS */

/* A digest stands for the credentials: no key is stored. The same is kept under the profile alone, for when there is nobody to
 * ask. */
static void hint_key(const struct engine *g, bool loose, char out[2 * HASH_SHA256 + 1])
{
	uint8_t digest[HASH_SHA256];
	const struct account *a = g->account;
	char *identity = loose ? NULL : cred_identity(g->cred);
	const char *who = loose ? a->profile.value : identity;
	char *all = xasprintf("%s|%s|%s|%s", loose ? "profile" : "key", who ? who : "",
	                      a->region.value ? a->region.value : "", a->endpoint_url.value ? a->endpoint_url.value : "");
	hash_sha256(all, strlen(all), digest);
	hash_hex(digest, sizeof digest, out);
	free(all);
	free(identity);
}

static char *hinted(const struct engine *g, struct cache *c, bool loose)
{
	char key[2 * HASH_SHA256 + 1];
	hint_key(g, loose, key);
	return cache_get_text(c, "account", key);
}

/* Whose target it is takes a call to say for sure; last time's answer is as good for this. */
void store_peek(struct engine *g)
{
	if (g->late.loaded || g->cache || !g->o.cache_path)
		return;
	struct cache *c = cache_peek(g->o.cache_path, NULL);
	char *identity = c ? cred_identity(g->cred) : NULL, *account = identity ? hinted(g, c, false) : NULL;
	struct target of = g->target;
	if (account && strlen(account) < sizeof of.account) {
		snprintf(of.account, sizeof of.account, "%s", account);
		load_delays(g, c, &of);
	}
	free(identity);
	free(account);
	cache_close(c);
}

bool store_recall_account(struct engine *g, bool loose)
{
	char *identity = cred_identity(g->cred), *account = g->cache && identity ? hinted(g, g->cache, false) : NULL;
	free(identity);
	if (!account && g->cache && loose)
		account = hinted(g, g->cache, true);
	bool ok = account && strlen(account) < sizeof g->target.account;
	if (ok) {
		snprintf(g->target.account, sizeof g->target.account, "%s", account);
		memcpy(g->attached, g->target.account, sizeof g->attached);
	}
	free(account);
	return ok;
}

static void remember(struct engine *g, bool loose)
{
	char key[2 * HASH_SHA256 + 1];
	struct err e = { 0 };
	hint_key(g, loose, key);
	if (!cache_put_text(g->cache, "account", key, g->target.account, &e))
		log_warn(LOG_ENGINE, "account not kept: %s", e.text);
}

/* ---- points */

static void attach(struct engine *g, struct measure *m)
{
	char target[TARGET_KEY];
	target_key(&g->target, target);
	m->cache_id = g->cache && g->target.account[0] ? cache_series(g->cache, target, m->text, m->series.step) : 0;
}

/* Points that arrived before the series had its place in the file are kept now. */
static void keep_held(struct engine *g, struct measure *m)
{
	for (unsigned i = m->series.len; m->cache_id && i-- > 0;) {
		int64_t t = m->series.last - (int64_t)i * m->series.step;
		double v = series_at(&m->series, t);
		if (!isnan(v))
			cache_add(g->cache, m->cache_id, t, v);
	}
}

static void load_point(void *ctx, int64_t t, double v)
{
	struct series *s = ctx;
	if (isnan(series_at(s, t))) /* what has just been read is newer than the file */
		series_put(s, t, v);
}

/* A first frame wants the last hours; a command asks AWS for them anyway, or reads the file by itself. */
static void load_held(struct engine *g, struct measure *m)
{
	struct err e = { 0 };
	int64_t now = clock_wall(),
	        end = g->past ? g->past - STEP + 1 : now + STEP; /* of the past only whole periods are over */
	if (g->threaded && m->cache_id &&
	    !cache_read(g->cache, m->cache_id, now - LOOKBACK, end, load_point, &m->series, &e))
		log_warn(LOG_ENGINE, "history not read: %s", e.text);
}

void store_points(struct engine *g, struct measure *m)
{
	attach(g, m);
	load_held(g, m);
}

/* What was loaded belonged to another account: nothing of it may be shown, or kept, as this one's. */
static void forget_loaded(struct engine *g)
{
	for (unsigned i = 0; i < g->nmeasures; i++) {
		struct measure *m = g->measure_list[i];
		series_clear(&m->series);
		m->known = (struct known){ 0 };
	}
	g->stages_changed = true;
}

void store_account(struct engine *g)
{
	if (!g->cache || strcmp(g->attached, g->target.account) == 0)
		return;
	if (g->attached[0] && g->threaded) /* a command has loaded nothing: what it holds is this account's */
		forget_loaded(g);
	if (g->attached[0])
		late_clear(&g->late);
	load_delays(g, g->cache, &g->target);
	memcpy(g->attached, g->target.account, sizeof g->attached);
	remember(g, false);
	remember(g, true);
	for (unsigned i = 0; i < g->nmeasures; i++) {
		attach(g, g->measure_list[i]);
		keep_held(g, g->measure_list[i]);
		load_held(g, g->measure_list[i]);
	}
}

/* ---- resources */

static void write_res(struct json_out *o, const struct res *r)
{
	json_out_object(o, NULL);
	json_out_str(o, "kind", r->kind->info.id);
	json_out_str(o, "name", r->name);
	json_out_str(o, "arn", r->arn);
	json_out_str(o, "handle", r->handle);
	json_out_bool(o, "dlq", r->dlq);
	json_out_str(o, "fed_by", r->fed_by);
	json_out_str(o, "feeds", r->feeds);
	json_out_str(o, "pipeline", r->group);
	json_out_int(o, "place", r->place);
	json_out_object(o, "facts");
	for (unsigned i = 0; i < r->nfacts; i++)
		json_out_str(o, r->facts[i].key, r->facts[i].value);
	json_out_object_end(o);
	json_out_object_end(o);
}

char *store_res_text(const struct res *r)
{
	struct buf b;
	struct json_out o;
	buf_init(&b, INVENTORY_MAX);
	json_out_init(&o, &b);
	write_res(&o, r);
	if (o.ok && o.done)
		return buf_steal(&b);
	buf_clear(&b);
	return NULL;
}

static char *inventory_text(const struct engine *g)
{
	struct buf b;
	struct json_out o;
	buf_init(&b, INVENTORY_MAX);
	json_out_init(&o, &b);
	json_out_array(&o, NULL);
	for (unsigned i = 0; i < g->nres; i++)
		write_res(&o, g->res[i]);
	json_out_array_end(&o);
	if (!o.ok) { /* too much to keep: the first frame waits for AWS next time */
		buf_clear(&b);
		return NULL;
	}
	return buf_steal(&b);
}

void store_res_load(struct engine *g, const struct json *n)
{
	const char *id = json_get_str(n, "kind"), *name = json_get_str(n, "name");
	const struct kind *k = id ? kind_find(id) : NULL;
	if (!k || !name)
		return;
	struct found f;
	found_init(&f);
	found_add(&f, name, json_get_str(n, "arn"), json_get_str(n, "handle"));
	const struct json *fact = json_first(json_get(n, "facts"));
	for (; fact; fact = json_next(fact))
		if (json_str(fact))
			found_fact(&f, name, json_key(fact), json_str(fact));
	struct res *r = inventory_res(g, k, name, true);
	inventory_described(g, r, &f);
	r->described = false;
	r->handle = r->handle ? r->handle : json_get_str(n, "handle") ? xstrdup(json_get_str(n, "handle")) : NULL;
	r->fed_by = json_get_str(n, "fed_by") ? xstrdup(json_get_str(n, "fed_by")) : NULL;
	r->feeds = json_get_str(n, "feeds") ? xstrdup(json_get_str(n, "feeds")) : NULL;
	int64_t place;
	r->group = json_get_str(n, "pipeline") ? xstrdup(json_get_str(n, "pipeline")) : NULL;
	r->place = json_int(json_get(n, "place"), &place) && place >= 0 ? (unsigned)place : 0;
	json_bool(json_get(n, "dlq"), &r->dlq);
	found_clear(&f);
}

void store_load(struct engine *g)
{
	char target[TARGET_KEY];
	struct err e = { 0 };
	load_delays(g, g->cache, &g->target);
	target_key(&g->target, target);
	char *text = g->cache && g->target.account[0] ? cache_get_text(g->cache, target, INVENTORY) : NULL;
	struct json *doc = text ? json_parse(span_of(text), &e) : NULL;
	for (const struct json *n = json_first(doc); n; n = json_next(n))
		store_res_load(g, n);
	json_free(doc);
	free(text);
	inventory_bind(g);
	bill_load(g);
	judge_all(g);
}

bool store_remembers(const struct engine *g)
{
	char target[TARGET_KEY];
	target_key(&g->target, target);
	char *text = g->cache && g->target.account[0] ? cache_get_text(g->cache, target, INVENTORY) : NULL;
	free(text);
	return text != NULL;
}

static void save_inventory(struct engine *g)
{
	char target[TARGET_KEY];
	struct err e = { 0 };
	target_key(&g->target, target);
	char *text = inventory_text(g), *old = text ? cache_get_text(g->cache, target, INVENTORY) : NULL;
	if (text && (!old || strcmp(old, text) != 0) && !cache_put_text(g->cache, target, INVENTORY, text, &e))
		log_warn(LOG_ENGINE, "resources not kept: %s", e.text);
	free(text);
	free(old);
}

/* The writer before us has gone: the series it did not know are begun now. */
static void take_over(struct engine *g)
{
	for (unsigned i = 0; i < g->nmeasures; i++) {
		struct measure *m = g->measure_list[i];
		if (m->cache_id)
			continue;
		attach(g, m);
		keep_held(g, m);
	}
}

static void keep_within_limits(struct engine *g)
{
	struct err e = { 0 };
	if (!cache_keep(g->cache, clock_wall(), NULL, &e))
		log_warn(LOG_ENGINE, "the history is not kept within its limits: %s", e.text);
}

static void commit(struct engine *g)
{
	struct err e = { 0 };
	g->uncommitted = 0;
	if (!cache_commit(g->cache, &e))
		log_warn(LOG_ENGINE, "points not kept: %s", e.text);
	g->cache_err = e; /* or what was wrong is over */
}

/* A back-fill of a large account brings more than can wait for the end of its round. */
void store_some(struct engine *g)
{
	if (g->uncommitted >= WAIT_MOST && cache_is_writer(g->cache))
		commit(g);
}

/* A reader commits too: that is when it notices that the file was replaced, or that it may write from now on. */
void store_save(struct engine *g)
{
	bool wrote = cache_is_writer(g->cache);
	if (wrote && g->target.account[0] && g->first == FIRST_OVER && (g->round.needs & NEED_LIST))
		save_inventory(g);
	bill_save(g);
	if (g->late.changed)
		save_delays(g);
	commit(g);
	if (!wrote && cache_is_writer(g->cache))
		take_over(g);
	if (wrote)
		keep_within_limits(g);
}

char *store_trouble(const struct engine *g)
{
	if (g->cache_err.code != ERR_OK)
		return xstrdup(g->cache_err.text);
	const char *note = g->cache ? cache_note(g->cache) : NULL;
	return note && cache_is_writer(g->cache) ? xstrdup(note) : NULL;
}
