/* SQS operations on messages (JSON 1.0). The queue's URL goes in the body alone: its host may be another than the one that is asked. Every
 * digest that SQS tells is computed again. */
#ifndef AWS_OP_SQS_H
#define AWS_OP_SQS_H

#include "aws/batch.h"
#include "aws/op.h"
#include "core/model/message.h"

extern const struct service service_sqs;

#define SQS_BATCH 10

/* ---- GetQueueUrl */
struct queue_url_in { const char *name; };
struct queue_url_out { char url[1024]; };
extern const struct op op_get_queue_url;

/* ---- ReceiveMessage. A peek, not a read: what is received is hidden for visibility_s, and counts a receive more. Not repeated when its
 * answer is lost: then messages may be hidden that nobody has the handle of. */
struct receive_in {
	const char *url;
	unsigned max, visibility_s, wait_s; /* 1..10; 0..43200; 0..20 */
	const char *attempt_id;             /* FIFO; NULL */
};
struct receive_out {
	struct message *v[SQS_BATCH];       /* the caller's from here on (message_free), also those with a `problem` */
	unsigned n;
};
extern const struct op op_receive_message;

/* ---- DeleteMessageBatch, ChangeMessageVisibilityBatch: by receipt handle; harmless when done twice. An old handle is answered with
 * success and may have deleted nothing: only the handle of the latest receive is worth anything. */
struct handles_in {
	const char *url;
	const char *handle[SQS_BATCH];
	unsigned n;
	unsigned visibility_s; /* of the latter; 0: back into the queue at once */
};
struct handles_out {
	struct fated v[SQS_BATCH];
	unsigned n;            /* the caller's: how many were sent */
};
extern const struct op op_delete_message_batch, op_change_visibility_batch;

/* ---- SendMessageBatch: copies of messages as they were received, body, attributes, AWSTraceHeader and MessageGroupId byte for byte. Twice
 * is two messages, but on a FIFO queue, where the deduplication id holds for five minutes: op_send_batch_fifo may go again. */
struct send_entry {
	const struct message *m;   /* borrowed */
	const char *dedup;         /* FIFO; NULL */
	const char *stamp;         /* value of the attribute `sluice-run`; NULL: none is added */
};
struct send_in {
	const char *url;
	struct send_entry v[SQS_BATCH];
	unsigned n;
};
struct send_out {
	const struct send_in *sent; /* the caller's: what the digests are checked against */
	struct { struct fated fated; char id[104]; } v[SQS_BATCH]; /* id: of the copy, "" unless done */
};
extern const struct op op_send_message_batch, op_send_message_batch_fifo;
#define SQS_ATTRIBUTES 10          /* a message has at the most; the stamp is one */
#define SQS_MESSAGE_BYTES 1048576  /* of a message, and of all in a batch together */
#define STAMP_NAME "sluice-run"
/* What counts against the limits: body, and names, types and values of the attributes. */
size_t message_bytes(const struct message *m);

/* ---- Move tasks: SQS moves the messages of a dead-letter queue by itself; one at a time a queue. Its counts are approximate. */
#define MOVE_HANDLE 2048
#define MOVE_RATE_MOST 500
struct move_tasks_in { const char *arn; };
struct move_tasks_out { /* of the newest, but of one that runs before all */
	bool running;          /* RUNNING or CANCELLING */
	char status[32];       /* "" when there was none */
	char handle[MOVE_HANDLE]; /* of one that is RUNNING alone; "" */
	char reason[160];      /* why it FAILED; "" */
	int64_t moved, to_move, started_ms;
};
extern const struct op op_list_message_move_tasks;
/* Not sent again when its answer is lost: ListMessageMoveTasks says whether it began. */
struct start_move_in { const char *arn, *to; unsigned rate; }; /* to NULL: each message to the queue it came from */
struct start_move_out { char handle[MOVE_HANDLE]; };
extern const struct op op_start_message_move_task;
struct cancel_move_in { const char *handle; };
struct cancel_move_out { int64_t moved; }; /* what was moved stays moved */
extern const struct op op_cancel_message_move_task;

#endif
