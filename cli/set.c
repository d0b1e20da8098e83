/* The setters of the option table: each checks its value and says why not. */
#include "cli/args.h"

#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTER(name) static bool set_##name(struct cli *c, const char *value, struct err *e)

/* The caller knows which option it was. */
static bool bad(struct err *e, const char *wanted, const char *value)
{
	return err_set(e, ERR_USAGE, "", "%s, not '%s'", wanted, value);
}

static bool read_uint(const char *value, unsigned max, unsigned *out)
{
	char *end;
	if (*value < '0' || *value > '9')
		return false;
	errno = 0;
	unsigned long v = strtoul(value, &end, 10);
	if (errno || *end || v > max)
		return false;
	*out = (unsigned)v;
	return true;
}

static bool read_number(const char *value, double *out)
{
	char *end;
	if (value[strspn(value, "0123456789.eE+-")] || !*value)
		return false;
	double v = strtod(value, &end);
	if (*end || !isfinite(v))
		return false;
	*out = v;
	return true;
}

/* Index of value in a list that ends with NULL, or -1. */
static int choose(const char *value, const char *const *list)
{
	for (int i = 0; list[i]; i++)
		if (strcmp(value, list[i]) == 0)
			return i;
	return -1;
}

#define STRING(name)                                                                                                   \
	static bool set_##name(struct cli *c, const char *value, struct err *e)                                            \
	{                                                                                                                  \
		if (!*value)                                                                                                   \
			return err_set(e, ERR_USAGE, "", "needs a value");                                                         \
		c->name = value;                                                                                               \
		return true;                                                                                                   \
	}
STRING(config)
STRING(profile)
STRING(region)
STRING(endpoint_url)
STRING(cache)
STRING(log)
STRING(format)

#define ARG_STRING(name)                                                                                               \
	static bool set_##name(struct cli *c, const char *value, struct err *e)                                            \
	{                                                                                                                  \
		c->args->name = value;                                                                                         \
		return *value || err_set(e, ERR_USAGE, "", "needs a value");                                                   \
	}
ARG_STRING(data)
ARG_STRING(rejects)
ARG_STRING(filter_policy)
ARG_STRING(dead_letters)
ARG_STRING(subject)
ARG_STRING(function)
ARG_STRING(unit)

#define FLAG(name, what)                                                                                               \
	static bool set_##name(struct cli *c, const char *value, struct err *e)                                            \
	{                                                                                                                  \
		(void)value, (void)e;                                                                                          \
		what = true;                                                                                                   \
		return true;                                                                                                   \
	}
FLAG(alarms, c->args->check.alarms)
FLAG(warn_is_ok, c->args->warn_is_ok)
FLAG(until_ok, c->args->until_ok)
FLAG(offline, c->args->offline)
FLAG(man, c->args->man)
FLAG(yes, c->args->yes)
FLAG(adopt, c->args->adopt)
FLAG(test, c->args->test)
FLAG(write, c->args->write)
FLAG(dry_run, c->args->dry_run)
FLAG(redrive, c->args->replay.redrive)
FLAG(move_task, c->args->replay.move_task)
FLAG(copy, c->args->replay.copy)
FLAG(driver_gone, c->args->replay.driver_gone)
FLAG(undo, c->args->replay.undo)

/* These three are acted on while the words are still being read (parse.c). */
#define EARLY(name)                                                                                                    \
	static bool set_##name(struct cli *c, const char *value, struct err *e)                                            \
	{                                                                                                                  \
		(void)c, (void)value, (void)e;                                                                                 \
		return true;                                                                                                   \
	}
EARLY(help)
EARLY(version)
EARLY(check)

static bool known_scenario(const struct cli *c, const char *name, struct err *e)
{
	if (choose(name, c->args->scenarios) >= 0)
		return true;
	const char *near = cli_near(name, c->args->scenarios);
	return near ? err_set(e, ERR_USAGE, "", "no scenario '%s', did you mean %s?", name, near)
	            : err_set(e, ERR_USAGE, "", "no scenario '%s', see --demo=list", name);
}

SETTER(stack)
{
	c->args->stack = value;
	return *value || err_set(e, ERR_USAGE, "", "wants a stack's name or ARN");
}

SETTER(tag)
{
	c->args->tag = value;
	return (*value && *value != '=') || bad(e, "KEY=VALUE or KEY", value);
}

SETTER(demo)
{
	c->demo = value ? value : "calm";
	return !value || strcmp(value, "list") == 0 || known_scenario(c, value, e);
}

SETTER(scenario)
{
	c->sim.scenario = value;
	return strcmp(value, "empty") == 0 || known_scenario(c, value, e);
}

SETTER(mode)
{
	static const char *const modes[] = { "observe", "inspect", "operate", "admin", NULL };
	int i = choose(value, modes);
	if (i < 0)
		return bad(e, "observe, inspect, operate or admin", value);
	c->mode = (enum conf_mode)i;
	c->mode_said = true;
	return true;
}

SETTER(color)
{
	static const char *const whens[] = { "auto", "always", "never", NULL };
	c->color = choose(value, whens);
	return c->color >= 0 || bad(e, "auto, always or never", value);
}

SETTER(deadline)
{
	int64_t seconds = 0;
	if (!read_uint(value, 86400, &c->deadline_s)) {
		if (!clock_parse_duration(value, &seconds) || seconds > 86400)
			return bad(e, "seconds, 1 to 86400", value);
		c->deadline_s = (unsigned)seconds;
	}
	return c->deadline_s > 0 || bad(e, "seconds, 1 to 86400", value);
}

SETTER(in_alarm_is)
{
	static const char *const levels[] = { "crit", "warn", NULL };
	int i = choose(value, levels);
	c->args->check.in_alarm_said = true;
	c->args->check.in_alarm_is_warning = i == 1;
	return i >= 0 || bad(e, "warn or crit", value);
}

SETTER(dlq_max)
{
	struct check_request *r = &c->args->check;
	r->dlq = true;
	return (read_number(value, &r->dlq_max) && r->dlq_max >= 0) || bad(e, "a number, 0 or more", value);
}

SETTER(publish)
{
	c->args->publish = value;
	return *value || bad(e, "a namespace", value);
}

SETTER(notify)
{
	c->args->notify = value;
	return strncmp(value, "arn:", 4) == 0 || bad(e, "a topic's ARN, arn:aws:sns:REGION:ACCOUNT:NAME", value);
}

SETTER(ttl_min)
{
	return clock_parse_duration(value, &c->args->check.ttl_min) || bad(e, "a duration such as 90m, 24h or 3d", value);
}

SETTER(metric)
{
	struct cli_args *a = c->args;
	if (!strchr(value, '/') || !strrchr(value, ':'))
		return bad(e, "NAMESPACE/NAME{dim=v}:STAT", value);
	unsigned n = a->check.nmetrics;
	MEM_GROW(a->metrics, n, a->cmetrics);
	a->metrics[n] = (struct check_metric){ .metric = value };
	a->check.nmetrics = n + 1;
	return true;
}

static void set_range(struct cli_args *a, bool critical, const char *value)
{
	unsigned n = a->check.nmetrics;
	if (n && critical)
		a->metrics[n - 1].critical = value;
	else if (n)
		a->metrics[n - 1].warning = value;
	else
		*(critical ? &a->critical : &a->warning) = value;
}

/* Whether it is a range is the rules' to say (the answer is BAD_CONFIG); what no range can hold is refused here. */
static bool range_like(const char *value, struct err *e)
{
	return (*value && !value[strspn(value, "0123456789.eE+-~@:")]) || bad(e, "a range such as 10, 10: or 10:20", value);
}

SETTER(warning)
{
	set_range(c->args, false, value);
	return range_like(value, e);
}

SETTER(critical)
{
	set_range(c->args, true, value);
	return range_like(value, e);
}

SETTER(mofn)
{
	struct check_request *r = &c->args->check;
	char m[8] = "";
	size_t slash = strcspn(value, "/");
	if (value[slash] == '/' && slash && slash < sizeof m) {
		memcpy(m, value, slash);
		if (read_uint(m, 180, &r->m) && read_uint(value + slash + 1, 180, &r->n) && r->m > 0 && r->m <= r->n)
			return true;
	}
	return bad(e, "M/N with 1 <= M <= N <= 180, as in 3/5", value);
}

SETTER(window)
{
	return clock_parse_duration(value, &c->args->check.window) || bad(e, "a duration such as 15m", value);
}

SETTER(min_samples)
{
	return read_uint(value, 100800, &c->args->check.min_samples) || bad(e, "a whole number", value);
}

SETTER(for)
{
	int64_t *s = &c->args->for_s;
	return (clock_parse_duration(value, s) && *s >= 60 && *s <= 7 * 86400) || bad(e, "a duration of 1m to 7d", value);
}

SETTER(fail_limit)
{
	c->args->fail_limit_said = true;
	return read_uint(value, 100000, &c->args->fail_limit) || bad(e, "a whole number", value);
}

SETTER(max_cost)
{
	c->args->max_cost_said = true;
	return (read_number(value, &c->args->max_usd) && c->args->max_usd >= 0) || bad(e, "US dollars, 0 or more", value);
}

SETTER(no_data)
{
	static const char *const levels[] = { "ok", "warn", "crit", "unknown", NULL };
	c->args->check.no_data = value;
	return choose(value, levels) >= 0 || bad(e, "ok, warn, crit or unknown", value);
}

SETTER(delay)
{
	unsigned seconds = 0;
	int64_t duration;
	if (strcmp(value, "auto") == 0)
		c->args->check.delay_s = -1;
	else if (read_uint(value, 86400, &seconds))
		c->args->check.delay_s = seconds;
	else if (clock_parse_duration(value, &duration) && duration <= 86400)
		c->args->check.delay_s = duration;
	else
		return bad(e, "auto or seconds", value);
	return true;
}

SETTER(select)
{
	struct cli_args *a = c->args;
	if (!*value)
		return err_set(e, ERR_USAGE, "", "needs a value");
	if (strcmp(value, "tag:") == 0 || strncmp(value, "tag:=", 5) == 0)
		return bad(e, "tag:KEY=VALUE or tag:KEY", value);
	MEM_GROW(a->select, a->check.nselect, a->cselect);
	a->select[a->check.nselect++] = value;
	return true;
}

SETTER(out)
{
	struct cli_args *a = c->args;
	if (a->nout == sizeof a->out / sizeof *a->out)
		return err_set(e, ERR_USAGE, "", "may be given twice at most");
	a->out[a->nout++] = value;
	return *value || err_set(e, ERR_USAGE, "", "needs a value");
}

/* -vvv comes as "vvv". */
SETTER(verbose)
{
	(void)e;
	c->args->verbose += value ? (unsigned)strlen(value) : 1;
	return true;
}

SETTER(unknown_is)
{
	static const char *const levels[] = { "ok", "warn", "crit", NULL };
	static const enum verdict_status statuses[] = { VERDICT_OK, VERDICT_WARNING, VERDICT_CRITICAL };
	int i = choose(value, levels);
	if (i < 0)
		return bad(e, "ok, warn or crit", value);
	c->args->unknown_is = statuses[i];
	return true;
}

bool cli_time(const char *text, int64_t end, int64_t *t)
{
	int64_t v;
	if (clock_parse_duration(text, &v)) {
		*t = end - v;
		return true;
	}
	if (!clock_parse_rfc3339(text, strlen(text), &v))
		return false;
	*t = v / 1000;
	return true;
}

/* What a key may be is a character's business, not a byte's. */
SETTER(partition_key)
{
	size_t n = strlen(value), characters = 0, len;
	uint32_t cp;
	c->args->partition_key = value;
	for (size_t i = 0; i < n; i += len, characters++)
		if (!(len = text_decode(value + i, n - i, &cp)))
			return err_set(e, ERR_USAGE, "", "is not UTF-8");
	return (characters >= 1 && characters <= 256) || err_set(e, ERR_USAGE, "", "has 1 to 256 characters");
}

SETTER(dim)
{
	struct cli_args *a = c->args;
	if (!strchr(value, '='))
		return bad(e, "NAME=VALUE", value);
	MEM_GROW(a->dims, a->ndims, a->cdims);
	a->dims[a->ndims++] = value;
	return true;
}

SETTER(through)
{
	c->args->replay.through = value;
	return *value || err_set(e, ERR_USAGE, "", "needs a value");
}

SETTER(to)
{
	c->args->replay.to = value;
	return *value || err_set(e, ERR_USAGE, "", "needs a value");
}

SETTER(where)
{
	c->args->replay.where = value;
	return *value || err_set(e, ERR_USAGE, "", "needs a value");
}

SETTER(keys)
{
	c->args->keys_file = value;
	return *value || err_set(e, ERR_USAGE, "", "needs a value");
}

SETTER(event)
{
	bool s3 = strcmp(value, "s3") == 0;
	c->args->replay.as_s3_event = s3;
	return s3 || strcmp(value, "object") == 0 || bad(e, "object or s3", value);
}

SETTER(limit)
{
	unsigned *n = &c->args->replay.limit;
	return (read_uint(value, 10000000, n) && *n > 0) || bad(e, "a whole number, 1 or more", value);
}

SETTER(rate)
{
	double *rate = &c->args->replay.rate;
	return (read_number(value, rate) && *rate >= 0.001 && *rate <= 1000) ||
	       bad(e, "messages a second, 0.001 to 1000", value);
}

SETTER(lease)
{
	int64_t s;
	bool ok = clock_parse_duration(value, &s) && s >= 5 && s <= 43200;
	c->args->replay.lease_s = ok ? (unsigned)s : 0;
	return ok || bad(e, "a duration of 5s to 12h", value);
}

SETTER(verify)
{
	int64_t s;
	bool ok = clock_parse_duration(value, &s) && s <= 86400;
	c->args->replay.verify_s = ok ? (unsigned)s : 0;
	return ok || bad(e, "a duration of 1s to 24h", value);
}

SETTER(despite)
{
	static const char *const words[] = { "loss", "alarms", "throttles", "age", NULL };
	for (const char *p = value;; p++) {
		char word[16];
		size_t n = strcspn(p, ",");
		snprintf(word, sizeof word, "%.*s", (int)(n < 15 ? n : 15), p);
		int i = choose(word, words);
		if (i < 0)
			return bad(e, "loss, alarms, throttles, age, or several with commas", value);
		c->args->replay.despite |= 1u << i;
		p += n;
		if (!*p)
			return true;
	}
}

SETTER(watch)
{
	int64_t s;
	bool ok = clock_parse_duration(value, &s) && s <= 3600;
	c->args->replay.watch_s = ok ? (unsigned)s : 0;
	return ok || bad(e, "a duration of 1s to 1h", value);
}

SETTER(poison)
{
	static const char *const words[] = { "leave", "again", NULL };
	int i = choose(value, words);
	c->args->replay.poison_again = i == 1;
	return i >= 0 || bad(e, "leave or again", value);
}

SETTER(dedupe)
{
	static const char *const words[] = { "skip", "send", NULL };
	int i = choose(value, words);
	c->args->replay.dedupe_send = i == 1;
	return i >= 0 || bad(e, "skip or send", value);
}

SETTER(hours)
{
	unsigned *n = &c->args->replay.hours;
	return (read_uint(value, 8760, n) && *n > 0) || bad(e, "hours, 1 to 8760", value);
}

SETTER(unknown)
{
	c->args->replay.unknown_said = true;
	return replay_unknown_named(value, &c->args->replay.unknown) || bad(e, "hold or resend", value);
}

SETTER(yes_i_mean)
{
	c->args->count_said = true;
	return read_uint(value, 10000000, &c->args->count) || bad(e, "the number of messages", value);
}

SETTER(reason)
{
	(void)e;
	c->args->reason = value;
	return true;
}

SETTER(since)
{
	int64_t t;
	c->args->since = value;
	return cli_time(value, 0, &t) || bad(e, "a duration such as 24h, or an RFC 3339 time", value);
}

SETTER(until)
{
	int64_t t;
	c->args->until = value;
	return cli_time(value, 0, &t) || bad(e, "an RFC 3339 time, or a duration such as 2h", value);
}

SETTER(port)
{
	return read_uint(value, 65535, &c->sim.port) || bad(e, "a port, 0 to 65535", value);
}

SETTER(speed)
{
	return (read_number(value, &c->sim.speed) && c->sim.speed > 0 && c->sim.speed <= 1e6) ||
	       bad(e, "a number over 0, at most 1000000", value);
}

SETTER(latency)
{
	return read_uint(value, 600000, &c->sim.latency_ms) || bad(e, "milliseconds, 0 to 600000", value);
}

/* What it means is the simulator's to say. */
SETTER(fault)
{
	if (!*value)
		return err_set(e, ERR_USAGE, "", "needs a value");
	MEM_GROW(c->sim.faults, c->sim.nfaults, c->sim.cfaults);
	c->sim.faults[c->sim.nfaults++] = value;
	return true;
}

#define X(name, letter, arg, takers, set, help) { name, letter, arg, takers, set, help },
const struct cli_option cli_options[] = { CLI_OPTIONS(X) };
#undef X
const unsigned cli_noptions = sizeof cli_options / sizeof cli_options[0];
