/* What CloudTrail knows: management events, newest last, kept for 90 simulated days. Every write that a client makes through
 * the wire is one, refused or not; data events (messages, records, invocations, datapoints) are none, as AWS has it, and
 * neither are reads here. An event is there at once: the real one lags by minutes. The server's thread owns it. */
#ifndef SIM_SIM_TRAIL_H
#define SIM_SIM_TRAIL_H

#include <stdbool.h>
#include <stdint.h>

struct json;
struct sim_req;
struct sim_fail;
struct world;

struct trail_event {
	char id[37];
	char *name, *source; /* UpdateAlias20150331, lambda.amazonaws.com */
	char *user, *akid;
	char *resource, *type; /* NULL = none */
	char *document;        /* the whole event, JSON */
	int64_t at_ms;
};

/* service and op as on the wire; who: an ARN; args: the request's members, any of both may be NULL. error NULL: it worked. */
struct trail_note {
	const char *service, *op, *who, *akid, *agent, *address;
	const struct json *args, *params;
	int64_t at_ms;
	const char *error, *message;
};
void trail_add(struct world *w, const struct trail_note *note);
void trail_request(struct world *w, const struct sim_req *rq, const struct sim_fail *f); /* f NULL: it worked */
/* A scenario's own: somebody's call in the past. args: JSON, an object. */
void trail_past(struct world *w, const char *service, const char *op, const char *who, int64_t at_ms, const char *args);
void trail_free(struct world *w);

#endif
