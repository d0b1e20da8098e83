/* What the forms of a --check result share: the table, rows, words and escaping. */
#include "cli/check.h"

#include "core/clock.h"
#include "core/text.h"

#include <math.h>
#include <string.h>
#include <strings.h>

static const struct check_format formats[] = {
#define X(name, seconds, help, mode) { #name, check_##name, seconds, help, mode },
	CHECK_FORMATS(X)
#undef X
};

const struct check_format *check_format(const char *name)
{
	for (unsigned i = 0; name && i < sizeof formats / sizeof *formats; i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return name ? NULL : &formats[0];
}

unsigned check_rows(const struct check_view *v)
{
	return v->result->n + (v->whole ? 1u : 0u);
}

const struct verdict *check_row(const struct check_view *v, unsigned i)
{
	if (v->whole && i == 0)
		return v->whole;
	return &v->result->verdicts[v->order[i - (v->whole ? 1u : 0u)]];
}

bool check_is_trouble(const struct verdict *v)
{
	return v->status != VERDICT_OK && v->status != VERDICT_SKIPPED;
}

const char *verdict_name(enum verdict_status s)
{
	static const char *const names[] = { [VERDICT_OK] = "OK",
		                                 [VERDICT_SKIPPED] = "SKIPPED",
		                                 [VERDICT_WARNING] = "WARNING",
		                                 [VERDICT_UNKNOWN] = "UNKNOWN",
		                                 [VERDICT_CRITICAL] = "CRITICAL" };
	return names[s];
}

void verdict_reason(const struct verdict *v, struct buf *out)
{
	const char *why = v->reason ? v->reason : "";
	bool said = !v->code || strncasecmp(why, v->code, strlen(v->code)) == 0;
	buf_addf(out, "%s%s", said ? "" : v->code, said || !*why ? "" : " ");
	text_visible(out, span_of(why));
}

void check_counts(const struct check_view *v, struct buf *out)
{
	unsigned count[VERDICT_CRITICAL + 1] = { 0 };
	for (unsigned i = 0; i < v->result->n; i++)
		count[v->result->verdicts[i].status]++;
	if (v->result->n)
		buf_addf(out, "%s: %u critical, %u unknown, %u warning, %u ok, %u skipped", verdict_name(v->status),
		         count[VERDICT_CRITICAL], count[VERDICT_UNKNOWN], count[VERDICT_WARNING], count[VERDICT_OK],
		         count[VERDICT_SKIPPED]);
	else
		buf_addf(out, "%s: nothing was judged", verdict_name(v->status));
}

/* A few metrics cost less than the fourth digit shows: what is not free does not read as nothing. */
void check_cost(const struct check_result *r, struct buf *out)
{
	int digits = r->usd > 0 && r->usd < 0.0001 ? 5 : 4;
	buf_addf(out, "%u metrics billed, $%.*f", r->metrics, digits, r->usd);
}

static void detail(struct buf *out, size_t start, const char *what, const char *any)
{
	if (!any || !*any)
		return;
	buf_addf(out, "%s%s ", out->n > start ? ", " : "", what);
	text_visible(out, span_of(any));
}

static void window(const struct verdict *v, struct buf *out, size_t start)
{
	char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];
	if (v->window_end <= 0)
		return;
	clock_rfc3339(v->window_start, from);
	clock_rfc3339(v->window_end, to);
	buf_addf(out, "%swindow %s to %s by %u s, %u samples, %u missing", out->n > start ? ", " : "", from, to, v->period,
	         v->samples, v->missing);
}

void verdict_details(const struct verdict *v, struct buf *out)
{
	size_t start = out->n;
	char value[32];
	text_exact(v->value, value);
	detail(out, start, "value", value);
	if (!isnan(v->value) && v->unit)
		buf_addf(out, " %s", v->unit);
	detail(out, start, "warning", v->warning);
	detail(out, start, "critical", v->critical);
	window(v, out, start);
	if (v->age_s >= 0)
		buf_addf(out, "%s%lld s old", out->n > start ? ", " : "", (long long)v->age_s);
	detail(out, start, "kind", v->kind);
	detail(out, start, "resource", v->resource);
	detail(out, start, "pipeline", v->pipeline);
	detail(out, start, "source", v->source);
}

/* Prose is cut at its end; a name is shortened in the middle, where it says least. */
void check_clip(struct buf *line, struct span s, unsigned cells)
{
	unsigned used;
	struct span head = text_clip(s, cells, &used);
	if (head.n < s.n && cells)
		head = text_clip(s, cells - 1, &used);
	buf_addspan(line, head);
	buf_adds(line, head.n < s.n && cells ? "~" : "");
}

void check_escape_visible(struct buf *out, struct span visible, const char *(*as)(char c))
{
	for (size_t i = 0; i < visible.n; i++) {
		const char *other = as(visible.p[i]);
		if (other)
			buf_adds(out, other);
		else
			buf_addc(out, visible.p[i]);
	}
}

void check_escape(struct buf *out, const char *any, const char *(*as)(char c))
{
	struct buf b;
	buf_init(&b, 65536);
	text_visible(&b, span_of(any));
	check_escape_visible(out, buf_span(&b), as);
	buf_clear(&b);
}

void check_escape_reason(struct buf *out, const struct verdict *v, const char *(*as)(char c))
{
	struct buf b;
	buf_init(&b, 65536);
	verdict_reason(v, &b);
	check_escape_visible(out, buf_span(&b), as);
	buf_clear(&b);
}
