/* --check as node_exporter's textfile collector reads it (the Prometheus text format). With --out the file is replaced whole,
 * as the collector wants it; --out FILE.prom must lie in the collector's folder. */
#include "cli/check.h"

#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *label_char(char c)
{
	switch (c) {
	case '\\': return "\\\\";
	case '"': return "\\\"";
	case '\n': return "\\n";
	default: return NULL;
	}
}

static bool same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Two series of the same labels make the collector refuse the whole file: a check that is there again says the how manieth. */
static unsigned again(const struct check_view *v, unsigned i)
{
	const struct verdict *a = check_row(v, i);
	unsigned n = 1;
	for (unsigned k = 0; k < i; k++) {
		const struct verdict *b = check_row(v, k);
		n += same(a->name, b->name) && same(a->resource, b->resource) && same(a->pipeline, b->pipeline) &&
		     same(a->kind, b->kind);
	}
	return n;
}

static void label(struct buf *b, const char *name, const char *any)
{
	buf_addf(b, "%s%s=\"", strcmp(name, "name") == 0 ? "" : ",", name);
	check_escape(b, any ? any : "", label_char);
	buf_addc(b, '"');
}

/* Made once: three families carry them. */
static char **all_labels(const struct check_view *v)
{
	unsigned rows = check_rows(v);
	char **labels = xcalloc(rows + 1, sizeof *labels);
	for (unsigned i = 0; i < rows; i++) {
		const struct verdict *one = check_row(v, i);
		struct buf b;
		unsigned n = again(v, i);
		buf_init(&b, 1 << 20);
		label(&b, "name", one->name);
		label(&b, "pipeline", one->pipeline);
		label(&b, "resource", one->resource);
		label(&b, "kind", one->kind);
		if (n > 1)
			buf_addf(&b, ",again=\"%u\"", n);
		labels[i] = buf_steal(&b);
	}
	return labels;
}

/* The exit status that the check alone would give. */
static int number_of(enum verdict_status s)
{
	static const int numbers[] = {
		[VERDICT_OK] = 0, [VERDICT_SKIPPED] = -1, [VERDICT_WARNING] = 1, [VERDICT_CRITICAL] = 2, [VERDICT_UNKNOWN] = 3
	};
	return numbers[s];
}

static void family(struct out *o, const char *name, const char *help)
{
	out_ownf(o, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void statuses(struct out *o, const struct check_view *v, char *const *labels)
{
	family(o, "sluice_check_status", "0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, -1 SKIPPED (nothing happened)");
	for (unsigned i = 0; i < check_rows(v); i++)
		out_ownf(o, "sluice_check_status{%s} %d\n", labels[i], number_of(check_row(v, i)->status));
}

/* What is not known has no sample: an old value is not the value. */
static void values(struct out *o, const struct check_view *v, char *const *labels)
{
	char text[32];
	family(o, "sluice_check_value", "the newest value judged, in the metric's own unit");
	for (unsigned i = 0; i < check_rows(v); i++) {
		const struct verdict *one = check_row(v, i);
		if (isnan(one->value) || one->status == VERDICT_UNKNOWN)
			continue;
		text_exact(one->value, text);
		out_ownf(o, "sluice_check_value{%s} %s\n", labels[i], text);
	}
	family(o, "sluice_check_age_seconds", "age of the newest datapoint when it was judged");
	for (unsigned i = 0; i < check_rows(v); i++)
		if (check_row(v, i)->age_s >= 0)
			out_ownf(o, "sluice_check_age_seconds{%s} %lld\n", labels[i], (long long)check_row(v, i)->age_s);
}

void check_prom(struct out *o, const struct check_view *v)
{
	char **labels = all_labels(v);
	statuses(o, v, labels);
	values(o, v, labels);
	family(o, "sluice_check_exit", "exit status of the run");
	out_ownf(o, "sluice_check_exit %d\n", v->exit);
	family(o, "sluice_check_metrics_billed", "metrics that CloudWatch bills for the run");
	out_ownf(o, "sluice_check_metrics_billed %u\n", v->result->metrics);
	family(o, "sluice_check_cost_usd", "what that costs");
	out_ownf(o, "sluice_check_cost_usd %.6g\n", v->result->usd);
	family(o, "sluice_check_completed_seconds", "when the run was complete, in seconds since 1970");
	out_ownf(o, "sluice_check_completed_seconds %lld\n", (long long)clock_wall());
	for (unsigned i = 0; i < check_rows(v); i++)
		free(labels[i]);
	free(labels);
}
