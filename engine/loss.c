/* What the first-loss clocks are fed with, and from which answers: retention, redrive and counts from GetQueueAttributes, a stream's
 * retention from DescribeStreamSummary, who reads it and who gives up into what from ListEventSourceMappings, ages and rates from
 * CloudWatch, and every direct reading only while it is fresh. */
#include "pipeline/loss.h"

#include "cache/peek.h"
#include "core/log.h"
#include "core/mem.h"
#include "engine/inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RATE_POINTS 10
#define RECEIVED "received"   /* the key of a queue's metric */
#define HIDDEN_RECEIVES 3     /* of a message, from which on SQS's age leaves it out */
#define ASYNC_PAUSE 600       /* seconds: Lambda lets pass up to five minutes between two attempts */
#define PROVE_EVERY 1800      /* seconds */
#define DYNAMODB_KEEPS 86400. /* a DynamoDB stream's records, always */

/* What relations say of a resource, by its place in g->res. */
struct tied {
	struct stage *stage;
	bool dead, pointed;    /* a queue's redrive policy, a stream's mapping puts failures into it */
	double source, stream; /* the longest retention of those; INFINITY: one is not known */
	unsigned reads;        /* streams that this function's mappings name */
};

struct books {
	struct engine *g;
	struct tied *tied;
	int64_t now, until,
	    delay;           /* of the stage at hand: the end of its newest period that has arrived, and how late it came */
	bool sources_known;  /* every queue was listed and described */
	struct peeks *peeks; /* NULL: nobody has ever looked into a queue */
};

/* ---- readings */

static struct measure *measure_of_role(const struct stage *s, enum role role)
{
	const struct metric_info *info = kind_role(&s->kind->info, role);
	return info ? s->m[info - s->kind->info.metrics] : NULL;
}

static struct measure *measure_of_key(const struct stage *s, const char *key)
{
	const struct metric_info *info = kind_metric(&s->kind->info, key);
	return info ? s->m[info - s->kind->info.metrics] : NULL;
}

static double scale_of(const struct stage *s)
{
	const struct metric_info *info = kind_role(&s->kind->info, ROLE_AGE);
	return info && info->unit == UNIT_MILLISECONDS ? 0.001 : 1;
}

static struct loss_trend trend(const struct books *b, const struct stage *s)
{
	const struct measure *m = measure_of_role(s, ROLE_AGE);
	return loss_trend(m ? &m->series : NULL, scale_of(s), b->until);
}

static bool current(const struct books *b, const struct stage *s, const struct loss_trend *t)
{
	const struct measure *m = measure_of_role(s, ROLE_AGE);
	return t->at && !m->err && b->now - t->at <= stale_after(b->delay, measure_every(b->g, m), STEP);
}

/* The end of what was answered, while that is as new as it can be. */
static int64_t until(const struct books *b, const struct measure *m)
{
	bool lately = m->known.to && b->now - m->known.to <= stale_after(b->delay, measure_every(b->g, m), STEP);
	return lately && m->known.to < b->until ? m->known.to / STEP * STEP : b->until;
}

/* The sum over [from, to); a gap in a complete answer is none. NAN: not all of it was answered for. */
static double counted_in(const struct measure *m, int64_t from, int64_t to)
{
	double sum = 0;
	if (!m || m->err || !known_covers(&m->known, from, to))
		return NAN;
	for (int64_t t = from; t < to; t += STEP) {
		double v = series_at(&m->series, t);
		sum += isnan(v) ? 0 : v;
	}
	return sum;
}

/* Up to the newest period. */
static double counted(const struct books *b, const struct measure *m, int64_t from)
{
	return m ? counted_in(m, from, until(b, m)) : NAN;
}

static double rate(const struct books *b, const struct stage *s, enum role role)
{
	const struct measure *m = measure_of_role(s, role);
	return m ? counted(b, m, until(b, m) - RATE_POINTS * STEP) / (RATE_POINTS * STEP) : NAN;
}

/* Since when everything was answered, at the most as far back as a series reaches. */
static int64_t known_from(const struct books *b, const struct measure *m)
{
	int64_t reach = b->until - (SERIES_MAX - 1) * STEP;
	return m && m->known.from > reach ? (m->known.from + STEP - 1) / STEP * STEP : reach;
}

static double held(const struct books *b, const struct stage *s)
{
	static const char *const keys[] = { "visible", "in_flight", "delayed" };
	double sum = 0;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const struct metric_info *info = kind_metric(&s->kind->info, keys[i]);
		struct value v = stage_value(b->g, s, info, NULL);
		sum += v.err || v.stale ? NAN : v.v;
	}
	return sum;
}

static double kept(const struct res *r)
{
	int64_t s = res_retention(r);
	return s ? (double)s : NAN;
}

static bool fact_is(const struct res *r, const char *key, const char *value)
{
	const struct fact *f = res_fact(r, key);
	return f && strcmp(f->value, value) == 0;
}

/* Did what is there come at today's rate? By tens of minutes; what nobody can tell any more is taken to be so. */
static bool steady(const struct books *b, const struct stage *s, const struct loss_trend *t)
{
	const struct measure *in = measure_of_role(s, ROLE_IN);
	double now = rate(b, s, ROLE_IN) * RATE_POINTS * STEP;
	int64_t from = known_from(b, in), oldest = !isfinite(t->age) ? INT64_MIN : t->at - (int64_t)t->age;
	for (int64_t end = in ? until(b, in) : 0; end - RATE_POINTS * STEP >= from && end > oldest;
	     end -= RATE_POINTS * STEP) {
		double then = counted_in(in, end - RATE_POINTS * STEP, end);
		if (fabs(then - now) > now / 4 + 3 * sqrt(now))
			return false;
	}
	return true;
}

/* ---- queues */

/* What never had a point is asked for rarely (engine/turns.c): its last answer counts. */
static bool received_here(const struct books *b, const struct stage *s)
{
	const struct measure *m = measure_of_key(s, RECEIVED);
	if (m && measure_never_seen(m) && !m->err && b->now - m->known.to < REST + LOSS_POINTS * STEP)
		return false;
	double n = counted(b, m, known_from(b, m));
	return isnan(n) || n > 0;
}

/* More was received than deleted, by more than what is being worked on explains: some came more than once. */
static bool hides(const struct books *b, const struct stage *s)
{
	const struct measure *received = measure_of_key(s, RECEIVED), *deleted = measure_of_role(s, ROLE_OUT);
	const struct fact *most = res_fact(s->res, "max_receive_count");
	if (fact_is(s->res, "fifo", "true") || (most && strtoll(most->value, NULL, 10) < HIDDEN_RECEIVES))
		return false;
	int64_t from = known_from(b, received), other = known_from(b, deleted);
	from = from > other ? from : other;
	double in = counted(b, received, from), out = counted(b, deleted, from);
	struct value flying = stage_value(b->g, s, kind_metric(&s->kind->info, "in_flight"), NULL);
	return in - out > 2 * (isnan(flying.v) ? 0 : flying.v) + in / 100 + 2;
}

static struct loss consumed_loss(const struct books *b, struct arena *mem, const struct stage *s)
{
	struct loss_queue q = { .now = b->now,
		                    .retention = kept(s->res),
		                    .held = held(b, s),
		                    .in = rate(b, s, ROLE_IN),
		                    .out = rate(b, s, ROLE_OUT),
		                    .counted = RATE_POINTS * STEP,
		                    .age = trend(b, s),
		                    .hidden = hides(b, s),
		                    .redriven = res_fact(s->res, "dlq") };
	q.current = current(b, s, &q.age);
	q.steady = steady(b, s, &q.age);
	return loss_queue(mem, &q);
}

/* What a look into a queue is worth now: is what it met still there, and is it all there is? */
struct seen {
	struct peek_sum sum;
	bool gone, all;
};

/* How many of the messages others may have taken since; NAN: nobody counted. Our own replays' deletions are no others'. */
static double taken_since(const struct books *b, const struct stage *s, const struct peek_sum *sum)
{
	const struct measure *out = measure_of_role(s, ROLE_OUT);
	int64_t from = (sum->proved_ms / 1000 + STEP - 1) / STEP * STEP;
	if (!out || from >= until(b, out))
		return 0;
	if (measure_never_seen(out) && b->now - out->known.to < REST + LOSS_POINTS * STEP)
		return 0;
	return fmax(0, counted(b, out, from) - sum->removed);
}

/* While it is proved that nothing was taken, that is noted from time to time: what CloudWatch counted is at hand for three hours only. */
static void prove(const struct books *b, const struct stage *s, const struct seen *seen)
{
	struct err e;
	const struct measure *out = measure_of_role(s, ROLE_OUT);
	int64_t proved = out ? until(b, out) : 0;
	if (seen->gone || seen->sum.removed || proved - seen->sum.proved_ms / 1000 < PROVE_EVERY)
		return;
	if (!peek_prove(b->peeks, s->res->arn, proved * 1000, &e))
		log_warn(LOG_ENGINE, "%s: %s", e.where, e.text);
}

static struct seen seen_of(const struct books *b, struct arena *mem, const struct stage *s, double held)
{
	struct seen seen = { .gone = true };
	struct err e;
	double keeps = kept(s->res);
	int64_t since = isnan(keeps) ? 0 : (b->now - (int64_t)keeps) * 1000;
	if (!b->peeks || !s->res->arn)
		return seen;
	if (!peek_sum(b->peeks, s->res->arn, since, mem, &seen.sum, &e))
		log_warn(LOG_ENGINE, "%s: %s", e.where, e.text);
	if (!seen.sum.at_ms || seen.sum.at_ms > b->now * 1000) /* nobody has looked, or not yet */
		return (struct seen){ .gone = true };
	seen.gone = !(taken_since(b, s, &seen.sum) == 0 && held >= seen.sum.n);
	seen.all = seen.sum.whole && !seen.gone && held == seen.sum.n;
	prove(b, s, &seen);
	return seen;
}

static struct loss dead_loss(const struct books *b, struct arena *mem, const struct stage *s, const struct tied *t)
{
	int64_t sent;
	struct loss_dead d = { .now = b->now,
		                   .retention = kept(s->res),
		                   .held = held(b, s),
		                   .out = rate(b, s, ROLE_OUT),
		                   .age = trend(b, s),
		                   .fifo = fact_is(s->res, "fifo", "true"),
		                   .source_retention = t->dead && b->sources_known && isfinite(t->source) ? t->source : NAN,
		                   .received = received_here(b, s) };
	d.current = current(b, s, &d.age);
	struct seen seen = d.fifo ? (struct seen){ .gone = true } : seen_of(b, mem, s, d.held);
	sent = seen.sum.first_ms / 1000;
	d.sent = &sent;
	d.nsent = sent != 0;
	d.gone = seen.gone;
	d.all = seen.all && seen.sum.dated;
	d.looked = seen.sum.whole && seen.sum.dated ? seen.sum.at_ms / 1000 : 0;
	return loss_dead(mem, &d);
}

static double stream_keeps(const struct books *b, const char *arn)
{
	const struct res *r = inventory_by_arn(b->g, arn);
	if (r)
		return isnan(kept(r)) ? INFINITY : kept(r);
	return strstr(arn, ":dynamodb:") ? DYNAMODB_KEEPS : INFINITY;
}

/* When the earliest of the records goes, as if its stream were the one that keeps them longest. False: of one nobody knows how long. */
static bool first_arrived(const struct books *b, const struct seen *seen, double longest, int64_t *arrived)
{
	double first = INFINITY;
	for (unsigned i = 0; i < seen->sum.nstreams; i++)
		first = fmin(first, (double)seen->sum.streams[i].first_ms / 1000 + stream_keeps(b, seen->sum.streams[i].arn));
	*arrived = isfinite(first) ? (int64_t)floor(first - longest) : 0;
	return isfinite(first) && isfinite(longest);
}

static struct loss pointer_loss(const struct books *b, struct arena *mem, const struct stage *s, const struct tied *t)
{
	int64_t arrived;
	struct loss_pointers p = { .now = b->now,
		                       .retention = kept(s->res),
		                       .held = held(b, s),
		                       .out = rate(b, s, ROLE_OUT),
		                       .age = trend(b, s),
		                       .stream_retention = isfinite(t->stream) ? t->stream : NAN };
	p.current = current(b, s, &p.age);
	struct seen seen = seen_of(b, mem, s, p.held);
	if (!seen.gone && first_arrived(b, &seen, p.stream_retention, &arrived)) {
		p.arrived = &arrived;
		p.narrived = 1;
		p.all = seen.all && seen.sum.npointers == seen.sum.n;
	}
	return loss_pointers(mem, &p);
}

static struct loss queue_loss(const struct books *b, struct arena *mem, const struct stage *s)
{
	const struct tied *t = &b->tied[s->res->at];
	if (t->pointed && t->dead) {
		struct loss x = pointer_loss(b, mem, s, t), y = dead_loss(b, mem, s, t);
		return loss_nearer(&x, &y, b->now);
	}
	if (t->pointed)
		return pointer_loss(b, mem, s, t);
	return s->res->dlq ? dead_loss(b, mem, s, t) : consumed_loss(b, mem, s);
}

/* ---- streams */

/* CloudWatch has answered up to now, and has no newer point. */
static bool silent(const struct books *b, const struct stage *s, const struct loss_trend *t)
{
	const struct measure *m = measure_of_role(s, ROLE_AGE);
	int64_t from = t->at ? t->at : b->until - RATE_POINTS * STEP;
	return m && !m->err && known_covers(&m->known, from, until(b, m)) && !current(b, s, t);
}

/* When the first record came that nobody has read since; 0: that is not known. */
static int64_t first_written(const struct books *b, const struct stage *stream)
{
	const struct measure *in = measure_of_role(stream, ROLE_IN), *age = measure_of_role(stream, ROLE_AGE);
	int64_t from = known_from(b, in), other = known_from(b, age);
	from = from > other ? from : other;
	if (!in || !known_covers(&in->known, from, until(b, in)))
		return 0;
	for (int64_t t = from; t < until(b, in); t += STEP)
		if (series_at(&in->series, t) > 0)
			return t + STEP;
	return 0;
}

static struct loss_reader reader_of(const struct books *b, const struct stage *stream, const struct stage *reader,
                                    double limit)
{
	struct loss_reader r = { .age = trend(b, reader), .limit = limit };
	r.current = current(b, reader, &r.age);
	r.silent = silent(b, reader, &r.age);
	if (r.silent && r.age.at) {
		int64_t read_to = r.age.at - (int64_t)ceil(r.age.age) - STEP;
		r.caught_up = counted(b, measure_of_role(stream, ROLE_IN), read_to / STEP * STEP) == 0;
	} else if (r.silent) {
		r.unread_from = first_written(b, stream);
	}
	return r;
}

static unsigned shards(const struct stage *stream)
{
	const struct fact *f = res_fact(stream->res, "open_shards");
	return f ? (unsigned)strtoul(f->value, NULL, 10) : 0;
}

static bool enabled(const struct relation *m)
{
	return m->state && strcmp(m->state, "Enabled") == 0;
}

/* A function that is not invoked although its mapping is enabled and the stream is read has nothing to do: what it was to get is
 * filtered out. Its age counts only where it reads this stream alone. */
static void add_function(const struct books *b, const struct stage *stream, const struct relation *m,
                         struct loss_reader *readers, unsigned *n)
{
	struct res *f = inventory_by_arn(b->g, m->to);
	const struct tied *t = f ? &b->tied[f->at] : NULL;
	double limit = m->record_age_s > 0 ? (double)m->record_age_s : NAN;
	if (!t || !t->stage || t->reads != 1)
		return;
	struct loss_reader r = reader_of(b, stream, t->stage, limit);
	r.shards = shards(stream);
	if (r.current || !enabled(m) || (*n && readers[0].silent))
		readers[(*n)++] = r;
}

static bool reads(const struct relation *m, const struct stage *stream)
{
	return m->kind == RELATION_MAPPING && stream->res->arn && strcmp(m->from, stream->res->arn) == 0;
}

/* "shardId-000000000003" is shard 3. */
static const char *shard_name(struct arena *mem, const char *id)
{
	const char *digits = strrchr(id, '-');
	digits = digits ? digits + 1 : id;
	while (digits[0] == '0' && digits[1])
		digits++;
	return arena_printf(mem, "shard %s", digits);
}

static struct loss_reader shard_reader(const struct books *b, struct arena *mem, const struct shard_age *sh,
                                       double limit)
{
	struct loss_reader r = { .age = loss_trend(&sh->m->series, 0.001, b->until), .limit = limit, .shards = 1 };
	int64_t from = r.age.at ? r.age.at : b->until - RATE_POINTS * STEP;
	int64_t fresh = stale_after(b->delay, b->g->o.poll_s, STEP);
	r.where = shard_name(mem, sh->id);
	r.current = r.age.at && b->now - r.age.at <= fresh;
	r.silent = !r.current && known_covers(&sh->m->known, from, until(b, sh->m));
	return r;
}

/* Each shard by itself, where each was asked just now. A closed one that nobody reads any more while others are read was read to its
 * end: its children are read after it. 0: that is not known of all. */
static unsigned shards_of(const struct books *b, struct arena *mem, const struct res *stream, double limit,
                          struct loss_reader *readers)
{
	unsigned n, out = 0;
	bool all, read = false;
	const struct shard_age *v = closer_shards(stream, &n, &all);
	for (unsigned i = 0; i < n && all; i++) {
		const struct measure *m = v[i].m;
		if (!m || m->err || b->now - m->known.read_at > stale_after(b->delay, b->g->o.poll_s, STEP))
			return 0;
		struct loss_reader r = shard_reader(b, mem, &v[i], limit);
		if (!r.age.at && !v[i].closed)
			return 0;
		read = read || (r.current && !v[i].closed);
		if (r.age.at && (r.current || !v[i].closed))
			readers[out++] = r;
	}
	return all && read ? out : 0;
}

/* Each shard's in the place of the stream's own, where they are known: then the others' ages are of the oldest of them. */
static unsigned with_shards(const struct books *b, struct arena *mem, const struct res *stream, double limit,
                            struct loss_reader *readers, unsigned n)
{
	unsigned apart = shards_of(b, mem, stream, limit, readers + n);
	for (unsigned i = 0; apart && i < n; i++)
		readers[i].shards = 1;
	if (!apart)
		return n;
	readers[0] = readers[n + apart - 1];
	return n + apart - 1;
}

/* Of its mapping; one for all counts only where there is one. */
static double limit_of(const struct stage *s, const struct relations *all, unsigned *mapped)
{
	double limit = NAN;
	*mapped = 0;
	for (unsigned i = 0; i < all->n; i++)
		if (reads(&all->v[i], s))
			limit = !(*mapped)++ && all->v[i].record_age_s > 0 ? (double)all->v[i].record_age_s : NAN;
	return limit;
}

/* Every mapping of this stream is in `all`. */
static unsigned readers_of(const struct books *b, struct arena *mem, const struct stage *s, const struct relations *all,
                           bool known, struct loss_reader *readers)
{
	unsigned n = 0, mapped;
	double limit = limit_of(s, all, &mapped);
	struct loss_reader own = reader_of(b, s, s, limit);
	own.shards = shards(s);
	if (own.age.at || mapped || !own.silent || !known)
		readers[n++] = own;
	for (unsigned i = 0; i < all->n; i++)
		if (reads(&all->v[i], s))
			add_function(b, s, &all->v[i], readers, &n);
	if (n > 1 && readers[0].silent && readers[1].current) /* its own metric is only late */
		readers[0] = readers[--n];
	return n && readers[0].current ? with_shards(b, mem, s->res, limit, readers, n) : n;
}

static struct loss stream_loss(const struct books *b, struct arena *mem, const struct stage *s)
{
	const struct kind_state *mappings = kind_state_of(b->g, kind_find("lambda"));
	const struct relations *all = &mappings->relations;
	unsigned shards;
	bool whole;
	closer_shards(s->res, &shards, &whole);
	struct loss_reader *readers = xcalloc(all->n + shards + 1u, sizeof *readers);
	struct loss_stream in = { .now = b->now, .retention = kept(s->res), .readers = readers };
	in.nreaders = readers_of(b, mem, s, all, mappings->related, readers);
	in.steady = in.nreaders && steady(b, s, &readers[0].age);
	struct loss l = loss_stream(mem, &in);
	free(readers);
	return l;
}

/* ---- events that functions were asked to work on later */

static struct loss async_loss(const struct books *b, struct arena *mem, const struct stage *s)
{
	struct loss_async a = { .now = b->now };
	const struct measure *m = s->res ? closer_async(s->res, &a.least, &a.most) : NULL;
	if (!m)
		return (struct loss){ .state = LOSS_NONE, .rate = NAN };
	a.age = loss_trend(&m->series, 0.001, b->until);
	a.current = a.age.at && !m->err && b->now - a.age.at <= stale_after(b->delay, b->g->o.poll_s, STEP);
	a.over = a.age.at && until(b, m) - a.age.at >= ASYNC_PAUSE && known_covers(&m->known, a.age.at, until(b, m));
	return loss_async(mem, &a);
}

/* ---- all */

bool stage_clocked(const struct stage *s, unsigned metric)
{
	const struct metric_info *info = &s->kind->info.metrics[metric];
	if (s->kind->keeps == KEEPS_NOTHING) /* a function's iterator age is one of its stream's */
		return info->role == ROLE_AGE;
	return info->role == ROLE_IN || info->role == ROLE_OUT || info->role == ROLE_AGE ||
	       strcmp(info->key, RECEIVED) == 0;
}

static void tie_queue(struct books *b, const struct res *r)
{
	const struct fact *dlq = res_fact(r, "dlq");
	struct res *to = dlq ? inventory_by_arn(b->g, dlq->value) : NULL;
	if (!to)
		return;
	struct tied *t = &b->tied[to->at];
	t->dead = true;
	t->source = fmax(t->source, isnan(kept(r)) ? INFINITY : kept(r));
}

static void tie_mapping(struct books *b, const struct relation *m)
{
	struct res *to = m->on_failure ? inventory_by_arn(b->g, m->on_failure) : NULL;
	struct res *reader = inventory_by_arn(b->g, m->to), *from = inventory_by_arn(b->g, m->from);
	bool stream = (from && from->kind->keeps == KEEPS_RECORDS) || strstr(m->from, ":dynamodb:");
	if (reader && stream)
		b->tied[reader->at].reads++;
	if (!to || !stream)
		return;
	b->tied[to->at].pointed = true;
	b->tied[to->at].stream = fmax(b->tied[to->at].stream, stream_keeps(b, m->from));
}

static void tie(struct books *b)
{
	struct engine *g = b->g;
	b->sources_known = true;
	for (unsigned i = 0; i < g->nres; i++) {
		struct res *r = g->res[i];
		r->at = i;
		if (r->kind->keeps == KEEPS_MESSAGES && (!r->described || r->err))
			b->sources_known = false;
	}
	for (unsigned i = 0; i < g->nstages; i++)
		if (g->stages[i]->res)
			b->tied[g->stages[i]->res->at].stage = g->stages[i];
	for (unsigned k = 0; k < nkinds; k++) {
		const struct kind_state *st = &g->kind_state[k];
		if (kinds[k]->keeps == KEEPS_MESSAGES && (!st->listed || st->list.code != ERR_OK))
			b->sources_known = false;
		for (unsigned i = 0; i < st->relations.n; i++)
			if (st->relations.v[i].kind == RELATION_MAPPING)
				tie_mapping(b, &st->relations.v[i]);
	}
	for (unsigned i = 0; i < g->nres; i++)
		tie_queue(b, g->res[i]);
}

static struct loss loss_of(const struct books *b, struct arena *mem, const struct stage *s)
{
	if (s->kind->keeps == KEEPS_NOTHING)
		return async_loss(b, mem, s);
	if (!s->res)
		return (struct loss){ .state = LOSS_UNKNOWN, .rate = NAN };
	return s->kind->keeps == KEEPS_MESSAGES ? queue_loss(b, mem, s) : stream_loss(b, mem, s);
}

static struct peeks *peeks_there(const struct engine *g)
{
	struct err e = { 0 };
	struct peeks *p = g->o.state_path ? peek_open(g->o.state_path, false, &e) : NULL;
	if (!p && g->o.state_path && e.code != ERR_NOTFOUND)
		log_warn(LOG_ENGINE, "%s: %s", e.where, e.text);
	return p;
}

void loss_all(struct engine *g)
{
	struct books b = { .g = g, .now = clock_wall() };
	b.tied = xcalloc(g->nres + 1u, sizeof *b.tied);
	b.peeks = peeks_there(g);
	tie(&b);
	arena_clear(&g->losses);
	for (unsigned i = 0; i < g->nstages; i++) {
		b.until = judged_until(g, g->stages[i], NULL);
		b.delay = stage_delay(g, g->stages[i], NULL);
		g->stages[i]->loss = loss_of(&b, &g->losses, g->stages[i]);
	}
	peek_close(b.peeks);
	free(b.tied);
}
