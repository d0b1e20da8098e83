/* Deadlines in words, the same for every face. */
#include "core/model/loss.h"

#include "core/clock.h"
#include "core/text.h"

#include <stdio.h>

#define WIDE 100      /* cells from which a line says what it was computed from */
#define WHEN_CELLS 32 /* lines with names under each other */
#define IN_CELLS 8
#define WHEN_IN_CELLS 41

const char *loss_state_name(enum loss_state s)
{
	static const char *const names[] = { "none", "safe", "exact", "between", "at_most", "at_least", "unknown" };
	return names[s];
}

bool loss_has_low(const struct loss *l)
{
	return l->state == LOSS_EXACT || l->state == LOSS_BETWEEN || l->state == LOSS_AT_LEAST;
}

bool loss_has_high(const struct loss *l)
{
	return l->state == LOSS_EXACT || l->state == LOSS_BETWEEN || l->state == LOSS_AT_MOST;
}

bool loss_at_risk(const struct loss *l)
{
	return l->state != LOSS_NONE && l->state != LOSS_SAFE;
}

int loss_order(const struct loss *a, const struct loss *b)
{
	static const int ranks[] = { [LOSS_EXACT] = 0,   [LOSS_BETWEEN] = 0, [LOSS_AT_MOST] = 0, [LOSS_AT_LEAST] = 1,
		                         [LOSS_UNKNOWN] = 2, [LOSS_SAFE] = 3,    [LOSS_NONE] = 3 };
	int64_t x = a->state == LOSS_AT_MOST ? a->high : a->low, y = b->state == LOSS_AT_MOST ? b->high : b->low;
	int d = ranks[a->state] - ranks[b->state];
	return d || ranks[a->state] > 1 ? d : (x > y) - (x < y);
}

void loss_in(const struct loss *l, int64_t now, char out[LOSS_IN])
{
	char low[TEXT_NUM], high[TEXT_NUM];
	switch (l->state) {
	case LOSS_EXACT:
		text_duration(l->low - now, low);
		snprintf(out, LOSS_IN, "%s", l->low <= now ? "now" : low);
		break;
	case LOSS_BETWEEN:
		text_duration_brief(l->low - now, low);
		text_duration_brief(l->high - now, high);
		snprintf(out, LOSS_IN, "%.10s..%.10s", low, high);
		break;
	case LOSS_AT_MOST:
		text_duration(l->high - now, high);
		snprintf(out, LOSS_IN, "<=%s", high);
		break;
	case LOSS_AT_LEAST:
		text_duration(l->low - now, low);
		snprintf(out, LOSS_IN, ">=%s", low);
		break;
	case LOSS_UNKNOWN: snprintf(out, LOSS_IN, "??"); break;
	default: snprintf(out, LOSS_IN, "-");
	}
}

/* 21:05Z; another day as so many days from today: 01:15Z+1. */
static void clock_word(int64_t at, int64_t now, char out[32])
{
	char hm[16];
	int64_t day = 86400, days = at / day - now / day;
	clock_hm(at, hm);
	if (days)
		snprintf(out, 32, "%s%+lld", hm, (long long)days);
	else
		snprintf(out, 32, "%s", hm);
}

void loss_when(const struct loss *l, int64_t now, struct buf *out)
{
	char low[32], high[32];
	const char *what = l->what ? l->what : "first item";
	clock_word(l->low, now, low);
	clock_word(l->high, now, high);
	switch (l->state) {
	case LOSS_EXACT: buf_addf(out, "%s %s %s", what, l->low <= now ? "expired" : "expires", low); break;
	case LOSS_BETWEEN: buf_addf(out, "%s expires %s .. %s", what, low, high); break;
	case LOSS_AT_MOST: buf_addf(out, "%s expires by %s", what, high); break;
	case LOSS_AT_LEAST: buf_addf(out, "%s lasts until %s", what, low); break;
	case LOSS_UNKNOWN: buf_addf(out, "%s may expire any time", what); break;
	default: break;
	}
}

static void fill_to(struct buf *out, size_t start, unsigned cells)
{
	unsigned used = text_width((struct span){ out->p + start, out->n - start });
	for (unsigned n = 0; n < 2 || used + n < cells; n++)
		buf_addc(out, ' ');
}

static void bearer(struct buf *out, const struct loss *l, const char *name)
{
	text_visible(out, span_of(name));
	if (l->where) {
		buf_addc(out, ' ');
		text_visible(out, span_of(l->where));
	}
}

void loss_line(const struct loss *l, const char *name, int64_t now, unsigned cells, struct buf *out)
{
	char in[LOSS_IN];
	struct buf line;
	unsigned used;
	if (!loss_at_risk(l))
		return;
	buf_init(&line, 4096);
	loss_in(l, now, in);
	buf_adds(&line, "DATA LOSS  ");
	size_t start = line.n;
	if (cells >= WIDE) {
		buf_adds(&line, in);
		fill_to(&line, start, IN_CELLS);
		start = line.n;
	}
	loss_when(l, now, &line);
	bool timed = l->state != LOSS_UNKNOWN && !(l->state == LOSS_EXACT && l->low <= now);
	if (cells < WIDE && timed)
		buf_addf(&line, ", in %s", in);
	fill_to(&line, start, cells >= WIDE ? WHEN_CELLS : WHEN_IN_CELLS);
	bearer(&line, l, name);
	if (cells >= WIDE && l->basis)
		buf_addf(&line, ": %s", l->basis);
	buf_addspan(out, text_clip(buf_span(&line), cells, &used));
	buf_clear(&line);
}
