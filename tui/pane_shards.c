/* The shards of the stream that is open: state and share of the keys of each, and with enhanced monitoring what each does. What
 * nobody publishes (the sequence number one is held at) does not stand here. */
#include "core/text.h"
#include "tui/fields.h"
#include "tui/frame.h"
#include "tui/pane.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool concerns(const struct view *v)
{
	const struct row *r = view_screen(v) == SCREEN_DETAIL ? view_row(v, v->detail.row) : NULL;
	return r && strcmp(r->kind->id, "kinesis") == 0 && v->snap->phase == PHASE_LIVE;
}

bool shards_question(struct view *v, struct shards_request *rq)
{
	struct shards_view *s = &v->shards;
	if (!concerns(v) || s->pending || (s->row == v->detail.row && s->polled_at == v->snap->polled_at))
		return false;
	*rq = (struct shards_request){ v->detail.row };
	return true;
}

void shards_asked(struct view *v, uint64_t id)
{
	struct shards_view *s = &v->shards;
	if (s->row != v->detail.row) {
		result_free(s->answer);
		s->answer = NULL;
	}
	s->row = v->detail.row;
	s->pending = id;
	s->polled_at = v->snap->polled_at;
}

void shards_answer(struct view *v, struct result *r)
{
	struct shards_view *s = &v->shards;
	if (s->pending != r->id) {
		result_free(r);
		return;
	}
	s->pending = 0;
	result_free(s->answer);
	s->answer = r;
}

bool shards_waiting(const struct view *v)
{
	return concerns(v) &&
	       (v->shards.pending || v->shards.row != v->detail.row || v->shards.polled_at != v->snap->polled_at);
}

static const struct result *answer_of(const struct view *v)
{
	return concerns(v) && v->shards.row == v->detail.row ? v->shards.answer : NULL;
}

/* ---- drawing */

#define CELL 26 /* of a shard in the grid */

static int per_line(const struct view *v)
{
	return (v->canvas.cols - 1) / CELL > 0 ? (v->canvas.cols - 1) / CELL : 1;
}

int shards_want(const struct view *v)
{
	const struct result *r = answer_of(v);
	if (!r)
		return 0;
	if (r->err.code != ERR_OK)
		return 2;
	return 1 + ((int)r->shards.n + per_line(v) - 1) / per_line(v);
}

/* "shardId-000000000003" is 003 to people. */
static const char *short_id(const char *id)
{
	const char *p = strncmp(id, "shardId-", 8) == 0 ? id + 8 : id;
	while (p[0] == '0' && strlen(p) > 3)
		p++;
	return p;
}

/* The worst first: the oldest, then those without figures as AWS lists them, the closed ones last. */
static int worst_first(const void *a, const void *b)
{
	const struct shard *x = *(const struct shard *const *)a, *y = *(const struct shard *const *)b;
	if (x->closed != y->closed)
		return x->closed ? 1 : -1;
	double p = isfinite(x->age) ? x->age : -1, q = isfinite(y->age) ? y->age : -1;
	if (p != q)
		return p > q ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* One that is far behind, while this is what is known of it. */
static enum style style_of_shard(const struct shard *s)
{
	return s->age >= 60 && s->out == 0 && s->in > 0 ? STYLE_ALARM : s->age >= 60 ? STYLE_WARN : STYLE_NORMAL;
}

static void draw_shard(struct view *v, int y, int x, const struct shard *s, bool enhanced)
{
	struct canvas *c = &v->canvas;
	char in[TEXT_NUM], out[TEXT_NUM], age[TEXT_NUM] = "-";
	enum style style = style_of_shard(s);
	const char *mark = style == STYLE_ALARM ? "!!" : style == STYLE_WARN ? "! " : "  ";
	draw_str(c, y, x, 2, style, mark);
	int at = x + 3 + draw_str(c, y, x + 3, 6, style, short_id(s->id)) + 1;
	if (s->closed) {
		draw_str(c, y, at, x + CELL - at - 1, STYLE_FAINT, "closed");
	} else if (enhanced) {
		text_number(s->in, in);
		text_number(s->out, out);
		if (isfinite(s->age))
			text_duration(llround(s->age), age);
		draw_fmt(c, y, at, x + CELL - at - 1, STYLE_NORMAL, "%s/%s  %s", in, out, age);
	} else {
		draw_fmt(c, y, at, x + CELL - at - 1, STYLE_NORMAL, "open %.1f..%.1f%%", s->from, s->to);
	}
}

static const struct shard **sorted(const struct shards_result *r)
{
	const struct shard **v = malloc((r->n + 1u) * sizeof *v);
	for (unsigned i = 0; v && i < r->n; i++)
		v[i] = &r->v[i];
	if (v && r->n > 1 && r->enhanced)
		qsort(v, r->n, sizeof *v, worst_first);
	return v;
}

static void title_of(const struct shards_result *r, unsigned hidden, char *title, char *note, size_t size)
{
	unsigned closed = 0;
	for (unsigned i = 0; i < r->n; i++)
		closed += r->v[i].closed;
	int n = snprintf(title, size, "SHARDS  %u open", r->n - closed);
	if (closed)
		snprintf(title + n, size - (size_t)n, ", %u closed", closed);
	n = hidden ? snprintf(note, size, "%u more; ", hidden) : 0;
	if (!r->enhanced)
		snprintf(note + n, size - (size_t)n, "share of keys; enhanced monitoring is off");
	else if (r->metrics_err.code != ERR_OK)
		snprintf(note + n, size - (size_t)n, "?? figures: %s", err_name(r->metrics_err.code));
	else
		snprintf(note + n, size - (size_t)n, "records/s in/out, iterator age; worst first");
}

void shards_pane(struct view *v, struct area a)
{
	const struct result *r = answer_of(v);
	char title[100], note[100];
	if (r->err.code != ERR_OK) {
		pane_title(v, &a, "SHARDS", "not read");
		draw_fmt(&v->canvas, a.y + 1, a.x + 1, a.w - 1, STYLE_UNKNOWN, "?? %s: %s", err_name(r->err.code), r->err.text);
		return;
	}
	const struct shards_result *s = &r->shards;
	unsigned seen = (unsigned)((a.h - 1) * per_line(v));
	const struct shard **list = sorted(s);
	title_of(s, s->n > seen ? s->n - seen : 0, title, note, sizeof title);
	pane_title(v, &a, title, note);
	for (unsigned i = 0; list && i < s->n && i < seen; i++)
		draw_shard(v, a.y + 1 + (int)i / per_line(v), a.x + 1 + (int)i % per_line(v) * CELL, list[i], s->enhanced);
	free(list);
}
