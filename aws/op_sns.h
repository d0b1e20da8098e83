/* SNS operations (query, XML). */
#ifndef AWS_OP_SNS_H
#define AWS_OP_SNS_H

#include "aws/op.h"

/* ---- ListSubscriptionsByTopic, as far as it says who is reached. Endpoints are people's addresses: they are not kept. */
struct list_subscriptions_in {
	struct page page;
	const char *topic; /* ARN */
};
#define SNS_PROTOCOLS 12
struct list_subscriptions_out { /* zeroed by the caller; names owned */
	struct page page;
	unsigned confirmed, pending;
	char *protocol[SNS_PROTOCOLS]; /* of the confirmed ones, each once, in the order they came */
	unsigned nprotocols;
};
void list_subscriptions_out_clear(struct list_subscriptions_out *o);
extern const struct op op_list_subscriptions;

extern const struct service service_sns;

/* ---- Publish. Whoever asks has checked the limits: 256 KiB, a subject of less than 100 printable ASCII characters. */
struct sns_publish_in {
	const char *topic, *subject, *message;
};
struct sns_publish_out {
	char message_id[64];
};
extern const struct op op_sns_publish;

#endif
