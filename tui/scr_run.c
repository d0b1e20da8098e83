/* One run, as its ledger has it: how far it is, what it waits for, and of every message that is not simply done what became of it. */
#include "core/clock.h"
#include "core/text.h"
#include "tui/frame.h"
#include "tui/lease.h"
#include "tui/pane.h"
#include "tui/replay.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define RATE_ROWS 8
#define TALL (RATE_ROWS + 3 + 8) /* and some lines for what is left */
#define MEASURE_S 10             /* the rate that is shown is that of the newest seconds */

static const char *arrow(const struct view *v)
{
	return v->level > 0 ? "\xE2\x86\x92" : "->";
}

static void line_at(struct view *v, int y, enum style style, const char *text)
{
	draw_sentence(&v->canvas, y, 0, v->canvas.cols, style, text);
}

/* Over as many rows as it takes, at most `most`; how many these were. */
static int lines_at(struct view *v, int y, int most, enum style style, const char *text)
{
	int rows = 0, width = v->canvas.cols;
	while (*text && rows < most) {
		int n = (int)strlen(text);
		if (n > width && rows + 1 < most)
			for (n = width; n > width / 2 && text[n] != ' ';)
				n--;
		char line[400];
		snprintf(line, sizeof line, "%.*s", n, text);
		line_at(v, y + rows++, style, line);
		text += n;
		text += strspn(text, " ");
	}
	return rows;
}

/* ---- numbers */

struct numbers {
	unsigned done, failed, unknown, flying, waiting, results;
	unsigned recent;   /* sent within the newest MEASURE_S seconds */
	unsigned rejected; /* answers that were a failure, also of what is tried again */
	unsigned blocked;  /* behind a failed one of their group */
};

static void count(const struct view *v, const struct replay_result *r, struct numbers *n)
{
	const struct replay_counts *c = &r->counts;
	*n = (struct numbers){ .done = c->verified + c->by_state[ITEM_REMOVED],
		                   .failed = c->poison + c->bounced,
		                   .unknown = c->unknown,
		                   .flying = c->by_state[ITEM_INTENT] + c->by_state[ITEM_ACCEPTED],
		                   .waiting = c->by_state[ITEM_SELECTED] + c->by_state[ITEM_LEASED] +
		                              c->by_state[ITEM_LEASE_LOST] + c->by_state[ITEM_REJECTED] +
		                              c->by_state[ITEM_REMOVE_LOST] };
	for (unsigned i = 0; i < r->nitems; i++) {
		const struct replay_item *it = &r->items[i];
		n->recent += it->intent_ms > (v->now - MEASURE_S) * 1000 && it->intent_ms <= v->now * 1000 + 999;
		n->rejected += it->rejections;
		n->blocked += it->state == ITEM_HELD && it->code && strcmp(it->code, "BLOCKED") == 0;
	}
	n->rejected += c->bounced;
	n->results = n->done + n->rejected + c->by_state[ITEM_ACCEPTED];
}

/* ---- the parts */

static void draw_head(struct view *v, int y, const struct replay_result *r)
{
	const struct replay_run *run = &r->run;
	char line[900], at[16] = "-";
	if (run->started_ms)
		clock_hms(run->started_ms / 1000, at);
	snprintf(line, sizeof line, "%.200s  %s  %s %.200s   since %s   by %s@%s", run->source, arrow(v),
	         run->mode == REPLAY_INVOKE ? "function" : "queue", replay_dest_name(run->dest), at,
	         run->by ? run->by : "?", run->host ? run->host : "?");
	line_at(v, y, STYLE_STRONG, line);
	snprintf(line, sizeof line, "run %s   %.200s%s", run->id, run->where ? run->where : "everything that was there",
	         run->fifo ? "   FIFO" : "");
	line_at(v, y + 1, STYLE_NORMAL, line);
}

static const char *canary_word(const struct replay_result *r, const struct numbers *n)
{
	const struct replay_item *first = r->nitems ? &r->items[0] : NULL;
	if (!first || n->results == 0)
		return "waiting";
	return first->rejections && first->state != ITEM_VERIFIED ? "FAILED" : "ok";
}

static void draw_phases(struct view *v, int y, const struct replay_result *r, const struct numbers *n)
{
	const struct replay_counts *c = &r->counts;
	unsigned ended = c->selected - c->pending, percent = c->selected ? 100 * ended / c->selected : 0;
	bool frozen = r->run.manifest[0] != '\0';
	char line[300];
	snprintf(line, sizeof line, "PLAN %s %u    CANARY %s    %s %u%%    VERIFIED %u    REPORT %s",
	         frozen ? "frozen" : "freezing", c->selected, canary_word(r, n), run_state_name(r->run.state), percent,
	         c->verified, r->run.state == RUN_DONE ? "below" : "waiting");
	line_at(v, y, STYLE_STRONG, line);
}

static void draw_bar(struct view *v, int y, const struct replay_result *r, const struct numbers *n)
{
	struct canvas *c = &v->canvas;
	bool ascii = v->level == 0;
	unsigned all = r->counts.selected, ended = all - r->counts.pending;
	char text[64];
	int words = snprintf(text, sizeof text, " %u of %u", ended, all), wide = c->cols - words - 3;
	for (int i = 0; i < wide && all; i++) {
		unsigned at = (unsigned)((uint64_t)i * all / (unsigned)wide);
		bool ok = at < n->done, failed = !ok && at < ended;
		draw_str(c, y, 1 + i, 1, failed ? STYLE_WARN : STYLE_NORMAL,
		         ok       ? ascii ? "#" : "\xE2\x96\x88"
		         : failed ? "x"
		         : ascii  ? "."
		                  : "\xE2\x96\x91");
	}
	draw_str(c, y, 1 + (wide > 0 ? wide : 0), words, STYLE_NORMAL, text);
}

static void draw_counts(struct view *v, int y, const struct replay_result *r, const struct numbers *n)
{
	char line[300];
	snprintf(line, sizeof line, " ok %u   failed %u   UNKNOWN %u   gone %u   skipped %u   in flight %u   waiting %u",
	         n->done, n->failed, n->unknown, r->counts.gone, r->counts.skipped, n->flying, n->waiting);
	line_at(v, y, n->unknown ? STYLE_UNKNOWN : n->failed ? STYLE_WARN : STYLE_NORMAL, line);
}

static void draw_rate(struct view *v, int y, const struct replay_result *r, const struct numbers *n)
{
	char line[300], eta[TEXT_NUM] = "-";
	bool driven = replay_is_driven(v, r);
	if (driven && r->run.rate > 0)
		text_duration((int64_t)ceil(n->waiting / r->run.rate), eta);
	snprintf(line, sizeof line, " RATE at most %g a second   %.1f/s over %d s, measured here   left: %s", r->run.rate,
	         driven ? n->recent / (double)MEASURE_S : 0.0, MEASURE_S, eta);
	line_at(v, y, STYLE_NORMAL, line);
}

static void draw_breaker(struct view *v, int y, const struct replay_result *r, const struct numbers *n)
{
	char line[300];
	const char *reason = r->run.state == RUN_PAUSED && r->run.reason ? r->run.reason : "";
	bool open = strstr(reason, "results failed") != NULL;
	snprintf(line, sizeof line, " BREAKER %s   %u of %u results failed   opens when 95 %% sure of > %.0f %%",
	         open                     ? "OPEN"
	         : replay_is_driven(v, r) ? "armed"
	                                  : "-",
	         n->rejected, n->results, 100 * r->run.tolerance);
	line_at(v, y, open ? STYLE_WARN : STYLE_NORMAL, line);
}

#define STATE_LINES 4

static unsigned crash_lines(const struct replay_result *r, char out[STATE_LINES][400])
{
	unsigned flying = r->counts.by_state[ITEM_INTENT];
	snprintf(out[0], 400, "AFTER A CRASH: nobody drives this run; nothing of it is lost");
	if (flying)
		snprintf(
		    out[1], 400,
		    "%u in flight become UNKNOWN, you decide: x c goes on and holds them; then x u sends them again, and each "
		    "may be processed twice",
		    flying);
	else
		snprintf(out[1], 400, "nothing was in flight: x c goes on where it stands");
	return 2;
}

static unsigned rest_line(const struct replay_result *r, bool driven, char out[400])
{
	const struct replay_run *run = &r->run;
	const char *reason = run->reason ? run->reason : "some of it is left";
	switch (run->state) {
	case RUN_FREEZING:
		snprintf(out, 400, "%s",
		         driven ? "FREEZING: the selection is received; nothing has been sent"
		                : "FREEZING was broken off: nothing was sent; x c freezes anew");
		return 1;
	case RUN_FROZEN:
		snprintf(out, 400, "FROZEN: %u messages wait for their number to be typed; x c asks for it",
		         r->counts.selected);
		return 1;
	case RUN_PAUSED: snprintf(out, 400, "PAUSED, x c goes on: %.300s", reason); return 1;
	case RUN_REFUSED:
	case RUN_STOPPED: snprintf(out, 400, "%s: %.300s", run_state_name(run->state), reason); return 1;
	default: return 0;
	}
}

/* What the run waits for, and what the reader can do about it. */
static unsigned state_lines(const struct view *v, const struct replay_result *r, const struct numbers *n,
                            char out[STATE_LINES][400])
{
	const struct replay_run *run = &r->run;
	bool driven = replay_is_driven(v, r);
	unsigned rows = run->state == RUN_RUNNING && !driven ? crash_lines(r, out) : rest_line(r, driven, out[0]);
	if (n->unknown)
		snprintf(out[rows++], 400, "%u UNKNOWN (%s): no answer came. x u sends again, maybe a second time", n->unknown,
		         run->unknown == UNKNOWN_HOLD ? "held" : "to be sent again");
	if (run->fifo)
		snprintf(out[rows++], 400, "FIFO: one message of a group at a time; %u wait behind one that failed",
		         n->blocked);
	return rows;
}

static void draw_item(struct view *v, int y, const struct replay_item *it)
{
	struct canvas *c = &v->canvas;
	char line[900], age[TEXT_NUM] = "?", what[16];
	bool wide = c->cols >= 120;
	if (it->sent_ms)
		text_duration(v->now - it->sent_ms / 1000, age);
	snprintf(what, sizeof what, "%-11s", item_state_name(it->state));
	snprintf(line, sizeof line, "%6u  %s  %.*s  %5s  %s%s%s%.500s", it->seq, what, wide ? 36 : 8, it->msg_id, age,
	         it->resent ? "POSSIBLE DUPLICATE  " : "", it->code ? it->code : "", it->text ? ": " : "",
	         it->text ? it->text : "");
	draw_sentence(c, y, 0, c->cols, it->state == ITEM_UNKNOWN ? STYLE_UNKNOWN : STYLE_NORMAL, line);
}

static void draw_left(struct view *v, struct area a, const struct replay_result *r)
{
	struct canvas *c = &v->canvas;
	struct list *l = &v->replay.left;
	unsigned n = replay_left(r), page = a.h > 1 ? (unsigned)a.h - 1 : 0;
	char note[64];
	snprintf(note, sizeof note, "%u of %u", n, r->nitems);
	pane_title(v, &a, "NOT SIMPLY DONE  message by message, with its age", note);
	unsigned most = n > page ? n - page : 0;
	l->top = l->top > most ? most : l->top;
	l->page = page;
	for (unsigned i = 0; i < page && l->top + i < n; i++)
		draw_item(v, a.y + 1 + (int)i, replay_left_at(r, l->top + i));
	if (!n && page)
		draw_sentence(c, a.y + 1, 2, a.w - 2, STYLE_FAINT, "none");
}

/* A summary that accounts for every message. */
static void draw_account(struct view *v, struct area a, const struct replay_result *r)
{
	const struct replay_counts *k = &r->counts;
	char line[400];
	pane_title(v, &a, "ACCOUNT", r->run.manifest[0] ? "manifest checked against the ledger" : "not frozen yet");
	snprintf(line, sizeof line, "%u selected: %u verified, %u bounced, %u poison, %u unknown, %u gone, %u skipped",
	         k->selected, k->verified, k->bounced, k->poison, k->unknown, k->gone, k->skipped);
	line_at(v, a.y + 1, STYLE_STRONG, line);
	snprintf(line, sizeof line, "%u pending; %u unaccounted; %u possible duplicate%s", k->pending, k->unaccounted,
	         k->duplicates, k->duplicates == 1 ? "" : "s");
	line_at(v, a.y + 2, k->unaccounted ? STYLE_ALARM : STYLE_STRONG, line);
}

static void draw_waiting(struct view *v, int y)
{
	char line[96];
	snprintf(line, sizeof line, "run %s: reading the ledger...", v->replay.run);
	line_at(v, y, STYLE_NORMAL, line);
	line_at(v, y + 1, v->replay.said_style, v->replay.said);
}

static void draw_run(struct view *v, int y, int h)
{
	struct canvas *c = &v->canvas;
	const struct replay_result *r = replay_shown(v);
	struct numbers n;
	char state[STATE_LINES][400];
	if (!r) {
		draw_waiting(v, y);
		return;
	}
	count(v, r, &n);
	int at = y, end = y + h;
	draw_head(v, at, r);
	at += 2;
	draw_rule(c, at++, 0, c->cols, v->level > 0, NULL, NULL);
	draw_phases(v, at++, r, &n);
	draw_bar(v, at++, r, &n);
	draw_counts(v, at++, r, &n);
	draw_rate(v, at++, r, &n);
	draw_breaker(v, at++, r, &n);
	unsigned rows = state_lines(v, r, &n, state);
	for (unsigned i = 0; i < rows && at < end - 4; i++)
		at += lines_at(v, at, end - 4 - at < 2 ? end - 4 - at : 2, STYLE_WARN, state[i]);
	if (v->replay.question[0] && at < end - 3)
		line_at(v, at++, STYLE_STRONG, v->replay.question);
	int account = 3;
	if (end - at >=
	    account + TALL) { /* where there is room: how it went so far, and what that does to the other side */
		run_rate_pane(v, (struct area){ at, 0, RATE_ROWS, c->cols }, r);
		run_downstream_pane(v, (struct area){ at + RATE_ROWS, 0, 3, c->cols }, r);
		at += RATE_ROWS + 3;
	}
	if (end - at > account)
		draw_left(v, (struct area){ at, 0, end - at - account, c->cols }, r);
	draw_account(v, (struct area){ end - account, 0, account, c->cols }, r);
}

static uint64_t left_id(const void *ctx, unsigned line)
{
	(void)ctx;
	return line + 1u;
}

/* There is nothing to select: moving scrolls. */
static void move_run(struct view *v, enum move m)
{
	struct list *l = &v->replay.left;
	const struct replay_result *r = replay_shown(v);
	struct list_lines lines = { .n = r ? replay_left(r) : 0, .id = left_id };
	l->line = l->top;
	list_move(l, &lines, m);
	l->top = l->line;
}

static const char *title(const struct view *v)
{
	static char text[32];
	snprintf(text, sizeof text, "replay ..%s", v->replay.run[0] ? v->replay.run + RUN_ID - 5 : "");
	return text;
}

const struct screen screen_run = { .name = "run", .title = title, .draw = draw_run, .move = move_run };
