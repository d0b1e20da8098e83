/* The last step of an answer: onto the line as it should be, or as a broken line would have it (enum sim_line). */
#ifndef SIM_SIM_LINE_H
#define SIM_SIM_LINE_H

#include "sim/sim_req.h"

#include <microhttpd.h>

/* One answer on its way. Must outlive the response: it lies in the exchange. */
struct sim_sending {
	struct MHD_Connection *conn;
	struct sim_answer *answer;
	size_t end;    /* bytes of the body that are sent */
	size_t step;   /* at most so many at once */
	bool broken;   /* the connection is cut after them */
	bool waited;   /* this byte's pause is over */
	/* Suspends the connection for so long; false: no pauses any more, the server stops. */
	bool (*pause)(void *ctx, int64_t ms);
	void *ctx;
};

/* MHD_NO closes the connection. Needs conn, answer, pause and ctx. */
enum MHD_Result sim_line_send(struct sim_sending *s);

/* LINE_TRICKLE goes around libmicrohttpd, which sends a head at once. The body becomes the whole message, head and all;
 * then byte by byte, while the connection is suspended; false when that was the last one, or nobody listens. */
void sim_line_flatten(struct sim_answer *a);
bool sim_line_trickle(struct MHD_Connection *conn, const struct sim_answer *a, size_t *sent);

#endif
