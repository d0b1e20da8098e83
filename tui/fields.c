#include "tui/fields.h"

#include "core/text.h"
#include "tui/chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PERIOD 60 /* seconds a point of CloudWatch stands for here */

double field_number(const struct row *r, enum role role)
{
	const struct reading *rd = r->by_role[role];
	if (!rd || !isfinite(rd->value))
		return NAN;
	if (role == ROLE_IN || role == ROLE_OUT) /* a configured metric with another statistic is taken as a rate already */
		return metric_is_sum(rd->info) ? rd->value / PERIOD : rd->value;
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

void reading_text(const struct row *r, const struct reading *rd, bool old, char out[FIELD_SIZE])
{
	char label[16];
	const char *mark = old || rd->stale ? "~" : "";
	chart_label(rd->value, rd->info->unit, label);
	if (isnan(rd->value))
		snprintf(out, FIELD_SIZE, "%s", field_absent(r, rd));
	else if (rd->info->unit <= UNIT_COUNT && rd->value == floor(rd->value) && fabs(rd->value) < 1e7)
		snprintf(out, FIELD_SIZE, "%s%.0f", mark, rd->value);
	else
		snprintf(out, FIELD_SIZE, "%s%s", mark, label);
}

void field_kind(const struct row *r, char out[FIELD_SIZE])
{
	snprintf(out, FIELD_SIZE, "%.16s%s", r->kind->id, r->dlq ? " dlq" : "");
}

const char *unit_short(const struct metric_info *info)
{
	switch (info->unit) {
	case UNIT_COUNT: return metric_is_sum(info) ? "per minute" : "count";
	case UNIT_PERCENT: return "percent";
	case UNIT_SECONDS:
	case UNIT_MILLISECONDS: return "duration";
	case UNIT_BYTES: return metric_is_sum(info) ? "bytes/min" : "bytes";
	case UNIT_NONE: break;
	}
	return "-";
}

/* ---- the note */

static void add_note(char *out, size_t size, const char *title, const char *value)
{
	size_t n = strlen(out);
	snprintf(out + n, size - n, "%s%s %s", n ? ", " : "", title, value);
}

/* The reason when there is one; else what has no column of its own: how long it takes, how many at a time. */
void field_slowed(const struct row *r, char *out, size_t size)
{
	char every[TEXT_NUM];
	text_duration(r->every, every);
	snprintf(out, size, "polled every %s: budget", every);
}

void field_note(const struct row *r, char *out, size_t size)
{
	char slowed[64] = "";
	if (r->slowed)
		field_slowed(r, slowed, sizeof slowed);
	snprintf(out, size, "%s%s%s", r->reason ? r->reason : "", r->reason && r->reason[0] && slowed[0] ? "; " : "",
	         slowed);
	if (out[0])
		return;
	for (unsigned i = 0; i < r->nreadings; i++) {
		const struct reading *rd = &r->readings[i];
		char label[16];
		bool level = rd->info->role == ROLE_LATENCY || (rd->info->role == ROLE_NONE && !metric_is_sum(rd->info));
		if (!level || rd->stale || !(rd->value > 0))
			continue;
		chart_label(rd->value, rd->info->unit, label);
		add_note(out, size, rd->info->title, label);
	}
}
