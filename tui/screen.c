#include "tui/screen.h"

#include <stddef.h>

#define X(id, variable) extern const struct screen variable;
SCREENS(X)
#undef X

const struct screen *screen_get(enum screen_id id)
{
	static const struct screen *const screens[] = {
#define X(screen, variable) [SCREEN_##screen] = &variable,
		SCREENS(X)
#undef X
	};
	return screens[id];
}
