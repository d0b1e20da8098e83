/* --check as text (80 columns, for people and build logs) and as the JSON object of the contract. */
#include "cli/check.h"

#include "core/clock.h"
#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COLUMNS 80
#define STATUS_COLUMNS 10 /* "CRITICAL" and two blanks */
#define NAME_COLUMNS 40

const char *verdict_name(enum verdict_status s)
{
	static const char *const names[] = { [VERDICT_OK] = "OK",
		                                 [VERDICT_SKIPPED] = "SKIPPED",
		                                 [VERDICT_WARNING] = "WARNING",
		                                 [VERDICT_UNKNOWN] = "UNKNOWN",
		                                 [VERDICT_CRITICAL] = "CRITICAL" };
	return names[s];
}

/* ---- text */
static void visible(struct buf *b, const char *any)
{
	buf_init(b, 65536);
	text_visible(b, span_of(any));
}

static unsigned name_columns(const struct check_result *r)
{
	unsigned widest = 0;
	for (unsigned i = 0; i < r->n; i++) {
		struct buf b;
		visible(&b, r->verdicts[i].name);
		unsigned w = text_width(buf_span(&b));
		widest = w > widest ? w : widest;
		buf_clear(&b);
	}
	return widest < NAME_COLUMNS ? widest : NAME_COLUMNS;
}

void verdict_reason(const struct verdict *v, struct buf *out)
{
	const char *why = v->reason ? v->reason : "";
	bool said = !v->code || strncasecmp(why, v->code, strlen(v->code)) == 0;
	buf_addf(out, "%s%s", said ? "" : v->code, said || !*why ? "" : " ");
	text_visible(out, span_of(why));
}

/* Prose is cut at its end; a name is shortened in the middle, where it says least. */
static void clip(struct buf *line, struct span s, unsigned cells)
{
	unsigned used;
	struct span head = text_clip(s, cells, &used);
	if (head.n < s.n && cells)
		head = text_clip(s, cells - 1, &used);
	buf_addspan(line, head);
	buf_adds(line, head.n < s.n && cells ? "~" : "");
}

/* Reasons start in one column where there is room for that; a long one moves left as far as its name allows, and a long
 * name takes what its reason leaves free. */
static void verdict_line(struct out *o, const struct verdict *v, unsigned column)
{
	struct buf name, why, line;
	unsigned room = COLUMNS - STATUS_COLUMNS - 2;
	visible(&name, v->name);
	buf_init(&why, 65536);
	verdict_reason(v, &why);
	buf_init(&line, 65536);
	unsigned need = text_width(buf_span(&why)), wide = text_width(buf_span(&name));
	unsigned free_cells = need < room ? room - need : 0;
	unsigned cells = wide <= column ? wide : free_cells > column ? free_cells : column;
	text_shorten(&line, buf_span(&name), cells, false);
	unsigned used = text_width(buf_span(&line));
	for (; used < column && used < free_cells; used++)
		buf_addc(&line, ' ');
	buf_adds(&line, need ? "  " : "");
	clip(&line, buf_span(&why), room - used);
	out_ownf(o, "%-*s%s\n", STATUS_COLUMNS, verdict_name(v->status), line.p ? line.p : "");
	buf_clear(&name);
	buf_clear(&why);
	buf_clear(&line);
}

static void summary(struct out *o, const struct check_view *v)
{
	unsigned count[VERDICT_CRITICAL + 1] = { 0 };
	for (unsigned i = 0; i < v->result->n; i++)
		count[v->result->verdicts[i].status]++;
	if (!v->result->n) {
		out_ownf(o, "%s: nothing was judged\n", verdict_name(v->status));
		return;
	}
	out_ownf(o, "%s: %u critical, %u unknown, %u warning, %u ok, %u skipped\n", verdict_name(v->status),
	         count[VERDICT_CRITICAL], count[VERDICT_UNKNOWN], count[VERDICT_WARNING], count[VERDICT_OK],
	         count[VERDICT_SKIPPED]);
	out_ownf(o, "%u metrics billed, $%.4f\n", v->result->metrics, v->result->usd);
}

void check_text(struct out *o, const struct check_view *v)
{
	unsigned column = name_columns(v->result);
	for (unsigned i = 0; i < v->result->n; i++)
		verdict_line(o, &v->result->verdicts[v->order[i]], column);
	summary(o, v);
	if (v->result->defaults)
		out_own(o, "nothing is configured: these are sluice's own defaults, see sluice help check\n");
}

/* ---- JSON */
static const char *or_null(const char *s)
{
	return s && *s ? s : NULL;
}

static void json_window(struct json_out *j, const struct verdict *v)
{
	if (v->window_end <= 0) {
		json_out_null(j, "window");
		return;
	}
	json_out_object(j, "window");
	json_out_time(j, "start", v->window_start);
	json_out_time(j, "end", v->window_end);
	json_out_int(j, "period", v->period);
	json_out_object_end(j);
}

static void json_verdict(struct json_out *j, const struct verdict *v)
{
	json_out_object(j, NULL);
	json_out_str(j, "name", v->name);
	json_out_str(j, "pipeline", or_null(v->pipeline));
	json_out_str(j, "resource", or_null(v->resource));
	json_out_str(j, "kind", or_null(v->kind));
	json_out_str(j, "status", verdict_name(v->status));
	json_out_str(j, "code", or_null(v->code));
	json_out_str(j, "reason", v->reason ? v->reason : "");
	json_out_num(j, "value", v->value);
	json_out_str(j, "unit", v->unit);
	json_out_str(j, "warning", v->warning);
	json_out_str(j, "critical", v->critical);
	json_window(j, v);
	json_out_int(j, "samples", v->samples);
	json_out_int(j, "missing", v->missing);
	if (v->age_s >= 0)
		json_out_int(j, "age_seconds", v->age_s);
	else
		json_out_null(j, "age_seconds");
	json_out_str(j, "source", v->source);
	json_out_object_end(j);
}

static void json_failure(struct json_out *j, const struct err *e)
{
	if (e->code == ERR_OK) {
		json_out_null(j, "error");
		return;
	}
	json_out_object(j, "error");
	json_out_str(j, "code", err_check_code(e->code));
	json_out_str(j, "where", e->where);
	json_out_str(j, "text", e->text);
	json_out_object_end(j);
}

void check_json(struct out *o, const struct check_view *v)
{
	struct json_out j;
	const struct check_result *r = v->result;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_str(&j, "status", verdict_name(v->status));
	json_out_int(&j, "exit", v->exit);
	json_out_time(&j, "generated", clock_wall());
	json_out_str(&j, "account", or_null(r->target.account));
	json_out_str(&j, "region", or_null(r->target.region));
	json_out_bool(&j, "defaults", r->defaults);
	json_failure(&j, v->fail);
	json_out_object(&j, "cost");
	json_out_int(&j, "metrics", r->metrics);
	json_out_num(&j, "usd", round(r->usd * 1e6) / 1e6); /* no digits that nobody is billed */
	json_out_object_end(&j);
	json_out_array(&j, "checks");
	for (unsigned i = 0; i < r->n; i++)
		json_verdict(&j, &r->verdicts[v->order[i]]);
	json_out_array_end(&j);
	json_out_object_end(&j);
	out_own(o, "\n");
}
