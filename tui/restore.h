/* Leaves the terminal whole however the process ends. Only async-signal-safe calls run once a signal has come: the bytes
 * to write and the modes to set are made beforehand. There is one terminal a process, hence no handle. */
#ifndef TUI_RESTORE_H
#define TUI_RESTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

/* Each of these ends the process with status 128 + n, the terminal restored and the reason on stderr. */
#define FATAL_SIGNALS(X)                                                                                     \
	X(HUP) X(INT) X(QUIT) X(ILL) X(TRAP) X(ABRT) X(BUS) X(FPE) X(USR1) X(SEGV) X(USR2) X(PIPE) X(ALRM) X(TERM) \
	X(STKFLT) X(XCPU) X(XFSZ) X(VTALRM) X(PROF) X(POLL) X(SYS)

#define RESTORE_BYTES 256
void restore_prepare(const struct termios *modes, const char *bytes, size_t n); /* copies; may be called again */
void restore_arm(void);      /* catches the fatal signals, on a stack of their own; SIGHUP stays ignored when it was */
void restore_up(bool up);    /* whether the terminal is ours now: nothing is written to it otherwise */
void restore_now(void);      /* async-signal-safe; does nothing when the terminal is not up */
void restore_disarm(void);   /* the actions of before; only after restore_arm() */

#endif
