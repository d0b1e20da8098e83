/* Log lines of a Lambda function into groups of errors, pure. Known are Python's tracebacks, node's and Java's stack traces, "Task timed
 * out", what the runtime itself says (RequestId: ... Error: ...), and JSON: Lambda's own log format, structured loggers, Go and node.
 * A line that none of these is, and that does not call itself an error, is none. */
#ifndef PIPELINE_ERRORS_H
#define PIPELINE_ERRORS_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/model/errors.h"

#include <stdbool.h>

/* ---- one line */
#define LINE_ID 64
struct error_line {
	enum { LINE_OTHER, LINE_START, LINE_ERROR } what;
	char request[LINE_ID];  /* "" when the line names none */
	char version[24];       /* of LINE_START */
	char message[LINE_ID];  /* id of a message that it names; "" */
	char type[120];
	char text[400];         /* what it says, raw */
	char place[160];        /* "app.py in parse", "com.example.Handler.handle": of the innermost frame; "" */
};
void error_line_read(struct span line, struct error_line *out);
/* What differs from one error to the next taken out: numbers, ids, quoted values, addresses. */
void error_normalise(const char *text, struct buf *out);
/* For eyes: quotes longer than a name and whatever stands in braces are not shown, as a message's body may be in them. */
void error_mask(const char *text, struct buf *out);

/* ---- many */
struct errors; /* opaque */
struct errors *errors_new(void);
void errors_free(struct errors *e); /* NULL is fine */
/* id: the event's own, so that one that came twice counts once; NULL: it counts. Everything is copied. */
void errors_add(struct errors *e, const char *stream, const char *id, int64_t at_ms, struct span line);
/* The same, but only for what it says of others: START lines, messages that are worked on. */
void errors_add_context(struct errors *e, const char *stream, int64_t at_ms, struct span line);
/* Of the newest error of each shape that lacks its request: the stream and the instant. A START line and what is said of messages stand
 * in that stream shortly before. Returns how many, at most `most`. */
struct error_open {
	const char *stream;
	int64_t at_ms;
};
unsigned errors_open(const struct errors *e, struct error_open *open, unsigned most);
/* A START line that says what an error before it did not is used whenever it was added. Newest group first. */
struct error_group *errors_groups(const struct errors *e, struct arena *mem, unsigned *n);

#endif
