#include "core/model/replay.h"

#include <string.h>

static const char *const item_names[] = {
#define X(name) #name,
	REPLAY_ITEM_STATES(X)
#undef X
};
static const char *const run_names[] = {
#define X(name) #name,
	REPLAY_RUN_STATES(X)
#undef X
};
static const char *const mode_names[] = { "invoke", "redrive", "move-task" };
static const char *const unknown_names[] = { "hold", "resend" };

const char *item_state_name(enum item_state s)
{
	return item_names[s];
}

const char *run_state_name(enum run_state s)
{
	return s == RUN_ROUGH ? "DONE~" : run_names[s];
}

const char *replay_mode_name(enum replay_mode m)
{
	return mode_names[m];
}

const char *replay_unknown_name(enum replay_unknown u)
{
	return unknown_names[u];
}

static int find(const char *name, const char *const *names, int n)
{
	for (int i = 0; name && i < n; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return -1;
}

bool item_state_named(const char *name, enum item_state *s)
{
	int i = find(name, item_names, ITEM_STATES);
	*s = i < 0 ? ITEM_SELECTED : (enum item_state)i;
	return i >= 0;
}

bool run_state_named(const char *name, enum run_state *s)
{
	int i = name && strcmp(name, "DONE~") == 0 ? RUN_ROUGH : find(name, run_names, RUN_STATES);
	*s = i < 0 ? RUN_FREEZING : (enum run_state)i;
	return i >= 0;
}

bool replay_mode_named(const char *name, enum replay_mode *m)
{
	int i = find(name, mode_names, 3);
	*m = i < 0 ? REPLAY_INVOKE : (enum replay_mode)i;
	return i >= 0;
}

bool replay_unknown_named(const char *name, enum replay_unknown *u)
{
	int i = find(name, unknown_names, 2);
	*u = i == 1 ? UNKNOWN_RESEND : UNKNOWN_HOLD;
	return i >= 0;
}

void replay_count(const struct replay_item *items, unsigned n, struct replay_counts *c)
{
	*c = (struct replay_counts){ .selected = n };
	for (unsigned i = 0; i < n; i++) {
		c->by_state[items[i].state]++;
		c->duplicates += items[i].resent;
	}
	c->verified = c->by_state[ITEM_VERIFIED];
	c->bounced = c->by_state[ITEM_BOUNCED];
	c->poison = c->by_state[ITEM_POISON];
	c->unknown = c->by_state[ITEM_UNKNOWN];
	c->gone = c->by_state[ITEM_GONE];
	c->skipped = c->by_state[ITEM_SKIPPED] + c->by_state[ITEM_HELD];
	static const enum item_state open[] = { ITEM_SELECTED,    ITEM_LEASED,   ITEM_INTENT,
		                                    ITEM_ACCEPTED,    ITEM_REMOVED,  ITEM_EDITED,
		                                    ITEM_REMOVE_LOST, ITEM_REJECTED, ITEM_LEASE_LOST };
	for (unsigned i = 0; i < sizeof open / sizeof *open; i++)
		c->pending += c->by_state[open[i]];
	c->unaccounted = n - c->verified - c->bounced - c->poison - c->unknown - c->gone - c->skipped - c->pending;
}

const char *replay_dest_name(const char *dest)
{
	const char *function = dest ? strstr(dest, ":function:") : NULL, *colon = dest ? strrchr(dest, ':') : NULL;
	if (function)
		return function + strlen(":function:");
	return colon ? colon + 1 : dest && *dest ? dest : "-";
}
