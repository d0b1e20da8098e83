#include "tui/frame.h"

#include "core/clock.h"
#include "core/text.h"
#include "tui/action.h"
#include "tui/glyph.h"
#include "tui/keys.h"
#include "tui/lease.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum style style_of(enum health h)
{
	switch (h) {
	case HEALTH_ALARM: return STYLE_ALARM;
	case HEALTH_WARN: return STYLE_WARN;
	case HEALTH_UNKNOWN: return STYLE_UNKNOWN;
	case HEALTH_STALE: return STYLE_STALE;
	default: return STYLE_NORMAL;
	}
}

/* ---- row 1: pieces in one or two lengths, added by rank while they fit */

enum piece_id {
	P_NAME,
	P_PAST,
	P_PROD,
	P_WHERE,
	P_ENDPOINT,
	P_KEYS,
	P_WHAT,
	P_UNIT,
	P_COUNTS,
	P_MODE,
	P_COST,
	P_DATA,
	P_CLOCK,
	P_COUNT
};
#define RIGHT_FROM P_UNIT

struct piece {
	char brief[192], full[192];
	uint8_t rank, full_rank; /* 0 = does not exist */
	const char *shown;
	int cells;
};

static void put_where(const struct view *v, struct piece *p)
{
	static const struct target none;
	const struct target *t = v->snap ? &v->snap->target : &none;
	const char *name = v->options->target_name ? v->options->target_name : t->profile;
	char where[64], shown[96];
	snprintf(where, sizeof where, "%s %s", t->account[0] ? t->account : "account ?",
	         t->region[0] ? t->region : "region ?");
	text_visible_to(shown, sizeof shown, name);
	snprintf(p->brief, sizeof p->brief, "%s", where);
	if (shown[0])
		snprintf(p->full, sizeof p->full, "%.95s %s", shown, where);
}

/* Keys and data would cross the network readable by anybody on the way; on this machine itself there is no way. */
static bool plain_http(const char *url)
{
	const char *host = strstr(url, "http://");
	host = host ? host + 7 : NULL;
	size_t literal = host && strncmp(host, "127.", 4) == 0 ? strspn(host, "0123456789.") : 0,
	       name = host && strncmp(host, "localhost", 9) == 0 ? 9 : literal;
	return host && strncmp(host, "[::1]", 5) != 0 && !(name && strchr(":/,", host[name]));
}

static void put_endpoint(const struct view *v, struct piece *p)
{
	char host[160];
	const char *url = v->snap ? v->snap->target.endpoint : "";
	if (v->options->demo) {
		snprintf(p->brief, sizeof p->brief, "DEMO");
		snprintf(p->full, sizeof p->full, "DEMO %.60s", v->options->demo);
	} else if (url[0]) {
		const char *mark = plain_http(url) ? "PLAIN HTTP" : "ENDPOINT",
		           *at = strchr(url, '=') ? NULL : strstr(url, "://");
		snprintf(p->brief, sizeof p->brief, "%s", mark);
		snprintf(p->full, sizeof p->full, "%s %s", mark, text_visible_to(host, sizeof host, at ? at + 3 : url));
	}
}

static void put_keys(const struct view *v, struct piece *p)
{
	char left[TEXT_NUM];
	const struct credential *k = v->snap ? &v->snap->credential : NULL;
	if (!k)
		return;
	if (k->state == CREDENTIAL_WANTS_CODE) {
		snprintf(p->brief, sizeof p->brief, "A: MFA CODE");
	} else if (k->state == CREDENTIAL_FAILED) {
		snprintf(p->brief, sizeof p->brief, "NO KEYS");
	} else if (k->state == CREDENTIAL_READY && k->expires && k->expires - v->now < CREDENTIAL_SOON) {
		text_duration(k->expires > v->now ? k->expires - v->now : 0, left);
		snprintf(p->brief, sizeof p->brief, "keys %s", left);
		snprintf(p->full, sizeof p->full, "keys expire in %s", left);
	}
}

/* "!!2 !1 ??1 ok14", or with room "!!2 ALARM  !1 WARN  ok 14  of 18 stages": each state in its style. */
struct bit {
	char text[40];
	enum style style;
};

/* What could not be asked is not among the stages, and must not look like fine. */
static unsigned failed_calls(const struct view *v)
{
	unsigned n = 0;
	for (unsigned i = 0; v->snap && i < v->snap->napis; i++)
		n += v->snap->apis[i].last.code != ERR_OK && !v->snap->apis[i].aside;
	return n;
}

#define BITS (HEALTH_COUNT + 2)

static void bit_set(struct bit *b, enum health h, unsigned count, bool full)
{
	static const char *const words[HEALTH_COUNT] = {
		[HEALTH_ALARM] = "ALARM", [HEALTH_WARN] = "WARN", [HEALTH_UNKNOWN] = "UNKNOWN",
		[HEALTH_STALE] = "STALE", [HEALTH_OK] = "ok",     [HEALTH_IDLE] = "idle",
	};
	const char *mark = health_mark(h);
	b->style = style_of(h);
	if (h == HEALTH_OK || h == HEALTH_IDLE)
		snprintf(b->text, sizeof b->text, full ? "%s %u" : "%s%u", words[h], count);
	else
		snprintf(b->text, sizeof b->text, full ? "%.*s%u %s" : "%.*s%u", (int)strcspn(mark, " "), mark, count,
		         words[h]);
}

static unsigned count_bits(const struct view *v, bool full, struct bit bits[BITS])
{
	unsigned n = 0, all = 0, calls = failed_calls(v);
	for (int h = HEALTH_COUNT - 1; v->snap && h >= 0; h--) {
		unsigned count = v->snap->count[h];
		all += count;
		if (h == HEALTH_UNKNOWN && !full)
			count += calls; /* short of room they share a mark */
		if (count)
			bit_set(&bits[n++], (enum health)h, count, full);
	}
	if (full && calls) {
		bits[n].style = STYLE_UNKNOWN;
		snprintf(bits[n++].text, sizeof bits->text, "%s%u call%s failed", health_mark(HEALTH_UNKNOWN), calls,
		         calls == 1 ? "" : "s");
	}
	if (full && all) {
		bits[n].style = STYLE_NORMAL;
		snprintf(bits[n++].text, sizeof bits->text, "of %u stages", all);
	}
	return n;
}

static void put_counts(const struct view *v, bool full, char *out, size_t size)
{
	struct bit bits[BITS];
	unsigned n = count_bits(v, full, bits);
	size_t at = 0;
	for (unsigned i = 0; i < n && at < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%s", i == 0 ? "" : full ? "  " : " ", bits[i].text);
}

static void draw_counts(struct view *v, bool full, int x)
{
	struct bit bits[BITS];
	unsigned n = count_bits(v, full, bits);
	for (unsigned i = 0; i < n; i++)
		x += draw_str(&v->canvas, 0, x, v->canvas.cols, bits[i].style, bits[i].text) + (full ? 2 : 1);
}

/* The instant that is shown, and how long ago that is. */
static void put_past(const struct view *v, struct piece *clock)
{
	char at[CLOCK_RFC3339_SIZE], ago[TEXT_NUM];
	int64_t now = clock_wall();
	clock_rfc3339(v->past, at);
	text_duration(now > v->past ? now - v->past : 0, ago);
	snprintf(clock->brief, sizeof clock->brief, "%.5s %.9s", at + 5, at + 11); /* 11-23 02:41:00Z */
	snprintf(clock->full, sizeof clock->full, "%s, %s ago; t: live", at, ago);
}

static const char *phase_word(const struct view *v)
{
	if (v->frozen)
		return "FROZEN";
	return !v->snap || v->snap->phase == PHASE_STARTING ? "asking AWS"
	       : v->snap->phase == PHASE_CACHED             ? "CACHED"
	                                                    : "LIVE";
}

/* How old the poll is, and how old what it brought: CloudWatch is minutes late. */
static void put_data(const struct view *v, struct piece *data)
{
	char hm[WHEN_SIZE], age[TEXT_NUM];
	const struct snapshot *s = v->snap;
	if (!s || s->data_to <= 0 || v->past)
		return;
	when_hm(v->time_style == TIMES_AGE ? TIMES_UTC : v->time_style, s->data_to, v->now, hm);
	text_duration(v->now > s->data_to ? v->now - s->data_to : 0, age);
	snprintf(data->brief, sizeof data->brief, "data %s", age);
	snprintf(data->full, sizeof data->full, "data to %s", hm);
}

static void put_clock(const struct view *v, struct piece *clock)
{
	char hms[WHEN_SIZE], age[TEXT_NUM];
	const struct snapshot *s = v->snap;
	if (v->past) {
		put_past(v, clock);
		return;
	}
	bool theirs = clock_correction(); /* this machine's is minutes off: what is shown is not what `date` says */
	snprintf(hms, sizeof hms, "%s", theirs ? "AWS " : "");
	clock_hms(v->now, hms + strlen(hms));
	if (v->time_style == TIMES_LOCAL)
		when_hm(TIMES_LOCAL, v->now, v->now, hms);
	bool polled = s && s->polled_at > 0;
	text_duration(polled && v->now > s->polled_at ? v->now - s->polled_at : 0, age);
	if (polled) {
		snprintf(clock->brief, sizeof clock->brief, "%s%s +%-3s", v->frozen ? "FROZEN " : "", hms,
		         age); /* as wide for 4s as for 59m: nothing moves when it grows */
		snprintf(clock->full, sizeof clock->full, "%s %s, polled %3s ago", phase_word(v), hms, age);
	} else {
		snprintf(clock->brief, sizeof clock->brief, "%s %s", hms, s && s->phase == PHASE_CACHED ? "cached" : "asking");
		snprintf(clock->full, sizeof clock->full, "%s  %s", phase_word(v), hms);
	}
}

/* What it costs to look, once there is something to say. */
static void put_cost(const struct view *v, struct piece *p)
{
	bool begun =
	    v->snap &&
	    !v->snap->first; /* at the first contact nothing is paid for, and what it would cost is the screen's to say */
	if (!begun || v->canvas.cols < 120 || !isfinite(v->snap->cost.usd_per_day))
		return;
	snprintf(p->brief, sizeof p->brief, "$%.2f/day", v->snap->cost.usd_per_day);
	int n = snprintf(p->full, sizeof p->full, "%s", p->brief);
	if (isfinite(v->snap->cost.today_usd))
		n += snprintf(p->full + n, sizeof p->full - (size_t)n, ", $%.2f today", v->snap->cost.today_usd);
	if (v->snap->cost.budget > 0)
		snprintf(p->full + n, sizeof p->full - (size_t)n, " of $%.2f", v->snap->cost.budget);
}

static void put_what(const struct view *v, struct piece *p)
{
	const struct screen *s = screen_get(view_screen(v));
	text_visible_to(p->brief, 64, s->title ? s->title(v) : s->name);
}

static void put_mode(const struct view *v, struct piece *p)
{
	char open[16];
	lease_words(v, open);
	snprintf(p->brief, sizeof p->brief, "%s", open[0] ? open : "RO");
	snprintf(p->full, sizeof p->full, "%s", open[0] ? "" : "READ-ONLY");
}

static void pieces_fill(const struct view *v, struct piece p[P_COUNT])
{
	static const uint8_t ranks[P_COUNT][2] = {
		[P_PAST] = { 20, 0 }, [P_WHERE] = { 20, 14 }, [P_COUNTS] = { 19, 6 }, [P_ENDPOINT] = { 18, 10 },
		[P_PROD] = { 17, 0 }, [P_CLOCK] = { 16, 7 },  [P_MODE] = { 15, 9 },   [P_KEYS] = { 15, 6 },
		[P_DATA] = { 12, 5 }, [P_UNIT] = { 11, 0 },   [P_WHAT] = { 10, 0 },   [P_NAME] = { 8, 0 },
		[P_COST] = { 10, 3 },
	};
	snprintf(p[P_NAME].brief, sizeof p->brief, "sluice");
	if (v->past)
		snprintf(p[P_PAST].brief, sizeof p->brief, "PAST");
	put_where(v, &p[P_WHERE]);
	const char *name = v->options->target_name;
	if (v->options->production && !(name && strncasecmp(name, "prod", 4) == 0))
		snprintf(p[P_PROD].brief, sizeof p->brief, "PROD");
	put_endpoint(v, &p[P_ENDPOINT]);
	put_keys(v, &p[P_KEYS]);
	put_what(v, &p[P_WHAT]);
	put_counts(v, false, p[P_COUNTS].brief, sizeof p->brief);
	put_counts(v, true, p[P_COUNTS].full, sizeof p->full);
	put_mode(v, &p[P_MODE]);
	put_clock(v, &p[P_CLOCK]);
	put_data(v, &p[P_DATA]);
	put_cost(v, &p[P_COST]);
	if (v->snap && v->snap->nrows)
		snprintf(p[P_UNIT].brief, sizeof p->brief, "stages");
	for (int i = 0; i < P_COUNT; i++) {
		p[i].rank = p[i].brief[0] ? ranks[i][0] : 0;
		p[i].full_rank = p[i].full[0] ? ranks[i][1] : 0;
	}
	if (!p[P_MODE].full[0]) /* what is open is never left out */
		p[P_MODE].rank = 20;
	if (v->past) /* how long ago it is comes before everything but the place */
		p[P_CLOCK].full_rank = 15;
}

static void pieces_fit(struct piece p[P_COUNT], int room, int gap)
{
	for (unsigned rank = 20; rank > 0; rank--)
		for (int i = 0; i < P_COUNT; i++) {
			const char *text = p[i].rank == rank ? p[i].brief : p[i].full_rank == rank ? p[i].full : NULL;
			if (!text || (p[i].full_rank == rank && !p[i].shown))
				continue;
			int cells = (int)text_width(span_of(text)) - (i == P_UNIT ? gap - 1 : 0); /* it belongs to what follows */
			int more = p[i].shown ? cells - p[i].cells : cells + gap;
			if (more > room)
				continue;
			room -= more;
			p[i].shown = text;
			p[i].cells = cells;
		}
}

/* Returns the gap between pieces: closer together where two blanks would cost a piece. */
static int pieces_set(const struct view *v, struct piece p[P_COUNT])
{
	int gap = v->canvas.cols < 60 ? 1 : 2;
	pieces_fill(v, p);
	pieces_fit(p, v->canvas.cols + gap, gap);
	if (gap > 1 && p[P_UNIT].rank && !p[P_UNIT].shown) {
		gap = 1;
		memset(p, 0, P_COUNT * sizeof *p);
		pieces_fill(v, p);
		pieces_fit(p, v->canvas.cols + gap, gap);
	}
	if (p[P_COUNTS].shown == p[P_COUNTS].full)
		p[P_UNIT].shown = NULL; /* said there */
	return gap;
}

static void draw_piece(struct view *v, const struct piece *p, enum piece_id id, int x)
{
	bool strong = id == P_WHERE || id == P_ENDPOINT || id == P_PAST;
	if (id == P_COUNTS)
		draw_counts(v, p->shown == p->full, x);
	else
		draw_str(&v->canvas, 0, x, v->canvas.cols - x, strong ? STYLE_STRONG : STYLE_NORMAL, p->shown);
}

void frame_header(struct view *v)
{
	struct canvas *c = &v->canvas;
	struct piece p[P_COUNT] = { 0 };
	int x = 0, right = 0, gap = pieces_set(v, p);
	for (int i = RIGHT_FROM; i < P_COUNT; i++)
		right += p[i].shown ? p[i].cells + gap : 0;
	for (int i = 0; i < P_COUNT; i++) {
		if (i == RIGHT_FROM && c->cols - right + gap > x)
			x = c->cols - right + gap;
		if (!p[i].shown)
			continue;
		draw_piece(v, &p[i], (enum piece_id)i, x);
		x += p[i].cells + gap;
	}
	if (v->options->production || v->past)
		draw_style(c, 0, 0, c->cols, STYLE_REVERSE);
	draw_rule(c, 1, 0, c->cols, v->level > GLYPH_ASCII, NULL, NULL);
}

/* ---- footer ---- */

/* At the top q ends the program; anywhere else it goes back. */
static const char *hint_of(const struct view *v, const struct action *a)
{
	return a->run == act_back && v->depth == 1 ? "quit" : a->hint;
}

static void hint_text(const struct view *v, const struct action *a, char *out, size_t size)
{
	char key[KEY_NAME_SIZE];
	snprintf(out, size, "%s %s", key_text(key_list(a->keys, 0), key), hint_of(v, a));
}

static int hint_cells(const struct view *v, const struct action *a, int gap)
{
	char text[64];
	hint_text(v, a, text, sizeof text);
	return (int)strlen(text) + gap;
}

/* In table order; help and back always have their place. */
static void footer_hints(struct view *v, int y, int x, unsigned where)
{
	struct canvas *c = &v->canvas;
	int gap = c->cols >= 120 ? 3 : 2, kept = 0;
	char text[64];
	for (unsigned i = 0; i < nactions; i++)
		if (actions[i].where & where && (actions[i].run == act_help || actions[i].run == act_back))
			kept += hint_cells(v, &actions[i], gap);
	for (unsigned i = 0; i < nactions; i++) {
		const struct action *a = &actions[i];
		if (!(a->where & where) || !a->hint)
			continue;
		bool keep = a->run == act_help || a->run == act_back;
		int cells = hint_cells(v, a, gap);
		if (!keep && x + cells + kept > c->cols + gap)
			continue;
		kept -= keep ? cells : 0;
		hint_text(v, a, text, sizeof text);
		int key = (int)strcspn(text, " ");
		draw_str(c, y, x, c->cols - x, STYLE_NORMAL, text);
		draw_text(c, y, x, key, STYLE_STRONG, (struct span){ text, (size_t)key });
		x += cells;
	}
}

static void footer_prompt(struct view *v, int y)
{
	struct canvas *c = &v->canvas;
	const struct prompt *p = &v->prompt;
	char stars[FILTER_SIZE] = "";
	memset(stars, '*', strlen(p->text));
	int x = draw_str(c, y, 0, c->cols, STYLE_STRONG, p->kind->label);
	x += draw_str(c, y, x, c->cols - x - 1, STYLE_NORMAL, p->kind->secret ? stars : p->text);
	c->cursor_y = y;
	c->cursor_x = x;
	c->cursor_on = true;
	if (p->hint[0])
		x += 3 + draw_sentence(c, y, x + 3, c->cols - x - 3, STYLE_FAINT, p->hint);
	else if (p->kind->counted)
		x += 3 + draw_fmt(c, y, x + 3, c->cols - x - 3, STYLE_FAINT, "%u of %u", v->overview.shown,
		                  v->snap ? v->snap->nrows : 0);
	footer_hints(v, y, x + 3, IN_PROMPT);
}

void frame_footer(struct view *v)
{
	struct canvas *c = &v->canvas;
	int y = c->rows - 1;
	draw_rule(c, y - 1, 0, c->cols, v->level > GLYPH_ASCII, NULL, NULL);
	if (v->prompt.open)
		footer_prompt(v, y);
	else if (v->note[0])
		draw_sentence(c, y, 0, c->cols, STYLE_STRONG, v->note);
	else
		footer_hints(v, y, 0, 1u << view_screen(v));
}
