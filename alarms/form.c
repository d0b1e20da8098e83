#include "alarms/form.h"

#include "core/mem.h"
#include "core/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define VALUE_MOST (256u * 1024)

enum shape {
	TEXT,
	NUMBER,
	WHOLE,
	FLAG,
	WORDS,      /* a list of strings whose order says nothing */
	DIMENSIONS, /* [{Name, Value}] */
	QUERIES,    /* [{Id, ...}] */
	OBJECT,
	ANYTHING,
	LEFT_OUT, /* the name, tags, and what only AWS sets */
};

struct member {
	const char *name;
	enum shape shape;
	unsigned kinds;              /* of the outermost: which alarms have it */
	const char *implied;         /* stands for itself: JSON text */
	const struct member *inside; /* of OBJECT and QUERIES */
	bool read_only;
};

#define ALL (FORM_METRIC | FORM_COMPOSITE | FORM_LOG)
#define M FORM_METRIC
#define C FORM_COMPOSITE
#define L FORM_LOG

static const struct member metric_members[] = {
	{ .name = "Namespace", .shape = TEXT },
	{ .name = "MetricName", .shape = TEXT },
	{ .name = "Dimensions", .shape = DIMENSIONS },
	{ .name = NULL },
};
static const struct member stat_members[] = {
	{ .name = "Metric", .shape = OBJECT, .inside = metric_members },
	{ .name = "Period", .shape = WHOLE },
	{ .name = "Stat", .shape = TEXT },
	{ .name = "Unit", .shape = TEXT },
	{ .name = NULL },
};
static const struct member query_members[] = {
	{ .name = "Id", .shape = LEFT_OUT }, /* it is in the path */
	{ .name = "MetricStat", .shape = OBJECT, .inside = stat_members },
	{ .name = "Expression", .shape = TEXT },
	{ .name = "Label", .shape = TEXT },
	{ .name = "ReturnData", .shape = FLAG, .implied = "true" },
	{ .name = "Period", .shape = WHOLE },
	{ .name = "AccountId", .shape = TEXT },
	{ .name = NULL },
};
static const struct member zone_members[] = { { .name = "Timezone", .shape = TEXT }, { .name = NULL } };
static const struct member window_members[] = {
	{ .name = "WallClockWindow", .shape = OBJECT, .inside = zone_members },
	{ .name = "SlidingWindow", .shape = ANYTHING, .implied = "{}" },
	{ .name = NULL },
};
static const struct member promql_members[] = {
	{ .name = "Query", .shape = TEXT },
	{ .name = "PendingPeriod", .shape = WHOLE },
	{ .name = "RecoveryPeriod", .shape = WHOLE },
	{ .name = NULL },
};
static const struct member criteria_members[] = {
	{ .name = "PromQLCriteria", .shape = OBJECT, .inside = promql_members },
	{ .name = NULL },
};
static const struct member schedule_members[] = {
	{ .name = "ScheduleExpression", .shape = TEXT },
	{ .name = "StartTimeOffset", .shape = WHOLE },
	{ .name = "EndTimeOffset", .shape = WHOLE },
	{ .name = NULL },
};
static const struct member log_query_members[] = {
	{ .name = "QueryString", .shape = TEXT },
	{ .name = "LogGroupIdentifiers", .shape = WORDS },
	{ .name = "QueryARN", .shape = TEXT },
	{ .name = "ScheduledQueryRoleARN", .shape = TEXT },
	{ .name = "ScheduleConfiguration", .shape = OBJECT, .inside = schedule_members },
	{ .name = "AggregationExpression", .shape = TEXT },
	{ .name = "Tags", .shape = ANYTHING },
	{ .name = NULL },
};

static const struct member members[] = {
	{ .name = "AlarmName", .shape = LEFT_OUT, .kinds = ALL },
	{ .name = "Tags", .shape = LEFT_OUT, .kinds = ALL },
	{ .name = "AlarmDescription", .shape = TEXT, .kinds = ALL, .implied = "\"\"" },
	{ .name = "ActionsEnabled", .shape = FLAG, .kinds = ALL, .implied = "true" },
	{ .name = "OKActions", .shape = WORDS, .kinds = ALL },
	{ .name = "AlarmActions", .shape = WORDS, .kinds = ALL },
	{ .name = "InsufficientDataActions", .shape = WORDS, .kinds = ALL },
	{ .name = "MetricName", .shape = TEXT, .kinds = M },
	{ .name = "Namespace", .shape = TEXT, .kinds = M },
	{ .name = "Statistic", .shape = TEXT, .kinds = M },
	{ .name = "ExtendedStatistic", .shape = TEXT, .kinds = M },
	{ .name = "Dimensions", .shape = DIMENSIONS, .kinds = M },
	{ .name = "Period", .shape = WHOLE, .kinds = M },
	{ .name = "Unit", .shape = TEXT, .kinds = M },
	{ .name = "EvaluationPeriods", .shape = WHOLE, .kinds = M },
	{ .name = "DatapointsToAlarm", .shape = WHOLE, .kinds = M },
	{ .name = "Threshold", .shape = NUMBER, .kinds = M | L },
	{ .name = "ComparisonOperator", .shape = TEXT, .kinds = M | L },
	{ .name = "TreatMissingData", .shape = TEXT, .kinds = M | L, .implied = "\"missing\"" },
	{ .name = "EvaluateLowSampleCountPercentile", .shape = TEXT, .kinds = M, .implied = "\"evaluate\"" },
	{ .name = "Metrics", .shape = QUERIES, .kinds = M, .inside = query_members },
	{ .name = "ThresholdMetricId", .shape = TEXT, .kinds = M },
	{ .name = "EvaluationWindow", .shape = OBJECT, .kinds = M, .inside = window_members },
	{ .name = "EvaluationCriteria", .shape = OBJECT, .kinds = M, .inside = criteria_members },
	{ .name = "EvaluationInterval", .shape = WHOLE, .kinds = M },
	{ .name = "AlarmRule", .shape = TEXT, .kinds = C },
	{ .name = "ActionsSuppressor", .shape = TEXT, .kinds = C },
	{ .name = "ActionsSuppressorWaitPeriod", .shape = WHOLE, .kinds = C },
	{ .name = "ActionsSuppressorExtensionPeriod", .shape = WHOLE, .kinds = C },
	{ .name = "ScheduledQueryConfiguration", .shape = OBJECT, .kinds = L, .inside = log_query_members },
	{ .name = "QueryResultsToEvaluate", .shape = WHOLE, .kinds = L },
	{ .name = "QueryResultsToAlarm", .shape = WHOLE, .kinds = L },
	{ .name = "ActionLogLineCount", .shape = WHOLE, .kinds = L },
	{ .name = "ActionLogLineRoleArn", .shape = TEXT, .kinds = L },
	{ .name = "AlarmArn", .shape = LEFT_OUT, .kinds = ALL, .read_only = true },
	{ .name = "AlarmConfigurationUpdatedTimestamp", .shape = LEFT_OUT, .kinds = ALL, .read_only = true },
	{ .name = "StateValue", .shape = LEFT_OUT, .kinds = ALL, .read_only = true },
	{ .name = "StateReason", .shape = LEFT_OUT, .kinds = ALL, .read_only = true },
	{ .name = "StateReasonData", .shape = LEFT_OUT, .kinds = ALL, .read_only = true },
	{ .name = "StateUpdatedTimestamp", .shape = LEFT_OUT, .kinds = ALL, .read_only = true },
	{ .name = "StateTransitionedTimestamp", .shape = LEFT_OUT, .kinds = ALL, .read_only = true },
	{ .name = "EvaluationState", .shape = LEFT_OUT, .kinds = ALL, .read_only = true },
	{ .name = "ActionsSuppressedBy", .shape = LEFT_OUT, .kinds = C, .read_only = true },
	{ .name = "ActionsSuppressedReason", .shape = LEFT_OUT, .kinds = C, .read_only = true },
	{ .name = NULL },
};

static const struct member *find(const struct member *table, const char *name)
{
	for (; table && table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

enum form_kind form_kind_of(const struct json *body)
{
	if (json_get(body, "AlarmRule"))
		return FORM_COMPOSITE;
	return json_get(body, "ScheduledQueryConfiguration") ? FORM_LOG : FORM_METRIC;
}

const char *form_kind_name(enum form_kind k)
{
	return k == FORM_COMPOSITE ? "composite" : k == FORM_LOG ? "log" : "metric";
}

static bool not_ours(const char *name)
{
	return strncmp(name, "//", 2) == 0 || strncmp(name, "x-", 2) == 0;
}

enum form_member form_member(enum form_kind k, const char *name)
{
	const struct member *m = find(members, name);
	if (not_ours(name))
		return FORM_NOT_OURS;
	if (!m)
		return FORM_UNKNOWN;
	if (m->read_only)
		return FORM_READ_ONLY;
	return m->kinds & k ? FORM_SETTING : FORM_OTHER_KIND;
}

/* One letter more, less, other, or two swapped; upper and lower case are the same. */
static bool nearly(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), i = 0;
	while (i < n && i < m && strncasecmp(a + i, b + i, 1) == 0)
		i++;
	const char *x = a + i, *y = b + i;
	if (n == m)
		return strcasecmp(x, y) == 0 || strcasecmp(x + 1, y + 1) == 0 ||
		       (x[0] && x[1] && strncasecmp(x, y + 1, 1) == 0 && strncasecmp(x + 1, y, 1) == 0 &&
		        strcasecmp(x + 2, y + 2) == 0);
	return n == m + 1 ? strcasecmp(x + 1, y) == 0 : m == n + 1 && strcasecmp(x, y + 1) == 0;
}

const char *form_near(enum form_kind k, const char *name)
{
	for (const struct member *m = members; m->name; m++)
		if ((m->kinds & k) && !m->read_only && nearly(m->name, name))
			return m->name;
	return NULL;
}

const char *form_default(const char *path)
{
	const struct member *m = find(members, path);
	const char *last = strrchr(path, '.');
	if (!m && last && strncmp(path, "Metrics.", 8) == 0)
		m = find(query_members, last + 1);
	return m ? m->implied : NULL;
}

/* ---- reading */

struct reading {
	struct arena *mem;
	struct form *out;
	struct err *e;
	bool good;
};

static void wrong(struct reading *r, const char *path, const char *wanted)
{
	if (r->good)
		err_set(r->e, ERR_CONF, "", "%.80s: %s", path, wanted);
	r->good = false;
}

static void add(struct reading *r, const char *path, const char *value, bool known)
{
	struct form *f = r->out;
	MEM_GROW(f->v, f->n, f->cap);
	f->v[f->n++] = (struct form_line){ path, value, known };
}

static const char *text_of(struct reading *r, const struct json *n)
{
	struct buf b;
	struct json_out o;
	buf_init(&b, VALUE_MOST);
	json_out_init(&o, &b);
	json_out_node(&o, NULL, n);
	if (!o.ok)
		wrong(r, "a value", "is too large");
	const char *kept = arena_strndup(r->mem, b.p ? b.p : "", b.n);
	buf_clear(&b);
	return kept;
}

static const char *join(struct reading *r, const char *path, const char *name)
{
	return *path ? arena_printf(r->mem, "%s.%s", path, name) : name;
}

static const char *item(struct reading *r, const char *path, const char *name)
{
	return arena_printf(r->mem, "%s[%s]", path, name);
}

/* Whatever it is, to its leaves: a list by its places. */
static void unknown(struct reading *r, const char *path, const struct json *n)
{
	unsigned i = 0;
	bool object = json_is_object(n);
	if ((!object && !json_is_array(n)) || !json_first(n)) {
		add(r, path, text_of(r, n), false);
		return;
	}
	for (const struct json *m = json_first(n); m; m = json_next(m), i++)
		unknown(r, object ? join(r, path, json_key(m)) : item(r, path, arena_printf(r->mem, "%u", i)), m);
}

static void words(struct reading *r, const char *path, const struct json *list)
{
	if (!json_is_array(list))
		wrong(r, path, "a list of texts");
	for (const struct json *w = json_first(list); w; w = json_next(w)) {
		const char *text = json_str(w);
		if (text)
			add(r, item(r, path, text), text_of(r, w), true);
		else
			wrong(r, path, "a list of texts");
	}
}

/* A member beside Name and Value is one that this build does not know. */
static void dimensions(struct reading *r, const char *path, const struct json *list)
{
	if (!json_is_array(list))
		wrong(r, path, "a list of {\"Name\", \"Value\"}");
	for (const struct json *d = json_first(list); d; d = json_next(d)) {
		const char *name = json_get_str(d, "Name"), *value = json_get_str(d, "Value");
		if (!name || !value) {
			wrong(r, path, "a list of {\"Name\", \"Value\"}");
			continue;
		}
		const char *at = join(r, path, name);
		add(r, at, text_of(r, json_get(d, "Value")), true);
		for (const struct json *m = json_first(d); m; m = json_next(m))
			if (strcmp(json_key(m), "Name") != 0 && strcmp(json_key(m), "Value") != 0)
				unknown(r, join(r, at, json_key(m)), m);
	}
}

static void object(struct reading *r, const struct member *table, const char *path, const struct json *o);

static void queries(struct reading *r, const struct member *inside, const char *path, const struct json *list)
{
	if (!json_is_array(list))
		wrong(r, path, "a list of queries");
	for (const struct json *q = json_first(list); q; q = json_next(q)) {
		const char *id = json_get_str(q, "Id");
		if (!id)
			wrong(r, path, "each query has an \"Id\"");
		else
			object(r, inside, join(r, path, id), q);
	}
}

static void scalar(struct reading *r, const struct member *m, const char *path, const struct json *n)
{
	double v;
	bool flag;
	const char *value = text_of(r, n);
	if (m->shape == TEXT && !json_str(n))
		wrong(r, path, "a text");
	if (m->shape == FLAG && !json_bool(n, &flag))
		wrong(r, path, "true or false");
	if ((m->shape == NUMBER || m->shape == WHOLE) && !json_num(n, &v))
		wrong(r, path, "a number");
	else if (m->shape == WHOLE && (v != trunc(v) || fabs(v) > 1e9))
		wrong(r, path, "a whole number");
	if (!m->implied || strcmp(m->implied, value) != 0)
		add(r, path, value, true);
}

static void member(struct reading *r, const struct member *m, const char *path, const struct json *n)
{
	switch (m->shape) {
	case LEFT_OUT: break;
	case WORDS: words(r, path, n); break;
	case DIMENSIONS: dimensions(r, path, n); break;
	case QUERIES: queries(r, m->inside, path, n); break;
	case OBJECT: object(r, m->inside, path, n); break;
	default: scalar(r, m, path, n); break;
	}
}

static void object(struct reading *r, const struct member *table, const char *path, const struct json *o)
{
	if (!json_is_object(o))
		wrong(r, path, "an object");
	for (const struct json *n = json_first(o); n; n = json_next(n)) {
		const char *key = json_key(n);
		const struct member *m = key ? find(table, key) : NULL;
		if (!key || json_is_null(n) || (!*path && not_ours(key)))
			continue;
		if (m)
			member(r, m, join(r, path, key), n);
		else
			unknown(r, join(r, path, key), n);
	}
}

static int by_path(const void *a, const void *b)
{
	const struct form_line *x = a, *y = b;
	int order = strcmp(x->path, y->path);
	return order ? order : strcmp(x->value, y->value);
}

static void drop(struct form *f, const struct form_line *line)
{
	unsigned at = (unsigned)(line - f->v);
	memmove(&f->v[at], &f->v[at + 1], (f->n - at - 1) * sizeof *f->v);
	f->n--;
}

/* A thing that is said twice: of a set it is the same, of anything else a mistake. */
static void same_twice(struct reading *r)
{
	struct form *f = r->out;
	for (unsigned i = 0; i + 1 < f->n; i++) {
		if (strcmp(f->v[i].path, f->v[i + 1].path) != 0)
			continue;
		if (strcmp(f->v[i].value, f->v[i + 1].value) != 0 || !strchr(f->v[i].path, '['))
			wrong(r, f->v[i].path, "stands there twice");
		drop(f, &f->v[i + 1]);
		i--;
	}
}

bool form_read(struct arena *mem, const struct json *body, struct form *out, struct err *e)
{
	struct reading r = { mem, out, e, true };
	*out = (struct form){ 0 };
	object(&r, members, "", body);
	if (out->n)
		qsort(out->v, out->n, sizeof *out->v, by_path);
	same_twice(&r);
	const struct form_line *m = form_find(out, "DatapointsToAlarm"), *n = form_find(out, "EvaluationPeriods");
	if (m && n && strcmp(m->value, n->value) == 0)
		drop(out, m);
	return r.good;
}

void form_clear(struct form *f)
{
	free(f->v);
	*f = (struct form){ 0 };
}

const struct form_line *form_find(const struct form *f, const char *path)
{
	for (unsigned i = 0; i < f->n; i++)
		if (strcmp(f->v[i].path, path) == 0)
			return &f->v[i];
	return NULL;
}
