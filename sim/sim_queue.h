/* SQS queues. Messages that clients send, and those a scenario leaves lying, are real; the stream of a busy pipeline is a
 * level (struct sim_flow) of which a message is made real when somebody receives it. */
#ifndef SIM_SIM_QUEUE_H
#define SIM_SIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world;

struct sim_attr {
	char *name, *type, *value;
	size_t n;
	bool binary;
}; /* value: bytes, n of them */

struct sim_msg {
	char id[37];
	char *body;
	struct sim_attr *attrs; /* sorted by name */
	unsigned nattrs;
	char *trace;        /* AWSTraceHeader */
	char *group;        /* MessageGroupId of a fair queue */
	int64_t sent_ms;    /* what retention counts from, for ever */
	int64_t here_ms;    /* since when it is in this queue */
	int64_t visible_ms; /* from when on it may be received */
	int64_t first_rx_ms;
	unsigned rx, rx_here;   /* ever, and in this queue */
	const char *source_arn; /* the queue it was redriven from; owned by the message */
};

struct sim_flow {
	double visible, in_flight, age_s;
};

struct queue_counts {
	unsigned visible, in_flight, delayed;
	int64_t oldest_ms;
}; /* oldest: INT64_MAX = none */

/* A move task; those that ended are kept for a while, to be listed. */
struct sim_move {
	uint64_t number;
	char *source, *destination; /* a name and an ARN; destination NULL: where each message came from */
	int64_t rate;               /* messages a second */
	bool rate_said;
	enum { MOVE_RUNNING, MOVE_COMPLETED, MOVE_CANCELLING, MOVE_CANCELLED, MOVE_FAILED } status;
	const char *reason; /* of a failure */
	int64_t moved, to_move, started_ms;
	int64_t cancelled_ms; /* until when it is CANCELLING */
	int64_t fails_after;  /* messages; -1 = it does not */
};

struct sim_queue {
	char *name;
	int64_t created_ms, modified_ms;
	int64_t visibility_s, retention_s, delay_s, wait_s, max_bytes;
	char *policy, *redrive_allow, *kms_key;
	char *dead_arn; /* of the redrive policy */
	unsigned max_receive;
	bool sse;
	struct sim_msg **msg; /* in the order they came */
	unsigned nmsg, capmsg;
	int64_t active_ms; /* the last thing that happened to it; CloudWatch hears of it for six hours more */
	int64_t purged_ms;
	struct sim_flow flow;
	struct queue_counts told; /* what GetQueueAttributes said under the fault lagging-counts, at told_ms */
	int64_t told_ms;
};

struct sim_queue *queue_new(struct world *w, const char *name); /* added to the world */
void queue_delete(struct world *w, struct sim_queue *q);
void queue_free(struct sim_queue *q);

struct sim_msg *queue_msg_new(struct world *w, const char *body, int64_t sent_ms);
void queue_add(struct sim_queue *q, struct sim_msg *m); /* no metric: seeding and redrive */
void queue_send(struct world *w, struct sim_queue *q, struct sim_msg *m, int64_t delay_s);
/* Takes up to max visible messages in hand; returns how many. */
unsigned queue_receive(struct world *w, struct sim_queue *q, unsigned max, int64_t visibility_s, struct sim_msg **out);
struct sim_msg *queue_find(const struct sim_queue *q, const char *id);
void queue_remove(struct sim_queue *q, struct sim_msg *m);
void queue_purge(struct world *w, struct sim_queue *q);
void queue_touch(struct world *w, struct sim_queue *q);

void queue_count(const struct sim_queue *q, int64_t now_ms, struct queue_counts *c);

/* Everything time does to messages up to now_ms: retention, redrive after too many receives. */
void queues_settle(struct world *w, int64_t now_ms);
/* At the end of a minute: consumers take what is theirs, gauges are published. */
void queues_minute(struct world *w, int64_t minute);

void sqs_moves_settle(struct world *w, int64_t now_ms); /* after queues_settle */
void sqs_moves_free(struct world *w);

void queue_attrs_md5(const struct sim_attr *attrs, unsigned n, char out[33]);

#endif
