/* t: every pane at one past instant, from what was kept. And what else is typed behind a colon. */
#include "tui/past.h"
#include "core/clock.h"
#include "tui/action.h"
#include "tui/prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400

static void nothing(struct view *v)
{
	(void)v;
}

/* ---- which instant */

static const char *digits(const char *s, unsigned most, unsigned *v)
{
	const char *from = s;
	for (*v = 0; *s >= '0' && *s <= '9' && (unsigned)(s - from) < most; s++)
		*v = *v * 10 + (unsigned)(*s - '0');
	return s == from ? NULL : s;
}

/* "02:41" or "2:41:07", UTC: the last time the clock showed it. */
static bool time_of_day(const char *s, int64_t now, int64_t *t)
{
	unsigned h, m, sec = 0;
	s = digits(s, 2, &h);
	s = s && *s == ':' ? digits(s + 1, 2, &m) : NULL;
	if (s && *s == ':')
		s = digits(s + 1, 2, &sec);
	if (s && (*s == 'Z' || *s == 'z'))
		s++;
	if (!s || *s || h > 23 || m > 59 || sec > 59)
		return false;
	*t = now - now % DAY + (int64_t)h * 3600 + (int64_t)m * 60 + sec;
	*t -= *t > now ? DAY : 0;
	return true;
}

bool past_instant(const char *text, int64_t now, int64_t *t)
{
	int64_t v;
	if (clock_parse_duration(text + (*text == '-'), &v)) {
		*t = now - v;
		return true;
	}
	if (clock_parse_rfc3339(text, strlen(text), &v)) {
		*t = v / 1000;
		return *t <= now;
	}
	return time_of_day(text, now, t);
}

/* ---- there and back */

void past_leave(struct view *v)
{
	if (!v->past)
		return;
	v->past_asked = 0;
	view_back_to_live(v);
	view_note(v, "live again");
}

static void asked(struct view *v)
{
	int64_t t, now = clock_wall();
	const char *text = v->prompt.text;
	if (!text[0])
		return;
	if (!past_instant(text, now, &t)) {
		view_note(v, "\"%.40s\" is no instant of the past: -3h, 02:41 or 2026-11-23T02:41Z", text);
		return;
	}
	v->past_wish = t;
	view_note(v, "looking back...");
}

static const struct prompt_kind instant_kind = {
	.label = "back to (-3h, 02:41): ", .uncounted = true, .changed = nothing, .accepted = asked, .cancelled = nothing
};

void act_past(struct view *v)
{
	if (v->past)
		past_leave(v);
	else
		prompt_open(v, &instant_kind, "");
}

void past_arrived(struct view *v, struct result *r)
{
	if (r->id != v->past_asked || !r->past) {
		if (r->err.code != ERR_OK)
			view_note(v, "%.100s", r->err.text);
		return;
	}
	struct snapshot *s = r->past;
	r->past = NULL;
	view_past(v, s);
}

/* ---- commands */

static void note(struct view *v, const char *rest)
{
	bool incident = strncmp(rest, "kind=incident ", 14) == 0;
	rest += incident ? 14 : 0;
	if (!*rest) {
		view_note(v, ":note TEXT, or :note kind=incident TEXT");
		return;
	}
	snprintf(v->note_wish, sizeof v->note_wish, "%s", rest);
	v->note_incident = incident;
}

static void back(struct view *v, const char *rest)
{
	snprintf(v->prompt.text, sizeof v->prompt.text, "%s", rest);
	if (*rest)
		asked(v);
	else
		past_leave(v);
}

static const struct {
	const char *name;
	void (*run)(struct view *v, const char *rest);
} commands[] = { { "note", note }, { "t", back } };

static void run_command(struct view *v)
{
	char text[FILTER_SIZE];
	snprintf(text, sizeof text, "%s", v->prompt.text);
	char *name = text + strspn(text, " "), *rest = name + strcspn(name, " ");
	if (*rest)
		*rest++ = '\0';
	rest += strspn(rest, " ");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(name, commands[i].name) == 0) {
			commands[i].run(v, rest);
			return;
		}
	if (*name)
		view_note(v, "no command \"%.40s\"; there are: note TEXT, t -3h", name);
}

static const struct prompt_kind command_kind = {
	.label = ":", .uncounted = true, .changed = nothing, .accepted = run_command, .cancelled = nothing
};

void act_command(struct view *v)
{
	prompt_open(v, &command_kind, "");
}
