#include "engine/late.h"

#include "core/json.h"
#include "core/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHARE 0.95
#define POINTS 60   /* before that nothing is learned */
#define EVIDENCE 30 /* looks at one age: fewer say nothing */
#define HOUR 3600
#define LOOKS_APART 20 /* a refresh by hand soon after a poll adds no look of its own */

/* ---- one measure */

/* The period has aged: what is in the slot now is what stayed. */
static void settle(const struct watch *w, struct lateness *l, unsigned slot)
{
	int64_t end = w->slot[slot].t + LATE_STEP;
	bool any = false;
	for (unsigned i = 0; i < LATE_SLOTS; i++) {
		int64_t age = w->looks[i] - end;
		if (!w->looks[i] || age < 0 || age >= (int64_t)LATE_BIN * LATE_BINS)
			continue;
		l->looked[age / LATE_BIN]++;
		l->final[age / LATE_BIN] += w->looks[i] >= w->slot[slot].changed;
		any = true;
	}
	l->points += any;
}

void watch_point(struct watch *w, struct lateness *l, int64_t t, double v, int64_t now)
{
	unsigned i = (unsigned)(t / LATE_STEP % LATE_SLOTS);
	if (t <= 0 || t > now || w->slot[i].t > t || now - t - LATE_STEP >= (int64_t)LATE_BIN * LATE_BINS)
		return;
	if (w->slot[i].t == t && w->slot[i].v == v)
		return;
	if (w->slot[i].t && w->slot[i].t < t)
		settle(w, l, i);
	w->slot[i].t = t;
	w->slot[i].v = v;
	w->slot[i].changed = now;
}

void watch_look(struct watch *w, struct lateness *l, int64_t now)
{
	int64_t last = w->nlooks ? w->looks[(w->nlooks - 1) % LATE_SLOTS] : 0;
	for (unsigned i = 0; i < LATE_SLOTS; i++) {
		if (!w->slot[i].t || now - w->slot[i].t - LATE_STEP < (int64_t)LATE_BIN * LATE_BINS)
			continue;
		settle(w, l, i);
		w->slot[i].t = 0;
	}
	if (now - last >= LOOKS_APART)
		w->looks[w->nlooks++ % LATE_SLOTS] = now;
}

int64_t watch_first(const struct watch *w, int64_t at)
{
	int64_t first = 0;
	for (unsigned i = 0; i < LATE_SLOTS; i++)
		if (w->looks[i] >= at && w->looks[i] && (!first || w->looks[i] < first))
			first = w->looks[i];
	return first;
}

/* ---- one namespace */

/* Neighbouring ages that are taken as one. */
struct block {
	double looked, final;
	unsigned first;
};

/* What is final stays final, so the share never falls with age: where by chance it seems to, ages are pooled until it does not
 * (isotonic regression). Then the least age with enough of it; 0: nothing is known. */
static int64_t enough(const struct lateness *l)
{
	struct block at[LATE_BINS];
	unsigned n = 0;
	for (unsigned b = 0; b < LATE_BINS; b++) {
		if (!(l->looked[b] > 0))
			continue;
		at[n++] = (struct block){ l->looked[b], l->final[b], b };
		for (; n > 1 && at[n - 2].final * at[n - 1].looked >= at[n - 1].final * at[n - 2].looked; n--) {
			at[n - 2].looked += at[n - 1].looked;
			at[n - 2].final += at[n - 1].final;
		}
	}
	for (unsigned i = 0; i < n; i++)
		if (at[i].looked >= EVIDENCE && at[i].final >= SHARE * at[i].looked)
			return (int64_t)(at[i].first + 1) * LATE_BIN;
	return n ? LATE_MOST : 0;
}

static int64_t within(int64_t delay)
{
	return delay < LATE_LEAST ? LATE_LEAST : delay > LATE_MOST ? LATE_MOST : delay;
}

bool lateness_learn(struct lateness *l, int64_t now)
{
	int64_t delay = l->points >= POINTS ? enough(l) : 0, before = l->delay;
	if (!l->halved || now < l->halved)
		l->halved = now;
	bool hour = now - l->halved >= HOUR;
	if (delay && (hour || !before || within(delay) > before))
		l->delay = within(delay);
	if (!hour)
		return l->delay != before;
	for (unsigned b = 0; b < LATE_BINS; b++) {
		l->looked[b] /= 2;
		l->final[b] /= 2;
	}
	l->points /= 2;
	l->halved = now;
	return true;
}

/* ---- all of them */

struct lateness *late_find(const struct late *l, const char *ns)
{
	for (unsigned i = 0; i < l->n; i++)
		if (strcmp(l->v[i]->ns, ns) == 0)
			return l->v[i];
	return NULL;
}

struct lateness *late_add(struct late *l, const char *ns)
{
	struct lateness *of = late_find(l, ns);
	if (of || l->n == LATE_NAMESPACES)
		return of;
	of = l->v[l->n++] = xcalloc(1, sizeof *of);
	of->ns = xstrdup(ns);
	return of;
}

void late_clear(struct late *l)
{
	for (unsigned i = 0; i < l->n; i++)
		*l->v[i] = (struct lateness){ .ns = l->v[i]->ns, .watched = l->v[i]->watched };
	l->loaded = l->changed = false;
}

void late_free(struct late *l)
{
	for (unsigned i = 0; i < l->n; i++) {
		free(l->v[i]->ns);
		free(l->v[i]);
	}
	*l = (struct late){ 0 };
}

/* ---- kept */

static void write_counts(struct json_out *o, const char *key, const double *v)
{
	json_out_array(o, key);
	for (unsigned b = 0; b < LATE_BINS; b++)
		json_out_int(o, NULL, llround(v[b]));
	json_out_array_end(o);
}

void late_write(const struct late *l, struct buf *out)
{
	struct json_out o;
	json_out_init(&o, out);
	json_out_array(&o, NULL);
	for (unsigned i = 0; i < l->n; i++) {
		const struct lateness *of = l->v[i];
		if (!of->points && !of->delay)
			continue;
		json_out_object(&o, NULL);
		json_out_str(&o, "namespace", of->ns);
		json_out_int(&o, "delay", of->delay);
		json_out_int(&o, "points", llround(of->points));
		json_out_int(&o, "halved", of->halved);
		json_out_int(&o, "bin", LATE_BIN);
		write_counts(&o, "looked", of->looked);
		write_counts(&o, "final", of->final);
		json_out_object_end(&o);
	}
	json_out_array_end(&o);
}

static bool read_counts(const struct json *list, double *v)
{
	unsigned n = 0;
	for (const struct json *x = json_first(list); x; x = json_next(x)) {
		int64_t count;
		if (n == LATE_BINS || !json_int(x, &count) || count < 0)
			return false;
		v[n++] = (double)count;
	}
	return n == LATE_BINS;
}

static bool read_one(const struct json *n, struct lateness *of)
{
	int64_t bin, points;
	bool ok = json_int(json_get(n, "bin"), &bin) && bin == LATE_BIN && json_int(json_get(n, "points"), &points) &&
	          points >= 0 && json_int(json_get(n, "halved"), &of->halved) && of->halved >= 0 &&
	          json_int(json_get(n, "delay"), &of->delay) &&
	          (of->delay == 0 || (of->delay >= LATE_LEAST && of->delay <= LATE_MOST)) &&
	          read_counts(json_get(n, "looked"), of->looked) && read_counts(json_get(n, "final"), of->final);
	for (unsigned b = 0; ok && b < LATE_BINS; b++)
		ok = of->final[b] <= of->looked[b];
	of->points = ok ? (double)points : 0;
	return ok;
}

void late_read(struct late *l, const struct json *doc)
{
	for (const struct json *n = json_first(doc); n; n = json_next(n)) {
		struct lateness read = { 0 };
		const char *ns = json_get_str(n, "namespace");
		struct lateness *of = ns && read_one(n, &read) ? late_add(l, ns) : NULL;
		if (!of)
			continue;
		read.ns = of->ns;
		read.watched = of->watched;
		*of = read;
	}
}
