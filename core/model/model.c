/* The names in the model's tables, and the few look-ups over them. */
#include "core/model/flow.h"
#include "core/model/relation.h"
#include "core/model/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *mark;
} healths[HEALTH_COUNT] = {
#define X(id, name, mark) [HEALTH_##id] = { name, mark },
	HEALTHS(X)
#undef X
};

const char *health_name(enum health h)
{
	return healths[h].name;
}

const char *health_mark(enum health h)
{
	return healths[h].mark;
}

const struct metric_info *kind_metric(const struct kind_info *k, const char *key)
{
	for (unsigned i = 0; i < k->nmetrics; i++)
		if (strcmp(k->metrics[i].key, key) == 0)
			return &k->metrics[i];
	return NULL;
}

const struct metric_info *kind_role(const struct kind_info *k, enum role role)
{
	for (unsigned i = 0; i < k->nmetrics; i++)
		if (k->metrics[i].role == role)
			return &k->metrics[i];
	return NULL;
}

bool metric_is_sum(const struct metric_info *info)
{
	return info->from == FROM_DIFFERENCE ||
	       (info->stat && (strcmp(info->stat, "Sum") == 0 || strcmp(info->stat, "SampleCount") == 0));
}

const char *unit_name(enum unit u)
{
	static const char *const names[] = { "None", "Count", "Percent", "Seconds", "Milliseconds", "Bytes" };
	return names[u];
}

const char *role_name(enum role r)
{
	static const char *const names[ROLE_COUNT] = { "", "in", "out", "error", "latency", "backlog", "age" };
	return names[r];
}

static const char *const alarm_names[] = { "?", "OK", "ALARM", "INSUFFICIENT_DATA" };

const char *alarm_state_name(enum alarm_state s)
{
	return alarm_names[s];
}

enum alarm_state alarm_state_parse(const char *s)
{
	for (unsigned i = 1; s && i < sizeof alarm_names / sizeof *alarm_names; i++)
		if (strcmp(s, alarm_names[i]) == 0)
			return (enum alarm_state)i;
	return ALARM_STATE_UNKNOWN;
}

const char *alarm_manager_name(enum alarm_manager m)
{
	static const char *const names[] = { "?", "by hand", "CloudFormation", "Terraform", "sluice" };
	return names[m];
}

const char *event_kind_name(enum event_kind k)
{
	static const char *const names[EVENT_KIND_COUNT] = {
#define X(id, word) [EVENT_##id] = word,
		EVENT_KINDS(X)
#undef X
	};
	return names[k];
}

void target_key(const struct target *t, char out[TARGET_KEY])
{
	snprintf(out, TARGET_KEY, "%s/%s/%s%s%s", t->partition, t->account, t->region, t->endpoint[0] ? "@" : "",
	         t->endpoint);
}

void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	struct arena mem = s->mem; /* the snapshot itself may live in its arena's owner block: free that last */
	arena_clear(&mem);
	free(s);
}

void flow_free(struct flow_graph *f)
{
	if (f)
		arena_clear(&f->mem);
	free(f);
}

struct relation relation_copy(struct arena *a, const struct relation *r)
{
	struct relation c = *r;
	c.from = arena_strdup(a, r->from);
	c.to = arena_strdup(a, r->to);
	c.state = arena_strdup(a, r->state);
	c.reason = arena_strdup(a, r->reason);
	c.on_failure = arena_strdup(a, r->on_failure);
	return c;
}
