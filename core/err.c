#include "core/err.h"

#include "core/mem.h"
#include "core/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_LEAST 16
#define SECRET_PART 8 /* bytes at the end of a cut text that are more than chance */

struct err_info {
	const char *name, *check, *hint;
	bool retryable;
	int exit;
};

static const struct err_info infos[ERR_COUNT] = {
#define X(code, name, retry, exit, check, hint) [ERR_##code] = { name, check, hint, retry, exit },
	ERR_CODES(X)
#undef X
};

bool err_set(struct err *e, enum err_code code, const char *where, const char *fmt, ...)
{
	if (!e)
		return false;
	err_clear(e);
	e->code = code;
	snprintf(e->where, sizeof e->where, "%s", where ? where : "");
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	return false;
}

bool err_at(struct err *e, const char *file, unsigned line)
{
	char number[16] = "";
	if (!e)
		return false;
	int digits = line ? snprintf(number, sizeof number, ":%u", line) : 0;
	size_t room = sizeof e->where - 1 - (size_t)digits, n = strlen(file);
	snprintf(e->where, sizeof e->where, "%s%s%s", n > room ? "~" : "", file + (n > room ? n - room + 1 : 0), number);
	return false;
}

/* How much of the secret stands at s: all of it, or at the end of the text at least `tail` bytes of its beginning. 0: none. */
static size_t secret_at(const char *s, const char *secret, size_t tail)
{
	size_t n = 0;
	while (secret[n] && s[n] == secret[n])
		n++;
	return !secret[n] || (!s[n] && n >= tail) ? n : 0;
}

static void hide(struct err *e, const char *secret, size_t tail)
{
	static const char mask[] = "***";
	char kept[sizeof e->text];
	size_t to = 0;
	for (const char *s = e->text; *s;) {
		size_t n = secret_at(s, secret, tail);
		if (to + (n ? sizeof mask - 1 : 1) >= sizeof kept) /* masks longer than what they hide */
			break;
		if (n) {
			memcpy(kept + to, mask, sizeof mask - 1);
			to += sizeof mask - 1;
		} else {
			kept[to++] = *s;
		}
		s += n ? n : 1;
	}
	kept[to] = '\0';
	memcpy(e->text, kept, to + 1);
}

void err_mask(struct err *e, const char *secret)
{
	if (secret && strlen(secret) >= SECRET_LEAST)
		hide(e, secret, SECRET_PART);
}

void err_hide(struct err *e, const char *secret)
{
	bool cut = strlen(e->text) == sizeof e->text - 1;
	if (secret && *secret)
		hide(e, secret, cut ? 1 : SECRET_PART);
}

void err_mask_logins(struct err *e)
{
	for (char *p = e->text; (p = strstr(p, "://"));) {
		p += 3;
		char *at = memrchr(p, '@', strcspn(p, " \t\r\n\"'"));
		if (!at || at - p < 3)
			continue;
		memcpy(p, "***", 3);
		memmove(p + 3, at, strlen(at) + 1);
	}
}

void err_clear(struct err *e)
{
	if (e)
		memset(e, 0, sizeof *e);
}

void err_hold(struct err **at, const struct err *e)
{
	if (e->code == ERR_OK) {
		free(*at);
		*at = NULL;
		return;
	}
	if (!*at)
		*at = xmalloc(sizeof **at);
	if (*at != e)
		**at = *e;
}

const char *err_name(enum err_code code)
{
	return infos[code].name;
}

const char *err_check_code(enum err_code code)
{
	return infos[code].check;
}

const char *err_hint(enum err_code code)
{
	return infos[code].hint;
}

bool err_shared(enum err_code code)
{
	switch (code) {
	case ERR_DNS:
	case ERR_CONNECT:
	case ERR_TLS:
	case ERR_TIMEOUT:
	case ERR_HTTP:
	case ERR_AUTH:
	case ERR_NOCRED: return true;
	default: return false;
	}
}

bool err_retryable(enum err_code code)
{
	return infos[code].retryable;
}

int err_exit(enum err_code code)
{
	return infos[code].exit;
}

/* Only what an ARN or an action is made of: it goes into somebody's policy. */
static bool quotable(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s > '~' || *s == '"' || *s == '\\')
			return false;
	return true;
}

const char *err_statement(const struct err *e, char out[ERR_STATEMENT])
{
	bool named = e->resource[0] && quotable(e->resource);
	out[0] = '\0';
	if (e->action[0] && quotable(e->action))
		snprintf(out, ERR_STATEMENT, "{\"Effect\":\"Allow\",\"Action\":\"%s\",\"Resource\":\"%s\"}", e->action,
		         named ? e->resource : "*");
	else if (e->action[0])
		text_visible_to(out, ERR_STATEMENT, e->action);
	return out;
}

/* A line that had to be cut must not end in half a character. */
static void cut_at_character(char *s, unsigned long n)
{
	while (n && ((unsigned char)s[n - 1] & 0xc0) == 0x80)
		n--;
	if (n && ((unsigned char)s[n - 1] & 0x80))
		n--;
	s[n] = '\0';
}

void err_line(const struct err *e, char *out, unsigned long size)
{
	char text[2 * sizeof e->text], where[2 * sizeof e->where], action[ERR_STATEMENT + 16], statement[ERR_STATEMENT];
	text_visible_to(text, sizeof text, e->text);
	text_visible_to(where, sizeof where, e->where);
	const char *hint = err_hint(e->code);
	if (e->action[0]) {
		snprintf(action, sizeof action, "allow it: %s", err_statement(e, statement));
		hint = action;
	}
	int n = snprintf(out, size, "sluice: %s%s%s%s%s", where, where[0] ? ": " : "", text[0] ? text : err_name(e->code),
	                 hint[0] ? "; " : "", hint);
	if (n > 0 && (unsigned long)n >= size && size)
		cut_at_character(out, size - 1);
}
