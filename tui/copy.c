/* y and Y: what is on the screen as Markdown, for a chat or a ticket, or the command that shows the same. Every text in it has
 * passed the filter, so that what is pasted holds no more than what was seen. */
#include "core/clock.h"
#include "core/text.h"
#include "tui/action.h"
#include "tui/alarms.h"
#include "tui/fields.h"
#include "tui/frame.h"
#include "tui/pane.h"

#include <stdio.h>
#include <string.h>

#define ROWS_MOST 500
#define TEXT_MOST (256 * 1024)

/* ---- pieces of Markdown */

/* No text of AWS's may be read as markup. */
static void add_text(struct buf *b, const char *s)
{
	struct buf seen;
	buf_init(&seen, 8192);
	text_visible(&seen, span_of(s));
	for (size_t i = 0; i < seen.n; i++)
		if (strchr("|`<*[\\", seen.p[i]))
			buf_addf(b, "\\%c", seen.p[i]);
		else
			buf_addc(b, seen.p[i]);
	buf_clear(&seen);
}

static void add_cell(struct buf *b, const char *s)
{
	buf_adds(b, "| ");
	add_text(b, s && s[0] ? s : "-");
	buf_addc(b, ' ');
}

static void add_head(struct view *v, struct buf *b, const char *what)
{
	char now[CLOCK_RFC3339_SIZE], data[16];
	const struct target *t = &v->snap->target;
	clock_rfc3339(v->now, now);
	buf_adds(b, "**");
	add_text(b, what);
	buf_adds(b, "**, ");
	add_text(b, v->options->target_name ? v->options->target_name : t->profile);
	buf_addf(b, " %s %s, %s", t->account, t->region, now);
	if (v->snap->data_to) {
		clock_hm(v->snap->data_to, data);
		buf_addf(b, ", data to %s", data);
	}
	if (v->snap->phase == PHASE_CACHED)
		buf_adds(b, ", from the history alone");
	buf_adds(b, "\n\n");
}

static void add_row(const struct view *v, struct buf *b, const struct row *r)
{
	static const enum role roles[] = { ROLE_IN, ROLE_OUT, ROLE_ERROR, ROLE_BACKLOG, ROLE_AGE };
	char text[FIELD_SIZE], loss[LOSS_IN], note[256];
	bool old = v->snap->phase == PHASE_CACHED;
	add_cell(b, r->name);
	field_kind(r, text);
	add_cell(b, text);
	add_cell(b, health_name(r->health));
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
		field_text(r, roles[i], old, FIELD_SIZE - 1, text);
		add_cell(b, text);
	}
	loss_in(&r->loss, v->now, loss);
	add_cell(b, loss);
	field_note(r, note, sizeof note);
	add_cell(b, note);
	buf_adds(b, "|\n");
}

static void add_problems(struct view *v, struct buf *b)
{
	struct buf lines;
	buf_init(&lines, TEXT_MOST);
	frame_problem_lines(v, &lines);
	for (size_t at = 0, n; at < lines.n; at += n + 1) {
		char line[700];
		const char *end = memchr(lines.p + at, '\n', lines.n - at);
		n = end ? (size_t)(end - lines.p) - at : lines.n - at;
		snprintf(line, sizeof line, "%.*s", (int)(n < 690 ? n : 690), lines.p + at);
		buf_adds(b, "- ");
		add_text(b, line);
		buf_addc(b, '\n');
	}
	if (lines.n)
		buf_addc(b, '\n');
	buf_clear(&lines);
}

static void add_stages(struct view *v, struct buf *b)
{
	const struct overview *o = &v->overview;
	unsigned n = 0;
	buf_adds(b, "| stage | kind | state | in/s | out/s | err % | backlog | oldest | loss in | note |\n"
	            "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n");
	for (unsigned i = 0; i < o->nlines && n < ROWS_MOST; i++) {
		const struct row *r = o->line[i] & HEADING ? NULL : &v->snap->rows[o->line[i]];
		if (!r || (o->nmarks && !overview_marked(v, r->id)))
			continue;
		add_row(v, b, r);
		n++;
	}
	if (n == ROWS_MOST)
		buf_addf(b, "\nThe first %d only.\n", ROWS_MOST);
}

static void add_alarms(struct view *v, struct buf *b)
{
	buf_adds(b, "| alarm | state | since | watches | reason |\n| --- | --- | --- | --- | --- |\n");
	for (unsigned i = 0; i < v->snap->nalarms && i < ROWS_MOST; i++) {
		const struct alarm *a = &v->snap->alarms[i];
		char since[CLOCK_RFC3339_SIZE] = "-";
		if (a->since > 0)
			clock_rfc3339(a->since, since);
		add_cell(b, a->name);
		add_cell(b, alarm_state_name(a->state));
		add_cell(b, since);
		add_cell(b, a->metric);
		add_cell(b, a->reason);
		buf_adds(b, "|\n");
	}
}

static void add_changes(struct view *v, struct buf *b)
{
	buf_adds(b, "| when | what | of | change | by | says |\n| --- | --- | --- | --- | --- | --- |\n");
	for (unsigned i = v->snap->nevents; i-- > 0;) {
		const struct event *e = &v->snap->events[i];
		char at[CLOCK_RFC3339_SIZE], most[CLOCK_RFC3339_SIZE], when[2 * CLOCK_RFC3339_SIZE + 8];
		if (i >= ROWS_MOST)
			continue;
		clock_rfc3339(e->at, at);
		clock_rfc3339(e->at_most, most);
		snprintf(when, sizeof when, "%s%s%s", at, e->at_most > e->at ? " to " : "", e->at_most > e->at ? most : "");
		add_cell(b, when);
		add_cell(b, e->service && e->service[0] ? e->service : event_kind_name(e->kind));
		add_cell(b, e->subject);
		add_cell(b, e->text);
		add_cell(b, e->by);
		add_cell(b, e->source);
		buf_adds(b, "|\n");
	}
}

static void add_detail(struct view *v, struct buf *b, const struct row *r)
{
	buf_addf(b, "%s, ", r->kind->title);
	buf_adds(b, health_name(r->health));
	if (r->reason && r->reason[0]) {
		buf_adds(b, ": ");
		add_text(b, r->reason);
	}
	buf_adds(b, "\n\n");
	if (loss_at_risk(&r->loss)) {
		struct buf line;
		buf_init(&line, 2000);
		loss_line(&r->loss, r->name, v->now, 400, &line);
		buf_adds(b, "- ");
		add_text(b, line.p ? line.p : "");
		buf_adds(b, "\n\n");
		buf_clear(&line);
	}
	buf_adds(b, "| metric | value | at |\n| --- | ---: | --- |\n");
	for (unsigned i = 0; i < r->nreadings; i++) {
		char text[FIELD_SIZE], at[CLOCK_RFC3339_SIZE] = "-";
		reading_text(r, &r->readings[i], v->snap->phase == PHASE_CACHED, text);
		if (r->readings[i].at > 0)
			clock_rfc3339(r->readings[i].at, at);
		add_cell(b, r->readings[i].info->title);
		add_cell(b, text);
		add_cell(b, at);
		buf_adds(b, "|\n");
	}
	buf_addc(b, '\n');
	for (unsigned i = 0; i < r->nfacts; i++) {
		buf_addf(b, "- %s: ", r->facts[i].key);
		add_text(b, r->facts[i].value);
		buf_addc(b, '\n');
	}
}

static struct buf *fresh(struct view *v)
{
	buf_clear(&v->copied);
	buf_init(&v->copied, TEXT_MOST);
	return &v->copied;
}

void act_copy(struct view *v)
{
	struct buf *b = fresh(v);
	const struct row *r = view_screen(v) == SCREEN_DETAIL ? view_row(v, v->detail.row) : NULL;
	if (!v->snap) {
		view_note(v, "nothing to copy yet");
		return;
	}
	add_head(v, b, r ? r->name : "sluice");
	if (r) {
		add_detail(v, b, r);
	} else {
		add_problems(v, b);
		if (v->overview.focus == PANE_ALARMS)
			add_alarms(v, b);
		else if (v->overview.focus == PANE_CHANGES)
			add_changes(v, b);
		else
			add_stages(v, b);
	}
	v->copy = true;
}

/* ---- Y */

/* Within single quotes a shell changes nothing. False: a name that cannot be typed as it is. */
static bool add_word(struct buf *b, const char *s)
{
	char seen[1024];
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@%+,";
	if (strcmp(text_visible_to(seen, sizeof seen, s), s) != 0)
		return false;
	buf_addc(b, ' ');
	if (s[0] && strspn(s, plain) == strlen(s)) {
		buf_adds(b, s);
		return true;
	}
	buf_addc(b, '\'');
	for (; *s; s++)
		buf_adds(b, *s == '\'' ? "'\\''" : (char[]){ *s, '\0' });
	buf_addc(b, '\'');
	return true;
}

static bool add_option(struct buf *b, const char *option, const char *value)
{
	if (!value || !value[0])
		return true;
	buf_addf(b, " %s", option);
	return add_word(b, value);
}

static bool add_where(const struct view *v, struct buf *b)
{
	const struct target *t = &v->snap->target;
	if (v->options->demo) {
		char demo[200];
		snprintf(demo, sizeof demo, "--demo=%.150s", v->options->demo);
		return add_word(b, demo);
	}
	return add_option(b, "--profile", t->profile) && add_option(b, "--region", t->region) &&
	       add_option(b, "--endpoint-url", strchr(t->endpoint, '=') ? NULL : t->endpoint);
}

static bool add_command(struct view *v, struct buf *b)
{
	const struct row *r = view_screen(v) == SCREEN_DETAIL ? view_row(v, v->detail.row) : NULL, *one = overview_only(v);
	char name[600];
	if (r && v->detail.metrics.line < r->nreadings) {
		snprintf(name, sizeof name, "%s:%.500s", r->kind->id, r->resource);
		buf_adds(b, "sluice history");
		return add_word(b, name) && add_word(b, r->readings[v->detail.metrics.line].info->key) &&
		       add_option(b, "--since", view_ranges[v->detail.range].name) && add_where(v, b);
	}
	buf_adds(b, "sluice status");
	if (one && one->pipeline < v->snap->npipelines && v->snap->pipelines[one->pipeline].name &&
	    !add_word(b, v->snap->pipelines[one->pipeline].name))
		return false;
	return add_where(v, b);
}

void act_copy_command(struct view *v)
{
	struct buf *b = fresh(v);
	if (!v->snap) {
		view_note(v, "nothing to copy yet");
		return;
	}
	if (add_command(v, b))
		v->copy = true;
	else
		view_note(v, "a name here cannot be typed in a shell as it is");
}
