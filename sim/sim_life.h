/* What functions did: by minute, how many invocations of which version, and what each failure was; and the lines that an
 * invocation leaves in its log. Metrics are made of the same numbers, so that both tell one story. A busy function's lines
 * are not kept but made again, always the same, when somebody reads them. */
#ifndef SIM_SIM_LIFE_H
#define SIM_SIM_LIFE_H

#include "core/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct world;
struct sim_function;

/* How an invocation fails.
 *  X(ID, error type, message ("" = made of the invocation), milliseconds (0: like a good one; -1: the function's timeout)) */
#define SIM_SHAPES(X)                                                                                                      \
	X(NONE, "", "", 0)                                                                                                     \
	X(SIMULATED, "SimulatedError", "simulated failure", 0)                                                                 \
	X(MEMORY, "Runtime.ExitError", "", 8130)                                                                               \
	X(BAD_DATE, "ValueError", "time data '0000-00-00 00:00:00' does not match format '%Y-%m-%d %H:%M:%S'", 0)              \
	X(TIMEOUT, "Sandbox.Timedout", "", -1)                                                                                 \
	X(POOL, "PoolTimeout", "couldn't get a connection after 2.00 sec", 2090)                                               \
	X(SLOW_DOWN, "ClientError",                                                                                            \
	  "An error occurred (SlowDown) when calling the PutObject operation (reached max retries: 4): Please reduce your "    \
	  "request rate.", 0)                                                                                                  \
	X(UPSTREAM, "ReadTimeout",                                                                                             \
	  "HTTPConnectionPool(host='customers.internal', port=8080): Read timed out. (read timeout=2)", 0)

enum sim_shape {
#define X(id, type, message, ms) SHAPE_##id,
	SIM_SHAPES(X)
#undef X
	    SHAPE_COUNT
};

struct sim_failure {
	enum sim_shape shape;
	char about[160]; /* what it failed on, for the log: a message id, a sequence number; "" = nothing said */
};

struct lived {
	int64_t minute;
	unsigned n, nfailed, version, containers; /* n includes the failed */
	double median_ms;
	struct sim_failure *failed;
};

/* The minute is the newest. failed is copied. */
void life_add(struct sim_function *fn, const struct lived *minute);
const struct lived *life_at(const struct sim_function *fn, int64_t minute); /* NULL: it did nothing */
void life_free(struct sim_function *fn);

/* One invocation, and what it leaves. */
struct sim_run {
	const struct sim_function *fn;
	unsigned version;   /* 0 = $LATEST */
	char id[37];        /* of the request */
	char stream[80];
	int64_t start_ms;
	double ms;
	const struct sim_failure *failure; /* NULL: none */
};
struct log_sink {
	void (*line)(struct log_sink *to, int64_t at_ms, const char *stream, const char *text);
};
void run_lines(const struct sim_run *run, struct log_sink *to);
/* Every invocation of a minute, or its failed ones alone. */
void life_lines(const struct world *w, const struct sim_function *fn, const struct lived *minute, bool failed_alone,
                struct log_sink *to);
double life_ms(const struct sim_function *fn, enum sim_shape shape, double median_ms); /* of a failed one */
const char *shape_type(enum sim_shape shape);
void shape_message(const struct sim_run *run, char *out, size_t size); /* what the caller of Invoke is told */
const char *const *shape_trace(enum sim_shape shape); /* lines of a traceback, up to a NULL */
void life_stream(const struct world *w, const struct sim_function *fn, unsigned version, int64_t minute, unsigned container,
                 char out[80]);
/* The record of a batch of a stream that was given up; the caller frees. */
struct sim_mapping;
struct sim_stream;
struct sim_shard;
struct failed_batch {
	const struct sim_stream *stream;
	const struct sim_shard *shard;
	uint64_t first, last; /* sequence numbers */
	unsigned version;
	int64_t arrived_ms;
};
char *life_on_failure(struct world *w, const struct sim_mapping *m, const struct failed_batch *b);
#define LIFE_BLOCK 120 /* minutes that an execution environment, and so its log stream, lasts */

#endif
