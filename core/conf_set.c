#include "core/conf_set.h"

#include "core/clock.h"
#include "core/mem.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static bool fail(struct conf_setting *s, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(s->why, sizeof s->why, fmt, ap);
	va_end(ap);
	return false;
}

static void put(char **member, const char *text)
{
	free(*member);
	*member = xstrdup(text);
}

static bool only(const char *text, const char *chars)
{
	return text[0] && text[strspn(text, chars)] == '\0';
}

/* ---- texts */

static bool set_TEXT(const struct conf_row *row, void *at, struct conf_setting *s)
{
	double n = (double)strlen(s->text);
	if (n < row->min || n > row->max)
		return fail(s, "must be %.0f to %.0f bytes long", row->min, row->max);
	put(at, s->text);
	return true;
}

static bool set_REGION(const struct conf_row *row, void *at, struct conf_setting *s)
{
	return only(s->text, "abcdefghijklmnopqrstuvwxyz0123456789-") && set_TEXT(row, at, s);
}

static bool set_BUCKET(const struct conf_row *row, void *at, struct conf_setting *s)
{
	return only(s->text, "abcdefghijklmnopqrstuvwxyz0123456789-.") && set_TEXT(row, at, s);
}

/* A password in an endpoint would stand on the screen, in row 1. */
static bool set_URL(const struct conf_row *row, void *at, struct conf_setting *s)
{
	const char *host = s->text;
	if (strncmp(host, "http://", 7) == 0)
		host += 7;
	else if (strncmp(host, "https://", 8) == 0)
		host += 8;
	else
		return false;
	size_t n = strcspn(host, "/?#");
	if (n == 0 || memchr(host, '@', n) || strpbrk(s->text, " \t\""))
		return false;
	return set_TEXT(row, at, s);
}

/* ---- words */

static bool set_FLAG(const struct conf_row *row, void *at, struct conf_setting *s)
{
	static const char *const words[] = { "no", "yes", "false", "true" };
	(void)row;
	for (unsigned i = 0; i < 4; i++) {
		if (strcmp(s->text, words[i]) == 0) {
			*(bool *)at = i % 2;
			return true;
		}
	}
	return false;
}

static bool set_GRANT(const struct conf_row *row, void *at, struct conf_setting *s)
{
	static const char *const words[] = { "observe", "inspect", "operate", "admin" };
	(void)row;
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(s->text, words[i]) == 0) {
			*(enum conf_mode *)at = (enum conf_mode)i;
			return true;
		}
	}
	return false;
}

/* One of a few words, kept as text; the list ends with NULL. */
static bool set_word(char **at, const char *const *words, const struct conf_setting *s)
{
	for (; *words; words++) {
		if (strcmp(s->text, *words) == 0) {
			put(at, s->text);
			return true;
		}
	}
	return false;
}

static bool set_NO_DATA(const struct conf_row *row, void *at, struct conf_setting *s)
{
	static const char *const words[] = { "ok", "warn", "crit", "unknown", NULL };
	(void)row;
	return set_word(at, words, s);
}

static bool set_UNKNOWN_IS(const struct conf_row *row, void *at, struct conf_setting *s)
{
	static const char *const words[] = { "ok", "warn", "crit", NULL };
	(void)row;
	return set_word(at, words, s);
}

static bool set_ALARM_IS(const struct conf_row *row, void *at, struct conf_setting *s)
{
	static const char *const words[] = { "warn", "crit", NULL };
	(void)row;
	return set_word(at, words, s);
}

/* ---- numbers */

static bool within(const struct conf_row *row, double v, struct conf_setting *s, const char *unit)
{
	return (v >= row->min && v <= row->max) || fail(s, "must be between %.0f and %.0f%s", row->min, row->max, unit);
}

/* Digits only, so that neither signs nor a wrap-around get in. */
static bool parse_count(const char *text, unsigned *v)
{
	if (!only(text, "0123456789") || strlen(text) > 9)
		return false;
	*v = (unsigned)strtoul(text, NULL, 10);
	return true;
}

static bool parse_number(const char *text, const char *chars, double *v)
{
	char *end;
	if (!only(text, chars))
		return false;
	*v = strtod(text, &end);
	return *end == '\0' && isfinite(*v);
}

static bool set_AMOUNT(const struct conf_row *row, void *at, struct conf_setting *s)
{
	double v;
	if (!parse_number(s->text, "0123456789.", &v) || !within(row, v, s, ""))
		return false;
	*(double *)at = v;
	return true;
}

static bool set_COUNT(const struct conf_row *row, void *at, struct conf_setting *s)
{
	unsigned v;
	if (!parse_count(s->text, &v) || !within(row, v, s, ""))
		return false;
	*(unsigned *)at = v;
	return true;
}

static bool set_DURATION(const struct conf_row *row, void *at, struct conf_setting *s)
{
	int64_t v;
	if (!clock_parse_duration(s->text, &v) || !within(row, (double)v, s, " seconds"))
		return false;
	*(int64_t *)at = v;
	return true;
}

static bool set_DELAY(const struct conf_row *row, void *at, struct conf_setting *s)
{
	if (strcmp(s->text, "auto") != 0)
		return set_DURATION(row, at, s);
	*(int64_t *)at = -1;
	return true;
}

/* Whole mebibytes or gibibytes; bytes are kept. */
static bool set_SIZE(const struct conf_row *row, void *at, struct conf_setting *s)
{
	char digits[8];
	unsigned v;
	size_t n = strlen(s->text);
	char unit = n ? s->text[n - 1] : '\0';
	if (n < 2 || n > sizeof digits || (unit != 'M' && unit != 'G'))
		return false;
	memcpy(digits, s->text, n - 1);
	digits[n - 1] = '\0';
	double bytes = parse_count(digits, &v) ? (double)v * (unit == 'G' ? 1 << 30 : 1 << 20) : -1;
	if (bytes < 0 || !within(row, bytes, s, " bytes"))
		return false;
	*(int64_t *)at = (int64_t)bytes;
	return true;
}

/* One bound of a range: nothing, a number, or (of the lower) "~". */
static bool parse_bound(const char *p, size_t n, double fallback, bool lower, double *v)
{
	char text[64];
	*v = fallback;
	if (n == 0)
		return true;
	if (n >= sizeof text)
		return false;
	memcpy(text, p, n);
	text[n] = '\0';
	if (lower && strcmp(text, "~") == 0) {
		*v = -INFINITY;
		return true;
	}
	return parse_number(text, "0123456789.+-eE", v);
}

/* The grammar alone; what a range means is the business of whoever judges by it. */
static bool set_RANGE(const struct conf_row *row, void *at, struct conf_setting *s)
{
	double low = 0, high;
	const char *p = s->text + (s->text[0] == '@');
	const char *colon = strchr(p, ':');
	(void)row;
	if (colon && !parse_bound(p, (size_t)(colon - p), 0, true, &low))
		return false;
	if (colon)
		p = colon + 1;
	if (!parse_bound(p, strlen(p), INFINITY, false, &high) || (!colon && p[0] == '\0'))
		return false;
	if (low > high)
		return fail(s, "the range's lower bound is above its upper one");
	put(at, s->text);
	return true;
}

static bool set_MOFN(const struct conf_row *row, void *section, struct conf_setting *s)
{
	struct conf_check *c = section;
	char m[16];
	unsigned vm, vn;
	const char *slash = strchr(s->text, '/');
	if (!slash || (size_t)(slash - s->text) >= sizeof m)
		return false;
	memcpy(m, s->text, (size_t)(slash - s->text));
	m[slash - s->text] = '\0';
	if (!parse_count(m, &vm) || !parse_count(slash + 1, &vn))
		return false;
	if (vm < 1 || vm > vn || vn > row->max)
		return fail(s, "M must be at least 1 and at most N, N at most %.0f", row->max);
	c->m = vm;
	c->n = vn;
	return true;
}

/* ---- references and identities */

static bool set_TARGET(const struct conf_row *row, void *at, struct conf_setting *s)
{
	(void)row;
	for (unsigned i = 0; i < s->conf->ntargets; i++) {
		if (strcmp(s->conf->targets[i].name, s->text) == 0) {
			put(at, s->text);
			return true;
		}
	}
	return fail(s, "there is no [target \"%.80s\"]", s->text);
}

static bool set_STAGE(const struct conf_row *row, void *section, struct conf_setting *s)
{
	struct conf_check *c = section;
	(void)row;
	for (unsigned i = 0; i < s->conf->nstages; i++) {
		const struct conf_stage *st = &s->conf->stages[i];
		size_t n = strlen(st->pipeline);
		if (strncmp(s->text, st->pipeline, n) == 0 && s->text[n] == '/' && strcmp(s->text + n + 1, st->name) == 0) {
			put(&c->pipeline, st->pipeline);
			put(&c->stage, st->name);
			return true;
		}
	}
	return fail(s, "there is no [stage \"%.80s\"]; a stage is named PIPELINE/NAME", s->text);
}

/* How the services name what a stage may stand for. */
static const struct {
	const char *service, *kind, *prefix;
} arns[] = {
	{ "kinesis", "kinesis", "stream/" },
	{ "sqs", "sqs", "" },
	{ "lambda", "lambda", "function:" },
	{ "firehose", "firehose", "deliverystream/" },
	{ "sns", "sns", "" },
	{ "dynamodb", "dynamodb", "table/" },
	{ "states", "states", "stateMachine:" },
	{ "glue", "glue", "job/" },
	{ "elasticmapreduce", "emr", "cluster/" },
	{ "redshift", "redshift", "cluster:" },
	{ "airflow", "airflow", "environment/" },
	{ "pipes", "pipes", "pipe/" },
	{ "events", "events", "rule/" },
	{ "s3", "s3", "" },
};

static bool set_arn(struct conf_stage *st, struct conf_setting *s)
{
	const char *part[6] = { s->text };
	for (unsigned i = 1; i < 6; i++) {
		const char *colon = strchr(part[i - 1], ':');
		if (!colon)
			return fail(s, "an ARN is arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE");
		part[i] = colon + 1;
	}
	struct span service = { part[2], (size_t)(part[3] - part[2] - 1) };
	bool global = span_eq(service, "s3"), region = part[4] - part[3] > 1;
	if (part[2] - part[1] < 4 ||
	    (!global && (!region || strspn(part[4], "0123456789") != 12 || part[5] - part[4] != 13)))
		return fail(s, "an ARN is arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE, with an account of 12 digits");
	for (size_t i = 0; i < sizeof arns / sizeof *arns; i++) {
		size_t n = strlen(arns[i].prefix);
		if (!span_eq(service, arns[i].service))
			continue;
		if (strncmp(part[5], arns[i].prefix, n) != 0 || part[5][n] == '\0')
			return fail(s, "the last part of an ARN of %s is %sNAME", arns[i].service, arns[i].prefix);
		put(&st->kind, arns[i].kind);
		put(&st->resource, part[5] + n);
		put(&st->arn, s->text);
		return true;
	}
	return fail(s, "no kind of stage has ARNs of the service \"%.*s\"", (int)(service.n < 32 ? service.n : 32),
	            service.p);
}

static bool set_RESOURCE(const struct conf_row *row, void *section, struct conf_setting *s)
{
	struct conf_stage *st = section;
	(void)row;
	if (strpbrk(s->text, " \t"))
		return fail(s, "a resource's name has no blanks");
	if (strncmp(s->text, "arn:", 4) == 0)
		return set_arn(st, s);
	size_t n = strspn(s->text, "abcdefghijklmnopqrstuvwxyz0123456789");
	if (n == 0 || s->text[n] != ':' || s->text[n + 1] == '\0')
		return false;
	free(st->kind);
	st->kind = xstrndup(s->text, n);
	put(&st->resource, s->text + n + 1);
	return true;
}

static bool set_METRIC(const struct conf_row *row, void *at, struct conf_setting *s)
{
	struct metric_id m;
	struct err e;
	(void)row;
	if (!metric_parse(&m, s->text, &e))
		return fail(s, "%.200s", e.text);
	metric_clear(at);
	*(struct metric_id *)at = m;
	return true;
}

/* A full metric is kept in its canonical text. */
static bool set_MEASURE(const struct conf_row *row, void *at, struct conf_setting *s)
{
	if (!strchr(s->text, '/')) {
		bool word = only(s->text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
		if (word)
			put(at, s->text);
		return word;
	}
	struct metric_id m = { 0 };
	if (!set_METRIC(row, &m, s))
		return false;
	struct buf text;
	buf_init(&text, 64 * 1024);
	metric_text(&m, &text);
	metric_clear(&m);
	free(*(char **)at);
	*(char **)at = buf_steal(&text);
	return true;
}

static bool set_TAG(const struct conf_row *row, void *at, struct conf_setting *s)
{
	return s->text[0] != '=' && set_TEXT(row, at, s);
}

/* ---- the table of types */

static const struct {
	const char *accepts;
	bool (*set)(const struct conf_row *row, void *at, struct conf_setting *s);
} types[CONF_TYPE_COUNT] = {
#define X(type) [CONF_##type] = { ACCEPTS_##type, set_##type },
	CONF_TYPES(X)
#undef X
};

bool conf_set(const struct conf_row *row, void *section, struct conf_setting *s)
{
	s->why[0] = '\0';
	if (types[row->type].set(row, (char *)section + row->offset, s))
		return true;
	if (!s->why[0])
		fail(s, "\"%.60s\" is not accepted; it takes %s", s->text, types[row->type].accepts);
	return false;
}
