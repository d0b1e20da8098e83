/* Keys as numbers: a Unicode code point for what types, a value above them for the rest. Their names are what the action
 * table, the help screen and scripts write: j, Ctrl-D, PgDn, Enter. */
#ifndef TUI_KEYS_H
#define TUI_KEYS_H

#include <stddef.h>
#include <stdint.h>

#define K_CTRL(c) ((uint32_t)((c) & 0x1F))

/*  X(ID, value, name) - K_FIRST on are beyond Unicode */
#define NAMED_KEYS(X)             \
	X(TAB, 9, "Tab")              \
	X(ENTER, 13, "Enter")         \
	X(ESC, 27, "Esc")             \
	X(SPACE, 32, "Space")         \
	X(BACKSPACE, 127, "Backspace") \
	X(UP, 0x110000, "Up")         \
	X(DOWN, 0x110001, "Down")     \
	X(LEFT, 0x110002, "Left")     \
	X(RIGHT, 0x110003, "Right")   \
	X(PGUP, 0x110004, "PgUp")     \
	X(PGDN, 0x110005, "PgDn")     \
	X(HOME, 0x110006, "Home")     \
	X(END, 0x110007, "End")       \
	X(OTHER, 0x11FFFF, "?key")

enum key {
	K_NONE = 0,
#define X(id, value, name) K_##id = value,
	NAMED_KEYS(X)
#undef X
};

#define KEY_NAME_SIZE 16
uint32_t key_parse(const char *name, size_t n);          /* K_NONE when it names no key */
char *key_text(uint32_t key, char out[KEY_NAME_SIZE]);
/* The i-th of a blank-separated list of names ("j Down"); K_NONE at its end. */
uint32_t key_list(const char *names, unsigned i);

#endif
