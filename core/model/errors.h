/* A function's errors, grouped by shape: what its log says, with what differs from one to the next taken out. */
#ifndef CORE_MODEL_ERRORS_H
#define CORE_MODEL_ERRORS_H

#include <stdint.h>

#define ERROR_IDS 5

struct error_group {
	const char *shape;      /* "ValueError: time data '*' does not match, at app.py in parse" */
	const char *type;       /* "ValueError", "Task timed out", "Runtime.ExitError"; "" when no type is named */
	const char *sample;     /* the newest one's first line, as it came, but for long quotes and whatever stands in braces */
	const char *stream;     /* of the newest */
	unsigned count;         /* lines that say so */
	int64_t first, last;    /* seconds */
	const char *release;    /* the version that the first of them ran; NULL: not known */
	const char *newest_release; /* and the last; NULL */
	/* The newest different ones, newest first; how many are kept, and how many different there were. */
	const char *requests[ERROR_IDS];
	unsigned nrequests, requests_in_all;
	const char *messages[ERROR_IDS]; /* ids of messages, where the lines name them */
	unsigned nmessages;
};

#endif
