#include "core/log.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/text.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define LINE_MOST 2048
#define RECENT_MOST 256

static const char *const systems[LOG_SYSTEM_COUNT] = {
#define X(id, name) name,
	LOG_SYSTEMS(X)
#undef X
};
static const char *const level_names[] = { "off", "error", "warn", "info", "debug" };

#define NLEVELS ((int)(sizeof level_names / sizeof *level_names))

/* Levels are asked for on every thread by every call that might log: atomics, no lock before there is something to write. */
static _Atomic(int) levels[LOG_SYSTEM_COUNT];
static _Atomic(int) log_fd = -1;

/* ---- the last lines */

static pthread_mutex_t recent_lock = PTHREAD_MUTEX_INITIALIZER;
static char recent[LOG_RECENT][RECENT_MOST];
static unsigned nrecent;

static void remember(const char *line, size_t n)
{
	if (n > RECENT_MOST - 1)
		n = RECENT_MOST - 1;
	while (n && (line[n] & 0xC0) == 0x80)
		n--;
	pthread_mutex_lock(&recent_lock);
	char *slot = recent[nrecent++ % LOG_RECENT];
	memcpy(slot, line, n);
	slot[n] = '\0';
	pthread_mutex_unlock(&recent_lock);
}

void log_recent(struct buf *out)
{
	pthread_mutex_lock(&recent_lock);
	unsigned first = nrecent > LOG_RECENT ? nrecent - LOG_RECENT : 0;
	for (unsigned i = first; i < nrecent; i++) {
		buf_adds(out, recent[i % LOG_RECENT]);
		buf_addc(out, '\n');
	}
	pthread_mutex_unlock(&recent_lock);
}

/* ---- opening */

static int find_name(struct span s, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (span_eq(s, names[i]))
			return i;
	return -1;
}

/* One item: LEVEL for all, or SYSTEM=LEVEL. */
static bool set_level(struct span item, int out[LOG_SYSTEM_COUNT])
{
	const char *eq = memchr(item.p, '=', item.n);
	struct span name = eq ? (struct span){ item.p, (size_t)(eq - item.p) } : item;
	struct span level = eq ? (struct span){ eq + 1, item.n - name.n - 1 } : item;
	int l = find_name(span_trim(level), level_names, NLEVELS);
	int s = eq ? find_name(span_trim(name), systems, LOG_SYSTEM_COUNT) : 0;
	if (l < 0 || s < 0)
		return false;
	for (int i = eq ? s : 0; i < (eq ? s + 1 : LOG_SYSTEM_COUNT); i++)
		out[i] = l;
	return true;
}

static bool parse_spec(const char *spec, int out[LOG_SYSTEM_COUNT], struct err *e)
{
	for (const char *p = spec ? spec : "";; p++) {
		size_t n = strcspn(p, ",");
		if (!set_level(span_trim((struct span){ p, n }), out))
			return err_set(
			    e, ERR_USAGE, "--log",
			    "\"%.*s\": give SYSTEM=LEVEL,... or one LEVEL; systems are core http aws cache engine tui cli "
			    "sim, levels off error warn info debug",
			    (int)(n < 40 ? n : 40), p);
		p += n;
		if (!*p)
			return true;
	}
}

bool log_open(const char *path, const char *spec, struct err *e)
{
	int wanted[LOG_SYSTEM_COUNT] = { 0 };
	if (!parse_spec(spec, wanted, e))
		return false;
	int fd =
	    file_open_private(path, O_WRONLY | O_APPEND, e); /* a terminal in its place would take part in the screen */
	if (fd < 0)
		return false;
	log_close();
	atomic_store(&log_fd, fd);
	for (int i = 0; i < LOG_SYSTEM_COUNT; i++)
		atomic_store(&levels[i], wanted[i]);
	return true;
}

void log_close(void)
{
	for (int i = 0; i < LOG_SYSTEM_COUNT; i++)
		atomic_store(&levels[i], LOG_OFF);
	int fd = atomic_exchange(&log_fd, -1);
	if (fd >= 0)
		close(fd);
}

bool log_wants(enum log_system sys, enum log_level level)
{
	return level != LOG_OFF && (int)level <= atomic_load_explicit(&levels[sys], memory_order_relaxed);
}

/* ---- writing */

/* The second net: callers do not log secrets, but a header or an answer quoted in an error might carry one. */
static const char *const secret_names[] = {
	"Signature=",      "X-Amz-Security-Token", "Authorization:", "aws_secret_access_key",
	"SecretAccessKey", "aws_session_token",    "SessionToken",
};

/* Length of the value that is assigned at s, right behind a secret's name; *gap is what stands between. 0: no assignment. */
static size_t secret_at(const char *s, bool assigned, bool to_end, size_t *gap)
{
	*gap = strspn(s, " \t:=\"'>");
	for (size_t i = 0; i < *gap; i++)
		assigned = assigned || strchr(":=>", s[i]);
	if (!assigned)
		return 0;
	return to_end ? strlen(s + *gap) : strcspn(s + *gap, " \t\r\n&,;\"'<");
}

/* Moves past one secret at *in, copying its name and "***" to out; false when none stands there. out has room. */
static bool mask_one(const char **in, char **out)
{
	for (size_t i = 0; i < sizeof secret_names / sizeof *secret_names; i++) {
		size_t n = strlen(secret_names[i]), gap;
		if (strncasecmp(*in, secret_names[i], n) != 0)
			continue;
		char last = secret_names[i][n - 1];
		size_t length = secret_at(*in + n, last == '=' || last == ':', last == ':', &gap);
		if (length == 0)
			return false;
		memcpy(*out, *in, n + gap);
		memcpy(*out + n + gap, "***", 3);
		*out += n + gap + 3;
		*in += n + gap + length;
		return true;
	}
	return false;
}

/* `out` holds four times what `in` does: a one-letter secret grows to three stars. */
static void mask_secrets(const char *in, char *out)
{
	while (*in)
		if (!mask_one(&in, &out))
			*out++ = *in++;
	*out = '\0';
}

/* A disk that is full must not stop the program: what cannot be written is dropped. */
static void write_line(const char *line, size_t n)
{
	int fd = atomic_load(&log_fd);
	while (fd >= 0 && write(fd, line, n) < 0 && errno == EINTR)
		;
}

void log_write(enum log_system sys, enum log_level level, const char *fmt, ...)
{
	if (!log_wants(sys, level))
		return;
	char raw[LINE_MOST], masked[4 * LINE_MOST], line[LINE_MOST + 64], when[CLOCK_RFC3339_SIZE];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(raw, sizeof raw, fmt, ap);
	va_end(ap);
	mask_secrets(raw, masked);
	int64_t now = clock_wall_ms();
	int ms = (int)((now % 1000 + 1000) % 1000);
	clock_rfc3339((now - ms) / 1000, when);
	when[19] = '\0'; /* the Z comes after the milliseconds */
	int n = snprintf(line, sizeof line, "%s.%03dZ %s %s ", when, ms, systems[sys], level_names[level]);
	text_visible_to(line + n, LINE_MOST - (size_t)n, masked);
	size_t total = strlen(line);
	remember(line, total);
	line[total++] = '\n';
	write_line(line, total);
}
