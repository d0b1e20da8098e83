#include "core/err.h"

#include "core/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

void err_clear(struct err *e)
{
	if (e)
		memset(e, 0, sizeof *e);
}

/* How much of the secret stands at s: all of it, or as much as the cut of a full text left. 0: none. */
static size_t hidden_at(const char *s, const char *secret, bool cut)
{
	size_t n = 0;
	while (secret[n] && s[n] == secret[n])
		n++;
	return !secret[n] || (cut && !s[n]) ? n : 0;
}

void err_hide(struct err *e, const char *secret)
{
	static const char mask[] = "***";
	char kept[sizeof e->text];
	size_t to = 0;
	bool cut = strlen(e->text) == sizeof e->text - 1;
	if (!secret || !*secret)
		return;
	for (const char *s = e->text; *s && to + sizeof mask < sizeof kept;) {
		size_t n = hidden_at(s, secret, cut);
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
	char text[2 * sizeof e->text], where[2 * sizeof e->where], action[2 * sizeof e->action + 8];
	text_visible_to(text, sizeof text, e->text);
	text_visible_to(where, sizeof where, e->where);
	const char *hint = err_hint(e->code);
	if (e->action[0]) {
		char name[2 * sizeof e->action];
		text_visible_to(name, sizeof name, e->action);
		snprintf(action, sizeof action, "allow %s", name);
		hint = action;
	}
	int n = snprintf(out, size, "sluice: %s%s%s%s%s", where, where[0] ? ": " : "", text[0] ? text : err_name(e->code),
	                 hint[0] ? "; " : "", hint);
	if (n > 0 && (unsigned long)n >= size && size)
		cut_at_character(out, size - 1);
}
