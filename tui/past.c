/* t: every pane at one past instant, from what was kept; and a note among the events. */
#include "tui/past.h"
#include "core/clock.h"
#include "tui/action.h"
#include "tui/command.h"
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

#define LOOKING "looking back..."

void past_leave(struct view *v)
{
	if (!v->past)
		return;
	v->past_asked = 0;
	view_back_to_live(v);
	view_note(v, "live again");
}

static void go(struct view *v, const char *text)
{
	int64_t t, now = clock_wall();
	if (!past_instant(text, now, &t)) {
		view_note(v, "\"%.40s\" is no instant of the past: -3h, 02:41 or 2026-11-23T02:41Z", text);
		return;
	}
	v->past_wish = t;
	view_note(v, LOOKING);
}

static void asked(struct view *v)
{
	if (v->prompt.text[0])
		go(v, v->prompt.text);
}

static const struct prompt_kind instant_kind = {
	.label = "back to (-3h, 02:41): ", .changed = nothing, .accepted = asked, .cancelled = nothing
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
	if (strcmp(v->note, LOOKING) == 0)
		v->note[0] = '\0';
	view_past(v, s);
}

/* ---- commands */

bool typed_note(struct view *v, const char *args)
{
	v->note_incident = strncmp(args, "kind=incident ", 14) == 0;
	snprintf(v->note_wish, sizeof v->note_wish, "%s", args + (v->note_incident ? 14 : 0));
	return v->note_wish[0];
}

bool typed_then(struct view *v, const char *args)
{
	if (*args)
		go(v, args);
	else
		past_leave(v);
	return true;
}
