#include "tui/fields.h"

#include "core/text.h"
#include "tui/chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PERIOD 60 /* seconds a point of CloudWatch stands for here */

/* CloudWatch sums a period; a configured metric with another statistic is taken as a rate already. */
static bool is_sum(const struct metric_info *info)
{
	return info->from == FROM_DIFFERENCE ||
	       (info->stat && (strcmp(info->stat, "Sum") == 0 || strcmp(info->stat, "SampleCount") == 0));
}

double field_number(const struct row *r, enum role role)
{
	const struct reading *rd = r->by_role[role];
	if (!rd || !isfinite(rd->value))
		return NAN;
	if (role == ROLE_IN || role == ROLE_OUT)
		return is_sum(rd->info) ? rd->value / PERIOD : rd->value;
	if (role == ROLE_AGE && rd->info->unit == UNIT_MILLISECONDS)
		return rd->value / 1000;
	return rd->value;
}

const char *field_absent(const struct row *r, const struct reading *rd)
{
	return rd && (!rd->info->sparse || r->health == HEALTH_UNKNOWN) ? "?" : "-";
}

static void number_text(const struct reading *rd, enum role role, double v, char out[TEXT_NUM])
{
	char label[16];
	switch (role) {
	case ROLE_ERROR: text_percent(v, out); break;
	case ROLE_AGE: text_duration(llround(v), out); break;
	case ROLE_LATENCY:
		chart_label(v, rd->info->unit == UNIT_NONE ? UNIT_MILLISECONDS : rd->info->unit, label);
		snprintf(out, TEXT_NUM, "%.15s", label);
		break;
	default: text_number(v, out); break;
	}
}

static void brief_text(enum role role, double v, char out[TEXT_NUM])
{
	if (role == ROLE_AGE)
		text_duration_brief(llround(v), out);
	else
		text_brief(v, out);
}

void field_text(const struct row *r, enum role role, bool old, int width, char out[FIELD_SIZE])
{
	const struct reading *rd = r->by_role[role];
	double v = field_number(r, role);
	char n[TEXT_NUM];
	if (!rd || isnan(v)) {
		snprintf(out, FIELD_SIZE, "%s", field_absent(r, rd));
		return;
	}
	const char *mark = old || rd->stale ? "~" : "";
	number_text(rd, role, v, n);
	if ((int)(strlen(mark) + strlen(n)) > width)
		brief_text(role, v, n);
	snprintf(out, FIELD_SIZE, "%s%s", mark, n);
}

void field_kind(const struct row *r, char out[FIELD_SIZE])
{
	snprintf(out, FIELD_SIZE, "%.16s%s", r->kind->id, r->dlq ? " dlq" : "");
}

const char *unit_short(const struct metric_info *info)
{
	switch (info->unit) {
	case UNIT_COUNT: return is_sum(info) ? "per minute" : "count";
	case UNIT_PERCENT: return "percent";
	case UNIT_SECONDS:
	case UNIT_MILLISECONDS: return "duration";
	case UNIT_BYTES: return is_sum(info) ? "bytes/min" : "bytes";
	case UNIT_NONE: break;
	}
	return "-";
}

/* ---- the filter ---- */

static bool holds(const char *text, const char *word, size_t n)
{
	size_t len = text ? strlen(text) : 0;
	for (size_t i = 0; i + n <= len; i++)
		if (strncasecmp(text + i, word, n) == 0)
			return true;
	return false;
}

static bool row_holds(const struct snapshot *s, const struct row *r, const char *word, size_t n)
{
	char kind[FIELD_SIZE];
	field_kind(r, kind);
	return holds(r->name, word, n) || holds(r->resource, word, n) || holds(kind, word, n) ||
	       holds(health_name(r->health), word, n) ||
	       (r->pipeline < s->npipelines && holds(s->pipelines[r->pipeline].name, word, n));
}

bool field_matches(const struct snapshot *s, const struct row *r, const char *filter)
{
	for (const char *p = filter; *(p += strspn(p, " "));) {
		size_t n = strcspn(p, " ");
		bool without = p[0] == '!';
		if (n > without && row_holds(s, r, p + without, n - without) == without)
			return false;
		p += n;
	}
	return true;
}
