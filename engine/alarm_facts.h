/* What the lints and the recipes want to know beside the alarms: which metrics CloudWatch lists, who is subscribed to topics. Each is asked for
 * once; what could not be read is not known, which is no finding. */
#ifndef ENGINE_ALARM_FACTS_H
#define ENGINE_ALARM_FACTS_H

#include "alarms/lint.h"
#include "engine/inside.h"

struct listing {
	struct listing *next;
	struct alarm_facts *facts;
	char *ns, *name; /* name NULL: all of the namespace */
	struct list_metrics_in in;
	struct list_metrics_out out;
	struct err err;
	bool asked;
};
struct topic_ask {
	struct topic_ask *next;
	struct alarm_facts *facts;
	char *arn;
	struct list_subscriptions_in in;
	struct list_subscriptions_out out;
	struct err err;
	bool asked;
};
struct alarm_facts { /* zeroed to begin with; must outlive its calls */
	struct listing *listings;
	struct topic_ask *topics;
	unsigned nlistings, ntopics, waiting;
};
void facts_want_metric(struct alarm_facts *f, const char *ns, const char *name);
void facts_want_topic(struct alarm_facts *f, const char *arn);
void facts_ask(struct engine *g, struct alarm_facts *f);  /* what was not asked for yet; f->waiting is 0 when all of it is there */
void facts_clear(struct alarm_facts *f);                  /* no call of it is under way any more */

const struct listing *facts_listing(const struct alarm_facts *f, const char *ns, const char *name); /* NULL: not wanted */
enum lint_seen facts_seen(const void *facts, const char *ns, const char *name, const struct json *dimensions); /* as lint_in wants it */
enum lint_seen facts_seen_id(const struct alarm_facts *f, const struct metric_id *m);
/* In mem; *n of them. */
struct lint_topic *facts_topics(const struct alarm_facts *f, struct arena *mem, unsigned *n);

#endif
