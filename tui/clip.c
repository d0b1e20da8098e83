#include "tui/clip.h"

#include "core/hash.h"

#include <string.h>

#define ENCODED_MOST (CLIP_MOST / 3 * 4 + 64)
#define CHUNK 240 /* screen takes strings of 256 bytes */

enum clip_via clip_via(const char *term, const char *tmux, const char *sty)
{
	if (tmux && tmux[0])
		return CLIP_TMUX;
	if (sty && sty[0])
		return CLIP_SCREEN;
	/* The consoles of Linux and the BSDs, and paper, have no clipboard and might print what they do not know. */
	static const char *const none[] = { "linux", "dumb", "vt", "cons25", "wsvt", "sun", "ansi" };
	if (!term || !term[0])
		return CLIP_NONE;
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		if (strncmp(term, none[i], strlen(none[i])) == 0 && strncmp(term, "vte", 3) != 0)
			return CLIP_NONE;
	return CLIP_PLAIN;
}

static bool add_plain(struct buf *out, struct span text)
{
	return buf_adds(out, "\x1b]52;c;") && hash_base64(out, text.p, text.n) && buf_adds(out, "\a");
}

/* tmux passes on what it is told to, with each ESC doubled; an own sequence before that, for where it takes them itself. */
static bool add_tmux(struct buf *out, struct span text)
{
	return add_plain(out, text) && buf_adds(out, "\x1bPtmux;\x1b") && add_plain(out, text) && buf_adds(out, "\x1b\\");
}

static bool add_screen(struct buf *out, struct span text)
{
	struct buf whole;
	buf_init(&whole, ENCODED_MOST);
	bool ok = add_plain(&whole, text);
	for (size_t at = 0; ok && at < whole.n; at += CHUNK) {
		size_t n = whole.n - at < CHUNK ? whole.n - at : CHUNK;
		ok = buf_adds(out, "\x1bP") && buf_add(out, whole.p + at, n) && buf_adds(out, "\x1b\\");
	}
	buf_clear(&whole);
	return ok;
}

bool clip_encode(struct buf *out, enum clip_via via, struct span text)
{
	if (text.n > CLIP_MOST)
		return false;
	switch (via) {
	case CLIP_PLAIN: return add_plain(out, text);
	case CLIP_TMUX: return add_tmux(out, text);
	case CLIP_SCREEN: return add_screen(out, text);
	case CLIP_NONE: break;
	}
	return false;
}

struct span clip_fit(struct span text)
{
	if (text.n <= CLIP_MOST)
		return text;
	size_t n = CLIP_MOST;
	while (n > 0 && text.p[n - 1] != '\n')
		n--;
	return (struct span){ text.p, n };
}
