/* The first-loss clock as intervals: [lo, hi] holds the instant of the first loss. Infinity for lo is "never", minus infinity "any moment".
 * Rules that hold whatever the past of the messages was: an age grows by at most a second a second, so nothing is lost before
 * at + retention - age; and what is there now was sent before now, so what nobody takes is lost by now + retention. */
#include "pipeline/loss.h"

#include "core/text.h"

#include <math.h>
#include <stdio.h>

#define ALIKE 120     /* seconds: two readings of one backlog, at different moments */
#define STANDING 0.98 /* an age that grows so fast is that of something nobody takes */

struct bounds {
	double lo, hi;
};

static const struct bounds never = { INFINITY, INFINITY }, whenever = { -INFINITY, INFINITY };

/* ---- trends */

static void slope_of(const struct series *s, int64_t newest, int points, double scale, double *slope, double *span)
{
	int64_t from = newest - (int64_t)(points - 1) * s->step, first = from;
	while (isnan(series_at(s, first)))
		first += s->step;
	*span = (double)(newest - first);
	*slope = series_slope(s, from, newest) * scale;
}

struct loss_trend loss_trend(const struct series *s, double scale, int64_t until)
{
	struct loss_trend t = { .age = NAN, .slope = NAN, .recent = NAN };
	for (unsigned i = 0; s && i < s->len && !t.at; i++) {
		int64_t at = s->last - (int64_t)i * s->step;
		double v = series_at(s, at);
		if (isnan(v) || at + s->step > until)
			continue;
		t.at = at + s->step;
		t.age = v * scale;
		t.slack = s->step;
		slope_of(s, at, LOSS_POINTS, scale, &t.slope, &t.span);
		slope_of(s, at, LOSS_RECENT, scale, &t.recent, &t.recent_span);
	}
	return t;
}

enum course { UNTOLD, FLAT, RISING, FALLING };
struct curve {
	enum course course;
	double least, most; /* seconds a second; FLAT: most is what could hide in it */
};

static int moves(double slope, double span)
{
	return isnan(slope) || fabs(slope) * span < LOSS_RISE ? 0 : slope > 0 ? 1 : -1;
}

/* No age grows faster than time goes by. */
static double at_most_one(double slope)
{
	return slope < 1 ? slope : 1;
}

static struct curve curve_of(const struct loss_trend *t)
{
	int lately = moves(t->recent, t->recent_span), all = moves(t->slope, t->span);
	if (!t->at || isnan(t->slope))
		return (struct curve){ UNTOLD, NAN, NAN };
	if (lately < 0 || (lately == 0 && all < 0))
		return (struct curve){ FALLING, lately ? t->recent : t->slope, NAN };
	if (lately > 0) {
		bool alike = all > 0 && fabs(t->recent - t->slope) * t->recent_span <= LOSS_JITTER;
		double b = at_most_one(all > 0 ? t->slope : t->recent), a = alike ? b : at_most_one(t->recent);
		return (struct curve){ RISING, fmin(a, b), fmax(a, b) };
	}
	/* It grew, and what is left of that may be too slow for the few newest points to show; a step shows that it is not. */
	if (all > 0 && t->slope * t->recent_span < LOSS_RISE)
		return (struct curve){ RISING, t->slope, t->slope };
	double span = all > 0 ? t->recent_span : t->span;
	return (struct curve){ FLAT, 0, at_most_one(LOSS_RISE / fmax(span, LOSS_RISE)) };
}

static double surely_kept(const struct loss_trend *t, double retention)
{
	return (double)t->at - t->slack + retention - t->age;
}

static double reached(const struct loss_trend *t, double retention, double slope)
{
	return (double)t->at + (retention - t->age) / slope;
}

/* What is lost is gone from the age: from then on it stands at the retention. */
static bool at_its_end(const struct loss_trend *t, double retention)
{
	return t->at && t->age + t->slack >= retention;
}

/* The highest of several ages: another one is no older, and has grown by no more than it is old. */
static struct bounds by_highest(const struct loss_trend *t, struct bounds one, double retention, int64_t now)
{
	double most = isnan(t->slope) ? 1 : at_most_one(fmax(t->age + t->slack, LOSS_RISE) / fmax(t->span, LOSS_RISE));
	double other = fmax(reached(t, retention, most), surely_kept(t, retention));
	if (other - (double)now >= LOSS_FAR * retention || other >= one.lo - t->slack)
		return one;
	return (struct bounds){ other, one.hi };
}

/* By the age alone, as it goes on. What grows as fast as time needs no forecast of what comes next in the line. */
static struct bounds by_age(const struct loss_trend *t, const struct curve *c, double retention, bool steady,
                            int64_t now)
{
	double kept = surely_kept(t, retention);
	if (at_its_end(t, retention))
		return (struct bounds){ (double)t->at, (double)t->at };
	if (c->course == FALLING)
		return never;
	if (c->course == RISING && !steady && c->least < STANDING)
		return (struct bounds){ kept, INFINITY };
	if (c->course == RISING)
		return (struct bounds){ reached(t, retention, c->most), reached(t, retention, c->least) };
	double slowest = c->course == FLAT ? reached(t, retention, c->most) : kept;
	return slowest - (double)now >= LOSS_FAR * retention ? never : (struct bounds){ fmax(slowest, kept), INFINITY };
}

/* ---- the result */

static int64_t instant(double t)
{
	return (int64_t)floor(t);
}

/* What differs by half a hundredth is one figure: the nearer. */
static enum loss_state state_of(struct bounds b, int64_t now)
{
	double from = (double)now, near = b.lo - from;
	if (b.lo == INFINITY)
		return LOSS_SAFE;
	if (b.hi <= from)
		return LOSS_EXACT;
	if (b.lo <= from)
		return b.hi == INFINITY ? LOSS_UNKNOWN : LOSS_AT_MOST;
	if (b.hi == INFINITY)
		return LOSS_AT_LEAST;
	return b.hi - b.lo <= fmax(1, near / 200) ? LOSS_EXACT : LOSS_BETWEEN;
}

static struct loss settle(struct bounds b, int64_t now)
{
	struct loss l = { .state = state_of(b, now), .rate = NAN };
	double one = b.hi <= (double)now ? b.hi : b.lo;
	if (l.state == LOSS_EXACT)
		l.low = l.high = instant(one);
	if (l.state == LOSS_BETWEEN || l.state == LOSS_AT_LEAST)
		l.low = instant(b.lo);
	if (l.state == LOSS_BETWEEN || l.state == LOSS_AT_MOST)
		l.high = instant(b.hi);
	return l;
}

static void draw(struct loss *l, const struct loss_trend *t, double slope, double retention)
{
	if (!t->at || isnan(slope) || slope <= 0 || isnan(retention))
		return;
	l->from = t->at;
	l->age = t->age;
	l->slope = slope;
	l->retention = retention;
}

void loss_kept(double seconds, char out[TEXT_NUM])
{
	int64_t s = (int64_t)seconds;
	if (s > 86400 && s < 10000 * 86400ll && s % 86400 == 0)
		snprintf(out, TEXT_NUM, "%dd", (int)(s / 86400));
	else if (s > 0 && s <= 86400 && s % 3600 == 0)
		snprintf(out, TEXT_NUM, "%dh", (int)(s / 3600));
	else
		text_duration(s, out);
}

/* "age >= 6h09m, growing 1.00 s/s, retention 24h" */
static const char *age_words(struct arena *mem, const struct loss_trend *t, double slope, double retention, bool more)
{
	char age[TEXT_NUM] = "not known", keeps[TEXT_NUM] = "not known", course[48] = "";
	if (t->at)
		text_duration((int64_t)t->age, age);
	if (!isnan(retention))
		loss_kept(retention, keeps);
	if (t->at && !isnan(slope) && slope != 0)
		snprintf(course, sizeof course, "%s %.2f s/s, ", slope > 0 ? "growing" : "falling", fabs(slope));
	return arena_printf(mem, "age %s%s, %sretention %s", more && t->at ? ">= " : "", age, course, keeps);
}

/* Whose words are told? Of two that are as near, of the one that says where. */
static bool tells_better(const struct loss *b, const struct loss *a, const struct bounds of[2])
{
	if (fabs(of[1].hi - of[0].hi) <= ALIKE && !a->where != !b->where)
		return b->where;
	return of[1].hi < of[0].hi || (of[1].hi == of[0].hi && of[1].lo < of[0].lo);
}

struct loss loss_nearer(const struct loss *a, const struct loss *b, int64_t now)
{
	const struct loss *both[] = { a, b };
	struct bounds of[2], all = never;
	if (a->state == LOSS_NONE || b->state == LOSS_NONE)
		return a->state == LOSS_NONE ? *b : *a;
	for (unsigned i = 0; i < 2; i++) {
		of[i] = both[i]->state == LOSS_SAFE ? never : whenever;
		if (loss_has_low(both[i]))
			of[i].lo = (double)both[i]->low;
		if (loss_has_high(both[i]))
			of[i].hi = (double)both[i]->high;
		all.lo = fmin(all.lo, of[i].lo);
		all.hi = fmin(all.hi, of[i].hi);
	}
	struct loss l = settle(all, now), first = *both[tells_better(b, a, of)];
	first.state = l.state;
	first.low = l.low;
	first.high = l.high;
	return first;
}

/* ---- a queue with a consumer
 *
 * Whatever came when, while things go on like this: what is there now is safe where it drains before the oldest would expire, and what
 * comes from now on lasts a retention (soonest). With more coming than going there is a loss when the queue is as full as what comes in a
 * retention, or, of what is there now, a retention from now at the latest. */

/* More comes than goes, by more than chance (three standard deviations of what came), and it is there. */
static bool fills(const struct loss_queue *q)
{
	double more = (q->in - q->out) * q->counted;
	return more > 3 * sqrt(q->in * q->counted) + 1 && 2 * q->held >= more;
}

static double full_at(const struct loss_queue *q)
{
	return (double)q->now + (q->in * q->retention - q->held) / (q->in - q->out);
}

/* Of the two forms, by the age and by the balance, the nearer counts and the difference is the error. Far apart they say that
 * what is there did not come at today's rate: then only what always holds is left. */
static struct bounds filling(const struct loss_queue *q, const struct curve *c, double soonest)
{
	double full = full_at(q), most = fmax(full, (double)q->now + q->retention);
	if (c->course == RISING && q->steady) {
		double soon = reached(&q->age, q->retention, c->most), late = reached(&q->age, q->retention, c->least);
		struct bounds b = { fmin(soon, full), fmax(late, full) };
		if (b.hi - (double)q->now <= LOSS_APART * (b.lo - (double)q->now))
			return b;
	}
	return (struct bounds){ soonest, fmax(most, soonest) };
}

/* As much goes as comes, as far as can be told. */
static struct bounds served(const struct loss_queue *q, bool drains, double soonest)
{
	bool far = q->in <= q->out || full_at(q) - (double)q->now >= LOSS_FAR * q->retention;
	return drains && far ? never : (struct bounds){ soonest, INFINITY };
}

static struct bounds consumed(const struct loss_queue *q, const struct curve *c)
{
	double kept = surely_kept(&q->age, q->retention), end = (double)q->age.at + q->retention - q->age.age;
	struct bounds age = by_age(&q->age, c, q->retention, q->steady, q->now);
	if (at_its_end(&q->age, q->retention))
		return age;
	if (q->out == 0 &&
	    q->held > 0) /* nobody takes anything; where the age shows nothing of it, that was not so until just now */
		return c->course == RISING || c->course == UNTOLD ? (struct bounds){ end, end }
		                                                  : (struct bounds){ kept, INFINITY };
	if (isnan(q->in) || isnan(q->out) || isnan(q->held))
		return age;
	bool drains = q->held / q->out <= kept - (double)q->now;
	double soonest = drains ? (double)q->now + q->retention : kept;
	return fills(q) ? filling(q, c, soonest) : served(q, drains, soonest);
}

static double queue_slope(const struct loss_queue *q, const struct curve *c)
{
	if (q->out == 0 && q->held > 0)
		return 1;
	return c->course == RISING ? c->most : c->course == FALLING ? c->least : NAN;
}

static struct bounds queue_bounds(const struct loss_queue *q, const struct curve *c)
{
	bool stands = q->held > 0 && q->out == 0;
	if (q->held == 0)
		return never;
	if (isnan(q->retention))
		return whenever;
	struct bounds b = whenever;
	if (!q->age.at || !q->current)
		b = (struct bounds){ q->age.at ? surely_kept(&q->age, q->retention) : -INFINITY,
			                 stands ? (double)q->now + q->retention : INFINITY };
	else
		b = consumed(q, c);
	if (q->hidden && (!q->redriven || stands))
		b.lo = -INFINITY;
	return b;
}

struct loss loss_queue(struct arena *mem, const struct loss_queue *q)
{
	struct curve c = curve_of(&q->age);
	struct loss l = settle(queue_bounds(q, &c), q->now);
	double slope = queue_slope(q, &c);
	l.what = "first message";
	if (fills(q) || (q->out == 0 && q->held > 0))
		l.rate = q->in - q->out;
	if (l.state == LOSS_SAFE && q->held > 0 && q->out > q->in)
		l.drains_at = q->now + instant(q->held / (q->out - q->in));
	if (q->held == 0)
		l.basis = "it is empty";
	else
		l.basis = age_words(mem, &q->age, slope, q->retention, q->hidden);
	if (l.state != LOSS_SAFE)
		draw(&l, &q->age, slope, q->retention);
	return l;
}

/* ---- a dead-letter queue */

static double earliest(const int64_t *at, unsigned n)
{
	double first = INFINITY;
	for (unsigned i = 0; i < n; i++)
		first = fmin(first, (double)at[i]);
	return first;
}

/* Emptied before what is at risk is lost, if that goes on. */
static struct bounds emptied(struct bounds b, double held, double out, int64_t now)
{
	double drain = out > 0 ? (double)now + held / out : INFINITY;
	if (drain <= b.lo)
		return never;
	if (drain <= b.hi)
		b.hi = INFINITY;
	return b;
}

/* The oldest was moved at (at - age), and had been sent at most a source's retention before. */
static struct bounds dead_bounds(const struct loss_dead *d)
{
	double source = isnan(d->source_retention) ? LOSS_SQS_MOST : d->source_retention;
	double looked = earliest(d->sent, d->nsent) + d->retention, moved = (double)d->age.at - d->age.age;
	struct bounds b = { -INFINITY, d->held > 0 ? (double)d->now + d->retention : INFINITY };
	if (d->held == 0)
		return never;
	if (isnan(d->retention))
		return whenever;
	if (d->nsent && d->all)
		return (struct bounds){ looked, looked };
	if (!d->gone)
		b.hi = fmin(b.hi, looked);
	if (d->age.at && d->current)
		b.hi = fmin(b.hi, moved + d->retention);
	if (d->age.at && (d->fifo || !d->received))
		b.lo = d->fifo ? b.hi : moved - d->age.slack - source + d->retention;
	if (d->looked)
		b.lo = fmax(b.lo, fmin(looked, (double)d->looked - source + d->retention));
	return emptied(b, d->held, d->out, d->now);
}

static const char *dead_words(struct arena *mem, const struct loss_dead *d)
{
	char age[TEXT_NUM], keeps[TEXT_NUM] = "not known", looked[TEXT_NUM];
	if (d->held == 0)
		return "it is empty";
	if (!isnan(d->retention))
		loss_kept(d->retention, keeps);
	if (d->nsent) {
		text_duration(d->now - instant(earliest(d->sent, d->nsent)), looked);
		return arena_printf(mem, "%ssent %s ago, retention %s", d->all ? "" : "of those looked at, ", looked, keeps);
	}
	if (!d->age.at)
		return arena_printf(mem, "retention %s, CloudWatch has no age of it", keeps);
	text_duration((int64_t)d->age.age, age);
	if (d->fifo)
		return arena_printf(mem, "age %s, retention %s", age, keeps);
	return arena_printf(mem, "moved here %s%s ago, the message is older; retention %s", d->received ? ">= " : "", age,
	                    keeps);
}

struct loss loss_dead(struct arena *mem, const struct loss_dead *d)
{
	struct loss l = settle(dead_bounds(d), d->now);
	l.what = "first message";
	l.basis = dead_words(mem, d);
	if (d->fifo && d->held > 0 && l.state != LOSS_SAFE)
		draw(&l, &d->age, 1, d->retention);
	return l;
}

/* ---- pointers to a stream's records */

/* The records are older than the message that names them, by nobody knows how much. */
static struct bounds pointer_bounds(const struct loss_pointers *p)
{
	double queue = isnan(p->retention) ? INFINITY : p->retention;
	double stream = isnan(p->stream_retention) ? INFINITY : p->stream_retention;
	double keeps = fmin(queue, stream), looked = earliest(p->arrived, p->narrived) + keeps;
	struct bounds b = { -INFINITY, p->held > 0 ? (double)p->now + keeps : INFINITY };
	if (p->held == 0)
		return never;
	if (p->narrived && p->all &&
	    !isnan(p->stream_retention)) /* it was sent later than its records: the queue may keep it longer */
		return (struct bounds){ looked, earliest(p->arrived, p->narrived) + stream };
	b.hi = fmin(b.hi, earliest(p->arrived, p->narrived) + stream);
	if (p->age.at && p->current)
		b.hi = fmin(b.hi, (double)p->age.at - p->age.age + keeps);
	return emptied(b, p->held, p->out, p->now);
}

struct loss loss_pointers(struct arena *mem, const struct loss_pointers *p)
{
	struct loss l = settle(pointer_bounds(p), p->now);
	char age[TEXT_NUM] = "not known", keeps[TEXT_NUM] = "not known";
	if (!isnan(p->stream_retention))
		loss_kept(p->stream_retention, keeps);
	if (p->narrived)
		text_duration(p->now - instant(earliest(p->arrived, p->narrived)), age);
	else if (p->age.at)
		text_duration((int64_t)p->age.age, age);
	l.what = "first record";
	if (p->held == 0)
		l.basis = "it is empty";
	else if (p->narrived)
		l.basis = arena_printf(mem, "%sthe first record came %s ago, the stream keeps records %s",
		                       p->all ? "" : "of those looked at, ", age, keeps);
	else
		l.basis =
		    arena_printf(mem, "given up %s%s ago, the stream keeps records %s", p->age.at ? ">= " : "", age, keeps);
	return l;
}

/* ---- a stream, and Lambda's own queue */

static struct bounds reader_bounds(const struct loss_reader *r, double retention, const struct curve *c,
                                   const struct loss_stream *s)
{
	double kept = surely_kept(&r->age, retention);
	struct bounds one;
	if (isnan(retention))
		return whenever;
	if (r->silent && r->caught_up)
		return never;
	if (!r->age.at)
		return (struct bounds){ -INFINITY,
			                    r->silent && r->unread_from ? (double)r->unread_from + retention : INFINITY };
	if (r->current) {
		one = by_age(&r->age, c, retention, s->steady, s->now);
		return r->shards == 1 ? one : by_highest(&r->age, one, retention, s->now);
	}
	double end = kept + r->age.slack;
	return r->silent ? (struct bounds){ end, end } : (struct bounds){ kept, INFINITY };
}

static struct loss reader_loss(struct arena *mem, const struct loss_stream *s, const struct loss_reader *r)
{
	double keeps = isnan(r->limit) ? s->retention : fmin(s->retention, r->limit);
	struct curve c = curve_of(&r->age);
	struct bounds b = reader_bounds(r, keeps, &c, s);
	b.lo -= r->batch;
	struct loss l = settle(b, s->now);
	bool stopped = r->silent && !r->current && !r->caught_up;
	double slope = stopped ? 1 : c.course == RISING ? c.most : c.course == FALLING ? c.least : NAN;
	l.what = s->what ? s->what : "first record";
	l.where = r->where;
	l.basis = age_words(mem, &r->age, slope, keeps, false);
	if (stopped)
		l.basis = arena_printf(mem, "nobody reads: %s", l.basis);
	if (r->current && c.course == FALLING)
		l.drains_at = r->age.at + instant(r->age.age / -c.least);
	if (l.state != LOSS_SAFE)
		draw(&l, &r->age, slope, keeps);
	return l;
}

struct loss loss_stream(struct arena *mem, const struct loss_stream *s)
{
	struct loss first = { .state = LOSS_NONE, .rate = NAN };
	for (unsigned i = 0; i < s->nreaders; i++) {
		struct loss one = reader_loss(mem, s, &s->readers[i]);
		first = i ? loss_nearer(&first, &one, s->now) : one;
	}
	return first;
}

/* Which qualifier an event was for is not told: it goes by the shortest time at the earliest, by the longest at the latest. */
static struct bounds async_bounds(const struct loss_async *a, const struct curve *c, double most)
{
	struct loss_reader r = { .age = a->age, .current = a->current, .limit = NAN };
	struct loss_stream s = { .now = a->now, .steady = true };
	if (a->over)
		return never;
	struct bounds late = reader_bounds(&r, most, c, &s);
	struct bounds soon = isnan(a->least) ? whenever : reader_bounds(&r, a->least, c, &s);
	return (struct bounds){ soon.lo, late.hi };
}

struct loss loss_async(struct arena *mem, const struct loss_async *a)
{
	struct curve c = curve_of(&a->age);
	double most = isnan(a->most) ? LOSS_ASYNC_MOST : a->most, slope = c.course == RISING ? c.most : NAN;
	struct loss l = settle(a->age.at ? async_bounds(a, &c, most) : never, a->now);
	if (!a->age.at)
		l.state = LOSS_NONE;
	l.what = "first event";
	l.basis = a->over ? "no event waits" : age_words(mem, &a->age, slope, most, false);
	return l;
}
