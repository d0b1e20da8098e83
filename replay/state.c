#include "replay/state.h"

#include <stddef.h>

static const struct {
	enum item_event what;
	enum item_state from, to;
} moves[] = {
#define X(event, from, to) { MOVE_##event, ITEM_##from, ITEM_##to },
	ITEM_MOVES(X)
#undef X
};

bool item_move(enum item_state from, enum item_event what, enum item_state *to)
{
	*to = from;
	for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
		if (moves[i].from == from && moves[i].what == what) {
			*to = moves[i].to;
			return true;
		}
	return false;
}

bool item_ended(enum item_state s)
{
	return s == ITEM_VERIFIED || s == ITEM_BOUNCED || s == ITEM_POISON || s == ITEM_UNKNOWN || s == ITEM_GONE ||
	       s == ITEM_HELD || s == ITEM_SKIPPED;
}

bool run_unfinished(enum run_state s)
{
	return s == RUN_FREEZING || s == RUN_FROZEN || s == RUN_RUNNING || s == RUN_PAUSED;
}
