/* SLUICE_SCRIPT=FILE: lines instead of keys, on a real terminal, for screen tests and demonstrations.
 *   key NAME [NAME...]   type TEXT   wait settled   wait text TEXT   wait gone TEXT   save FILE   quit   # comment
 * A wait lasts at most WAIT_MS; what has not come by then ends the console with status 1 and a line on stderr. */
#ifndef TUI_SCRIPT_H
#define TUI_SCRIPT_H

#include "tui/view.h"

struct script;
enum script_state { SCRIPT_GO, SCRIPT_WAIT, SCRIPT_END, SCRIPT_FAILED };

struct script *script_open(const char *path, char *why, size_t size);  /* NULL with a line in why */
void script_free(struct script *s);
/* One line; the view is drawn. GO: draw again, then come back. */
enum script_state script_step(struct script *s, struct view *v, int64_t mono_ms, char *why, size_t size);

#endif
