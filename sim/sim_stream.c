#include "sim/sim_stream.h"

#include "core/hash.h"
#include "core/mem.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_RECORDS 100000 /* a shard; older ones go first, as if trimmed */
#define HASH_MAX (~(unsigned __int128)0)

struct sim_stream *stream_new(struct world *w, const char *name, unsigned shards)
{
	bool found;
	struct sim_stream *s = xcalloc(1, sizeof *s);
	s->name = xstrdup(name);
	s->created_ms = w->now_ms;
	s->retention_h = 24;
	s->nshards = shards;
	s->shards = xcalloc(shards, sizeof *s->shards);
	unsigned __int128 step = HASH_MAX / shards, from = 0;
	for (unsigned i = 0; i < shards; i++) {
		struct sim_shard *sh = &s->shards[i];
		snprintf(sh->id, sizeof sh->id, "shardId-%012u", i);
		sh->from = from;
		sh->to = i + 1 == shards ? HASH_MAX : from + step - 1;
		from = sh->to + 1;
	}
	unsigned at = world_find((void *const *)w->streams, w->nstreams, name, &found);
	WORLD_INSERT(w->streams, w->nstreams, w->capstreams, at, s);
	return s;
}

static void forget_records(struct sim_shard *sh, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		free(sh->rec[i].key);
		free(sh->rec[i].data);
	}
	sh->nrec -= n;
	if (n && sh->nrec)
		memmove(sh->rec, sh->rec + n, sh->nrec * sizeof *sh->rec);
}

void stream_free(struct sim_stream *s)
{
	for (unsigned i = 0; i < s->nshards; i++) {
		forget_records(&s->shards[i], s->shards[i].nrec);
		free(s->shards[i].rec);
	}
	free(s->shards);
	free(s->name);
	free(s);
}

void stream_delete(struct world *w, struct sim_stream *s)
{
	bool found;
	unsigned at = world_find((void *const *)w->streams, w->nstreams, s->name, &found);
	WORLD_REMOVE(w->streams, w->nstreams, at);
	stream_free(s);
}

struct sim_shard *stream_shard(struct sim_stream *s, const char *id)
{
	for (unsigned i = 0; i < s->nshards; i++)
		if (strcmp(s->shards[i].id, id) == 0)
			return &s->shards[i];
	return NULL;
}

unsigned stream_open_shards(const struct sim_stream *s)
{
	unsigned n = 0;
	for (unsigned i = 0; i < s->nshards; i++)
		n += s->shards[i].closed == 0;
	return n;
}

static void close_shard(struct sim_stream *s, struct sim_shard *sh)
{
	sh->closed = ++s->seq;
}

static void add_shard(struct sim_stream *s, unsigned __int128 from, unsigned __int128 to, const char *parent,
                      const char *adjacent)
{
	s->shards = xreallocarray(s->shards, s->nshards + 1, sizeof *s->shards);
	struct sim_shard *sh = &s->shards[s->nshards];
	*sh = (struct sim_shard){ .from = from, .to = to };
	snprintf(sh->id, sizeof sh->id, "shardId-%012u", s->nshards++);
	snprintf(sh->parent, sizeof sh->parent, "%s", parent);
	snprintf(sh->adjacent, sizeof sh->adjacent, "%s", adjacent);
}

bool stream_split(struct sim_stream *s, struct sim_shard *sh, unsigned __int128 at)
{
	struct sim_shard old = *sh;
	if (sh->closed || at <= sh->from || at > sh->to)
		return false;
	close_shard(s, sh);
	add_shard(s, old.from, at - 1, old.id, "");
	add_shard(s, at, old.to, old.id, "");
	return true;
}

bool stream_merge(struct sim_stream *s, struct sim_shard *a, struct sim_shard *b)
{
	struct sim_shard x = *a, y = *b;
	bool touch = x.from < y.from ? x.to + 1 == y.from : y.to + 1 == x.from; /* not the last and the first */
	if (a->closed || b->closed || x.from == y.from || !touch)
		return false;
	close_shard(s, a);
	close_shard(s, b);
	add_shard(s, x.from < y.from ? x.from : y.from, x.to > y.to ? x.to : y.to, x.id, y.id);
	return true;
}

void stream_trim(struct sim_shard *sh, unsigned n)
{
	forget_records(sh, n < sh->nrec ? n : sh->nrec);
}

struct sim_shard *stream_shard_of_key(struct sim_stream *s, const char *key, const char *explicit_hash)
{
	uint8_t digest[HASH_MD5];
	unsigned __int128 h = 0;
	if (explicit_hash) {
		if (!stream_hash_parse(explicit_hash, &h))
			return NULL;
	} else {
		hash_md5(key, strlen(key), digest);
		for (unsigned i = 0; i < sizeof digest; i++)
			h = h << 8 | digest[i];
	}
	for (unsigned i = 0; i < s->nshards; i++)
		if (!s->shards[i].closed && h >= s->shards[i].from && h <= s->shards[i].to)
			return &s->shards[i];
	return NULL;
}

static void put(struct world *w, const struct sim_stream *s, const char *name, const char *unit, double v)
{
	world_put(w, "AWS/Kinesis", name, "StreamName", s->name, unit, w->minute, v, 1);
}

void stream_keep(struct sim_stream *s, struct sim_shard *sh, const char *key, struct span data, int64_t at_ms)
{
	if (sh->nrec == KEEP_RECORDS)
		forget_records(sh, KEEP_RECORDS / 10);
	MEM_GROW(sh->rec, sh->nrec, sh->caprec);
	char *copy = xmalloc(data.n + 1);
	if (data.n)
		memcpy(copy, data.p, data.n);
	sh->rec[sh->nrec++] = (struct sim_record){ ++s->seq, at_ms, xstrdup(key), copy, data.n };
}

const char *const stream_shard_metrics[SHARD_METRICS_N] = SHARD_METRICS;

/* Nothing written is silence, as is nothing read. */
void stream_shard_put(struct world *w, const struct sim_stream *s, const struct sim_shard *sh, int64_t minute,
                      const struct shard_minute *m)
{
	const struct sim_dim dims[] = { { "ShardId", sh->id }, { "StreamName", s->name } };
	const struct {
		double sum, count;
	} v[SHARD_METRICS_N] = { { m->in_bytes, m->in }, { m->in, m->in }, { m->out_bytes, m->reads }, { m->out, m->reads },
		                     { 0, m->in },           { 0, m->reads },  { m->age_ms, m->reads } };
	for (unsigned i = 0; i < SHARD_METRICS_N; i++) {
		bool age = i == SHARD_METRICS_N - 1, bytes = i == 0 || i == 2;
		double each = v[i].count > 0 ? v[i].sum / v[i].count : 0;
		struct sim_set set = { v[i].count, v[i].sum, each, each };
		if (!(s->shard_metrics >> i & 1) || v[i].count <= 0)
			continue;
		if (age) /* the last read of a minute is the oldest */
			set = (struct sim_set){ v[i].count, v[i].sum * v[i].count, m->age_ms, m->age_ms };
		world_put_dims(w, "AWS/Kinesis", stream_shard_metrics[i], dims, 2,
		               age     ? "Milliseconds"
		               : bytes ? "Bytes"
		                       : "Count",
		               minute, &set);
	}
}

uint64_t stream_put(struct world *w, struct sim_stream *s, struct sim_shard *sh, const char *key, struct span data)
{
	double bytes = (double)(data.n + strlen(key));
	stream_keep(s, sh, key, data, w->now_ms);
	put(w, s, "IncomingRecords", "Count", 1);
	put(w, s, "IncomingBytes", "Bytes", bytes);
	stream_shard_put(w, s, sh, w->minute, &(struct shard_minute){ .in = 1, .in_bytes = bytes });
	return s->seq;
}

static bool has_mapping(const struct world *w, const struct sim_stream *s)
{
	for (unsigned i = 0; i < w->nmappings; i++)
		if (w->mappings[i]->enabled && strstr(w->mappings[i]->source_arn, ":kinesis:") &&
		    strcmp(world_arn_name(w->mappings[i]->source_arn), s->name) == 0)
			return true;
	return false;
}

static bool measured(struct world *w, const struct sim_stream *s, const char *name)
{
	struct sim_dim dim = { "StreamName", s->name };
	const struct sim_metric *m = metrics_get(&w->metrics, "AWS/Kinesis", name, &dim, 1, false);
	return m && metric_has(m, w->minute);
}

static void expire(struct world *w, struct sim_stream *s)
{
	for (unsigned k = 0; k < s->nshards; k++) {
		struct sim_shard *sh = &s->shards[k];
		unsigned n = 0;
		while (n < sh->nrec && sh->rec[n].at_ms + s->retention_h * 3600000 <= w->now_ms)
			n++;
		forget_records(sh, n);
	}
}

/* A stream is silent unless it is written to or read; a consumer's reads have an age even when they bring nothing. */
void streams_minute(struct world *w)
{
	for (unsigned i = 0; i < w->nstreams; i++) {
		struct sim_stream *s = w->streams[i];
		bool read = has_mapping(w, s);
		expire(w, s);
		if (read && !measured(w, s, "GetRecords.IteratorAgeMilliseconds"))
			put(w, s, "GetRecords.IteratorAgeMilliseconds", "Milliseconds", 0);
		if (read)
			put(w, s, "ReadProvisionedThroughputExceeded", "Count", 0);
		if (measured(w, s, "IncomingRecords"))
			put(w, s, "WriteProvisionedThroughputExceeded", "Count", 0);
	}
}

/* ---- numbers as texts */

#define SEQ_PREFIX "4960000000"

void stream_seq_text(uint64_t seq, char out[STREAM_SEQ])
{
	snprintf(out, STREAM_SEQ, SEQ_PREFIX "%046llu", (unsigned long long)seq);
}

bool stream_seq_parse(const char *text, uint64_t *seq)
{
	if (strlen(text) != sizeof SEQ_PREFIX - 1 + 46 || strncmp(text, SEQ_PREFIX, sizeof SEQ_PREFIX - 1) != 0)
		return false;
	*seq = strtoull(text + sizeof SEQ_PREFIX - 1, NULL, 10);
	return true;
}

void stream_hash_text(unsigned __int128 v, char out[48])
{
	char text[48], *p = text + sizeof text;
	*--p = '\0';
	do
		*--p = (char)('0' + (unsigned)(v % 10));
	while (v /= 10);
	memcpy(out, p, (size_t)(text + sizeof text - p));
}

bool stream_hash_parse(const char *text, unsigned __int128 *v)
{
	*v = 0;
	for (const char *p = text; *p; p++) {
		unsigned d = (unsigned)(*p - '0');
		if (d > 9 || *v > (HASH_MAX - d) / 10)
			return false;
		*v = *v * 10 + d;
	}
	return text[0] != '\0';
}
