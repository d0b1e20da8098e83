/* One log line: is it an error, of what type, what does it say, where, and of which request? */
#include "core/json.h"
#include "pipeline/errors.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TYPE_MOST 100
#define LINE_MOST 16384 /* of a line so much is looked at */

/* ---- spans */

static struct span cut(struct span s, size_t from)
{
	return from >= s.n ? (struct span){ s.p + s.n, 0 } : (struct span){ s.p + from, s.n - from };
}

static struct span trim(struct span s)
{
	while (s.n && isspace((unsigned char)*s.p))
		s = cut(s, 1);
	while (s.n && isspace((unsigned char)s.p[s.n - 1]))
		s.n--;
	return s;
}

static bool begins(struct span s, const char *word)
{
	size_t n = strlen(word);
	return s.n >= n && memcmp(s.p, word, n) == 0;
}

static const char *find(struct span s, const char *word)
{
	return s.n ? memmem(s.p, s.n, word, strlen(word)) : NULL;
}

/* What follows word; empty when it is not there. */
static struct span after(struct span s, const char *word)
{
	const char *p = find(s, word);
	return p ? cut(s, (size_t)(p - s.p) + strlen(word)) : (struct span){ s.p + s.n, 0 };
}

static struct span until(struct span s, const char *stops)
{
	size_t n = 0;
	while (n < s.n && !strchr(stops, s.p[n]))
		n++;
	return (struct span){ s.p, n };
}

static void keep(char *out, size_t size, struct span s)
{
	size_t n = s.n < size - 1 ? s.n : size - 1;
	memcpy(out, s.p, n);
	out[n] = '\0';
}

/* 8-4-4-4-12 hexadecimal digits. */
static bool is_uuid(struct span s)
{
	if (s.n < 36)
		return false;
	for (unsigned i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? s.p[i] != '-' : !isxdigit((unsigned char)s.p[i]))
			return false;
	}
	return s.n == 36 || !isalnum((unsigned char)s.p[36]);
}

static struct span uuid_in(struct span s)
{
	for (; s.n >= 36; s = cut(s, 1))
		if (is_uuid(s))
			return (struct span){ s.p, 36 };
	return (struct span){ s.p, 0 };
}

/* "message 1f0e...", "messageId": "1f0e...", MessageId=1f0e... */
static void find_message(struct span s, struct error_line *out)
{
	for (; s.n > 40; s = cut(s, 1)) {
		if (strncasecmp(s.p, "message", 7) != 0)
			continue;
		struct span near = cut(s, 7);
		near.n = near.n < 48 ? near.n : 48;
		struct span id = uuid_in(near);
		if (id.n && id.p - near.p <= 8) {
			keep(out->message, sizeof out->message, id);
			return;
		}
	}
}

/* ---- types */

/* A name with dots and letters that ends as types of errors do. */
static bool is_type(struct span s)
{
	static const char *const ends[] = { "Error",   "Exception", "Timeout", "Failure", "Fault", "Interrupt",
		                                "Warning", "Exit",      "Expired", "Down",    "Denied" };
	if (!s.n || s.n > TYPE_MOST || !isalpha((unsigned char)s.p[0]))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) && !strchr("._$", s.p[i]))
			return false;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		size_t n = strlen(ends[i]);
		if (s.n >= n && memcmp(s.p + s.n - n, ends[i], n) == 0)
			return true;
	}
	return begins(s, "Runtime.");
}

/* "ValueError: what it says", or the type alone. named: whatever stands before the colon is the type. */
static bool typed(struct span line, bool named, struct error_line *out)
{
	line = trim(line);
	struct span type = until(line, ":\n"), rest = cut(line, type.n);
	type = trim(type);
	if (!is_type(type) && !(named && type.n && type.n <= TYPE_MOST && !memchr(type.p, ' ', type.n)))
		return false;
	keep(out->type, sizeof out->type, type);
	keep(out->text, sizeof out->text, trim(rest.n ? until(cut(rest, 1), "\n") : rest));
	return true;
}

/* ---- places */

static const char *base_name(struct span path, char out[80])
{
	size_t from = 0;
	for (size_t i = 0; i < path.n; i++)
		if (path.p[i] == '/')
			from = i + 1;
	keep(out, 80, cut(path, from));
	return out;
}

/* Python: File "/var/task/app.py", line 12, in handler. The innermost of the function's own code, else the innermost. */
static void python_place(struct span s, struct error_line *out)
{
	bool own = false;
	for (struct span f = after(s, "File \""); f.n; f = after(f, "File \"")) {
		char file[80], name[60];
		struct span path = until(f, "\""), in = after(until(f, "\n"), ", in ");
		bool mine = begins(path, "/var/task/") && !memchr(path.p + 10, '/', path.n - 10);
		if (!in.n || (own && !mine))
			continue;
		own = own || mine;
		keep(name, sizeof name, trim(in));
		snprintf(out->place, sizeof out->place, "%.70s in %.50s", base_name(path, file), name);
	}
}

/* node: at parse (/var/task/index.js:4:9); Java: at com.example.Handler.handle(Handler.java:12). The first own frame. */
static void at_place(struct span s, struct error_line *out)
{
	for (struct span f = after(s, "at "); f.n; f = after(f, "at ")) {
		char file[80];
		struct span name = trim(until(f, "(\n")), where = until(after(until(f, "\n"), "("), ":)");
		if (!name.n || name.n > 100 || begins(where, "node:") || memmem(where.p, where.n, "node_modules", 12))
			continue;
		if (where.n && where.p[0] == '/')
			snprintf(out->place, sizeof out->place, "%.70s in %.*s", base_name(where, file),
			         (int)(name.n < 60 ? name.n : 60), name.p);
		else
			keep(out->place, sizeof out->place, name);
		return;
	}
}

/* ---- JSON */

static const char *any_of(const struct json *o, const char *const *keys)
{
	for (; *keys; keys++) {
		const char *s = json_get_str(o, *keys);
		if (s && *s)
			return s;
	}
	return NULL;
}

static bool bad_level(const char *level)
{
	static const char *const bad[] = { "ERROR", "FATAL", "CRITICAL", "SEVERE", "PANIC", "EMERGENCY", "ALERT" };
	for (size_t i = 0; level && i < sizeof bad / sizeof *bad; i++)
		if (strcasecmp(level, bad[i]) == 0)
			return true;
	return false;
}

static void set(char *out, size_t size, const char *s)
{
	snprintf(out, size, "%.*s", (int)size - 1, s ? s : "");
}

/* Frames are lines, or one text. */
static void json_place(const struct json *o, struct error_line *out)
{
	static const char *const keys[] = { "stackTrace", "stack_trace", "stack", "exception", "stacktrace", NULL };
	struct buf b;
	buf_init(&b, LINE_MOST);
	for (unsigned i = 0; keys[i] && !b.n; i++) {
		const struct json *trace = json_get(o, keys[i]);
		buf_adds(&b, json_str(trace) ? json_str(trace) : "");
		for (const struct json *f = json_is_array(trace) ? json_first(trace) : NULL; f; f = json_next(f))
			buf_addf(&b, "%s\n", json_str(f) ? json_str(f) : "");
	}
	python_place(buf_span(&b), out);
	if (!out->place[0])
		at_place(buf_span(&b), out);
	buf_clear(&b);
}

/* Lambda's own events in its JSON format. */
static bool platform_event(const struct json *o, struct error_line *out)
{
	const char *type = json_get_str(o, "type"), *status;
	const struct json *record = json_get(o, "record");
	if (!type || strncmp(type, "platform.", 9) != 0)
		return false;
	status = json_get_str(record, "status");
	set(out->request, sizeof out->request, json_get_str(record, "requestId"));
	if (strcmp(type, "platform.start") == 0) {
		out->what = LINE_START;
		set(out->version, sizeof out->version, json_get_str(record, "version"));
	} else if (strcmp(type, "platform.report") == 0 && status && strcmp(status, "success") != 0) {
		const char *error = json_get_str(record, "errorType");
		bool timeout = strcmp(status, "timeout") == 0;
		out->what = timeout || error ? LINE_ERROR : LINE_OTHER; /* an error of the code's own has a line of its own */
		set(out->type, sizeof out->type, timeout ? "Task timed out" : error);
	}
	return true;
}

static void json_error(const struct json *o, struct error_line *out)
{
	static const char *const types[] = { "errorType", "exception_name", "error_type", "exceptionType", NULL };
	static const char *const texts[] = { "errorMessage", "exception_message", "message", "msg", "error", NULL };
	static const char *const requests[] = {
		"requestId", "AWSRequestId", "function_request_id", "aws_request_id", "awsRequestId", "request_id", NULL
	};
	static const char *const levels[] = { "level", "severity", "levelname", "log_level", NULL };
	const struct json *inner = json_get(o, "message");
	const char *type = any_of(o, types);
	set(out->request, sizeof out->request, any_of(o, requests));
	if (!type && json_is_object(inner)) /* node: what was logged is an object itself */
		type = any_of(inner, types);
	else
		inner = NULL;
	if (!type && !bad_level(any_of(o, levels)))
		return;
	out->what = LINE_ERROR;
	set(out->type, sizeof out->type, type);
	set(out->text, sizeof out->text, any_of(inner ? inner : o, texts));
	json_place(inner ? inner : o, out);
}

static bool json_line(struct span line, struct error_line *out)
{
	struct json *doc = line.n && line.p[0] == '{' ? json_parse(line, NULL) : NULL;
	if (!json_is_object(doc)) {
		json_free(doc);
		return false;
	}
	if (!platform_event(doc, out))
		json_error(doc, out);
	json_free(doc);
	return true;
}

/* ---- text */

/* The last line of a traceback says what it was. */
static void read_traceback(struct span s, struct error_line *out)
{
	struct span last = { s.p, 0 };
	python_place(s, out);
	for (struct span rest = s; rest.n;) {
		struct span line = until(rest, "\n");
		if (line.n && !isspace((unsigned char)line.p[0]))
			last = line;
		rest = cut(rest, line.n + 1);
	}
	typed(last, false, out);
}

/* What stands behind level, time and request: "KeyError: 'x'\nTraceback ...", "Invoke Error \t{...}", or words. */
static void read_said(struct span s, struct error_line *out)
{
	char request[LINE_ID];
	struct span object = after(s, "\t");
	memcpy(request, out->request, sizeof request);
	if (object.n && object.p[0] == '{' && json_line(object, out) && out->what == LINE_ERROR) {
		if (!out->request[0])
			memcpy(out->request, request, sizeof request);
		return;
	}
	memcpy(out->request, request, sizeof request);
	out->what = LINE_ERROR;
	const char *trace = find(s, "Traceback (most recent call last)");
	if (typed(s, false, out)) {
		python_place(s, out);
		if (!out->place[0])
			at_place(s, out);
	} else if (trace) {
		read_traceback(cut(s, (size_t)(trace - s.p)), out);
	}
	if (!out->type[0])
		keep(out->text, sizeof out->text, trim(until(s, "\n")));
}

enum field { FIELD_LEVEL, FIELD_BAD_LEVEL, FIELD_REQUEST, FIELD_TIME, FIELD_SAID };

static enum field field_of(struct span raw, bool first)
{
	char word[32];
	bool bracket = raw.n && raw.p[0] == '[';
	struct span plain = bracket ? cut(raw, 1) : raw;
	keep(word, sizeof word, plain);
	if (bad_level(word))
		return FIELD_BAD_LEVEL;
	if (is_uuid(plain) && plain.n == 36)
		return FIELD_REQUEST;
	if (plain.n > 10 && plain.n < 32 && isdigit((unsigned char)plain.p[0]))
		return FIELD_TIME;
	return first && bracket ? FIELD_LEVEL : FIELD_SAID;
}

/* "[ERROR]\tTIME\tREQUEST\twhat", "TIME\tREQUEST\tERROR\twhat", "[ERROR] what": the fields before what is said. */
static bool leveled(struct span line, struct error_line *out)
{
	bool bad = false;
	struct span rest = line;
	for (unsigned i = 0; i < 4 && rest.n; i++) {
		struct span raw = until(rest, i == 0 && rest.p[0] == '[' ? "]" : "\t\n");
		enum field f = field_of(raw, i == 0);
		if (f == FIELD_SAID)
			break;
		bad = bad || f == FIELD_BAD_LEVEL;
		if (f == FIELD_REQUEST)
			keep(out->request, sizeof out->request, raw);
		rest = trim(cut(rest, raw.n + 1));
	}
	if (bad)
		read_said(trim(rest), out);
	return bad;
}

static bool runtime_line(struct span line, struct error_line *out)
{
	struct span id = uuid_in((struct span){ line.p, line.n < 120 ? line.n : 120 });
	const char *timed_out = find(line, "Task timed out after ");
	struct span error = after(line, " Error: ");
	if (timed_out && id.n) {
		out->what = LINE_ERROR;
		keep(out->type, sizeof out->type, span_of("Task timed out"));
		keep(out->text, sizeof out->text, trim(until(cut(line, (size_t)(timed_out - line.p) + 15), "\n")));
	} else if (begins(line, "RequestId: ") && error.n) {
		struct span second = trim(after(error, "\n"));
		out->what = LINE_ERROR;
		keep(out->type, sizeof out->type, begins(second, "Runtime.") ? until(second, " \n") : span_of("Runtime"));
		keep(out->text, sizeof out->text, trim(until(error, "\n")));
	} else {
		return false;
	}
	keep(out->request, sizeof out->request, id);
	return true;
}

static bool start_line(struct span line, struct error_line *out)
{
	if (!begins(line, "START RequestId: "))
		return false;
	struct span version = after(line, "Version: ");
	out->what = LINE_START;
	keep(out->request, sizeof out->request, until(cut(line, 17), " \n"));
	keep(out->version, sizeof out->version, until(version, " \n\t"));
	return true;
}

void error_line_read(struct span line, struct error_line *out)
{
	*out = (struct error_line){ .what = LINE_OTHER };
	line = trim(line);
	line.n = line.n < LINE_MOST ? line.n : LINE_MOST;
	if (start_line(line, out) || begins(line, "END RequestId: ") || begins(line, "REPORT RequestId: "))
		return;
	find_message(line, out);
	if (json_line(line, out) || runtime_line(line, out) || leveled(line, out))
		return;
	if (begins(line, "Traceback (most recent call last)")) {
		out->what = LINE_ERROR;
		read_traceback(line, out);
	} else if (typed(line, false, out)) {
		out->what = LINE_ERROR;
		python_place(line, out);
		if (!out->place[0])
			at_place(line, out);
	} else if (begins(line, "panic: ") || begins(line, "fatal error: ")) {
		out->what = LINE_ERROR;
		typed(line, true, out);
	}
}

/* ---- shapes */

static bool word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || (c & 0x80);
}

/* A word with a digit in it is an id or a number; one of letters alone stays. */
static void add_word(struct buf *out, struct span w)
{
	size_t digits = 0, hex = 0;
	for (size_t i = 0; i < w.n; i++) {
		digits += isdigit((unsigned char)w.p[i]) != 0;
		hex += isxdigit((unsigned char)w.p[i]) != 0 || w.p[i] == '-';
	}
	if (!digits)
		buf_add(out, w.p, w.n);
	else
		buf_adds(out, digits == w.n ? "#" : hex == w.n || w.n >= 16 ? "<id>" : "<n>");
}

static size_t quoted(struct span s)
{
	char q = s.p[0];
	for (size_t i = 1; i < s.n; i++)
		if (s.p[i] == q && (i + 1 == s.n || !isalnum((unsigned char)s.p[i + 1])))
			return i + 1;
	return 0;
}

void error_normalise(const char *text, struct buf *out)
{
	struct span s = span_of(text);
	bool blank = false, word = false; /* before a quote a letter means an apostrophe */
	while (s.n) {
		size_t n = 1;
		if (strchr("'\"`", s.p[0]) && !word && (n = quoted(s)) > 0) {
			buf_adds(out, "'*'");
			blank = word = false;
		} else if (word_char(s.p[0])) {
			for (n = 1; n < s.n && (word_char(s.p[n]) ||
			                        (strchr(".:", s.p[n]) && n + 1 < s.n && isdigit((unsigned char)s.p[n + 1]) &&
			                         isdigit((unsigned char)s.p[n - 1])));)
				n++;
			add_word(out, (struct span){ s.p, n });
			blank = false;
			word = true;
		} else {
			n = 1;
			bool space = isspace((unsigned char)s.p[0]);
			if (!space || !blank)
				buf_add(out, space ? " " : s.p, 1);
			blank = space;
			word = false;
		}
		s = cut(s, n);
	}
}

#define QUOTE_SHOWN 40

/* What stands in braces and brackets of its kind, closed or not. */
static size_t braced(struct span s)
{
	unsigned deep = 0;
	for (size_t i = 0; i < s.n; i++) {
		deep += s.p[i] == '{';
		if (s.p[i] == '}' && --deep == 0)
			return i + 1;
	}
	return s.n;
}

void error_mask(const char *text, struct buf *out)
{
	struct span s = span_of(text);
	while (s.n) {
		size_t n = 1;
		if (s.p[0] == '{') {
			n = braced(s);
			buf_adds(out, "{...}");
		} else if ((s.p[0] == '\'' || s.p[0] == '"') && (n = quoted(s)) > QUOTE_SHOWN) {
			buf_addf(out, "%c...%c", s.p[0], s.p[0]);
		} else {
			n = n ? n : 1;
			buf_add(out, s.p, n);
		}
		s = cut(s, n);
	}
}
