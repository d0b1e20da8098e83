/* Ctrl-P: everything that can be gone to or done here, found by a few letters. */
#ifndef TUI_PALETTE_H
#define TUI_PALETTE_H

#include "tui/view.h"

void palette_fill(struct view *v);                   /* what was typed, or the snapshot, has changed */
void palette_draw(struct view *v, int y, int h);     /* over the lower part of the screen, when it is open */
bool palette_open(const struct view *v);

#endif
