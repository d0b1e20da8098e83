/* SNS topics and their subscriptions. What is published reaches the account's own queues; everybody else (mail, HTTPS) is
 * counted as delivered, when confirmed, and nothing more. */
#ifndef SIM_SIM_TOPIC_H
#define SIM_SIM_TOPIC_H

#include <stdbool.h>
#include <stdint.h>

struct json;
struct world;

struct sim_tag {
	const char *key, *value;
};

struct sim_subscription {
	char id[37]; /* the end of its ARN, once confirmed */
	char *protocol, *endpoint;
	bool confirmed, raw;
	char *filter; /* FilterPolicy; NULL = none */
};

struct sim_topic {
	char *name, *display;
	struct sim_subscription *subs; /* in the order they came */
	unsigned nsubs, capsubs;
	unsigned deleted; /* subscriptions */
	struct sim_tag *tags;
	unsigned ntags, captags;
	char *kms_key; /* NULL = not encrypted */
};

struct sim_topic *topic_new(struct world *w, const char *name); /* added to the world */
struct sim_topic *topic_find(const struct world *w, const char *name_or_arn); /* NULL: there is none */
void topic_delete(struct world *w, struct sim_topic *t);
/* Queues of this account and functions need no confirmation. */
struct sim_subscription *topic_subscribe(struct world *w, struct sim_topic *t, const char *protocol, const char *endpoint);
void topic_unsubscribe(struct sim_topic *t, struct sim_subscription *s);
unsigned topic_confirmed(const struct sim_topic *t);
/* subject may be NULL, attributes too (the request's MessageAttributes). id: of the message, filled. */
void topic_publish(struct world *w, struct sim_topic *t, const char *subject, const char *message,
                   const struct json *attributes, char id[37]);
void topics_free(struct world *w);

void tags_set(struct sim_tag **tags, unsigned *n, unsigned *cap, const char *key, const char *value);
void tags_remove(struct sim_tag *tags, unsigned *n, const char *key);
void tags_free(struct sim_tag *tags, unsigned n);

#endif
