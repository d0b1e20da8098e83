/* The file's text becomes a struct conf: the option table, and the two readings that walk it. */
#include "core/conf.h"

#include "core/conf_set.h"
#include "core/ini.h"
#include "core/mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MOST 100
#define DAY 86400
#define MIB (1 << 20)

/* One row is one option: parsing, defaults, help, the manual and the tests all walk this table.
 * X(section, key, TYPE, offset in the section's struct, min, max, fallback, help) */
#define CONF_KEYS(X)                                                                                                   \
	X("sluice", "budget_usd_per_day", AMOUNT, offsetof(struct conf, budget_usd_per_day), 0, 10000, "1.00",             \
	  "what polling may cost a day: its tail slows down, never what is selected or in trouble; 0: no limit")           \
	X("sluice", "poll_rest", DURATION, offsetof(struct conf, poll_rest), 60, 3600, "5m",                               \
	  "how often the console asks for what is neither selected nor in trouble")                                        \
	X("sluice", "retention", DURATION, offsetof(struct conf, retention), 3600, 3650.0 * DAY, "30d",                    \
	  "how long history is kept")                                                                                      \
	X("sluice", "process_function", TEXT, offsetof(struct conf, process_function), 1, 170, "data-processor",           \
	  "the Lambda function that `process` starts: name, name:alias or ARN")                                            \
	X("sluice", "history_fine", DURATION, offsetof(struct conf, history_fine), DAY, 3650.0 * DAY, "15d",               \
	  "how long its points stay as fine as they came; then they become 5-minute, later hourly ones")                   \
	X("sluice", "history_max", SIZE, offsetof(struct conf, history_max), 16.0 * MIB, 64.0 * 1024 * MIB, "256M",        \
	  "what the history file may grow to; before it would, the oldest points become coarse, then go")                  \
	X("sluice", "idempotency_path", TEXT, offsetof(struct conf, idempotency_path), 1, 200, "",                         \
	  "where a message's body has its business key, as $.event_id: replays tell which were replayed well before")      \
	X("sluice", "bell", FLAG, offsetof(struct conf, bell), 0, 0, "yes", "the console rings on a new alarm")            \
	X("sluice", "title", FLAG, offsetof(struct conf, title), 0, 0, "yes",                                              \
	  "what is in alarm stands in the window's title")                                                                 \
	X("watch", "everything", FLAG, offsetof(struct conf, watch_everything), 0, 0, "no",                                \
	  "watch the whole account: the console does not ask what to watch at its first contact")                          \
	X("target", "profile", TEXT, offsetof(struct conf_target, profile), 1, 63, "", "the profile in AWS's own files")   \
	X("target", "region", REGION, offsetof(struct conf_target, region), 1, 39, "", "the region")                       \
	X("target", "endpoint_url", URL, offsetof(struct conf_target, endpoint_url), 1, 255, "",                           \
	  "an endpoint instead of AWS's own")                                                                              \
	X("target", "production", FLAG, offsetof(struct conf_target, production), 0, 0, "no",                              \
	  "unmistakable on screen, typed confirmations")                                                                   \
	X("target", "grant", GRANT, offsetof(struct conf_target, grant), 0, 0, "admin", "the most that may be done there") \
	X("target", "lock_bucket", BUCKET, offsetof(struct conf_target, lock_bucket), 3, 63, "",                           \
	  "an S3 bucket in which replays of one source keep each other away, whatever the host")                           \
	X("target", "lock_lease", DURATION, offsetof(struct conf_target, lock_lease), 10, 900, "60s",                      \
	  "how long such a lock is worth when its holder does not renew it")                                               \
	X("pipeline", "target", TARGET, offsetof(struct conf_pipeline, target), 0, 0, "",                                  \
	  "the account and region it runs in")                                                                             \
	X("pipeline", "runbook", TEXT, offsetof(struct conf_pipeline, runbook), 1, 1000, "", "where its runbook stands")   \
	X("pipeline", "tag", TAG, offsetof(struct conf_pipeline, tag), 1, 385, "", "KEY=VALUE that its resources carry")   \
	X("pipeline", "stack", TEXT, offsetof(struct conf_pipeline, stack), 1, 1024, "",                                   \
	  "the CloudFormation stack that it is")                                                                           \
	X("stage", "resource", RESOURCE, 0, 0, 0, "", "what the stage is (required)")                                      \
	X("stage", "in", METRIC, offsetof(struct conf_stage, metric[ROLE_IN]), 0, 0, "",                                   \
	  "its own metric of what comes in")                                                                               \
	X("stage", "out", METRIC, offsetof(struct conf_stage, metric[ROLE_OUT]), 0, 0, "",                                 \
	  "its own metric of what goes out")                                                                               \
	X("stage", "error", METRIC, offsetof(struct conf_stage, metric[ROLE_ERROR]), 0, 0, "", "its own error rate")       \
	X("stage", "latency", METRIC, offsetof(struct conf_stage, metric[ROLE_LATENCY]), 0, 0, "", "its own latency")      \
	X("stage", "backlog", METRIC, offsetof(struct conf_stage, metric[ROLE_BACKLOG]), 0, 0, "", "its own backlog")      \
	X("stage", "age", METRIC, offsetof(struct conf_stage, metric[ROLE_AGE]), 0, 0, "",                                 \
	  "its own age of the oldest item")                                                                                \
	X("check", "stage", STAGE, 0, 0, 0, "", "what is judged; not needed with a full metric")                           \
	X("check", "metric", MEASURE, offsetof(struct conf_check, metric), 0, 0, "", "by which metric (required)")         \
	X("check", "warning", RANGE, offsetof(struct conf_check, warning), 0, 0, "", "outside it is a WARNING")            \
	X("check", "critical", RANGE, offsetof(struct conf_check, critical), 0, 0, "", "outside it is CRITICAL")           \
	X("check", "mofn", MOFN, 0, 1, 180, "", "how many points must be outside; 1/1 when not given")                     \
	X("check", "window", DURATION, offsetof(struct conf_check, window), 60, 15.0 * DAY, "", "how far back it looks")   \
	X("check", "no-data", NO_DATA, offsetof(struct conf_check, no_data), 0, 0, "",                                     \
	  "what no point at all means; unknown when not given")                                                            \
	X("check", "min-samples", COUNT, offsetof(struct conf_check, min_samples), 0, 100000, "",                          \
	  "fewer points are too few to judge")                                                                             \
	X("check", "delay", DELAY, offsetof(struct conf_check, delay), 0, DAY, "auto",                                     \
	  "how long a period may take to arrive")                                                                          \
	X("checks", "alarms", FLAG, offsetof(struct conf_checks, alarms), 0, 0, "no", "judge every CloudWatch alarm")      \
	X("checks", "in-alarm-is", ALARM_IS, offsetof(struct conf_checks, in_alarm_is), 0, 0, "",                          \
	  "what an alarm in ALARM is; crit when not given")                                                                \
	X("checks", "dlq-max", AMOUNT, offsetof(struct conf_checks, dlq_max), 0, 1e9, "",                                  \
	  "judge dead-letter queues: they may hold so many visible messages")                                              \
	X("checks", "ttl-min", DURATION, offsetof(struct conf_checks, ttl_min), 60, 3650.0 * DAY, "",                      \
	  "judge first-loss clocks: none may be nearer")                                                                   \
	X("checks", "mofn", MOFN, offsetof(struct conf_checks, each), 1, 180, "", "for checks that have none")             \
	X("checks", "window", DURATION, offsetof(struct conf_checks, each.window), 60, 15.0 * DAY, "",                     \
	  "for checks that have none")                                                                                     \
	X("checks", "no-data", NO_DATA, offsetof(struct conf_checks, each.no_data), 0, 0, "", "for checks that have none") \
	X("checks", "min-samples", COUNT, offsetof(struct conf_checks, each.min_samples), 0, 100000, "",                   \
	  "for checks that have none")                                                                                     \
	X("checks", "delay", DELAY, offsetof(struct conf_checks, each.delay), 0, DAY, "auto", "for checks that have none") \
	X("checks", "unknown-is", UNKNOWN_IS, offsetof(struct conf_checks, unknown_is), 0, 0, "",                          \
	  "which exit status an UNKNOWN gives; its own, 3, when not given")                                                \
	X("checks", "warn-is-ok", FLAG, offsetof(struct conf_checks, warn_is_ok), 0, 0, "no", "exit 0 on WARNING")         \
	X("checks", "for", DURATION, offsetof(struct conf_checks, for_s), 60, 7.0 * DAY, "",                               \
	  "judge once a period for so long")                                                                               \
	X("checks", "fail-limit", COUNT, offsetof(struct conf_checks, fail_limit), 0, 100000, "0",                         \
	  "with for: so many CRITICAL samples of a check are borne")                                                       \
	X("checks", "until-ok", FLAG, offsetof(struct conf_checks, until_ok), 0, 0, "no", "end at the first OK")           \
	X("checks", "timeout", DURATION, offsetof(struct conf_checks, timeout), 1, DAY, "",                                \
	  "give up after so long; what --format says when not given")                                                      \
	X("checks", "max-cost", AMOUNT, offsetof(struct conf_checks, max_usd), 0, 10000, "",                               \
	  "refuse to poll for more USD than this")                                                                         \
	X("checks", "publish", TEXT, offsetof(struct conf_checks, publish), 1, 255, "",                                    \
	  "a namespace: each result as custom metrics")                                                                    \
	X("checks", "notify", TEXT, offsetof(struct conf_checks, notify), 1, 400, "",                                      \
	  "a topic's ARN: one message when what is in trouble has changed")                                                \
	X("checks", "format", TEXT, offsetof(struct conf_checks, format), 1, 20, "", "the form of the result")

static const struct conf_row rows[] = {
#define X(section, key, type, offset, min, max, fallback, help) { CONF_##type, offset, min, max },
	CONF_KEYS(X)
#undef X
};

#define NKEYS (sizeof rows / sizeof *rows)

static const struct conf_key keys[NKEYS] = {
#define X(section, key, type, offset, min, max, fallback, help) { section, key, ACCEPTS_##type, fallback, help },
	CONF_KEYS(X)
#undef X
};

_Static_assert(NKEYS <= 64, "struct parser keeps one bit a key");

const struct conf_key *conf_keys(unsigned *n)
{
	*n = NKEYS;
	return keys;
}

enum section {
	SECTION_SLUICE,
	SECTION_TARGET,
	SECTION_PIPELINE,
	SECTION_STAGE,
	SECTION_CHECK,
	SECTION_CHECKS,
	SECTION_WATCH,
	SECTION_COUNT
};
static const char *const sections[SECTION_COUNT] = {
	"sluice", "target", "pipeline", "stage", "check", "checks", "watch"
};

/* The text is read twice: first the headers, so that a key may name what stands further down; then the keys. */
struct parser {
	struct conf *c;
	const char *file;
	struct err *e;
	struct ini ini;
	bool sluice_seen, checks_seen, watch_seen;
	enum section section;
	void *object;                 /* the struct that the current section fills */
	unsigned next[SECTION_COUNT]; /* the second reading meets the objects in the order of the first */
	unsigned header;              /* line of the current section's header */
	uint64_t seen;                /* rows that this section has set */
};

__attribute__((format(printf, 3, 4))) static bool fail(const struct parser *p, unsigned line, const char *fmt, ...)
{
	char text[sizeof p->e->text];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	err_set(p->e, ERR_CONF, "", "%s", text);
	return err_at(p->e, p->file, line);
}

/* ---- defaults */

/* The table's fallbacks; a fallback that its own row refuses would be found by the first test that runs. */
static void set_defaults(const struct conf *c, enum section section, void *object)
{
	for (unsigned i = 0; i < NKEYS; i++) {
		struct conf_setting s = { .conf = c, .text = keys[i].fallback };
		if (strcmp(keys[i].section, sections[section]) == 0 && s.text[0])
			conf_set(&rows[i], object, &s);
	}
}

static struct conf *conf_new(void)
{
	struct conf *c = xcalloc(1, sizeof *c);
	set_defaults(c, SECTION_SLUICE, c);
	c->checking.dlq_max = c->checking.max_usd = -1;
	set_defaults(c, SECTION_CHECKS, &c->checking);
	return c;
}

/* ---- first reading: sections */

static bool add_target(struct parser *p, struct span name)
{
	struct conf *c = p->c;
	for (unsigned i = 0; i < c->ntargets; i++)
		if (span_eq(name, c->targets[i].name))
			return fail(p, p->ini.line, "target: \"%s\" is there twice", c->targets[i].name);
	c->targets = xreallocarray(c->targets, c->ntargets + 1, sizeof *c->targets);
	struct conf_target *t = &c->targets[c->ntargets++];
	*t = (struct conf_target){ .name = xstrndup(name.p, name.n), .line = p->ini.line };
	set_defaults(c, SECTION_TARGET, t);
	return true;
}

static bool add_pipeline(struct parser *p, struct span name)
{
	struct conf *c = p->c;
	if (memchr(name.p, '/', name.n))
		return fail(p, p->ini.line, "pipeline: a pipeline's name has no '/'");
	for (unsigned i = 0; i < c->npipelines; i++)
		if (span_eq(name, c->pipelines[i].name))
			return fail(p, p->ini.line, "pipeline: \"%s\" is there twice", c->pipelines[i].name);
	c->pipelines = xreallocarray(c->pipelines, c->npipelines + 1, sizeof *c->pipelines);
	struct conf_pipeline *pl = &c->pipelines[c->npipelines++];
	*pl = (struct conf_pipeline){ .name = xstrndup(name.p, name.n), .line = p->ini.line };
	set_defaults(c, SECTION_PIPELINE, pl);
	return true;
}

static bool add_stage(struct parser *p, struct span name)
{
	struct conf *c = p->c;
	const char *slash = memchr(name.p, '/', name.n), *end = name.p + name.n;
	if (!slash || slash == name.p || slash + 1 == end || memchr(slash + 1, '/', (size_t)(end - slash - 1)))
		return fail(p, p->ini.line, "stage: a stage is named PIPELINE/NAME");
	struct span pipeline = { name.p, (size_t)(slash - name.p) }, own = { slash + 1, (size_t)(end - slash - 1) };
	for (unsigned i = 0; i < c->nstages; i++)
		if (span_eq(pipeline, c->stages[i].pipeline) && span_eq(own, c->stages[i].name))
			return fail(p, p->ini.line, "stage: \"%s/%s\" is there twice", c->stages[i].pipeline, c->stages[i].name);
	c->stages = xreallocarray(c->stages, c->nstages + 1, sizeof *c->stages);
	struct conf_stage *s = &c->stages[c->nstages++];
	*s = (struct conf_stage){ .pipeline = xstrndup(pipeline.p, pipeline.n),
		                      .name = xstrndup(own.p, own.n),
		                      .line = p->ini.line };
	set_defaults(c, SECTION_STAGE, s);
	return true;
}

static bool add_check(struct parser *p, struct span name)
{
	struct conf *c = p->c;
	for (unsigned i = 0; i < c->nchecks; i++)
		if (span_eq(name, c->checks[i].name))
			return fail(p, p->ini.line, "check: \"%s\" is there twice", c->checks[i].name);
	c->checks = xreallocarray(c->checks, c->nchecks + 1, sizeof *c->checks);
	struct conf_check *ch = &c->checks[c->nchecks++];
	*ch = (struct conf_check){ .name = xstrndup(name.p, name.n), .line = p->ini.line };
	set_defaults(c, SECTION_CHECK, ch);
	return true;
}

static bool add_single(struct parser *p, struct span name, enum section section, bool *seen)
{
	if (name.n)
		return fail(p, p->ini.line, "%s: this section takes no name", sections[section]);
	if (*seen)
		return fail(p, p->ini.line, "%s: the section is there twice", sections[section]);
	return *seen = true;
}

static bool add_sluice(struct parser *p, struct span name)
{
	return add_single(p, name, SECTION_SLUICE, &p->sluice_seen);
}

static bool add_checks(struct parser *p, struct span name)
{
	return add_single(p, name, SECTION_CHECKS, &p->checks_seen);
}

static bool add_watch(struct parser *p, struct span name)
{
	return add_single(p, name, SECTION_WATCH, &p->watch_seen);
}

/* The section's kind and name; false with the error set. */
static bool read_header(const struct parser *p, enum section *section, struct span *name)
{
	struct span type;
	if (!ini_section_split(p->ini.section, &type, name))
		return fail(p, p->ini.line, "section: it is written [TYPE \"NAME\"]");
	for (*section = 0; *section < SECTION_COUNT; ++*section)
		if (span_eq(type, sections[*section]))
			return true;
	return fail(p, p->ini.line,
	            "%.*s: unknown section; there are sluice, watch, target, pipeline, stage, check and checks",
	            (int)(type.n < NAME_MOST ? type.n : NAME_MOST), type.p);
}

static bool add_section(struct parser *p)
{
	static bool (*const add[])(struct parser *, struct span) = { add_sluice, add_target, add_pipeline, add_stage,
		                                                         add_check,  add_checks, add_watch };
	enum section section;
	struct span name;
	if (!read_header(p, &section, &name))
		return false;
	bool single = section == SECTION_SLUICE || section == SECTION_CHECKS || section == SECTION_WATCH;
	if (!single && (name.n == 0 || name.n > NAME_MOST))
		return fail(p, p->ini.line, "%s: a name of 1 to %d bytes is required: [%s \"NAME\"]", sections[section],
		            NAME_MOST, sections[section]);
	return add[section](p, name);
}

static bool read_sections(struct parser *p)
{
	for (;;) {
		switch (ini_next(&p->ini)) {
		case INI_END: return true;
		case INI_BAD: return fail(p, p->ini.line, "syntax: %s", p->ini.why);
		case INI_SECTION:
			if (!add_section(p))
				return false;
			break;
		default: break;
		}
	}
}

/* ---- second reading: keys */

static void *next_object(struct parser *p)
{
	unsigned i = p->next[p->section]++;
	switch (p->section) {
	case SECTION_TARGET: return &p->c->targets[i];
	case SECTION_PIPELINE: return &p->c->pipelines[i];
	case SECTION_STAGE: return &p->c->stages[i];
	case SECTION_CHECK: return &p->c->checks[i];
	case SECTION_CHECKS: return &p->c->checking;
	default: return p->c;
	}
}

/* "no-data" and "no_data" are one key: the command line writes the one, most of this file the other. */
static bool same_key(struct span a, const char *key)
{
	if (a.n != strlen(key))
		return false;
	for (size_t i = 0; i < a.n; i++)
		if ((a.p[i] == '_' ? '-' : a.p[i]) != (key[i] == '_' ? '-' : key[i]))
			return false;
	return true;
}

static bool unknown_key(const struct parser *p)
{
	char list[160] = "";
	size_t n = 0;
	for (unsigned i = 0; i < NKEYS; i++)
		if (strcmp(keys[i].section, sections[p->section]) == 0 && n < sizeof list)
			n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "", keys[i].key);
	struct span key = p->ini.key;
	return fail(p, p->ini.line, "%.*s: unknown key; [%s] takes %s", (int)(key.n < 40 ? key.n : 40), key.p,
	            sections[p->section], list);
}

/* A value that is quoted as a whole loses its quotes; metric texts keep theirs, they do not begin with one. */
static char *value_text(struct span v)
{
	char *s = xstrndup(v.p, v.n), *o = s, *r = s + 1;
	if (s[0] != '"')
		return s;
	for (; *r && *r != '"'; r++) {
		if (*r == '\\' && r[1])
			r++;
		*o++ = *r;
	}
	if (*r != '"' || r[1] != '\0') {
		free(s);
		return xstrndup(v.p, v.n);
	}
	*o = '\0';
	return s;
}

static bool set_key(struct parser *p)
{
	unsigned i = 0;
	while (i < NKEYS && !(strcmp(keys[i].section, sections[p->section]) == 0 && same_key(p->ini.key, keys[i].key)))
		i++;
	if (i == NKEYS)
		return unknown_key(p);
	if (p->seen >> i & 1)
		return fail(p, p->ini.line, "%s: the key is there twice in its section", keys[i].key);
	p->seen |= UINT64_C(1) << i;
	char *text = value_text(p->ini.value);
	struct conf_setting s = { .conf = p->c, .text = text };
	bool ok = conf_set(&rows[i], p->object, &s);
	free(text);
	return ok || fail(p, p->ini.line, "%s: %s", keys[i].key, s.why);
}

static bool finish_stage(const struct parser *p, const struct conf_stage *s)
{
	if (!s->resource)
		return fail(p, p->header, "resource: the stage needs one: KIND:NAME or an ARN");
	for (unsigned i = 0; i < p->c->npipelines; i++)
		if (strcmp(p->c->pipelines[i].name, s->pipeline) == 0)
			return true;
	return fail(p, p->header, "stage: there is no [pipeline \"%s\"]", s->pipeline);
}

static bool finish_check(const struct parser *p, const struct conf_check *c)
{
	if (!c->metric)
		return fail(p, p->header, "metric: the check needs one: %s", ACCEPTS_MEASURE);
	if (!c->stage && !strchr(c->metric, '/'))
		return fail(p, p->header, "stage: the check needs one, because its metric is a role or a kind's key");
	if (!c->warning && !c->critical)
		return fail(p, p->header, "critical: the check needs it or warning: without a range nothing is judged");
	return true;
}

/* What only a whole section can be asked. */
static bool finish_section(const struct parser *p)
{
	if (p->object && p->section == SECTION_STAGE)
		return finish_stage(p, p->object);
	return !p->object || p->section != SECTION_CHECK || finish_check(p, p->object);
}

static bool begin_section(struct parser *p)
{
	struct span name;
	if (!finish_section(p) || !read_header(p, &p->section, &name))
		return false;
	p->object = next_object(p);
	p->header = p->ini.line;
	p->seen = 0;
	return true;
}

static bool read_keys(struct parser *p)
{
	for (;;) {
		switch (ini_next(&p->ini)) {
		case INI_END: return finish_section(p);
		case INI_SECTION:
			if (!begin_section(p))
				return false;
			break;
		default:
			if (!set_key(p))
				return false;
			break;
		}
	}
}

struct conf *conf_parse(const char *name, struct span text, struct err *e)
{
	struct err ignored;
	struct parser p = { .c = conf_new(), .file = name ? name : "", .e = e ? e : &ignored };
	ini_init(&p.ini, text, 0);
	bool ok = read_sections(&p);
	ini_init(&p.ini, text, 0);
	if (ok && read_keys(&p))
		return p.c;
	conf_free(p.c);
	return NULL;
}
