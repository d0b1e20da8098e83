#include "engine/sched.h"

#include "core/mem.h"

#include <math.h>
#include <stdlib.h>

#define FILL_SHARE 4      /* first fills may take a quarter of the budget */
#define REFRESH_SHARE 100 /* a refresh of everything a hundredth */

/* What the rows come to, in metrics a poll. */
struct sums {
	double selected, trouble, vital, tail, longest; /* longest: the tail's largest row */
};

static void add_up(struct sched_row *const *rows, unsigned n, struct sums *sum)
{
	*sum = (struct sums){ 0 };
	for (unsigned i = 0; i < n; i++) {
		const struct sched_row *r = rows[i];
		if (r->class == SCHED_SELECTED)
			sum->selected += r->metrics;
		else if (r->class == SCHED_TROUBLE)
			sum->trouble += r->metrics;
		else
			sum->tail += r->metrics;
		sum->vital += r->class == SCHED_TROUBLE ? r->vital : 0;
		sum->longest = fmax(sum->longest, r->metrics);
	}
}

/* What the plan comes to: who waits how long. */
struct pace {
	bool vital;    /* rows in trouble are asked for what is vital at each poll, and wait with the tail for the rest */
	double pinned; /* metrics a second that the budget does not touch */
	double tail;   /* metrics: one pass over the tail */
	double rate;   /* metrics a second that are the tail's; INFINITY: no limit */
	int64_t want;  /* seconds: the tail's interval without a budget */
	int64_t every; /* and with it */
	bool slowed;
};

static double rate_left(const struct sched *s, double pinned)
{
	if (s->budget <= 0)
		return INFINITY;
	double even = (s->budget - s->beyond) / SCHED_DAY - pinned;
	double today = (s->budget - s->today) / (double)(s->day_left > 0 ? s->day_left : 1) - pinned;
	return fmax(fmin(even, today), 0);
}

static struct pace pace_of(const struct sched *s, const struct sums *sum)
{
	int64_t rest = s->rest ? s->rest : SCHED_REST;
	struct pace p = { .want = s->idle && rest < SCHED_IDLE ? SCHED_IDLE : rest };
	double poll = (double)s->poll;
	p.pinned = (sum->selected + sum->trouble) / poll;
	p.tail = sum->tail;
	p.vital = s->budget > 0 && p.pinned * SCHED_DAY > s->budget;
	if (p.vital) {
		p.pinned = (sum->selected + sum->vital) / poll;
		p.tail += sum->trouble - sum->vital;
	}
	p.rate = rate_left(s, p.pinned);
	p.every = p.want;
	if (p.tail > p.rate * (double)p.want) {
		double seconds = p.rate > 0 ? p.tail / p.rate : SCHED_DAY;
		p.slowed = true;
		p.every = (int64_t)ceil(fmin(seconds, 365.0 * SCHED_DAY) / poll + 1) * s->poll;
	}
	return p;
}

/* A poll that comes a little early still counts as the one that is due. */
static bool due(const struct sched *s, const struct sched_row *r, int64_t every)
{
	return r->asked == SCHED_NEVER || s->now - r->asked >= every - s->poll / 2;
}

static bool waits(const struct pace *p, const struct sched_row *r)
{
	return r->class == SCHED_TAIL || (p->vital && r->class == SCHED_TROUBLE);
}

static unsigned more_than_vital(const struct sched_row *r)
{
	return r->metrics - (r->class == SCHED_TROUBLE ? r->vital : 0);
}

static void begin(const struct sched *s, const struct pace *p, struct sched_row *r)
{
	bool later = waits(p, r);
	r->every = !later ? s->poll : p->every > r->promised ? p->every : r->promised;
	r->slowed = later && p->slowed;
	r->turn = SCHED_NOT;
	if (!later)
		r->turn = due(s, r, s->poll) ? SCHED_WHOLE : SCHED_NOT;
	else if (r->class == SCHED_TROUBLE)
		r->turn = SCHED_VITAL;
	else if (!p->slowed && r->asked != SCHED_NEVER)
		r->turn = due(s, r, p->want) ? SCHED_WHOLE : SCHED_NOT;
}

/* What nobody has ever asked for comes at once, while it is no more than first fills may cost; what is in trouble whatever it costs. */
static void fill(struct sched *s, const struct pace *p, struct sched_row *const *rows, unsigned n)
{
	double left = INFINITY;
	if (s->budget > 0)
		left = fmin(s->budget / FILL_SHARE - s->beyond, s->budget - s->today - p->pinned * (double)s->day_left);
	for (unsigned i = 0; i < n; i++) {
		struct sched_row *r = rows[i];
		bool fits = r->class == SCHED_TROUBLE || s->filling + more_than_vital(r) <= left;
		if (r->asked != SCHED_NEVER || r->turn == SCHED_WHOLE || !fits)
			continue;
		r->turn = SCHED_WHOLE;
		s->filling += more_than_vital(r);
	}
}

static int longest_waiting(const void *a, const void *b)
{
	const struct sched_row *x = *(struct sched_row *const *)a, *y = *(struct sched_row *const *)b;
	return (x->asked > y->asked) - (x->asked < y->asked);
}

/* The tail gets what the budget leaves, a little at each poll: whoever waits longest comes first. */
static void spend(struct sched *s, const struct pace *p, const struct sums *sum, struct sched_row *const *rows,
                  unsigned n)
{
	int64_t since = s->planned_at ? s->now - s->planned_at : s->poll;
	double most = fmax(p->rate * (double)p->want, sum->longest);
	s->saved = fmin(s->saved + p->rate * (double)since, most);
	struct sched_row **line = xcalloc(n, sizeof *line);
	unsigned waiting = 0;
	for (unsigned i = 0; i < n; i++)
		if (waits(p, rows[i]) && rows[i]->turn != SCHED_WHOLE && due(s, rows[i], p->want))
			line[waiting++] = rows[i];
	if (waiting > 1)
		qsort(line, waiting, sizeof *line, longest_waiting);
	for (unsigned i = 0; i < waiting && more_than_vital(line[i]) <= s->saved; i++) {
		line[i]->turn = SCHED_WHOLE;
		s->saved -= more_than_vital(line[i]);
	}
	free(line);
}

static void refresh(struct sched *s, const struct sums *sum, struct sched_row *const *rows, unsigned n)
{
	double all = sum->selected + sum->trouble + sum->tail;
	bool everything = s->budget <= 0 || all <= s->budget / REFRESH_SHARE;
	for (unsigned i = 0; i < n; i++) {
		struct sched_row *r = rows[i];
		if (r->turn == SCHED_WHOLE || (!everything && r->class == SCHED_TAIL))
			continue;
		s->filling += r->metrics - (r->turn == SCHED_VITAL ? r->vital : 0);
		r->turn = SCHED_WHOLE;
	}
}

void sched_plan(struct sched *s, struct sched_row *const *rows, unsigned n)
{
	struct sums sum;
	add_up(rows, n, &sum);
	struct pace p = pace_of(s, &sum);
	s->filling = 0;
	s->slowed = 0;
	for (unsigned i = 0; i < n; i++)
		begin(s, &p, rows[i]);
	fill(s, &p, rows, n);
	if (p.slowed)
		spend(s, &p, &sum, rows, n);
	else
		s->saved = 0;
	if (s->refresh)
		refresh(s, &sum, rows, n);
	for (unsigned i = 0; i < n; i++) {
		s->slowed += rows[i]->slowed;
		if (rows[i]->turn == SCHED_WHOLE)
			rows[i]->every = rows[i]->promised = waits(&p, rows[i]) ? p.every : s->poll;
	}
	s->per_day = (p.pinned + fmin(p.rate, p.tail / (double)p.want)) * SCHED_DAY;
	s->planned_at = s->now;
}

int64_t sched_jitter(uint64_t *seed, int64_t every)
{
	uint64_t x = *seed;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*seed = x;
	int64_t tenth = every / 10;
	return every - tenth + (int64_t)(x % (uint64_t)(2 * tenth + 1));
}
