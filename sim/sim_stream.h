/* Kinesis streams: shards that hold the records clients put. */
#ifndef SIM_SIM_STREAM_H
#define SIM_SIM_STREAM_H

#include "core/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world;

struct sim_record {
	uint64_t seq;
	int64_t at_ms;
	char *key;
	char *data;
	size_t n;
};

struct sim_shard {
	char id[24];
	unsigned __int128 from, to; /* hash keys, both inclusive */
	struct sim_record *rec;     /* ascending by seq */
	unsigned nrec, caprec;
	char parent[24], adjacent[24]; /* where it came from; "" = it was there from the start */
	uint64_t closed;               /* sequence number at which it ended; 0 = it is open */
	int64_t read_ms[5];            /* the last five reads, for the fault read-limits */
	unsigned nread;
	int64_t busy_ms;               /* until when what was read keeps it busy */
};

struct sim_stream {
	char *name;
	int64_t created_ms;
	int64_t retention_h;
	bool on_demand;
	struct sim_shard *shards;
	unsigned nshards;
	uint64_t seq;    /* of the newest record */
	unsigned shard_metrics; /* enhanced monitoring: a bit each of SHARD_METRICS */
};

/* Shard-level metrics, in the order of their bits */
#define SHARD_METRICS                                                                                                      \
	{ "IncomingBytes", "IncomingRecords", "OutgoingBytes", "OutgoingRecords", "WriteProvisionedThroughputExceeded",        \
	  "ReadProvisionedThroughputExceeded", "IteratorAgeMilliseconds" }
#define SHARD_METRICS_N 7
#define SHARD_METRICS_ALL 0x7f
extern const char *const stream_shard_metrics[SHARD_METRICS_N];

struct sim_stream *stream_new(struct world *w, const char *name, unsigned shards); /* added to the world */
void stream_delete(struct world *w, struct sim_stream *s);
void stream_free(struct sim_stream *s);
struct sim_shard *stream_shard(struct sim_stream *s, const char *id);
unsigned stream_open_shards(const struct sim_stream *s);
/* Resharding. Pointers to shards are void afterwards. False: at is no key inside the shard; the two do not touch. */
bool stream_split(struct sim_stream *s, struct sim_shard *sh, unsigned __int128 at);
bool stream_merge(struct sim_stream *s, struct sim_shard *a, struct sim_shard *b);
void stream_trim(struct sim_shard *sh, unsigned n); /* the oldest go */
struct sim_shard *stream_shard_of_key(struct sim_stream *s, const char *key, const char *explicit_hash);
/* Keeps a record and counts it. Returns its sequence number. */
uint64_t stream_put(struct world *w, struct sim_stream *s, struct sim_shard *sh, const char *key, struct span data);
void stream_keep(struct sim_stream *s, struct sim_shard *sh, const char *key, struct span data, int64_t at_ms); /* uncounted */
/* What happened to a shard in a minute, published as far as its stream's enhanced monitoring goes. */
struct shard_minute {
	double in, in_bytes, out, out_bytes, age_ms, reads;
};
void stream_shard_put(struct world *w, const struct sim_stream *s, const struct sim_shard *sh, int64_t minute,
                      const struct shard_minute *m);
void streams_minute(struct world *w); /* at the end of a minute */

#define STREAM_SEQ 64
void stream_seq_text(uint64_t seq, char out[STREAM_SEQ]);
bool stream_seq_parse(const char *text, uint64_t *seq);
void stream_hash_text(unsigned __int128 v, char out[48]);
bool stream_hash_parse(const char *text, unsigned __int128 *v);

#endif
