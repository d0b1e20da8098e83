#include "core/ini.h"

#include "core/file.h"
#include "core/text.h"

#include <string.h>

#define LINE_MOST (64 * 1024)

static const struct span nothing = { "", 0 };

void ini_init(struct ini *i, struct span text, unsigned flags)
{
	if (text.n >= 3 && memcmp(text.p, "\xEF\xBB\xBF", 3) == 0)
		text = (struct span){ text.p + 3, text.n - 3 };
	*i = (struct ini){ .p = text.p, .end = text.p + text.n, .flags = flags };
	i->section = i->key = i->value = i->parent = nothing;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_comment(char c)
{
	return c == '#' || c == ';';
}

static bool aws(const struct ini *i)
{
	return i->flags & INI_AWS;
}

/* The next line without its end; false at the end of the text. */
static bool next_line(struct ini *i, struct span *line)
{
	if (i->p == i->end)
		return false;
	const char *nl = memchr(i->p, '\n', (size_t)(i->end - i->p));
	const char *stop = nl ? nl : i->end;
	*line = (struct span){ i->p, (size_t)(stop - i->p) };
	if (line->n && line->p[line->n - 1] == '\r')
		line->n--;
	i->p = nl ? nl + 1 : i->end;
	i->line++;
	return true;
}

/* What no line may hold; NULL when it is fine. */
static const char *bad_bytes(const struct ini *i, struct span line)
{
	if (line.n > LINE_MOST)
		return "the line is longer than 64 KiB";
	if (memchr(line.p, '\0', line.n))
		return "the line holds a NUL byte";
	if (aws(i))
		return NULL;
	for (size_t at = 0; at < line.n;) {
		uint32_t cp;
		unsigned len = text_decode(line.p + at, line.n - at, &cp);
		if (len == 0)
			return "the line is not UTF-8";
		if ((cp < 0x20 && cp != '\t') || cp == 0x7F)
			return "the line holds a control character";
		at += len;
	}
	return NULL;
}

/* Cuts a trailing comment off: '#' or ';' after a blank. Our dialect's quotes shield them; false when a quote stays open. */
static bool cut_comment(const struct ini *i, struct span *s)
{
	bool quoted = false;
	size_t at = 0;
	for (; at < s->n; at++) {
		char c = s->p[at];
		if (!aws(i) && c == '"')
			quoted = !quoted;
		else if (quoted && c == '\\' && at + 1 < s->n)
			at++;
		else if (!quoted && is_comment(c) && at > 0 && is_blank(s->p[at - 1]))
			break;
	}
	*s = span_trim((struct span){ s->p, at });
	return !quoted;
}

static enum ini_event bad(struct ini *i, const char *why)
{
	i->key = i->value = i->parent = nothing;
	i->why = why;
	return INI_BAD;
}

/* The ']' that closes the header; a quoted name of our dialect may hold one. NULL when there is none. */
static const char *header_end(const struct ini *i, struct span line)
{
	bool quoted = false;
	for (size_t at = 1; at < line.n; at++) {
		if (!aws(i) && line.p[at] == '"')
			quoted = !quoted;
		else if (line.p[at] == ']' && !quoted)
			return line.p + at;
	}
	return NULL;
}

static enum ini_event read_section(struct ini *i, struct span line)
{
	i->section = nothing;
	const char *close = header_end(i, line);
	if (!close)
		return bad(i, aws(i) ? "Profile definition must end with ']'" : "a section must end with ']'");
	struct span rest = span_trim((struct span){ close + 1, (size_t)(line.p + line.n - close - 1) });
	if (rest.n && !is_comment(rest.p[0]))
		return bad(i, "nothing but a comment may follow a section's ']'");
	i->section = span_trim((struct span){ line.p + 1, (size_t)(close - line.p - 1) });
	if (i->section.n == 0)
		return bad(i, "a section must have a name");
	i->key = i->value = i->parent = nothing;
	return INI_SECTION;
}

/* Splits at the first '=' into key and value, both trimmed; false without one. */
static bool split_pair(struct span line, struct span *key, struct span *value)
{
	const char *eq = memchr(line.p, '=', line.n);
	if (!eq)
		return false;
	*key = span_trim((struct span){ line.p, (size_t)(eq - line.p) });
	*value = span_trim((struct span){ eq + 1, (size_t)(line.p + line.n - eq - 1) });
	return true;
}

static enum ini_event read_key(struct ini *i, struct span line)
{
	if (!i->section.n)
		return bad(i, aws(i) ? "Expected a profile definition" : "a [section] must come before the first key");
	struct span key, value;
	if (!cut_comment(i, &line))
		return bad(i, "a double quote is not closed");
	if (!split_pair(line, &key, &value))
		return bad(i, aws(i) ? "Expected an '=' sign defining a property" : "expected KEY = VALUE");
	if (key.n == 0)
		return bad(i, aws(i) ? "Property did not have a name" : "the key has no name");
	i->key = key;
	i->value = value;
	i->parent = nothing;
	return INI_KEY;
}

/* An indented line of the AWS dialect: it belongs to the key above it. */
static enum ini_event read_indented(struct ini *i, struct span line)
{
	if (!i->section.n)
		return bad(i, "Expected a profile definition");
	if (!i->key.n && !i->parent.n)
		return bad(i, "Expected a property definition, found continuation");
	bool nested = i->parent.n ? i->key.n > 0 : i->value.n == 0;
	struct span parent = i->parent.n ? i->parent : i->key, key = nothing, value = line;
	if (nested) {
		cut_comment(i, &line);
		if (!split_pair(line, &key, &value))
			return bad(i, "Expected an '=' sign defining a sub-property");
		if (key.n == 0)
			return bad(i, "Sub-property did not have a name");
	}
	i->parent = parent;
	i->key = key;
	i->value = value;
	return INI_SUBKEY;
}

enum ini_event ini_next(struct ini *i)
{
	struct span line;
	while (next_line(i, &line)) {
		const char *why = bad_bytes(i, line);
		if (why)
			return bad(i, why);
		bool indented = line.n && is_blank(line.p[0]);
		line = span_trim(line);
		if (line.n == 0 || is_comment(line.p[0]))
			continue;
		if (aws(i) && indented)
			return read_indented(i, line);
		return line.p[0] == '[' ? read_section(i, line) : read_key(i, line);
	}
	return INI_END;
}

bool ini_section_split(struct span section, struct span *type, struct span *name)
{
	size_t n = 0;
	while (n < section.n && !is_blank(section.p[n]))
		n++;
	*type = (struct span){ section.p, n };
	*name = span_trim((struct span){ section.p + n, section.n - n });
	if (name->n && name->p[0] == '"') {
		if (name->n < 3 || name->p[name->n - 1] != '"')
			return false;
		*name = (struct span){ name->p + 1, name->n - 2 };
	}
	return n > 0 && !memchr(section.p, '"', n) && !(name->n && memchr(name->p, '"', name->n));
}

/* ---- files */

bool ini_read_file(const char *path, struct buf *out, struct err *e)
{
	return file_read(path, FILE_ANY, FILE_MOST, out, NULL, e);
}

bool ini_read_own_file(const char *path, struct buf *out, struct err *e)
{
	return file_read(path, FILE_SETTINGS, FILE_MOST, out, NULL, e);
}
