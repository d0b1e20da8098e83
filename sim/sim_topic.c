#include "sim/sim_topic.h"

#include "core/clock.h"
#include "core/json.h"
#include "core/mem.h"
#include "sim/sim_queue.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- tags */

void tags_set(struct sim_tag **tags, unsigned *n, unsigned *cap, const char *key, const char *value)
{
	for (unsigned i = 0; i < *n; i++)
		if (strcmp((*tags)[i].key, key) == 0) {
			free((char *)(*tags)[i].value);
			(*tags)[i].value = xstrdup(value);
			return;
		}
	MEM_GROW(*tags, *n, *cap);
	(*tags)[(*n)++] = (struct sim_tag){ xstrdup(key), xstrdup(value) };
}

void tags_remove(struct sim_tag *tags, unsigned *n, const char *key)
{
	for (unsigned i = 0; i < *n; i++)
		if (strcmp(tags[i].key, key) == 0) {
			free((char *)tags[i].key);
			free((char *)tags[i].value);
			tags[i] = tags[--*n];
			return;
		}
}

void tags_free(struct sim_tag *tags, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		free((char *)tags[i].key);
		free((char *)tags[i].value);
	}
	free(tags);
}

/* ---- topics */

struct sim_topic *topic_new(struct world *w, const char *name)
{
	bool found;
	struct sim_topic *t = xcalloc(1, sizeof *t);
	t->name = xstrdup(name);
	t->display = xstrdup("");
	unsigned at = world_find((void *const *)w->topics, w->ntopics, name, &found);
	WORLD_INSERT(w->topics, w->ntopics, w->captopics, at, t);
	return t;
}

struct sim_topic *topic_find(const struct world *w, const char *name_or_arn)
{
	bool found;
	unsigned at = world_find((void *const *)w->topics, w->ntopics, world_arn_name(name_or_arn), &found);
	return found ? w->topics[at] : NULL;
}

static void subscription_clear(struct sim_subscription *s)
{
	free(s->protocol);
	free(s->endpoint);
	free(s->filter);
}

static void topic_free(struct sim_topic *t)
{
	for (unsigned i = 0; i < t->nsubs; i++)
		subscription_clear(&t->subs[i]);
	free(t->subs);
	tags_free(t->tags, t->ntags);
	free(t->name);
	free(t->display);
	free(t->kms_key);
	free(t);
}

void topic_delete(struct world *w, struct sim_topic *t)
{
	bool found;
	unsigned at = world_find((void *const *)w->topics, w->ntopics, t->name, &found);
	WORLD_REMOVE(w->topics, w->ntopics, at);
	topic_free(t);
}

void topics_free(struct world *w)
{
	for (unsigned i = 0; i < w->ntopics; i++)
		topic_free(w->topics[i]);
	free(w->topics);
}

/* ---- subscriptions */

struct sim_subscription *topic_subscribe(struct world *w, struct sim_topic *t, const char *protocol,
                                         const char *endpoint)
{
	for (unsigned i = 0; i < t->nsubs; i++)
		if (strcmp(t->subs[i].protocol, protocol) == 0 && strcmp(t->subs[i].endpoint, endpoint) == 0)
			return &t->subs[i];
	MEM_GROW(t->subs, t->nsubs, t->capsubs);
	struct sim_subscription *s = &t->subs[t->nsubs++];
	*s = (struct sim_subscription){ .protocol = xstrdup(protocol), .endpoint = xstrdup(endpoint) };
	world_uuid(w, s->id);
	s->confirmed = strcmp(protocol, "sqs") == 0 || strcmp(protocol, "lambda") == 0 || strcmp(protocol, "sms") == 0 ||
	               strcmp(protocol, "firehose") == 0;
	return s;
}

void topic_unsubscribe(struct sim_topic *t, struct sim_subscription *s)
{
	unsigned at = (unsigned)(s - t->subs);
	subscription_clear(s);
	WORLD_REMOVE(t->subs, t->nsubs, at);
	t->deleted++;
}

unsigned topic_confirmed(const struct sim_topic *t)
{
	unsigned n = 0;
	for (unsigned i = 0; i < t->nsubs; i++)
		n += t->subs[i].confirmed;
	return n;
}

/* ---- publishing */

struct publication {
	const char *topic_arn, *id, *subject, *message;
	const struct json *attributes;
};

static void tell_attributes(struct json_out *o, const struct json *attributes)
{
	json_out_object(o, "MessageAttributes");
	for (const struct json *a = json_first(attributes); a; a = json_next(a)) {
		const char *text = json_get_str(a, "StringValue");
		json_out_object(o, json_key(a));
		json_out_str(o, "Type", json_get_str(a, "DataType"));
		json_out_str(o, "Value", text ? text : json_get_str(a, "BinaryValue"));
		json_out_object_end(o);
	}
	json_out_object_end(o);
}

/* What a subscriber without raw delivery gets. */
static char *envelope(const struct world *w, const struct publication *p)
{
	struct buf b;
	struct json_out o;
	char when[CLOCK_RFC3339_SIZE], stamp[48];
	clock_rfc3339(w->now_ms / 1000, when);
	snprintf(stamp, sizeof stamp, "%.19s.%03dZ", when, (int)(w->now_ms % 1000));
	buf_init(&b, 2u << 20);
	json_out_init(&o, &b);
	json_out_object(&o, NULL);
	json_out_str(&o, "Type", "Notification");
	json_out_str(&o, "MessageId", p->id);
	json_out_str(&o, "TopicArn", p->topic_arn);
	if (p->subject)
		json_out_str(&o, "Subject", p->subject);
	json_out_str(&o, "Message", p->message);
	json_out_str(&o, "Timestamp", stamp);
	json_out_str(&o, "SignatureVersion", "1");
	json_out_str(&o, "Signature", "c2ltdWxhdGVk");
	json_out_str(&o, "SigningCertURL", "https://sns.example/simulated.pem");
	json_out_str(&o, "UnsubscribeURL", "https://sns.example/unsubscribe");
	if (json_first(p->attributes))
		tell_attributes(&o, p->attributes);
	json_out_object_end(&o);
	return buf_steal(&b);
}

static bool deliver(struct world *w, const struct sim_subscription *s, const struct publication *p)
{
	struct sim_queue *q = strcmp(s->protocol, "sqs") == 0 ? world_queue(w, world_arn_name(s->endpoint)) : NULL;
	if (strcmp(s->protocol, "sqs") == 0 && !q)
		return false;
	if (!q)
		return true;
	char *text = s->raw ? xstrdup(p->message) : envelope(w, p);
	queue_send(w, q, queue_msg_new(w, text, w->now_ms), q->delay_s);
	free(text);
	return true;
}

static void count(struct world *w, const struct sim_topic *t, const char *name, const char *unit, double v)
{
	world_put(w, "AWS/SNS", name, "TopicName", t->name, unit, w->minute, v, 1);
}

void topic_publish(struct world *w, struct sim_topic *t, const char *subject, const char *message,
                   const struct json *attributes, char id[37])
{
	char arn[300];
	unsigned delivered = 0, failed = 0;
	world_arn(w, "sns", t->name, arn, sizeof arn);
	world_uuid(w, id);
	struct publication p = { arn, id, subject, message, attributes };
	for (unsigned i = 0; i < t->nsubs; i++)
		if (t->subs[i].confirmed) {
			bool arrived = deliver(w, &t->subs[i], &p);
			delivered += arrived;
			failed += !arrived;
		}
	count(w, t, "NumberOfMessagesPublished", "Count", 1);
	count(w, t, "PublishSize", "Bytes", (double)strlen(message));
	count(w, t, "NumberOfNotificationsDelivered", "Count", delivered);
	count(w, t, "NumberOfNotificationsFailed", "Count", failed);
}
