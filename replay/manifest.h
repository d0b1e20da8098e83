/* Names and digests of a replay: its run id, what was frozen, the deduplication id of a copy. Pure. */
#ifndef REPLAY_MANIFEST_H
#define REPLAY_MANIFEST_H

#include "core/model/replay.h"

#include <stddef.h>

/* A ULID: 48 bits of milliseconds and 80 of `noise`, in Crockford's letters; sorts by time. */
void run_id_make(int64_t wall_ms, const uint8_t noise[10], char out[RUN_ID]);
bool run_id_valid(const char *s);

/* SHA-256 over every message in its order: id, sent time, body digest, group key. What runs is what hashes the same. */
void manifest_hash(const struct replay_item *items, unsigned n, char out[SHA_HEX]);
void body_hash(const void *p, size_t n, char out[SHA_HEX]);

/* "sl-" + the first 40 hex digits of SHA-256("QUEUE_ARN\nMESSAGE_ID\nREPLAY_NO"): the same for every attempt of one sending, another for
 * a deliberate second one. */
#define DEDUP_ID 44
void dedup_id(const char *queue_arn, const char *message_id, unsigned replay_no, char out[DEDUP_ID]);

#endif
