#include "tui/lease.h"

#include "core/text.h"
#include "tui/action.h"
#include "tui/prompt.h"

#include <stdio.h>
#include <string.h>

const char *lease_mode_name(enum conf_mode m)
{
	static const char *const names[] = { "observe", "inspect", "operate", "admin" };
	return names[m];
}

/* Of the newest snapshot, whatever is shown. */
static const char *account(const struct view *v)
{
	const struct snapshot *s = v->held ? v->held : v->snap;
	return s ? s->target.account : "";
}

static bool same_account(const struct view *v)
{
	return v->lease.account[0] && strcmp(account(v), v->lease.account) == 0;
}

int64_t lease_left(const struct view *v)
{
	int64_t left = v->lease.until - v->mono;
	return v->lease.until && same_account(v) && left > 0 ? left : 0;
}

enum conf_mode lease_mode(const struct view *v)
{
	if (lease_left(v))
		return v->options->grant;
	return v->lease.inspect && same_account(v) ? MODE_INSPECT : MODE_OBSERVE;
}

void lease_words(const struct view *v, char out[16])
{
	int64_t left = lease_left(v);
	out[0] = '\0';
	if (left >= 60)
		snprintf(out, 16, "WRITES %um", (unsigned)(left / 60) % 100);
	else if (left)
		snprintf(out, 16, "WRITES %us", (unsigned)left % 100);
	else if (lease_mode(v) == MODE_INSPECT)
		snprintf(out, 16, "INSPECT");
}

static void close_writes(struct view *v)
{
	v->lease.until = 0;
}

void lease_check(struct view *v)
{
	struct lease *l = &v->lease;
	if (!l->until && !l->inspect)
		return;
	if (account(v)[0] && !same_account(v)) {
		*l = (struct lease){ 0 };
		view_note(v, "the account has changed: observe again, nothing can be written");
	} else if (l->until && l->until <= v->mono) {
		close_writes(v);
		view_note(v, "writing is closed again: its %d minutes are over", LEASE_S / 60);
	}
}

static const char *target_words(const struct view *v)
{
	return v->options->target_name ? v->options->target_name : "this account";
}

bool lease_allows(const struct view *v, enum conf_mode needs, char *why, size_t size)
{
	char name[64];
	if (v->past)
		snprintf(why, size, "nothing acts in the past; t goes back to now");
	else if (v->frozen)
		snprintf(why, size, "nothing acts on a frozen picture; Z goes on");
	else if (v->options->grant < needs)
		snprintf(why, size, "%s grants %s: it needs %s", text_visible_to(name, sizeof name, target_words(v)),
		         lease_mode_name(v->options->grant), lease_mode_name(needs));
	else if (lease_mode(v) < needs)
		snprintf(why, size, needs == MODE_INSPECT ? "I allows inspecting first" : "W opens writing first");
	else
		return true;
	return false;
}

struct consent lease_consent(const struct view *v, const char *typed, bool said)
{
	return (struct consent){ .mode = lease_mode(v),
		                     .yes = said,
		                     .person = true,
		                     .typed = typed,
		                     .account = v->lease.account[0] ? v->lease.account : NULL };
}

/* ---- the keys */

/* Whose it would be, or a note why it cannot be. */
static bool may_open(struct view *v, enum conf_mode needs)
{
	char name[64];
	if (!view_acts(v))
		return false;
	if (!account(v)[0]) {
		view_note(v, "whose account this is is not known yet");
		return false;
	}
	if (v->options->grant < needs) {
		view_note(v, "%s grants %s, no more", text_visible_to(name, sizeof name, target_words(v)),
		          lease_mode_name(v->options->grant));
		return false;
	}
	snprintf(v->lease.account, sizeof v->lease.account, "%s", account(v));
	return true;
}

void act_inspect(struct view *v)
{
	if (v->lease.inspect) {
		v->lease.inspect = false;
		view_note(v, "inspecting is off: no message is received");
	} else if (may_open(v, MODE_INSPECT)) {
		v->lease.inspect = true;
		view_note(v, "INSPECT: receiving a message hides it for a while and counts as a receive");
	}
}

static void open_writes(struct view *v)
{
	if (!may_open(v, MODE_OPERATE))
		return;
	v->lease.until = v->mono + LEASE_S;
	view_note(v, "WRITES are open for %d minutes in account %s: x lists them, W closes", LEASE_S / 60,
	          v->lease.account);
}

static void name_typed(struct view *v)
{
	if (v->options->target_name && strcmp(v->prompt.text, v->options->target_name) == 0)
		open_writes(v);
	else
		view_note(v, "that is not the target's name: writing stays closed");
}

static void nothing(struct view *v)
{
	(void)v;
}

static const struct prompt_kind name_kind = { .label = "PRODUCTION, type the target's name to open writing: ",
	                                          .changed = nothing,
	                                          .accepted = name_typed,
	                                          .cancelled = nothing };

void act_writes(struct view *v)
{
	if (lease_left(v)) {
		close_writes(v);
		view_note(v, "writing is closed");
	} else if (v->options->production && may_open(v, MODE_OPERATE)) {
		prompt_open(v, &name_kind, "");
	} else if (!v->options->production) {
		open_writes(v);
	}
}
