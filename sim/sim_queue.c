#include "sim/sim_queue.h"

#include "core/hash.h"
#include "core/mem.h"
#include "sim/sim_invoke.h"
#include "sim/sim_version.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACTIVE_MS (6 * 3600 * 1000)
#define POISON_RECEIVES 3 /* after so many receives a message no longer counts as the oldest */

/* ---- making and unmaking */

struct sim_queue *queue_new(struct world *w, const char *name)
{
	bool found;
	struct sim_queue *q = xcalloc(1, sizeof *q);
	q->name = xstrdup(name);
	q->created_ms = q->modified_ms = w->now_ms;
	q->visibility_s = 30;
	q->retention_s = 4 * 86400;
	q->max_bytes = 1048576;
	q->sse = true;
	unsigned at = world_find((void *const *)w->queues, w->nqueues, name, &found);
	WORLD_INSERT(w->queues, w->nqueues, w->capqueues, at, q);
	return q;
}

static void msg_free(struct sim_msg *m)
{
	for (unsigned i = 0; i < m->nattrs; i++) {
		free(m->attrs[i].name);
		free(m->attrs[i].type);
		free(m->attrs[i].value);
	}
	free(m->attrs);
	free(m->body);
	free(m->trace);
	free(m->group);
	free((char *)m->source_arn);
	free(m);
}

void queue_free(struct sim_queue *q)
{
	for (unsigned i = 0; i < q->nmsg; i++)
		msg_free(q->msg[i]);
	free(q->msg);
	free(q->name);
	free(q->policy);
	free(q->redrive_allow);
	free(q->kms_key);
	free(q->dead_arn);
	free(q);
}

void queue_delete(struct world *w, struct sim_queue *q)
{
	bool found;
	unsigned at = world_find((void *const *)w->queues, w->nqueues, q->name, &found);
	WORLD_REMOVE(w->queues, w->nqueues, at);
	queue_free(q);
}

/* ---- messages */

struct sim_msg *queue_msg_new(struct world *w, const char *body, int64_t sent_ms)
{
	struct sim_msg *m = xcalloc(1, sizeof *m);
	world_uuid(w, m->id);
	m->body = xstrdup(body);
	m->sent_ms = m->here_ms = m->visible_ms = sent_ms;
	return m;
}

void queue_add(struct sim_queue *q, struct sim_msg *m)
{
	MEM_GROW(q->msg, q->nmsg, q->capmsg);
	q->msg[q->nmsg++] = m;
}

void queue_touch(struct world *w, struct sim_queue *q)
{
	if (w->now_ms > q->active_ms)
		q->active_ms = w->now_ms;
}

static void put(struct world *w, const struct sim_queue *q, const char *name, double v)
{
	world_put(w, "AWS/SQS", name, "QueueName", q->name, strcmp(name, "SentMessageSize") == 0 ? "Bytes" : "Count",
	          w->minute, v, 1);
}

void queue_send(struct world *w, struct sim_queue *q, struct sim_msg *m, int64_t delay_s)
{
	m->visible_ms = m->sent_ms + delay_s * 1000;
	queue_add(q, m);
	queue_touch(w, q);
	put(w, q, "NumberOfMessagesSent", 1);
	put(w, q, "SentMessageSize", (double)strlen(m->body));
}

/* A message of the stream that only flowed as a number so far. */
static void make_real(struct world *w, struct sim_queue *q)
{
	char *body = xasprintf("{\"order_id\":%llu,\"stage\":\"%s\",\"ok\":true}",
	                       (unsigned long long)(10000000 + world_random(w) % 90000000), q->name);
	int64_t age = q->flow.age_s > 1 ? (int64_t)(world_random(w) % (uint64_t)(q->flow.age_s * 1000)) : 0;
	queue_add(q, queue_msg_new(w, body, w->now_ms - age));
	free(body);
	q->flow.visible -= 1;
}

unsigned queue_receive(struct world *w, struct sim_queue *q, unsigned max, int64_t visibility_s, struct sim_msg **out)
{
	unsigned n = 0;
	queue_touch(w, q);
	for (unsigned i = 0; n < max; i++) {
		if (i == q->nmsg && q->flow.visible >= 1)
			make_real(w, q);
		if (i == q->nmsg)
			break;
		struct sim_msg *m = q->msg[i];
		if (m->visible_ms > w->now_ms)
			continue;
		m->rx++;
		m->rx_here++;
		if (!m->first_rx_ms)
			m->first_rx_ms = w->now_ms;
		m->visible_ms = w->now_ms + visibility_s * 1000;
		out[n++] = m;
	}
	if (n)
		put(w, q, "NumberOfMessagesReceived", n);
	return n;
}

struct sim_msg *queue_find(const struct sim_queue *q, const char *id)
{
	for (unsigned i = 0; i < q->nmsg; i++)
		if (strcmp(q->msg[i]->id, id) == 0)
			return q->msg[i];
	return NULL;
}

static void take_out(struct sim_queue *q, unsigned at)
{
	WORLD_REMOVE(q->msg, q->nmsg, at);
}

void queue_remove(struct sim_queue *q, struct sim_msg *m)
{
	for (unsigned i = 0; i < q->nmsg; i++)
		if (q->msg[i] == m) {
			take_out(q, i);
			msg_free(m);
			return;
		}
}

void queue_purge(struct world *w, struct sim_queue *q)
{
	for (unsigned i = 0; i < q->nmsg; i++)
		msg_free(q->msg[i]);
	q->nmsg = 0;
	q->flow = (struct sim_flow){ 0 };
	q->purged_ms = w->now_ms;
}

void queue_count(const struct sim_queue *q, int64_t now_ms, struct queue_counts *c)
{
	*c = (struct queue_counts){ .oldest_ms = INT64_MAX };
	for (unsigned i = 0; i < q->nmsg; i++) {
		const struct sim_msg *m = q->msg[i];
		bool later = m->visible_ms > now_ms;
		if (later && m->rx_here == 0) {
			c->delayed++;
			continue;
		}
		c->in_flight += later;
		c->visible += !later;
		if (m->rx_here < POISON_RECEIVES && m->here_ms < c->oldest_ms)
			c->oldest_ms = m->here_ms;
	}
	c->visible += (unsigned)q->flow.visible;
	c->in_flight += (unsigned)q->flow.in_flight;
}

/* ---- what time does */

static struct sim_queue *dead_queue(const struct world *w, const struct sim_queue *q)
{
	return q->dead_arn ? world_queue(w, world_arn_name(q->dead_arn)) : NULL;
}

static void move_to_dead(struct world *w, struct sim_queue *q, struct sim_queue *dead, unsigned at)
{
	char arn[256];
	struct sim_msg *m = q->msg[at];
	take_out(q, at);
	world_arn(w, "sqs", q->name, arn, sizeof arn);
	free((char *)m->source_arn);
	m->source_arn = xstrdup(arn);
	m->here_ms = m->visible_ms;
	m->rx_here = 0;
	if (dead->active_ms < m->here_ms)
		dead->active_ms = m->here_ms;
	queue_add(dead, m);
}

static void settle(struct world *w, struct sim_queue *q, int64_t now_ms)
{
	struct sim_queue *dead = dead_queue(w, q);
	for (unsigned i = 0; i < q->nmsg;) {
		struct sim_msg *m = q->msg[i];
		if (m->sent_ms + q->retention_s * 1000 <= now_ms) {
			take_out(q, i);
			msg_free(m);
		} else if (dead && dead != q && m->rx_here >= q->max_receive && m->visible_ms <= now_ms) {
			move_to_dead(w, q, dead, i);
		} else {
			i++;
		}
	}
}

void queues_settle(struct world *w, int64_t now_ms)
{
	for (unsigned i = 0; i < w->nqueues; i++)
		if (w->queues[i]->nmsg)
			settle(w, w->queues[i], now_ms);
}

/* A message that the version cannot take fails its batch; a function that answers which ones failed does not fail itself.
 * Of the batch, *n remain that are done. */
static bool batch_fails(struct world *w, struct sim_function *fn, const struct sim_mapping *map, struct sim_msg **batch,
                        unsigned *n)
{
	struct sim_call call = { .version = 0 };
	unsigned good = 0;
	version_of(fn, map->qualifier, &call.version);
	for (unsigned i = 0; i < *n; i++) {
		struct span body = span_of(batch[i]->body);
		if (sim_defect_of(w, fn, call.version, body) == SHAPE_NONE) {
			batch[good++] = batch[i];
		} else if (!map->partial) {
			call.payload = body;
			snprintf(call.failure.about, sizeof call.failure.about, "message %s of %s, receive %u", batch[i]->id,
			         world_arn_name(map->source_arn), batch[i]->rx);
		}
	}
	*n = good;
	return sim_invoke(w, fn, &call);
}

static void consume(struct world *w, struct sim_queue *q, const struct sim_mapping *map, struct sim_function *fn)
{
	struct sim_msg *batch[10];
	unsigned max = map->batch_size < 10 ? (unsigned)map->batch_size : 10, n, taken, real = 0;
	for (unsigned i = 0; i < q->nmsg; i++)
		real += q->msg[i]->visible_ms <= w->now_ms;
	for (; real; real -= taken < real ? taken : real) {
		taken = n = queue_receive(w, q, max < real ? max : real, q->visibility_s, batch);
		if (n == 0)
			break;
		if (batch_fails(w, fn, map, batch, &n))
			continue; /* comes back after its visibility timeout */
		put(w, q, "NumberOfMessagesDeleted", n);
		for (unsigned i = 0; i < n; i++)
			queue_remove(q, batch[i]);
	}
}

static void consume_all(struct world *w)
{
	for (unsigned i = 0; i < w->nmappings; i++) {
		const struct sim_mapping *map = w->mappings[i];
		struct sim_queue *q = strstr(map->source_arn, ":sqs:") ? world_queue(w, world_arn_name(map->source_arn)) : NULL;
		struct sim_function *fn = world_function(w, map->function);
		if (map->enabled && q && q->nmsg && fn)
			consume(w, q, map, fn);
	}
}

static void publish(struct world *w, struct sim_queue *q, int64_t minute)
{
	static const char *const counters[] = { "NumberOfMessagesSent", "NumberOfMessagesReceived",
		                                    "NumberOfMessagesDeleted", "NumberOfEmptyReceives" };
	struct queue_counts c;
	queue_count(q, w->now_ms, &c);
	double age = c.oldest_ms == INT64_MAX ? 0 : (double)((w->now_ms - c.oldest_ms) / 1000);
	put(w, q, "ApproximateNumberOfMessagesVisible", c.visible);
	put(w, q, "ApproximateNumberOfMessagesNotVisible", c.in_flight);
	put(w, q, "ApproximateNumberOfMessagesDelayed", c.delayed);
	world_put(w, "AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", q->name, "Seconds", minute,
	          age > q->flow.age_s ? age : q->flow.age_s, 1);
	for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
		put(w, q, counters[i], 0);
}

/* An idle queue stays silent: no data is not the same as 0. */
void queues_minute(struct world *w, int64_t minute)
{
	consume_all(w);
	for (unsigned i = 0; i < w->nqueues; i++) {
		struct sim_queue *q = w->queues[i];
		if (q->nmsg || q->flow.visible >= 1)
			queue_touch(w, q);
		if (q->active_ms && w->now_ms - q->active_ms < ACTIVE_MS)
			publish(w, q, minute);
	}
}

/* ---- MD5 */

static bool add_sized(struct buf *b, const void *p, size_t n)
{
	unsigned char size[4] = { (unsigned char)(n >> 24), (unsigned char)(n >> 16), (unsigned char)(n >> 8),
		                      (unsigned char)n };
	return buf_add(b, size, sizeof size) && buf_add(b, p, n);
}

void queue_attrs_md5(const struct sim_attr *attrs, unsigned n, char out[33])
{
	uint8_t digest[HASH_MD5];
	struct buf b;
	buf_init(&b, 4 * 1024 * 1024);
	for (unsigned i = 0; i < n; i++) {
		add_sized(&b, attrs[i].name, strlen(attrs[i].name));
		add_sized(&b, attrs[i].type, strlen(attrs[i].type));
		buf_addc(&b, attrs[i].binary ? 2 : 1);
		add_sized(&b, attrs[i].value, attrs[i].n);
	}
	hash_md5(b.p, b.n, digest);
	hash_hex(digest, sizeof digest, out);
	buf_clear(&b);
}
