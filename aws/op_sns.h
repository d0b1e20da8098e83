/* SNS operations (query, XML). */
#ifndef AWS_OP_SNS_H
#define AWS_OP_SNS_H

#include "aws/op.h"
#include "core/arena.h"

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

/* ---- topics: what there is (op_sns_topics.c). Strings are in `mem`; the caller zeroes and clears. */
struct sns_list_in {
	struct page page;
	const char *topic; /* of the subscriptions; NULL: of ListTopics */
};
struct sns_sub { const char *arn, *protocol, *endpoint; }; /* arn as it is told: "PendingConfirmation" of one that is not confirmed */
struct sns_list_out {
	struct page page;
	struct arena mem;
	const char **topics;   /* ARNs */
	struct sns_sub *subs;
	unsigned n, cap;
	struct sns_sub now;    /* the member being read */
	bool whole;
};
void sns_list_out_clear(struct sns_list_out *o);
extern const struct op op_list_topics, op_list_topic_subscriptions;

struct sns_attributes_in { const char *arn; };
struct sns_attributes_out {
	struct arena mem;
	const char **words;    /* key, value, key, value ... */
	unsigned n, cap;
	bool whole;
};
void sns_attributes_out_clear(struct sns_attributes_out *o);
const char *sns_attribute(const struct sns_attributes_out *o, const char *key); /* NULL: not there, or "" */
extern const struct op op_get_topic_attributes, op_get_subscription_attributes;

/* ---- CreateTopic, Subscribe, Unsubscribe */
struct sns_topic_in {
	const char *name;                            /* of CreateTopic */
	const char *topic, *protocol, *endpoint;     /* of Subscribe */
	const char *filter, *redrive;                /* the same: policies, JSON; NULL: none */
	const char *subscription;                    /* of Unsubscribe: its ARN */
};
struct sns_topic_out { char arn[512]; };         /* the topic's; the subscription's, or "pending confirmation" */
extern const struct op op_create_topic, op_subscribe, op_unsubscribe;

#endif
