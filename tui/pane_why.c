/* WHY: the facts about one row that stand near its trouble, each with where it comes from. Nothing here says "because": what was
 * before is told as before, and the reader concludes. */
#include "core/clock.h"
#include "core/model/relation.h"
#include "core/text.h"
#include "tui/frame.h"
#include "tui/pane.h"

#include <stdio.h>
#include <string.h>

#define LINES_MOST 12
#define BEFORE (24 * 3600) /* seconds: older events are the events screen's */
#define EVENTS_MOST 4

struct why {
	char line[LINES_MOST][512];
	enum style style[LINES_MOST];
	unsigned n;
};

static char *next_line(struct why *w, enum style style)
{
	if (w->n == LINES_MOST)
		return NULL;
	w->style[w->n] = style;
	return w->line[w->n++];
}

#define SIZE sizeof((struct why *)0)->line[0]

static void add_loss(const struct view *v, const struct row *r, struct why *w)
{
	char in[LOSS_IN], drains[WHEN_SIZE];
	if (loss_at_risk(&r->loss)) {
		char *out = next_line(w, style_of(r->health));
		struct buf when;
		buf_init(&when, 200);
		loss_in(&r->loss, v->now, in);
		loss_when(&r->loss, v->now, &when);
		if (out)
			snprintf(out, SIZE, "data loss in %s: %.120s%s%.160s", in, when.p ? when.p : "", r->loss.basis ? "; " : "",
			         r->loss.basis ? r->loss.basis : "");
		buf_clear(&when);
	} else if (r->loss.state == LOSS_SAFE && r->loss.drains_at > 0) {
		char *out = next_line(w, STYLE_NORMAL);
		when_text(v->time_style, r->loss.drains_at, v->now, drains);
		if (out)
			snprintf(out, SIZE, "it drains: empty %s at this pace; no loss while it does", drains);
	}
}

static bool is_off(const struct row_link *l)
{
	return l->state && strcmp(l->state, "Enabled") != 0;
}

static void add_mapping(const struct view *v, const struct row_link *l, struct why *w)
{
	const struct row *from = &v->snap->rows[l->from], *to = &v->snap->rows[l->to];
	char retries[64] = "", age[64] = "", d[TEXT_NUM];
	char *out =
	    strcmp(l->kind, "mapping") == 0 && l->state ? next_line(w, is_off(l) ? STYLE_WARN : STYLE_NORMAL) : NULL;
	if (!out)
		return;
	if (l->retries == -1)
		snprintf(retries, sizeof retries, ", retries for ever");
	else if (l->retries != UNSAID)
		snprintf(retries, sizeof retries, ", %lld retries", (long long)l->retries);
	if (l->record_age_s > 0) {
		text_duration(l->record_age_s, d);
		snprintf(age, sizeof age, ", records up to %s old", d);
	}
	const char *colon = l->on_failure ? strrchr(l->on_failure, ':') : NULL;
	snprintf(out, SIZE, "mapping %.60s -> %.60s is %.20s%s%.60s%s%s, failures to %.60s", from->name, to->name, l->state,
	         l->reason ? ": " : "", l->reason ? l->reason : "", retries, age, colon ? colon + 1 : "nowhere");
}

static void add_links(const struct view *v, const struct row *r, bool off, struct why *w)
{
	uint32_t at = (uint32_t)(r - v->snap->rows);
	for (unsigned i = 0; i < v->snap->nlinks; i++)
		if ((v->snap->links[i].from == at || v->snap->links[i].to == at) && is_off(&v->snap->links[i]) == off)
			add_mapping(v, &v->snap->links[i], w);
}

static void add_alarms(const struct view *v, const struct row *r, struct why *w)
{
	for (unsigned i = 0; i < v->snap->nalarms; i++) {
		const struct alarm *a = &v->snap->alarms[i];
		char since[WHEN_SIZE];
		if (a->row != r->id || a->state == ALARM_STATE_OK)
			continue;
		char *out = next_line(w, a->state == ALARM_STATE_ALARM ? STYLE_ALARM : STYLE_UNKNOWN);
		when_text(v->time_style, a->since, v->now, since);
		if (out)
			snprintf(out, SIZE, "alarm %.80s %s%s%s: %.120s", a->name, alarm_state_name(a->state),
			         a->since ? " since " : "", a->since ? since : "", a->reason ? a->reason : "");
	}
}

/* What it is fed by and feeds counts too: a release of the consumer stands beside the stream that it holds up. */
static bool concerns(const struct view *v, const struct row *r, const struct event *e)
{
	uint32_t at = (uint32_t)(r - v->snap->rows);
	if (strcmp(e->subject, r->resource) == 0)
		return true;
	for (unsigned i = 0; i < v->snap->nlinks; i++) {
		const struct row_link *l = &v->snap->links[i];
		uint32_t other = l->from == at ? l->to : l->to == at ? l->from : UINT32_MAX;
		if (other != UINT32_MAX && strcmp(e->subject, v->snap->rows[other].resource) == 0)
			return true;
	}
	return false;
}

static void add_events(const struct view *v, const struct row *r, struct why *w)
{
	unsigned n = 0;
	for (unsigned i = 0; i < v->snap->nevents && n < EVENTS_MOST; i++) {
		const struct event *e = &v->snap->events[i];
		char when[WHEN_SIZE];
		if (v->now - e->at_most > BEFORE)
			break;
		if (!e->subject || !e->text || e->kind == EVENT_ALARM || !concerns(v, r, e))
			continue;
		char *out = next_line(w, STYLE_NORMAL);
		when_between(v->time_style, e->at, e->at_most, v->now, when);
		if (out)
			snprintf(out, SIZE, "before: %s  %.60s  %.100s%s%.40s  (%s)", when, e->subject, e->text,
			         e->by ? " by " : "", e->by ? who_word(e->by) : "", e->source ? e->source : "?");
		n++;
	}
}

static void gather(const struct view *v, const struct row *r, struct why *w)
{
	w->n = 0;
	add_loss(v, r, w);
	add_alarms(v, r, w);
	add_links(v, r, true, w);
	add_events(v, r, w);
	add_links(v, r, false, w); /* as it should be: the last where there is little room */
}

static struct why facts; /* large, and drawing is one thread's */

int why_want(const struct view *v, const struct row *r)
{
	gather(v, r, &facts);
	return facts.n ? (int)facts.n + 1 : 0;
}

void why_pane(struct view *v, struct area a, const struct row *r)
{
	gather(v, r, &facts);
	char note[64] = "facts, no verdict";
	int hidden = (int)facts.n - (a.h - 1);
	if (hidden > 0)
		snprintf(note, sizeof note, "facts, no verdict; %d more", hidden);
	pane_title(v, &a, "WHY", note);
	for (int i = 0; i < a.h - 1 && i < (int)facts.n; i++)
		draw_sentence(&v->canvas, a.y + 1 + i, a.x + 1, a.w - 1, facts.style[i], facts.line[i]);
}
