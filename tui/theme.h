/* What the roles of draw.h look like on this terminal: 256, 16, 8 colours or none. Called after newterm(). */
#ifndef TUI_THEME_H
#define TUI_THEME_H

#include "tui/tui.h"

#include <curses.h>

void theme_init(enum tui_color color);   /* AUTO: colours unless NO_COLOR is set */
void theme_look(unsigned style, attr_t *attrs, short *pair);

#endif
