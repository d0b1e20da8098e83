/* The log: one write(2) a line to an O_APPEND file, never the terminal; off until log_open. Lines pass text_visible.
 * Never logged: Authorization, tokens, secrets, message bodies. Any thread. The last lines stay in a ring for the screen. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "core/buf.h"
#include "core/err.h"

#include <stdbool.h>

#define LOG_SYSTEMS(X) X(CORE, "core") X(HTTP, "http") X(AWS, "aws") X(CACHE, "cache") X(ENGINE, "engine") X(TUI, "tui") X(CLI, "cli") X(SIM, "sim")
enum log_system {
#define X(id, name) LOG_##id,
	LOG_SYSTEMS(X)
#undef X
	LOG_SYSTEM_COUNT
};
enum log_level { LOG_OFF, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* spec: "http=debug,engine=info" or one level for all. The file is file_open_private's. False on a bad spec or file. */
bool log_open(const char *path, const char *spec, struct err *e);
void log_close(void);
bool log_wants(enum log_system sys, enum log_level level);
void log_write(enum log_system sys, enum log_level level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Appends the last lines written, oldest first, each with its newline: at most LOG_RECENT of them. */
#define LOG_RECENT 64
void log_recent(struct buf *out);

#define log_error(sys, ...) log_write((sys), LOG_ERROR, __VA_ARGS__)
#define log_warn(sys, ...) log_write((sys), LOG_WARN, __VA_ARGS__)
#define log_info(sys, ...) log_write((sys), LOG_INFO, __VA_ARGS__)
#define log_debug(sys, ...) do { if (log_wants((sys), LOG_DEBUG)) log_write((sys), LOG_DEBUG, __VA_ARGS__); } while (0)

#endif
