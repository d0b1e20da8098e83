/* x m on the alarms screen: the selected alarm's actions are held back for an hour, for a reason that is typed. */
#include "tui/alarms.h"
#include "tui/lease.h"
#include "tui/prompt.h"
#include "tui/write.h"

#include "core/clock.h"

#include <stdio.h>
#include <string.h>

static void nothing(struct view *v)
{
	(void)v;
}

static void unsaid(struct view *v)
{
	view_note(v, "no reason given: nothing was sent");
}

static void send_mute(struct view *v)
{
	v->mute.wanted = true;
	v->mute.consent = lease_consent(v, v->menu.typed[0] ? v->menu.typed : NULL, true);
}

static void reason_typed(struct view *v)
{
	if (v->prompt.text[strspn(v->prompt.text, " ")] == '\0') {
		unsaid(v);
		return;
	}
	snprintf(v->mute.reason, sizeof v->mute.reason, "%s", v->prompt.text);
	snprintf(v->menu.question, sizeof v->menu.question, "mute %.90s for 1h: %.80s", v->mute.alarm, v->mute.reason);
	v->menu.go = send_mute;
	write_sure(v);
}

static const struct prompt_kind reason_kind = {
	.label = "reason: ", .changed = nothing, .accepted = reason_typed, .cancelled = unsaid
};

bool write_mute(struct view *v)
{
	const struct alarm *a = alarms_selected(v);
	if (v->mute.pending) {
		view_note(v, "an alarm is being muted: a moment");
	} else if (!a) {
		view_note(v, "no alarm is selected: 3 shows the alarms");
	} else {
		snprintf(v->mute.alarm, sizeof v->mute.alarm, "%s", a->name);
		prompt_open(v, &reason_kind, "");
	}
	return false; /* the reason comes first */
}

bool mute_question(struct view *v, struct request *rq)
{
	struct mute_view *m = &v->mute;
	if (!m->wanted)
		return false;
	m->wanted = false;
	*rq = (struct request){ .kind = REQUEST_MUTE,
		                    .consent = m->consent,
		                    .mute = { .alarm = m->alarm, .reason = m->reason } };
	return true;
}

void mute_answer(struct view *v, const struct result *r)
{
	char until[16];
	v->mute.pending = 0;
	if (r->err.code != ERR_OK) {
		view_note(v, "%s: %s", r->err.where, r->err.text);
		return;
	}
	clock_hm(r->act.until, until);
	view_note(v, "%s is muted until %s: %s", v->mute.alarm, until, v->mute.reason);
}
