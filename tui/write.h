/* Everything that writes, once: x opens the menu, a letter chooses. Menu, help and palette are made from this table; a write is one row
 * here and one function write_ID, which asks the engine, whose gate (engine/gate.h) has the last word. No single key writes, and Enter
 * confirms nothing. */
#ifndef TUI_WRITE_H
#define TUI_WRITE_H

#include "tui/view.h"

/* How the reader says that it is meant: y (in production: the target's name), or the number of things it is done to, typed. */
enum write_sure { SURE_YES, SURE_COUNT };

/*  X(ID, letter, needs, the operation of the gate, as its IAM action, sure, help) */
#define WRITES(X)                                                                                      \
	X(replay, "r", MODE_OPERATE, "lambda:InvokeFunction", SURE_COUNT, "replay all, by its function")   \
	X(group, "g", MODE_OPERATE, "lambda:InvokeFunction", SURE_COUNT, "replay the selected group")      \
	X(redrive, "b", MODE_OPERATE, "sqs:SendMessage", SURE_COUNT, "send all back to its queue")         \
	X(go_on, "c", MODE_OPERATE, "lambda:InvokeFunction", SURE_YES, "go on with a run")                 \
	X(resend, "u", MODE_OPERATE, "lambda:InvokeFunction", SURE_COUNT, "UNKNOWN again: maybe twice")   \
	X(mute, "m", MODE_OPERATE, "cloudwatch:PutAlarmMuteRule", SURE_YES, "mute the selected alarm, 1h")

struct write {
	const char *name, *key;
	enum conf_mode needs;
	const char *op;
	enum write_sure sure;
	const char *help;
	/* False: it cannot be done here, and a note says why. True with SURE_YES: v->menu.question is filled, and v->menu.go does it.
	 * SURE_COUNT asks by itself once the number is known. */
	bool (*ask)(struct view *v);
};
extern const struct write writes[];
extern const unsigned nwrites;

bool menu_open(const struct view *v);
void menu_key(struct view *v, uint32_t key);
void menu_draw(struct view *v, int y, int h);
void write_choose(struct view *v, unsigned i); /* from the menu or the palette */
void write_sure(struct view *v); /* of the chosen one, whose question is filled now: in production its target's name is asked for */

#define X(id, key, needs, op, sure, help) bool write_##id(struct view *v);
WRITES(X)
#undef X

#endif
