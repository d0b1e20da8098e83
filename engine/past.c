/* REQUEST_PAST: a snapshot of one past instant. An engine is made that holds only what the history knows of that instant, this thread's
 * clock stands still there, and the code that judges and shows now judges and shows then. It asks nobody and keeps nothing; what was
 * not known then is unknown. */
#include "core/mem.h"
#include "engine/changes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FRESH (15 * 60)    /* seconds after a look for which it stands: three of the console's */
#define COVERED (5 * STEP) /* a point so near says that somebody was looking */
#define STANDS                                                                                                         \
	(5 * STEP) /* a look stands so long although the next one saw something else: live, too, it was shown so long */
#define EVENTS (3 * EVENTS_SHOWN) /* before calls and looks are joined */

/* ---- what things were like: of each subject the look in force at the instant, and the next one */

struct kept_look {
	char *subject, *body, *next;
	int64_t first, last, next_first;
	bool before; /* only looked at later: next is the first look there is */
};
struct then {
	struct engine *g, *p;
	struct kept_look *v;
	unsigned n, cap;
};

static struct kept_look *last_of(struct then *t, const char *subject)
{
	struct kept_look *l = t->n ? &t->v[t->n - 1] : NULL;
	if (l && strcmp(l->subject, subject) == 0)
		return l;
	MEM_GROW(t->v, t->n, t->cap);
	l = &t->v[t->n++];
	*l = (struct kept_look){ .subject = xstrdup(subject), .before = true };
	return l;
}

/* By subject, and then in time. */
static void take(void *ctx, const struct state *s)
{
	struct then *t = ctx;
	struct kept_look *l = last_of(t, s->subject);
	if (s->first > t->p->past) {
		if (!l->next) {
			l->next = xstrdup(s->body);
			l->next_first = s->first;
		}
		return;
	}
	const struct look *newest =
	    looks_find(t->g, s->subject); /* the file learns only now and then how far it has come */
	free(l->body);
	l->before = false;
	l->body = xstrdup(s->body);
	l->first = s->first;
	l->last = newest && newest->first == s->first ? newest->last : s->last;
	l->last = l->last < l->first ? l->first : l->last;
}

static void then_clear(struct then *t)
{
	for (unsigned i = 0; i < t->n; i++) {
		free(t->v[i].subject);
		free(t->v[i].body);
		free(t->v[i].next);
	}
	free(t->v);
}

static bool fresh(const struct then *t, const struct kept_look *l)
{
	return !l->before && l->body[0] && t->p->past <= l->last + FRESH;
}

/* ---- resources */

/* Between two looks, from some minutes after the first on, only what both say is known. */
static void drop_doubtful(struct res *r, const struct kept_look *l, int64_t at)
{
	struct json *next = l->next && at > l->last + STANDS ? json_parse(span_of(l->next), NULL) : NULL;
	const struct json *facts = json_get(next, "facts");
	unsigned kept = 0;
	for (unsigned i = 0; facts && i < r->nfacts; i++) {
		const char *later = json_get_str(facts, r->facts[i].key);
		if (later && strcmp(later, r->facts[i].value) == 0)
			r->facts[kept++] = r->facts[i];
	}
	if (facts)
		r->nfacts = kept;
	json_free(next);
}

static void make_res(struct then *t, const struct kept_look *l)
{
	const char *colon = strchr(l->subject, ':');
	char *id = colon ? xstrndup(l->subject, (size_t)(colon - l->subject)) : NULL;
	const struct kind *k = id ? kind_find(id) : NULL;
	struct json *body = k && fresh(t, l) ? json_parse(span_of(l->body), NULL) : NULL;
	if (body) {
		store_res_load(t->p, body);
		struct res *r = inventory_res(t->p, k, colon + 1, false);
		if (r) {
			drop_doubtful(r, l, t->p->past);
			r->described = true; /* what it was like is known */
		}
	}
	json_free(body);
	free(id);
}

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

static bool known_gone(const struct then *t, const struct res *r)
{
	for (unsigned i = 0; i < t->n; i++)
		if (!t->v[i].before && !t->v[i].body[0] && strcmp(t->v[i].subject, r->key) == 0)
			return true;
	return false;
}

/* What is there now and was not looked at then may have been there: its row stands, and says that no more is known. */
static void add_unlooked(struct then *t)
{
	for (unsigned i = 0; i < t->g->nres; i++) {
		const struct res *now = t->g->res[i];
		if (inventory_res(t->p, now->kind, now->name, false) || known_gone(t, now))
			continue;
		struct res *r = inventory_res(t->p, now->kind, now->name, true);
		r->arn = copy(now->arn);
		r->group = copy(now->group);
		r->place = now->place;
	}
}

/* ---- alarms */

/* Nobody kept whom it told. */
static const struct alarm_target unknown = {
	.arn = "", .name = "?", .when = "ALARM", .topic = true, .why = "who was told then is not kept"
};

static struct alarm *add_alarm(struct engine *p, const char *name)
{
	struct describe_alarms_out *o = &p->alarms;
	MEM_GROW(o->alarms, o->n, o->cap);
	struct alarm *a = &o->alarms[o->n++];
	*a = (struct alarm){
		.name = arena_strdup(&o->mem, name),
		.comparison = "",
		.threshold = NAN,
		.actions_enabled = true,
		.told = &unknown,
		.ntold = 1,
		.local = { .value = NAN, .why = "only what CloudWatch said of it is kept" },
	};
	return a;
}

static void set_state(struct engine *p, struct alarm *a, const struct json *body)
{
	const char *state = json_get_str(body, "state");
	a->state = alarm_state_parse(state ? state : "");
	a->reason = arena_strdup(&p->alarms.mem, json_get_str(body, "reason"));
	json_int(json_get(body, "since"), &a->since);
}

static void set_facts(struct engine *p, struct alarm *a, const struct json *body)
{
	struct arena *mem = &p->alarms.mem;
	const struct json *f = json_get(body, "facts");
	const char *threshold = json_get_str(f, "threshold"), *actions = json_get_str(f, "actions"),
	           *comparison = json_get_str(f, "comparison");
	a->arn = arena_strdup(mem, json_get_str(body, "arn"));
	a->description = arena_strdup(mem, json_get_str(body, "description"));
	a->metric = arena_strdup(mem, json_get_str(f, "metric"));
	a->comparison = comparison ? arena_strdup(mem, comparison) : "";
	a->threshold = threshold && *threshold ? strtod(threshold, NULL) : NAN;
	a->actions_enabled = !actions || strcmp(actions, "off") != 0;
	json_bool(json_get(body, "composite"), &a->composite);
	int64_t kind = 0;
	json_int(json_get(body, "kind"), &kind);
	a->kind = kind >= ALARM_METRIC && kind <= ALARM_COMPOSITE ? (enum alarm_kind)kind : ALARM_METRIC;
	a->stat = arena_strdup(mem, json_get_str(f, "statistic"));
}

/* A later look tells since when its state has held: when that is not after the instant, it is the state of then. */
static void make_alarm(struct then *t, const struct kept_look *l)
{
	struct engine *p = t->p;
	struct json *body = l->body && l->body[0] ? json_parse(span_of(l->body), NULL) : NULL;
	struct json *next = l->next && l->next[0] ? json_parse(span_of(l->next), NULL) : NULL;
	int64_t since = 0;
	json_int(json_get(next, "since"), &since);
	if (!l->before && !body) { /* it was deleted by then */
		json_free(next);
		return;
	}
	struct alarm *a = add_alarm(p, l->subject + 6);
	if (fresh(t, l))
		set_facts(p, a, body);
	if (since > 0 && since <= p->past)
		set_state(p, a, next);
	else if (fresh(t, l) && !(next && p->past > l->last + STANDS))
		set_state(p, a, body);
	else
		a->reason = "its state at that time is not known";
	if (a->state != ALARM_STATE_UNKNOWN) /* each says itself whether it is known */
		p->alarms_at = p->past;
	json_free(body);
	json_free(next);
}

/* ---- values */

/* Whether anybody was looking: otherwise that there is no point says nothing. */
static bool covered(const struct engine *p)
{
	for (unsigned i = 0; i < p->nmeasures; i++)
		if (p->measure_list[i]->series.len && p->past - p->measure_list[i]->series.last <= COVERED)
			return true;
	return false;
}

static void mark_read(struct engine *p)
{
	bool looked = covered(p);
	for (unsigned i = 0; i < p->nmeasures; i++) {
		struct measure *m = p->measure_list[i];
		m->known = (struct known){ .read_at = looked ? p->past : 0 };
		if (!m->id.ns && m->series.len) /* a reading of the service: when it was read is not known better */
			m->known.read_at = m->series.last;
	}
	p->polled_at = looked ? p->past : 0;
}

/* Of what was not looked at nothing is fine. */
static void judge_then(struct engine *p)
{
	judge_all(p);
	for (unsigned i = 0; i < p->nstages; i++) {
		struct stage *s = p->stages[i];
		if ((s->res && s->res->described) || s->health >= HEALTH_UNKNOWN)
			continue;
		s->health = HEALTH_UNKNOWN;
		free(s->reason);
		s->reason = xstrdup("what it was like then is not known");
	}
}

/* What may have happened by then had not been seen yet. */
static void take_events(const struct then *t)
{
	struct events *l = &t->p->changes->list;
	unsigned kept = 0;
	events_read(t->g, 0, t->p->past, EVENTS, l);
	for (unsigned i = 0; i < l->n; i++)
		if (l->v[i].at_most <= t->p->past)
			l->v[kept++] = l->v[i];
	l->n = kept < EVENTS_SHOWN ? kept : EVENTS_SHOWN;
}

/* ---- the engine of then */

/* Members of stacks and tags are those of now: nobody kept them. */
static void copy_groups(const struct engine *g, struct engine *p)
{
	for (unsigned i = 0; i < p->ngroups && i < g->ngroups; i++) {
		struct group *to = p->groups[i];
		const struct group *from = g->groups[i];
		for (unsigned j = 0; j < from->n; j++) {
			MEM_GROW(to->v, to->n, to->cap);
			to->v[to->n++] = from->v[j];
		}
		to->known = from->known;
		inventory_members(p, to);
	}
}

static struct engine *engine_of(struct engine *g, int64_t at)
{
	struct engine *p = xcalloc(1, sizeof *p);
	p->o = g->o;
	p->conf = g->conf;
	p->cred = g->cred;
	p->cache = g->cache;
	p->target = g->target;
	p->gen = g->gen;
	p->past = at;
	p->threaded = p->live = p->prepared = true; /* it loads what the file has */
	p->rounds_done = 1;
	p->changes = changes_new();
	inventory_init(p);
	return p;
}

static void engine_of_free(struct engine *p)
{
	describe_alarms_out_clear(&p->alarms);
	changes_free(p->changes);
	inventory_free(p);
	free(p);
}

static void fill(struct then *t)
{
	struct engine *p = t->p;
	for (unsigned i = 0; i < t->n; i++)
		make_res(t, &t->v[i]);
	add_unlooked(t);
	copy_groups(t->g, p);
	inventory_bind(p);
	for (unsigned i = 0; i < t->n; i++)
		if (strncmp(t->v[i].subject, "alarm:", 6) == 0)
			make_alarm(t, &t->v[i]);
	p->alarms_read = p->alarms_at > 0;
	take_events(t);
	mark_read(p);
	judge_then(p);
}

static struct snapshot *snapshot_of(struct engine *g, int64_t at, struct err *e)
{
	struct then t = { .g = g };
	clock_hold(at);
	t.p = engine_of(g, at);
	bool ok = cache_states(g->cache, g->changes->target, take, &t, e);
	struct snapshot *s = NULL;
	if (ok) {
		fill(&t);
		s = snap_build(t.p);
		s->credential = (struct credential){ 0 };
		s->cache_note = NULL;
	}
	engine_of_free(t.p);
	clock_hold(0);
	then_clear(&t);
	return s;
}

void past_step(struct engine *g, struct task *t)
{
	int64_t at = t->rq.past.at;
	t->done = true;
	if (at <= 0 || at > clock_wall())
		err_set(&t->result->err, ERR_USAGE, "past", "it is not over yet");
	else if (history_known(g, t))
		t->result->past = snapshot_of(g, at, &t->result->err);
}
