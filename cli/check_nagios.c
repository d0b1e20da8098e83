/* --check as a monitoring plugin speaks (monitoring-plugins.org/doc/guidelines.html): a first line of less than 80 characters,
 * then long text, and performance data behind a bar: the first of it on the first line where there is room for it, the rest
 * after the long text. A Nagios server reads 8 KiB of it all, so the worst comes first and what is left out is counted. */
#include "cli/check.h"

#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST 79
#define MOST 8000      /* bytes of everything, */
#define MOST_DATA 4000 /* and of the performance data */
#define REASON_CELLS 160

/* A bar would begin performance data. */
static const char *text_char(char c)
{
	return c == '|' ? "<U+007C>" : NULL;
}

/* Within quotes, which are doubled; an equals sign must not stand in a label. */
static const char *label_char(char c)
{
	switch (c) {
	case '\'': return "''";
	case '=': return "<U+003D>";
	default: return text_char(c);
	}
}

/* The guidelines know digits, a sign and a point: no exponent. */
static void number(struct buf *out, double v)
{
	char text[400];
	text_exact(v, text);
	if (strchr(text, 'e')) {
		snprintf(text, sizeof text, "%.17f", v);
		size_t n = strlen(text);
		while (text[n - 1] == '0')
			text[--n] = '\0';
		text[n - 1] = text[n - 1] == '.' ? '\0' : text[n - 1];
	}
	buf_adds(out, text);
}

/* A range as given, its numbers without exponents. */
static void range(struct buf *out, const char *text)
{
	for (const char *p = text ? text : ""; *p;) {
		char *end;
		double v = strchr("@:~", *p) ? NAN : strtod(p, &end);
		if (!isnan(v) && end > p) {
			number(out, v);
			p = end;
		} else {
			buf_addc(out, *p++);
		}
	}
}

static const char *unit(const struct verdict *v)
{
	static const char *const units[][2] = {
		{ "Percent", "%" }, { "Seconds", "s" }, { "Milliseconds", "ms" }, { "Bytes", "B" }
	};
	for (unsigned i = 0; v->unit && i < sizeof units / sizeof *units; i++)
		if (strcmp(units[i][0], v->unit) == 0)
			return units[i][1];
	return "";
}

/* 'label'=value[unit];[warn];[crit]: U where a value is not known. An alarm that was read has no number at all. */
static bool data(const struct verdict *v, struct buf *out)
{
	bool unknown = v->status == VERDICT_UNKNOWN || isnan(v->value);
	if (isnan(v->value) && v->status != VERDICT_UNKNOWN && !v->unit)
		return false;
	buf_addc(out, '\'');
	check_escape(out, v->name, label_char);
	buf_adds(out, "'=");
	if (unknown)
		buf_addc(out, 'U');
	else
		number(out, v->value);
	buf_addf(out, "%s;", unknown ? "" : unit(v));
	range(out, v->warning);
	buf_addc(out, ';');
	range(out, v->critical);
	return true;
}

/* The service's state is what the exit status says, after --unknown-is and --warn-is-ok. */
static const char *state(int exit)
{
	static const char *const states[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };
	return states[exit >= 0 && exit <= 3 ? exit : 3];
}

static void counts(const struct check_view *v, struct buf *out)
{
	static const enum verdict_status statuses[] = { VERDICT_CRITICAL, VERDICT_UNKNOWN, VERDICT_WARNING, VERDICT_OK,
		                                            VERDICT_SKIPPED };
	static const char *const words[] = { "critical", "unknown", "warning", "ok", "skipped" };
	const char *comma = "";
	for (unsigned k = 0; k < sizeof statuses / sizeof *statuses; k++) {
		unsigned n = 0;
		for (unsigned i = 0; i < check_rows(v); i++)
			n += check_row(v, i)->status == statuses[k];
		if (n)
			buf_addf(out, "%s%u %s", comma, n, words[k]);
		comma = out->n && n ? ", " : comma;
	}
}

static void row_text(struct buf *out, const struct verdict *v, unsigned cells)
{
	struct buf b, line;
	buf_init(&b, 65536);
	buf_init(&line, 65536);
	check_escape(&b, v->name, text_char);
	buf_adds(&b, " ");
	check_escape_reason(&b, v, text_char);
	check_clip(&line, buf_span(&b), cells);
	buf_addspan(out, buf_span(&line));
	buf_clear(&b);
	buf_clear(&line);
}

/* Characters are counted, not cells: an accent of its own is one more. */
static size_t characters(struct span s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
	return n;
}

/* Returns whether the first of the data stands on the line. */
static bool first_line(struct buf *out, const struct check_view *v, struct span first)
{
	struct buf line, worst;
	buf_init(&line, 400);
	buf_init(&worst, 65536);
	buf_addf(&line, "SLUICE %s: ", state(v->exit));
	counts(v, &line);
	size_t need = first.n ? characters(first) + 3 : 0;
	bool fits = need && line.n + need <= FIRST;
	size_t room = FIRST - line.n - (fits ? need : 0);
	const struct verdict *w = check_row(v, 0);
	for (size_t cells = room > 12 ? room - 2 : 0; cells; cells--) { /* "; " */
		buf_reset(&worst);
		row_text(&worst, w, (unsigned)cells);
		if (characters(buf_span(&worst)) + 2 <= room)
			break;
	}
	if (worst.n && check_is_trouble(w) && room > 12)
		buf_addf(&line, "; %s", worst.p);
	buf_addspan(out, buf_span(&line));
	if (fits) {
		buf_adds(out, " | ");
		buf_addspan(out, first);
	}
	buf_addc(out, '\n');
	buf_clear(&line);
	buf_clear(&worst);
	return fits;
}

/* The data of each row, a line each; the first of them apart. */
static unsigned all_data(const struct check_view *v, struct buf *first, struct buf *rest)
{
	unsigned left_out = 0;
	struct buf one;
	buf_init(&one, 65536);
	for (unsigned i = 0; i < check_rows(v); i++) {
		struct buf *to = first->n ? rest : first;
		buf_reset(&one);
		if (!data(check_row(v, i), &one))
			continue;
		if (first->n + rest->n + one.n > MOST_DATA)
			left_out++;
		else
			buf_addf(to, "%s%s", to->n ? "\n" : "", one.p);
	}
	buf_clear(&one);
	return left_out;
}

static void long_text(struct buf *out, const struct check_view *v, size_t most)
{
	unsigned left_out = 0;
	for (unsigned i = 0; i < check_rows(v); i++) {
		const struct verdict *one = check_row(v, i);
		struct buf line;
		if (!v->verbose && !check_is_trouble(one))
			continue;
		buf_init(&line, 65536);
		buf_addf(&line, "%s: ", verdict_name(one->status));
		row_text(&line, one, v->verbose > 1 ? 60000 : REASON_CELLS);
		if (v->verbose > 1) {
			struct buf details;
			buf_init(&details, 65536);
			verdict_details(one, &details);
			buf_adds(&line, "; ");
			check_escape_visible(&line, buf_span(&details), text_char);
			buf_clear(&details);
		}
		buf_addc(&line, '\n');
		if (left_out || out->n + line.n > most)
			left_out++;
		else
			buf_addspan(out, buf_span(&line));
		buf_clear(&line);
	}
	if (left_out)
		buf_addf(out, "and %u more\n", left_out);
}

void check_nagios(struct out *o, const struct check_view *v)
{
	struct buf out, first, rest;
	buf_init(&out, 4 * MOST);
	buf_init(&first, MOST);
	buf_init(&rest, MOST);
	unsigned left_out = all_data(v, &first, &rest);
	bool fits = first_line(&out, v, buf_span(&first));
	long_text(&out, v, MOST - 400 - first.n - rest.n);
	buf_adds(&out, v->result->defaults ? CHECK_DEFAULTS "\n" : "");
	if (left_out)
		buf_addf(&out, "performance data of %u more checks did not fit into 8 KiB\n", left_out);
	check_cost(v->result, &out);
	const char *bar = " | ";
	if (first.n && !fits) {
		buf_addf(&out, "%s%s", bar, first.p);
		bar = "\n";
	}
	if (rest.n)
		buf_addf(&out, "%s%s", bar, rest.p);
	buf_addc(&out, '\n');
	out_own(o, out.p);
	buf_clear(&out);
	buf_clear(&first);
	buf_clear(&rest);
}

void check_nagios_fail(const struct err *e)
{
	char why[1024];
	struct buf text, line;
	buf_init(&text, 65536);
	buf_init(&line, 65536);
	err_line(e, why, sizeof why);
	buf_adds(&text, "SLUICE UNKNOWN: ");
	check_escape_visible(&text, span_of(strncmp(why, "sluice: ", 8) == 0 ? why + 8 : why), text_char);
	check_clip(&line, buf_span(&text), FIRST);
	buf_addc(&line, '\n');
	ssize_t written = write(STDOUT_FILENO, line.p, line.n);
	(void)written; /* there is nobody left to tell */
	buf_clear(&text);
	buf_clear(&line);
}
