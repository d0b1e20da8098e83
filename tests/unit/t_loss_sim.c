/* pipeline/loss.c against queues and streams that are played second by second until something is really lost. The clock sees of
 * them what CloudWatch and GetQueueAttributes would tell; the play sees everything. SLUICE_SEED=n plays others. */
#include "core/arena.h"
#include "core/mem.h"
#include "pipeline/loss.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CASES 10000
#define MINUTE 60
#define NOW 1795662900 /* whole minutes */
#define DELAY 120      /* CloudWatch's newest point is so old */
#define COUNTED 600    /* the rates are taken over so long, */
#define DUST 1e-6      /* less of a message than this is what doubles leave over */
#define SEEN 2400      /* and things had been going on alike for so long */

static uint64_t seed = 20261128;
static double longest = 4 * 3600; /* retention of what is played second by second */

static uint64_t draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static double chance(double low, double high)
{
	return low + (high - low) * ((double)(draw() >> 11) / (double)(1ull << 53));
}

static double spread(double low, double high) /* evenly over the magnitudes */
{
	return exp(chance(log(low), log(high)));
}

static bool heads(double p)
{
	return chance(0, 1) < p;
}

/* ---- first in, first out, a cohort a second */

struct line {
	double *came; /* by second, a ring as long as what is kept */
	int64_t keeps, first, now;
	double held, lost;
};

static struct line line_new(int64_t keeps, int64_t now)
{
	struct line l = { .keeps = keeps, .first = now, .now = now };
	l.came = xcalloc((size_t)keeps + 2, sizeof *l.came);
	return l;
}

static double *cohort(struct line *l, int64_t second)
{
	return &l->came[(uint64_t)second % (uint64_t)(l->keeps + 2)];
}

static void skip_empty(struct line *l)
{
	while (l->first < l->now && *cohort(l, l->first) < DUST) {
		l->held -= *cohort(l, l->first);
		*cohort(l, l->first++) = 0;
	}
}

/* One second: what expired goes, then so much comes, then so much is taken from the front. */
static void play(struct line *l, double in, double out)
{
	l->now++;
	while (l->now - l->first > l->keeps) {
		l->lost += *cohort(l, l->first);
		l->held -= *cohort(l, l->first);
		*cohort(l, l->first++) = 0;
	}
	*cohort(l, l->now - 1) = in;
	l->held += in;
	while (out > 0 && l->first < l->now) {
		double *c = cohort(l, l->first), take = *c < out ? *c : out;
		*c -= take;
		out -= take;
		l->held -= take;
		if (*c > 0)
			break;
		l->first++;
	}
	skip_empty(l);
	if (l->first == l->now)
		l->held = 0;
}

/* Of the first, to whatever part of its second it has been taken. */
static double age(struct line *l, double in)
{
	double part = in > 0 ? *cohort(l, l->first) / in : 1;
	return l->held > 0 ? (double)(l->now - l->first) - (part < 1 ? 1 - part : 0) : 0;
}

/* The instant of the first loss from now on; INFINITY: not until `end`. */
static double first_loss(struct line *l, double in, double out, int64_t end)
{
	double before = l->lost;
	while (l->now < end) {
		play(l, in, out);
		if (l->lost - before > 0)
			return (double)l->now;
	}
	return INFINITY;
}

/* What the service says of it. */
struct seen {
	struct series age;
	double max, in, out;
	bool whole; /* seconds */
};

static void look(struct seen *s, struct line *l, double in, double out)
{
	double a = age(l, in);
	s->max = a > s->max ? a : s->max;
	if (l->now % MINUTE == 0) {
		if (l->now <= NOW - DELAY)
			series_put(&s->age, l->now - MINUTE, s->whole ? floor(s->max) : s->max);
		s->max = 0;
	}
	if (l->now > NOW - DELAY - COUNTED && l->now <= NOW - DELAY) {
		s->in += in;
		s->out += out;
	}
}

/* ---- what the clock said, and what happened */

struct tally {
	unsigned cases, state[LOSS_UNKNOWN + 1], wrong;
	double worst; /* of forecasts: the error as a share of the time left */
};

static const char *const words[] = { "none", "safe", "exact", "between", "at most", "at least", "unknown" };

static void report(const char *what, const struct tally *t)
{
	printf("%s: %u cases", what, t->cases);
	for (unsigned i = 0; i <= LOSS_UNKNOWN; i++)
		if (t->state[i])
			printf(", %u %s", t->state[i], words[i]);
	printf("; %u wrong, worst error %.3f %%\n", t->wrong, 100 * t->worst);
}

/* Half a minute to a minute is what a figure of one a minute leaves open. */
static bool holds(struct tally *t, const struct loss *l, double truth, double retention, double slack,
                  int64_t played_to)
{
	if (isinf(truth) && l->high > played_to) /* it was not played for that long */
		truth = (double)l->high;
	double left = truth - NOW, off = slack + (isinf(truth) ? 0 : fabs(left) / 100);
	bool ok = true;
	t->cases++;
	t->state[l->state]++;
	switch (l->state) {
	case LOSS_SAFE: ok = left > LOSS_FAR * retention * 0.99; break;
	case LOSS_EXACT:
		ok = l->low <= NOW ? left <= slack + MINUTE : fabs((double)l->low - truth) <= off;
		if (l->low > NOW && left > 100 * slack)
			t->worst = fmax(t->worst, (fabs((double)l->low - truth) - slack) / left);
		break;
	case LOSS_BETWEEN: ok = truth >= (double)l->low - off && truth <= (double)l->high + off; break;
	case LOSS_AT_MOST: ok = truth <= (double)l->high + off; break;
	case LOSS_AT_LEAST: ok = truth >= (double)l->low - off; break;
	default: break;
	}
	t->wrong += !ok;
	return ok;
}

static void complain(const char *what, const struct loss *l, double truth)
{
	printf("%s: %s [%lld, %lld], really %.0f: %s\n", what, words[l->state], (long long)(l->low ? l->low - NOW : 0),
	       (long long)(l->high ? l->high - NOW : 0), truth - NOW, l->basis ? l->basis : "");
}

/* ---- a queue, or a stream, whose rates are what they have been */

struct steady {
	double keeps, in, out, age;
};

/* Rising from an age that leaves room for SEEN seconds of the same. */
static struct steady draw_steady(void)
{
	struct steady c = { .keeps = floor(spread(2 * 3600, longest)), .in = spread(2, 500) };
	double share = heads(0.1) ? 0 : heads(0.2) ? chance(1, 2) : chance(0, 0.94);
	double slope = 1 - share;
	c.out = c.in * share;
	c.age = slope > 0 ? chance(slope * SEEN + 60, 0.97 * c.keeps) : chance(-slope * SEEN + 60, 0.45 * c.keeps);
	return c;
}

static struct line lead_up(const struct steady *c, struct seen *s, struct seen *other)
{
	double slope = 1 - c->out / c->in, then = c->age - slope * SEEN;
	struct line l = line_new((int64_t)c->keeps, NOW - SEEN - (int64_t)then);
	series_init(&s->age, MINUTE);
	series_init(&other->age, MINUTE);
	while (l.now < NOW - SEEN)
		play(&l, c->in, 0);
	while (l.now < NOW) {
		play(&l, c->in, c->out);
		look(s, &l, c->in, c->out);
		look(other, &l, c->in, c->out);
	}
	return l;
}

/* One line, seen as a queue with whole seconds and counts, and as a stream with an age alone. */
static void steady_rates(void **state)
{
	(void)state;
	struct tally queues = { 0 }, streams = { 0 };
	for (unsigned i = 0; i < CASES; i++) {
		struct steady c = draw_steady();
		struct seen whole = { .whole = true }, fine = { .whole = false };
		struct arena mem;
		arena_init(&mem);
		struct line l = lead_up(&c, &whole, &fine);
		struct loss_queue q = { .now = NOW,
			                    .retention = c.keeps,
			                    .held = floor(l.held),
			                    .in = floor(whole.in) / COUNTED,
			                    .out = floor(whole.out) / COUNTED,
			                    .counted = COUNTED,
			                    .age = loss_trend(&whole.age, 1, NOW - DELAY),
			                    .current = true,
			                    .steady = true };
		struct loss_reader r = {
			.age = loss_trend(&fine.age, 1, NOW - DELAY), .current = true, .limit = NAN, .shards = 1
		};
		struct loss_stream st = { .now = NOW, .retention = c.keeps, .readers = &r, .nreaders = 1, .steady = true };
		struct loss queue = loss_queue(&mem, &q), stream = loss_stream(&mem, &st);
		int64_t end = NOW + (int64_t)(c.out >= c.in ? 3 : 25) * (int64_t)c.keeps;
		double truth = first_loss(&l, c.in, c.out, end);
		if (!holds(&queues, &queue, truth, c.keeps, 2, end))
			complain("queue", &queue, truth);
		if (!holds(&streams, &stream, truth, c.keeps, 2, end))
			complain("stream", &stream, truth);
		free(l.came);
		series_clear(&whole.age);
		series_clear(&fine.age);
		arena_clear(&mem);
	}
	report("steady queues", &queues);
	report("steady streams", &streams);
	assert_int_equal(queues.wrong + streams.wrong, 0);
	assert_true(queues.state[LOSS_EXACT] > CASES / 2 && streams.state[LOSS_EXACT] > CASES / 2); /* it does forecast */
	assert_true(queues.worst < 0.01 && streams.worst < 0.01);
}

/* ---- bounds: whatever the past was */

/* Rates that change at random moments; the last ones stay as they are for COUNTED seconds before the newest point, and after. */
struct past {
	double keeps, in[8], out[8];
	int64_t from[8];
	unsigned n;
};

static struct past draw_past(void)
{
	struct past p = { .keeps = floor(spread(2 * 3600, longest)), .n = 1 + (unsigned)(draw() % 8) };
	int64_t calm = DELAY + COUNTED + (heads(0.5) ? 1800 : 0), most = (int64_t)(0.95 * p.keeps) - calm;
	for (unsigned i = 0; i < p.n; i++) {
		p.in[i] = heads(0.15) ? 0 : spread(1, 300);
		p.out[i] = heads(0.2) ? 0 : spread(1, 300);
		p.from[i] = NOW - calm - (i + 1 < p.n ? (int64_t)chance(0, (double)most) : 0);
	}
	for (unsigned i = 1; i + 1 < p.n; i++) /* in order */
		for (unsigned k = i; k > 0 && p.from[k] < p.from[k - 1]; k--) {
			int64_t t = p.from[k];
			p.from[k] = p.from[k - 1];
			p.from[k - 1] = t;
		}
	p.from[0] = p.n > 1 && p.from[0] < p.from[p.n - 1] ? p.from[0] : NOW - calm - most;
	return p;
}

static struct line relive(const struct past *p, struct seen *s)
{
	struct line l = line_new((int64_t)p->keeps, p->from[0]);
	unsigned at = 0;
	series_init(&s->age, MINUTE);
	while (l.now < NOW) {
		while (at + 1 < p->n && l.now >= p->from[at + 1])
			at++;
		double out = l.held + p->in[at] < p->out[at] ? l.held + p->in[at] : p->out[at]; /* no more than is there */
		play(&l, p->in[at], out);
		look(s, &l, p->in[at], out);
	}
	return l;
}

/* Did what is there come at today's rate? Told here by the past itself, in place of the metric. */
static bool alike(const struct past *p, const struct seen *s)
{
	struct loss_trend t = loss_trend(&s->age, 1, NOW - DELAY);
	double now = p->in[p->n - 1];
	for (unsigned i = 0; i + 1 < p->n; i++)
		if (p->from[i + 1] > t.at - (int64_t)t.age && fabs(p->in[i] - now) > now / 4)
			return false;
	return true;
}

static void unsteady_queues(void **state)
{
	(void)state;
	struct tally t = { 0 };
	for (unsigned i = 0; i < CASES; i++) {
		struct past p = draw_past();
		struct seen s = { .whole = true };
		struct arena mem;
		arena_init(&mem);
		struct line l = relive(&p, &s);
		struct loss_queue q = { .now = NOW,
			                    .retention = p.keeps,
			                    .held = floor(l.held),
			                    .in = floor(s.in) / COUNTED,
			                    .out = floor(s.out) / COUNTED,
			                    .counted = COUNTED,
			                    .age = loss_trend(&s.age, 1, NOW - DELAY),
			                    .current = true,
			                    .steady = alike(&p, &s) };
		struct loss got = loss_queue(&mem, &q);
		int64_t end = NOW + 11 * (int64_t)p.keeps;
		double truth = first_loss(&l, p.in[p.n - 1], p.out[p.n - 1], end);
		if (!holds(&t, &got, truth, p.keeps, MINUTE, end))
			complain("unsteady", &got, truth);
		free(l.came);
		series_clear(&s.age);
		arena_clear(&mem);
	}
	report("unsteady queues", &t);
	assert_int_equal(t.wrong, 0);
}

/* ---- dead-letter queues and pointers: message by message */

#define MESSAGES 40

struct letter {
	int64_t sent, moved, arrived;
	bool received; /* three times or more, here: the age leaves it out */
};

/* What is in the queue at the instant the age is taken, and expires by when: sent (or moved, or arrived) and kept so long. */
struct letters {
	struct letter v[MESSAGES];
	unsigned n;
	int64_t keeps, source, taken, at;
	double oldest; /* the age of the metric; NAN: it sees none */
};

static struct letters draw_letters(bool hidden)
{
	struct letters d = { .keeps = (int64_t)spread(3600, LOSS_SQS_MOST), .source = (int64_t)spread(60, LOSS_SQS_MOST) };
	unsigned most = 1 + (unsigned)(draw() % MESSAGES);
	d.at = NOW - DELAY;
	d.taken = d.at - (int64_t)(draw() % MINUTE);
	d.oldest = NAN;
	for (unsigned i = 0; i < most; i++) {
		struct letter m = { .moved = d.taken - (int64_t)chance(0, (double)d.keeps) };
		m.sent = m.moved - (int64_t)(heads(0.5) ? chance(0, (double)d.source) : spread(1, (double)d.source));
		m.received = hidden && heads(0.3);
		if (m.sent + d.keeps <= d.taken)
			continue; /* it is gone already */
		if (!m.received)
			d.oldest = fmax(isnan(d.oldest) ? 0 : d.oldest, (double)(d.taken - m.moved));
		d.v[d.n++] = m;
	}
	return d;
}

static struct loss_trend taken_age(const struct letters *d)
{
	return (struct loss_trend){
		.at = isnan(d->oldest) ? 0 : d->at, .age = d->oldest, .slope = NAN, .recent = NAN, .slack = MINUTE
	};
}

static struct loss_dead dead_queue(const struct letters *d, bool received)
{
	return (struct loss_dead){ .now = NOW,
		                       .retention = (double)d->keeps,
		                       .held = d->n,
		                       .age = taken_age(d),
		                       .current = true,
		                       .source_retention = heads(0.2) ? NAN : (double)d->source,
		                       .received = received };
}

static double first_gone(const struct letters *d, bool fifo)
{
	double first = INFINITY;
	for (unsigned i = 0; i < d->n; i++)
		first = fmin(first, (double)((fifo ? d->v[i].moved : d->v[i].sent) + d->keeps));
	return first;
}

/* A peek at some of them, or at all. */
static unsigned peek(const struct letters *d, int64_t sent[MESSAGES], bool *all)
{
	unsigned n = 0;
	bool some = heads(0.5);
	for (unsigned i = 0; i < d->n; i++)
		if (!some || heads(0.5))
			sent[n++] = d->v[i].sent;
	*all = n == d->n;
	return n;
}

static void dead_letters(void **state)
{
	(void)state;
	struct tally t = { 0 };
	for (unsigned i = 0; i < CASES; i++) {
		bool hidden = heads(0.3), fifo = !hidden && heads(0.2), peeked = !fifo && heads(0.3), all = false;
		struct letters d = draw_letters(hidden);
		int64_t sent[MESSAGES];
		struct arena mem;
		arena_init(&mem);
		struct loss_dead q = dead_queue(&d, hidden);
		q.fifo = fifo;
		q.sent = sent;
		q.nsent = peeked ? peek(&d, sent, &all) : 0;
		q.all = all;
		struct loss got = loss_dead(&mem, &q);
		double truth = first_gone(&d, fifo);
		bool right = d.n ? holds(&t, &got, truth, (double)d.keeps, MINUTE, INT64_MAX) : got.state == LOSS_SAFE;
		if (!right)
			complain("dead letters", &got, truth);
		assert_true(right && (!d.n || got.state != LOSS_SAFE));
		if (d.n && (fifo || (peeked && all)))
			assert_int_equal(got.state, LOSS_EXACT);
		arena_clear(&mem);
	}
	report("dead letters", &t);
	assert_int_equal(t.wrong, 0);
	assert_true(t.state[LOSS_BETWEEN] > CASES / 20 && t.state[LOSS_UNKNOWN] == 0);
}

/* A whole look some time ago: it met what had been moved before. Since then more was moved, and perhaps some was taken. */
static unsigned met_at(const struct letters *d, int64_t looked, bool gone, int64_t sent[2 * MESSAGES], bool *all)
{
	unsigned n = 0, later = 0;
	for (unsigned i = 0; i < d->n; i++)
		if (d->v[i].moved <= looked)
			sent[n++] = d->v[i].sent;
		else
			later++;
	for (unsigned i = 0; gone && i < MESSAGES; i++) /* what somebody took */
		if (heads(0.3))
			sent[n++] = looked - (int64_t)chance(1, (double)d->keeps);
	*all = n && !later && !gone;
	return n;
}

static void looked_at_before(void **state)
{
	(void)state;
	struct tally t = { 0 };
	unsigned exact = 0;
	for (unsigned i = 0; i < CASES; i++) {
		struct letters d = draw_letters(true);
		int64_t sent[2 * MESSAGES], looked = d.taken - (int64_t)chance(0, (double)d.keeps);
		bool gone = heads(0.5), all = false;
		struct arena mem;
		arena_init(&mem);
		struct loss_dead q = dead_queue(&d, true);
		q.sent = sent;
		q.nsent = met_at(&d, looked, gone, sent, &all);
		q.all = all;
		q.gone = gone;
		q.looked = looked;
		struct loss got = loss_dead(&mem, &q);
		double truth = first_gone(&d, false);
		bool right = d.n ? holds(&t, &got, truth, (double)d.keeps, MINUTE, INT64_MAX) : got.state == LOSS_SAFE;
		if (!right)
			complain("looked at before", &got, truth);
		assert_true(right && (!d.n || got.state != LOSS_SAFE));
		exact += all && got.state == LOSS_EXACT;
		arena_clear(&mem);
	}
	report("looked at before", &t);
	assert_int_equal(t.wrong, 0);
	assert_true(exact > CASES / 50 && t.state[LOSS_BETWEEN] > CASES / 100);
}

/* Records arrive, are tried until they are given up, and then a pointer to them is sent: here `sent` is when they arrived. */
static void pointers(void **state)
{
	(void)state;
	struct tally t = { 0 };
	for (unsigned i = 0; i < CASES; i++) {
		struct letters d = draw_letters(heads(0.3));
		double stream = spread(86400, 31536000), truth = INFINITY;
		bool peeked = heads(0.3), all = false;
		int64_t arrived[MESSAGES];
		struct arena mem;
		arena_init(&mem);
		for (unsigned k = 0; k < d.n; k++) { /* gone with its records, or with the message */
			struct letter *m = &d.v[k];
			truth = fmin(truth, fmin((double)m->sent + stream, (double)(m->moved + d.keeps)));
		}
		struct loss_pointers q = { .now = NOW,
			                       .retention = (double)d.keeps,
			                       .held = d.n,
			                       .age = taken_age(&d),
			                       .current = true,
			                       .stream_retention = heads(0.2) ? NAN : stream,
			                       .arrived = arrived,
			                       .narrived = peeked ? peek(&d, arrived, &all) : 0,
			                       .all = all };
		struct loss got = loss_pointers(&mem, &q);
		bool right = d.n ? holds(&t, &got, truth, (double)d.keeps, MINUTE, INT64_MAX) : got.state == LOSS_SAFE;
		if (!right)
			complain("pointers", &got, truth);
		assert_true(right);
		arena_clear(&mem);
	}
	report("pointers", &t);
	assert_true(t.state[LOSS_AT_MOST] > CASES / 4);
}

/* ---- several shards under one age */

static void highest_of_several(void **state)
{
	(void)state;
	struct tally t = { 0 };
	for (unsigned i = 0; i < CASES / 10; i++) {
		unsigned n = 2 + (unsigned)(draw() % 3);
		double keeps = floor(spread(2 * 3600, 6 * 3600)), truth = INFINITY;
		struct series most;
		struct arena mem;
		arena_init(&mem);
		series_init(&most, MINUTE);
		int64_t end = NOW + 11 * (int64_t)keeps;
		for (unsigned k = 0; k < n; k++) {
			struct steady c = draw_steady();
			c.keeps = keeps;
			double slope = 1 - c.out / c.in, least = fabs(slope) * SEEN + 60, top = (slope > 0 ? 0.97 : 0.45) * keeps;
			c.age = least < top ? chance(least, top) : top;
			if (heads(0.3) || least >= top)
				c.out = 2 * c.in; /* a shard that is well */
			struct seen s = { .whole = false }, whole = { .whole = true };
			struct line l = lead_up(&c, &s, &whole);
			for (int64_t at = NOW - SEEN; at < NOW - DELAY; at += MINUTE) {
				double was = series_at(&most, at), one = series_at(&s.age, at);
				if (!isnan(one) && !(was > one))
					series_put(&most, at, one);
			}
			truth = fmin(truth, first_loss(&l, c.in, c.out, end));
			free(l.came);
			series_clear(&s.age);
			series_clear(&whole.age);
		}
		struct loss_reader r = { .age = loss_trend(&most, 1, NOW - DELAY), .current = true, .limit = NAN, .shards = n };
		struct loss_stream st = { .now = NOW, .retention = keeps, .readers = &r, .nreaders = 1, .steady = true };
		struct loss got = loss_stream(&mem, &st);
		if (!holds(&t, &got, truth, keeps, MINUTE, end))
			complain("shards", &got, truth);
		series_clear(&most);
		arena_clear(&mem);
	}
	report("the highest of several shards", &t);
	assert_int_equal(t.wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steady_rates),     cmocka_unit_test(unsteady_queues), cmocka_unit_test(dead_letters),
		cmocka_unit_test(looked_at_before), cmocka_unit_test(pointers),        cmocka_unit_test(highest_of_several),
	};
	const char *said = getenv("SLUICE_SEED");
	if (said && strtoull(said, NULL, 10))
		seed = strtoull(said, NULL, 10);
	if (getenv("SLUICE_LONG"))
		longest = 24 * 3600;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
