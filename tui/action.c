#include "tui/action.h"

#include "tui/keys.h"

#include <stddef.h>

const struct action actions[] = {
#define X(id, keys, where, group, hint, help) { #id, keys, where, GROUP_##group, hint, help, act_##id },
	ACTIONS(X)
#undef X
};
const unsigned nactions = sizeof actions / sizeof *actions;

const char *action_group_title(enum action_group g)
{
	static const char *const titles[] = {
#define X(id, title) title,
		ACTION_GROUPS(X)
#undef X
	};
	return titles[g];
}

const struct action *action_find(uint32_t key, unsigned where)
{
	for (unsigned i = 0; i < nactions; i++) {
		uint32_t k;
		for (unsigned j = 0; actions[i].where & where && (k = key_list(actions[i].keys, j)) != K_NONE; j++)
			if (k == key)
				return &actions[i];
	}
	return NULL;
}
