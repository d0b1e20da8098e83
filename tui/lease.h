/* What the reader has opened: observe at the start; I allows inspecting, W writing for 15 minutes, for one account. The console hands
 * the engine's gate exactly this, and what was typed; engine/gate.h decides. Times are view.mono. */
#ifndef TUI_LEASE_H
#define TUI_LEASE_H

#include "tui/view.h"

#define LEASE_S (15 * 60)

enum conf_mode lease_mode(const struct view *v);
/* Seconds that writing stays open; 0: it is closed. */
int64_t lease_left(const struct view *v);
/* For row 1: "WRITES 14m", "INSPECT"; "" in observe. */
void lease_words(const struct view *v, char out[16]);
/* Each second and with each snapshot: closes what is over, or what another account would be written to. */
void lease_check(struct view *v);
/* May a write of this mode be asked for now? When not, why in one line. */
bool lease_allows(const struct view *v, enum conf_mode needs, char *why, size_t size);
/* typed: what the reader typed for this one request, or NULL; said: that a question was answered with y. */
struct consent lease_consent(const struct view *v, const char *typed, bool said);
const char *lease_mode_name(enum conf_mode m);

#endif
