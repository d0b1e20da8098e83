/* The law of motion: what one minute does to the orders pipeline. Metrics, logs and queues are made of the same numbers. */
#include "sim/scenario.h"

#include "core/mem.h"
#include "sim/sim_life.h"
#include "sim/sim_queue.h"
#include "sim/sim_stream.h"
#include "sim/sim_version.h"
#include "sim/world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000
#define RATE 412       /* records a second at the start */
#define HIGH 760       /* before traffic fell, where it did */
#define FALLEN 700     /* just before it had fallen */
#define BATCH 461      /* records of a batch: of 500, most come when the window ends */
#define ENRICH_MS 3600 /* a batch takes so long */
#define LOADER_MS 114
#define FAILED_MAX 256

struct traffic {
	int64_t k;      /* the minute */
	double in, out; /* records in this minute: written to the stream, read from it */
	double loaded;  /* messages through the queue */
	double age_ms;  /* of the iterator */
	double wobble;  /* -1..1; 0 in the last minute before the start, so that a frozen start shows round figures */
	bool held;      /* by the batch that cannot be taken */
};

static double wobble(const struct world *w, unsigned key, int64_t k)
{
	return k == w->minute0 - 1 ? 0 : 2 * world_noise(w, key, k) - 1;
}

static bool in_vain(const struct world *w, unsigned key, int64_t k)
{
	return k != w->minute0 - 1 && world_noise(w, key, k) < 1.0 / 15; /* now and then something outside fails */
}

/* ---- how much */

static double rate_at(const struct world *w, int64_t k)
{
	const struct scenario *s = w->scenario;
	int64_t ago = w->minute0 - k;
	if (scenario_since(w, s->silent, k))
		return 0;
	if (!s->slow || ago <= s->slow)
		return RATE;
	if (ago > s->slowing)
		return HIGH;
	return HIGH - (double)(HIGH - FALLEN) * (double)(s->slowing - ago) / (double)(s->slowing - s->slow);
}

static double incoming(const struct world *w, int64_t k, double sway)
{
	double t = (double)(k - w->minute0 + 1);
	double tide = w->scenario->tide * sin(t * 2 * M_PI / 120);
	double day = w->scenario->day * (cos(t * 2 * M_PI / 1440) - 1) / 2;
	return round(60 * rate_at(w, k) * (1 + tide + day + 0.002 * sway));
}

/* ---- the held shard */

static const struct sim_mapping *mapping_of(const struct world *w, const char *function)
{
	for (unsigned i = 0; i < w->nmappings; i++)
		if (strcmp(w->mappings[i]->function, function) == 0)
			return w->mappings[i];
	return NULL;
}

static unsigned version_behind(const struct world *w, const char *function)
{
	const struct sim_function *fn = world_function(w, function);
	const struct sim_mapping *m = mapping_of(w, function);
	return fn ? version_running(fn, m ? m->qualifier : NULL) : 0;
}

/* Given up: the record that cannot be taken (found by halving) or its whole batch goes to the on-failure destination. */
static void give_up(struct world *w, const struct sim_mapping *m)
{
	const struct sim_stream *s = world_stream(w, world_arn_name(m->source_arn));
	struct sim_queue *q = m->on_failure ? world_queue(w, world_arn_name(m->on_failure)) : NULL;
	uint64_t first = m->bisect ? SCENARIO_POISON_AT + 1 : 1, last = m->bisect ? first : 500;
	if (!q || !s)
		return;
	char *text = life_on_failure(w, m,
	                             &(struct failed_batch){ s, &s->shards[SCENARIO_HELD], first, last,
	                                                     version_behind(w, m->function), w->law.held_ms });
	queue_send(w, q, queue_msg_new(w, text, w->now_ms), 0);
	free(text);
}

/* The batch is tried for as long as the version cannot take it and the mapping does not give up. */
static bool is_held(struct world *w, int64_t k)
{
	const struct sim_mapping *m = mapping_of(w, "orders-enrich");
	struct law_state *l = &w->law;
	if (!scenario_since(w, w->scenario->poisoned, k) || l->passed)
		return false;
	if (!l->held_ms)
		l->held_ms = k * MINUTE_MS;
	if (!m || !m->enabled)
		return true; /* nobody reads */
	bool old = m->record_age_s >= 0 && (k + 1) * MINUTE_MS - l->held_ms > m->record_age_s * 1000;
	bool given_up = m->retries >= 0 || old;
	l->passed = given_up || version_behind(w, "orders-enrich") < 42;
	if (given_up)
		give_up(w, m);
	return !l->passed;
}

static void flow_of_shards(struct world *w, struct traffic *t)
{
	struct law_state *l = &w->law;
	double share = round(t->in / 8);
	t->held = is_held(w, t->k);
	if (t->held) {
		l->shard_behind += share;
		t->out = t->in - share;
		t->age_ms = (double)((t->k + 1) * MINUTE_MS - l->held_ms);
		return;
	}
	double drained = fmin(l->shard_behind, 60000); /* a thousand a second */
	l->shard_behind -= drained;
	t->out = t->in + drained;
	t->age_ms = l->shard_behind > 0 ? l->shard_behind / fmax(share, 1) * MINUTE_MS
	            : t->in > 0         ? round(900 + 300 * t->wobble)
	                                : 0;
}

/* ---- metrics of the stream */

struct target {
	struct world *w;
	const char *ns, *dim, *value;
	int64_t k;
};

static void put(const struct target *t, const char *name, const char *unit, double v, double count)
{
	world_put(t->w, t->ns, name, t->dim, t->value, unit, t->k, v, count);
}

static void put_sum(const struct target *t, const char *name, const char *unit, double sum, double count)
{
	struct sim_set set = { count, sum, floor(sum / count * 0.6), ceil(sum / count * 1.7) };
	world_put_set(t->w, t->ns, name, t->dim, t->value, unit, t->k, &set);
}

static void law_shards(struct world *w, const struct traffic *t, const struct sim_stream *s)
{
	double in_left = t->in, out_left = t->out;
	unsigned held = t->held ? SCENARIO_HELD : s->nshards;
	for (unsigned i = 0; i < s->nshards && s->nshards == 8; i++) {
		double in = i == 7 ? in_left : round(t->in / 8);
		double out = i == held ? 0 : i == 7 ? out_left : round(t->out / (t->held ? 7 : 8));
		in_left -= in;
		out_left -= out;
		double age = i == held ? t->age_ms : t->in > 0 ? round(500 + 200 * wobble(w, 40 + i, t->k)) : 0;
		stream_shard_put(w, s, &s->shards[i], t->k,
		                 &(struct shard_minute){ in, in * 620, out, out * 620, age, i == held ? 4 : 60 });
	}
}

static void law_stream(struct world *w, const struct traffic *t)
{
	struct target to = { w, "AWS/Kinesis", "StreamName", "orders-ingest", t->k };
	const struct sim_stream *s = world_stream(w, "orders-ingest");
	double calls = ceil(t->in / 100), reads = 8 * 60;
	if (!s)
		return; /* somebody deleted it */
	if (t->in > 0) {
		put_sum(&to, "IncomingRecords", "Count", t->in, calls);
		put_sum(&to, "IncomingBytes", "Bytes", t->in * 620, calls);
		put_sum(&to, "PutRecords.TotalRecords", "Count", t->in, calls);
		put_sum(&to, "PutRecords.SuccessfulRecords", "Count", t->in, calls);
		put_sum(&to, "PutRecords.Bytes", "Bytes", t->in * 620, calls);
		put_sum(&to, "PutRecords.Latency", "Milliseconds", calls * (12 + t->wobble), calls);
		put(&to, "PutRecords.Success", "Count", 1, calls);
	}
	put_sum(&to, "GetRecords.Records", "Count", t->out, reads);
	put_sum(&to, "GetRecords.Bytes", "Bytes", t->out * 620, reads);
	put_sum(&to, "GetRecords.Latency", "Milliseconds", reads * (9 + t->wobble), reads);
	put(&to, "GetRecords.Success", "Count", 1, reads);
	struct sim_set age = { reads, reads / 8 * t->age_ms + reads / 8 * 7 * fmin(t->age_ms, 400), 0, t->age_ms };
	world_put_set(w, to.ns, "GetRecords.IteratorAgeMilliseconds", to.dim, to.value, "Milliseconds", t->k, &age);
	law_shards(w, t, s);
}

/* ---- functions */

/* Spread like real durations: a long tail to the right. */
static void put_durations(const struct target *t, double median_ms, double n)
{
	static const struct {
		double factor, share;
	} shape[] = {
		{ 0.55, 0.05 }, { 0.7, 0.10 }, { 0.8, 0.15 }, { 0.9, 0.15 }, { 1.0, 0.15 },
		{ 1.15, 0.15 }, { 1.4, 0.13 }, { 2.0, 0.09 }, { 3.4, 0.03 },
	};
	double upto = 0, told = 0;
	for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
		upto += shape[i].share;
		double count = round(n * upto) - told;
		told += count;
		if (count > 0)
			put(t, "Duration", "Milliseconds", round(100 * median_ms * shape[i].factor) / 100, count);
	}
}

struct calls {
	struct sim_function *fn;
	double good, median_ms, concurrency, throttles;
	struct sim_failure failed[FAILED_MAX];
	unsigned nfailed;
};

static void fails(struct calls *c, enum sim_shape shape, const char *about)
{
	if (c->nfailed == FAILED_MAX)
		return;
	c->failed[c->nfailed].shape = shape;
	snprintf(c->failed[c->nfailed++].about, sizeof c->failed[0].about, "%s", about);
}

/* What it did goes to its log and, from the same numbers, to its metrics and those of the account. */
static void law_function(struct world *w, const struct traffic *t, const struct calls *c)
{
	struct target of[] = { { w, "AWS/Lambda", "FunctionName", c->fn->name, t->k },
		                   { w, "AWS/Lambda", NULL, NULL, t->k } };
	double n = c->good + c->nfailed;
	unsigned busy = (unsigned)fmax(c->concurrency, 1);
	if (n > 0)
		life_add(c->fn, &(struct lived){ t->k, (unsigned)n, c->nfailed, version_behind(w, c->fn->name), busy,
		                                 c->median_ms, (struct sim_failure *)c->failed });
	for (size_t i = 0; i < 2 && n > 0; i++) {
		struct sim_set errors = { n, c->nfailed, 0, c->nfailed > 0 };
		put(&of[i], "Invocations", "Count", 1, n);
		world_put_set(w, of[i].ns, "Errors", of[i].dim, of[i].value, "Count", t->k, &errors);
		put(&of[i], "ConcurrentExecutions", "Count", c->concurrency, 1);
		put_durations(&of[i], c->median_ms, c->good);
		for (unsigned k = 0; k < c->nfailed; k++)
			put(&of[i], "Duration", "Milliseconds", life_ms(c->fn, c->failed[k].shape, c->median_ms), 1);
	}
	for (size_t i = 0; i < 2 && n + c->throttles > 0; i++) {
		struct sim_set throttles = { n + c->throttles, c->throttles, 0, c->throttles > 0 };
		world_put_set(w, of[i].ns, "Throttles", of[i].dim, of[i].value, "Count", t->k, &throttles);
	}
}

static void law_custom(struct world *w, const struct traffic *t, const char *stage, const struct calls *c,
                       double records)
{
	struct target to = { w, "DataPipeline", "Stage", stage, t->k };
	double n = c->good + c->nfailed;
	if (n == 0)
		return; /* who does nothing says nothing */
	put(&to, "ErrorRate", "Percent", round(1000 * c->nfailed / n) / 10, 1);
	put(&to, "RecordsProcessed", "Count", records, 1);
}

/* Of the batch that holds the shard, so many tries by the end of this minute. */
static int64_t tries_by(const struct world *w, int64_t k)
{
	return (k + 1 - (w->minute0 - w->scenario->poisoned)) * SCENARIO_TRIES / w->scenario->poisoned;
}

static void law_enrich(struct world *w, const struct traffic *t)
{
	struct calls c = { .fn = world_function(w, "orders-enrich"),
		               .good = round(t->out / BATCH),
		               .median_ms = ENRICH_MS + 40 * t->wobble };
	char from[STREAM_SEQ], about[160];
	if (!c.fn)
		return;
	c.concurrency = fmin(8, ceil(c.good * c.median_ms / MINUTE_MS) + 1);
	stream_seq_text(1, from);
	snprintf(about, sizeof about, "batch of 500 records from shardId-%012d, first sequence number %s", SCENARIO_HELD,
	         from);
	for (int64_t n = t->held ? tries_by(w, t->k) - tries_by(w, t->k - 1) : 0; n > 0; n--)
		fails(&c, SHAPE_MEMORY, about);
	bool pool = w->scenario->pool && version_behind(w, "orders-enrich") >= 42;
	for (double n = pool ? round(c.good * 0.38 / 0.62) : 0; n > 0; n--)
		fails(&c, SHAPE_POOL, "");
	if (!t->held && !pool && c.good > 0 && in_vain(w, 21, t->k))
		fails(&c, SHAPE_UPSTREAM, "");
	law_function(w, t, &c);
	law_custom(w, t, "enrich", &c, t->out);
	if (t->in > 0 || t->held)
		world_put(w, "AWS/Lambda", "IteratorAge", "FunctionName", c.fn->name, "Milliseconds", t->k, t->age_ms, 1);
}

/* Messages that will be given up are tried five times, a visibility timeout apart, the last time one before they go. */
static void try_letters(struct world *w, const struct traffic *t, struct calls *c, int64_t apart)
{
	char about[160];
	bool reads_zeros = version_behind(w, "orders-loader") >= 18;
	for (int64_t left = SCENARIO_RECEIVES; left >= 1; left--) {
		int64_t dies = t->k + left * apart;
		for (int64_t i = letters_by(w, dies); i < letters_by(w, dies + 1); i++) {
			struct sim_letter l = letter_of(w, i);
			snprintf(about, sizeof about, "message %s of orders-load, receive %d", l.id,
			         (int)(SCENARIO_RECEIVES + 1 - left));
			if (l.shape != SHAPE_BAD_DATE || !reads_zeros)
				fails(c, (enum sim_shape)l.shape, about);
			free(l.body);
		}
	}
}

static void law_loader(struct world *w, struct traffic *t)
{
	struct calls c = { .fn = world_function(w, "orders-loader"), .median_ms = LOADER_MS + 4 * t->wobble };
	struct sim_queue *q = world_queue(w, "orders-load");
	if (!c.fn || !q)
		return;
	double wanted = t->out + fmin(w->law.queue_behind, t->out), most = INFINITY;
	if (c.fn->reserved_said)
		most = round((double)c.fn->reserved * MINUTE_MS / c.median_ms);
	t->loaded = fmin(wanted, most);
	w->law.queue_behind = fmax(0, w->law.queue_behind + t->out - t->loaded);
	c.throttles = wanted > most ? round((wanted - most) * 0.35) : 0; /* pollers back off: not every message is tried */
	try_letters(w, t, &c, q->visibility_s / 60);
	if (t->loaded > 0 && in_vain(w, 22, t->k))
		fails(&c, SHAPE_SLOW_DOWN, "");
	c.good = t->loaded;
	c.concurrency = round((c.good + c.nfailed) * c.median_ms / MINUTE_MS);
	if (c.fn->reserved_said)
		c.concurrency = fmin(c.concurrency, (double)c.fn->reserved);
	law_function(w, t, &c);
	law_custom(w, t, "loader", &c, t->loaded);
}

/* ---- queues */

static void law_queue(struct world *w, const struct traffic *t)
{
	struct sim_queue *q = world_queue(w, "orders-load");
	struct target to = { w, "AWS/SQS", "QueueName", "orders-load", t->k };
	if (!q)
		return; /* somebody deleted it */
	double last = (double)(t->k - w->minute0 + 1), behind = w->law.queue_behind;
	if (t->out > 0) {
		put_sum(&to, "NumberOfMessagesSent", "Count", t->out, ceil(t->out / 10));
		put_sum(&to, "SentMessageSize", "Bytes", t->out * 540, t->out);
	}
	if (t->loaded > 0) {
		put_sum(&to, "NumberOfMessagesReceived", "Count", t->loaded, ceil(t->loaded / 10));
		put_sum(&to, "NumberOfMessagesDeleted", "Count", t->loaded, ceil(t->loaded / 10));
	}
	put(&to, "NumberOfEmptyReceives", "Count", t->loaded > 0 ? round(6 + 4 * t->wobble) : 15, 1);
	if (t->out == 0 && behind == 0)
		q->flow = (struct sim_flow){ 0, 0, 0 };
	else if (behind > 0)
		q->flow = (struct sim_flow){ behind, round(t->loaded / 60 * 2), behind / fmax(t->out, 1) * 60 };
	else
		q->flow = (struct sim_flow){ round(214 + 90 * sin(last * 2 * M_PI / 7) + 40 * t->wobble),
			                         round(96 + 20 * t->wobble), round(14 + 5 * wobble(w, 3, t->k)) };
	queue_touch(w, q);
}

/* What the loader reads by now, it read the last time as well: such a message did not die. */
static bool was_saved(const struct world *w, const struct sim_letter *l, int64_t k, int64_t apart)
{
	const struct sim_function *loader = world_function(w, "orders-loader");
	const struct lived *last = loader ? life_at(loader, k - apart) : NULL;
	return l->shape == SHAPE_BAD_DATE && last && last->version >= 18;
}

/* The first that died had been sent almost 45 hours before: somebody had put it back once. By now it takes half an hour. */
static void law_dead_letters(struct world *w, const struct traffic *t)
{
	char arn[256];
	struct sim_queue *dead = world_queue(w, "orders-load-dlq"), *load = world_queue(w, "orders-load");
	if (!dead || !load)
		return;
	world_arn(w, "sqs", load->name, arn, sizeof arn);
	int64_t apart = load->visibility_s / 60, received = SCENARIO_RECEIVES * apart;
	for (int64_t i = letters_by(w, t->k); i < letters_by(w, t->k + 1); i++) {
		struct sim_letter l = letter_of(w, i);
		double left = fmax(0, (double)(w->minute0 - t->k) / (double)w->scenario->dead_letters);
		if (!was_saved(w, &l, t->k, apart)) {
			struct sim_msg *m = queue_msg_new(
			    w, l.body, (t->k - received - 1 - (int64_t)((2699 - (double)received) * left)) * MINUTE_MS);
			memcpy(m->id, l.id, sizeof m->id);
			m->here_ms = m->visible_ms = t->k * MINUTE_MS + (int64_t)(world_random(w) % MINUTE_MS);
			m->first_rx_ms = m->here_ms - received * MINUTE_MS;
			m->rx = SCENARIO_RECEIVES;
			m->source_arn = xstrdup(arn);
			queue_add(dead, m);
		}
		free(l.body);
	}
}

void law_minute(struct world *w, int64_t k)
{
	struct traffic t = { .k = k, .wobble = wobble(w, 1, k) };
	t.in = incoming(w, k, t.wobble);
	flow_of_shards(w, &t);
	law_stream(w, &t);
	law_enrich(w, &t);
	law_loader(w, &t);
	law_queue(w, &t);
	law_dead_letters(w, &t);
}
