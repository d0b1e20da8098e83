/* Text for the clipboard of whoever sits at the terminal: OSC 52, which also works over ssh. Pure: the bytes, not the writing. */
#ifndef TUI_CLIP_H
#define TUI_CLIP_H

#include "core/buf.h"

enum clip_via { CLIP_NONE, CLIP_PLAIN, CLIP_TMUX, CLIP_SCREEN };
#define CLIP_MOST 56244 /* bytes of text: 74,992 of base64, what terminals are known to take */

/* By TERM, TMUX and STY as the environment has them; each may be NULL. */
enum clip_via clip_via(const char *term, const char *tmux, const char *sty);
/* Appends the sequence. Only text that passed the filter of core/text.h may go in. False when it is more than CLIP_MOST. */
bool clip_encode(struct buf *out, enum clip_via via, struct span text);
/* The longest beginning of whole lines that fits. */
struct span clip_fit(struct span text);

#endif
