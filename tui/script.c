#include "tui/script.h"

#include "core/ini.h"
#include "core/mem.h"
#include "core/text.h"
#include "tui/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 10000
#define SETTLE_MS 60000 /* a first round may have services in it that time out */

struct script {
	struct buf text;
	size_t at;
	unsigned line;
	int64_t since_ms; /* of the wait under way; 0 = none */
	const char *name;
};

/* One command each; false ends the script with why. */
struct step {
	struct script *s;
	struct view *v;
	struct span rest;
	int64_t now_ms;
	enum script_state state;
	char *why;
	size_t size;
};

struct script *script_open(const char *path, char *why, size_t size)
{
	struct script *s = xcalloc(1, sizeof *s);
	struct err e = { 0 };
	s->name = path;
	buf_init(&s->text, 1024 * 1024);
	if (ini_read_file(path, &s->text, &e))
		return s;
	snprintf(why, size, "SLUICE_SCRIPT: %s", e.text);
	script_free(s);
	return NULL;
}

void script_free(struct script *s)
{
	if (!s)
		return;
	buf_clear(&s->text);
	free(s);
}

static void failed(struct step *st, const char *what)
{
	char rest[128], text[160];
	snprintf(text, sizeof text, "%.*s", (int)(st->rest.n < 120 ? st->rest.n : 120), st->rest.p);
	snprintf(st->why, st->size, "script line %u: %s: %s", st->s->line, what, text_visible_to(rest, sizeof rest, text));
	st->state = SCRIPT_FAILED;
}

static void run_key(struct step *st)
{
	struct span r = st->rest;
	while (r.n) {
		size_t n = 0;
		while (n < r.n && r.p[n] != ' ')
			n++;
		uint32_t key = key_parse(r.p, n);
		if (key == K_NONE) {
			failed(st, "no such key");
			return;
		}
		view_key(st->v, key);
		r = span_trim((struct span){ r.p + n, r.n - n });
	}
}

static void run_type(struct step *st)
{
	for (size_t i = 0; i < st->rest.n;) {
		uint32_t cp;
		unsigned len = text_decode(st->rest.p + i, st->rest.n - i, &cp);
		if (len)
			view_key(st->v, cp);
		i += len ? len : 1;
	}
}

static bool on_screen(struct view *v, struct span wanted)
{
	struct buf b;
	buf_init(&b, 8 * 1024 * 1024);
	canvas_text(&v->canvas, &b);
	bool found = b.p && memmem(b.p, b.n, wanted.p, wanted.n) != NULL;
	buf_clear(&b);
	return found;
}

static bool take_word(struct span *s, const char *word)
{
	size_t n = strlen(word);
	if (s->n < n || memcmp(s->p, word, n) != 0 || (s->n > n && s->p[n] != ' '))
		return false;
	*s = span_trim((struct span){ s->p + n, s->n - n });
	return true;
}

/* Settled: the first round is over and every chart has its answer. */
static void run_wait(struct step *st)
{
	struct span what = st->rest;
	bool settle = take_word(&what, "settled"), gone = !settle && take_word(&what, "gone");
	if (!settle && !gone && !take_word(&what, "text")) {
		failed(st, "no such wait");
		return;
	}
	bool met = settle ? st->v->snap && st->v->snap->settled && !view_waiting(st->v) : on_screen(st->v, what) != gone;
	int64_t most = settle ? SETTLE_MS : WAIT_MS;
	if (met) {
		st->s->since_ms = 0;
		return;
	}
	if (!st->s->since_ms)
		st->s->since_ms = st->now_ms;
	st->state = SCRIPT_WAIT;
	if (st->now_ms - st->s->since_ms >= most)
		failed(st, "waited in vain");
}

static void run_save(struct step *st)
{
	struct buf b;
	char path[1024];
	snprintf(path, sizeof path, "%.*s", (int)st->rest.n, st->rest.p);
	buf_init(&b, 8 * 1024 * 1024);
	canvas_text(&st->v->canvas, &b);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && write(fd, b.p, b.n) == (ssize_t)b.n;
	if (fd >= 0)
		ok = close(fd) == 0 && ok;
	buf_clear(&b);
	if (!ok)
		failed(st, strerror(errno));
}

static void run_quit(struct step *st)
{
	st->state = SCRIPT_END;
}

static const struct {
	const char *word;
	void (*run)(struct step *st);
} commands[] = {
	{ "key", run_key }, { "type", run_type }, { "wait", run_wait }, { "save", run_save }, { "quit", run_quit },
};

static struct span next_line(struct script *s)
{
	const char *p = s->text.p + s->at, *end = memchr(p, '\n', s->text.n - s->at);
	size_t n = end ? (size_t)(end - p) : s->text.n - s->at;
	s->at += n + (end != NULL);
	s->line++;
	return span_trim((struct span){ p, n });
}

static void run_line(struct step *st)
{
	if (st->rest.n == 0 || st->rest.p[0] == '#')
		return;
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (take_word(&st->rest, commands[i].word)) {
			commands[i].run(st);
			return;
		}
	failed(st, "no such command");
}

enum script_state script_step(struct script *s, struct view *v, int64_t mono_ms, char *why, size_t size)
{
	struct step st = { .s = s, .v = v, .now_ms = mono_ms, .state = SCRIPT_GO, .why = why, .size = size };
	size_t at = s->at;
	if (at >= s->text.n)
		return SCRIPT_END;
	st.rest = next_line(s);
	run_line(&st);
	if (st.state == SCRIPT_WAIT) { /* the same line again */
		s->at = at;
		s->line--;
	}
	return st.state;
}
