/* Row 3: the nearest deadline, then what is wrong, in words, worst first. A call to AWS that failed stands before the rows that
 * are unknown because of it. */
#include "core/text.h"
#include "tui/frame.h"

#include <stdio.h>
#include <string.h>

#define MOST PROBLEM_LINES
#define NARROW 60 /* columns: below, the name and the time are what there is room for */

struct problem {
	enum health health;
	const char *who; /* NULL: why says it */
	char why[512];
};
struct problems {
	struct problem p[MOST];
	unsigned most, n, total; /* n of total are kept */
	uint32_t said[MOST];     /* rows whose deadline stands here */
	unsigned nsaid;
};

static void add(struct problems *l, enum health h, const char *who, const char *why)
{
	if (l->total++ >= l->most)
		return;
	struct problem *p = &l->p[l->n++];
	p->health = h;
	p->who = who;
	snprintf(p->why, sizeof p->why, "%s", why);
}

static bool said(const struct problems *l, uint32_t row)
{
	for (unsigned i = 0; i < l->nsaid; i++)
		if (l->said[i] == row)
			return true;
	return false;
}

static void keep_nearest(struct view *v, uint32_t row)
{
	const struct snapshot *s = v->snap;
	uint32_t *rows = v->worst.soonest;
	unsigned at = v->worst.nsoonest;
	while (at > 0 && loss_order(&s->rows[row].loss, &s->rows[rows[at - 1]].loss) < 0)
		at--;
	if (at >= MOST)
		return;
	v->worst.nsoonest += v->worst.nsoonest < MOST;
	memmove(&rows[at + 1], &rows[at], (v->worst.nsoonest - 1 - at) * sizeof *rows);
	rows[at] = row;
}

/* Of what cannot be read at all no deadline is known or unknown: that it cannot be read is what there is to say. */
static bool deadline_says(const struct row *r)
{
	return loss_at_risk(&r->loss) && !(r->loss.state == LOSS_UNKNOWN && r->health == HEALTH_UNKNOWN);
}

/* The nearest deadlines, at most half of the lines there are: the other half says what is wrong besides. */
static void add_deadlines(const struct view *v, struct problems *l)
{
	const struct snapshot *s = v->snap;
	unsigned half = (l->most + 1) / 2;
	l->nsaid = v->worst.nsoonest < half ? v->worst.nsoonest : half;
	memcpy(l->said, v->worst.soonest, l->nsaid * sizeof *l->said);
	for (unsigned i = 0; i < l->nsaid; i++) {
		const struct row *r = &s->rows[l->said[i]];
		enum health h = r->health > HEALTH_WARN ? r->health : HEALTH_WARN;
		struct buf why;
		if (v->canvas.cols < NARROW) {
			char brief[48], in[LOSS_IN];
			loss_in(&r->loss, v->now, in);
			snprintf(brief, sizeof brief, "LOSS %s", in);
			add(l, h, r->name, brief);
			continue;
		}
		buf_init(&why, sizeof l->p->why - 1);
		loss_line(&r->loss, r->name, v->now, (unsigned)v->canvas.cols - 3, &why);
		buf_addc(&why, '\0');
		add(l, h, NULL, why.p ? why.p : "");
		buf_clear(&why);
	}
}

static void add_rows(const struct view *v, struct problems *l, enum health h)
{
	const struct row *rows = v->snap->rows;
	unsigned others = v->worst.n[h] - v->worst.kept[h]; /* more than there are lines for */
	for (unsigned i = 0; i < v->worst.kept[h]; i++) {
		const struct row *r = &rows[v->worst.row[h][i]];
		if (!said(l, v->worst.row[h][i]))
			add(l, h, r->name, r->reason && r->reason[0] ? r->reason : health_name(h));
	}
	for (unsigned i = 0; i < l->nsaid && others; i++)
		others -= rows[l->said[i]].health == h && l->said[i] > v->worst.row[h][v->worst.kept[h] - 1];
	l->total += others;
}

void problems_sync(struct view *v)
{
	const struct snapshot *s = v->snap;
	memset(&v->worst, 0, sizeof v->worst);
	for (uint32_t i = 0; i < s->nrows; i++) {
		enum health h = s->rows[i].health;
		if (v->worst.n[h]++ < PROBLEM_ROWS)
			v->worst.row[h][v->worst.kept[h]++] = i;
		if (deadline_says(&s->rows[i]))
			keep_nearest(v, i);
	}
}

/* An alarm whose resource is no stage of ours, or whose stage says something worse, still counts. */
static bool told(const struct snapshot *s, const struct alarm *a)
{
	for (unsigned i = 0; i < s->nrows; i++)
		if (s->rows[i].reason && strncmp(s->rows[i].reason, "alarm ", 6) == 0 &&
		    strcmp(s->rows[i].reason + 6, a->name) == 0)
			return true;
	return false;
}

static void add_alarms(const struct snapshot *s, struct problems *l)
{
	for (unsigned i = 0; i < s->nalarms; i++)
		if (s->alarms[i].state == ALARM_STATE_ALARM && !told(s, &s->alarms[i]))
			add(l, HEALTH_ALARM, s->alarms[i].name, s->alarms[i].reason ? s->alarms[i].reason : "in ALARM");
}

/* One dead endpoint, or keys that are none, fail every operation alike: that is said once. */
static bool said_before(const struct snapshot *s, unsigned nth)
{
	enum err_code code = s->apis[nth].last.code;
	for (unsigned i = 0; i < nth; i++)
		if (s->apis[i].last.code == code && !s->apis[i].aside && err_shared(code))
			return true;
	return false;
}

static void add_calls(const struct snapshot *s, struct problems *l)
{
	for (unsigned i = 0; i < s->napis; i++) {
		const struct err *e = &s->apis[i].last;
		char why[512];
		if (e->code == ERR_OK || s->apis[i].aside || said_before(s, i))
			continue;
		/* What every call fails from is no one operation's, and 80 columns are few: what to do comes first. */
		bool code = i == 0 && s->credential.state == CREDENTIAL_WANTS_CODE;
		bool everywhere = !code && err_shared(e->code) && !e->action[0] && !strstr(e->text, "; run: ");
		if (code)
			snprintf(why, sizeof why, "press A, type the code of %.240s", s->credential.mfa_serial);
		else if (e->action[0]) /* what to do first: the service's words are long */
			snprintf(why, sizeof why, "%s, allow %s: %.240s", err_name(e->code), e->action, e->text);
		else if (strstr(e->text, "; run: ")) /* it says what to do, and must be readable to its end in 80 columns */
			snprintf(why, sizeof why, "%.240s", e->text);
		else if (everywhere)
			snprintf(why, sizeof why, "%s: %s; %.240s", err_name(e->code), err_hint(e->code), e->text);
		else
			snprintf(why, sizeof why, "%s: %.240s; %s", err_name(e->code), e->text, err_hint(e->code));
		add(l, HEALTH_UNKNOWN, everywhere ? NULL : s->apis[i].op, why);
	}
}

static void say_none(struct view *v, int y)
{
	struct canvas *c = &v->canvas;
	const struct snapshot *s = v->snap;
	if (!s || s->phase == PHASE_STARTING)
		draw_str(c, y, 0, c->cols, STYLE_FAINT, "   asking AWS...");
	else if (s->nrows == 0)
		draw_str(c, y, 0, c->cols, STYLE_NORMAL,
		         s->settled ? "   no stages: nothing sluice knows was found in this account and region"
		                    : "   looking for stages...");
	else
		draw_fmt(c, y, 0, c->cols, STYLE_NORMAL, "   no problem among %u stages and %u alarms", s->nrows, s->nalarms);
}

static int widest(const struct problems *l, int most)
{
	int cells = 0;
	for (unsigned i = 0; i < l->n; i++) {
		int w = l->p[i].who ? (int)text_width(span_of(l->p[i].who)) : 0;
		cells = w > cells ? w : cells;
	}
	return cells < most ? cells : most;
}

static void draw(struct view *v, int y, const struct problems *l)
{
	struct canvas *c = &v->canvas;
	char more[32] = "";
	int who = widest(l, c->cols >= 120 ? 32 : c->cols >= 60 ? 26 : 14), at = 3 + who + 2, cells = 0;
	if (l->total > l->n)
		cells = snprintf(more, sizeof more, "  +%u more", l->total - l->n);
	for (unsigned i = 0; i < l->n; i++) {
		const struct problem *p = &l->p[i];
		int row = y + (int)i, from = p->who ? at : 3, room = c->cols - from - (i + 1 == l->n ? cells : 0);
		draw_str(c, row, 0, 2, style_of(p->health), health_mark(p->health));
		if (p->who)
			draw_name(c, row, 3, who, style_of(p->health), p->who);
		draw_sentence(c, row, from, room, p->who ? STYLE_NORMAL : style_of(p->health), p->why);
	}
	draw_str(c, y + (int)l->n - 1, c->cols - cells, cells, STYLE_FAINT, more);
}

static void gather(const struct view *v, unsigned most, struct problems *l)
{
	const struct snapshot *s = v->snap;
	*l = (struct problems){ .most = most < MOST ? most : MOST };
	if (!s)
		return;
	add_deadlines(v, l);
	add_rows(v, l, HEALTH_ALARM);
	if (s->alarms_current)
		add_alarms(s, l);
	add_rows(v, l, HEALTH_WARN);
	add_calls(s, l);
	add_rows(v, l, HEALTH_UNKNOWN);
	add_rows(v, l, HEALTH_STALE);
}

int frame_problems(struct view *v, int y, int most)
{
	struct problems l;
	gather(v, (unsigned)most, &l);
	if (l.n == 0) {
		say_none(v, y);
		return 1;
	}
	draw(v, y, &l);
	return (int)l.n;
}

void frame_problem_lines(const struct view *v, struct buf *out)
{
	struct problems l;
	gather(v, MOST, &l);
	for (unsigned i = 0; i < l.n; i++) {
		const struct problem *p = &l.p[i];
		const char *mark = health_mark(p->health);
		buf_addf(out, "%.*s ", (int)strcspn(mark, " "), mark);
		if (p->who) {
			text_visible(out, span_of(p->who));
			buf_adds(out, "  ");
		}
		text_visible(out, span_of(p->why));
		buf_addc(out, '\n');
	}
	if (l.total > l.n)
		buf_addf(out, "and %u more\n", l.total - l.n);
}
