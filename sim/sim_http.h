/* The server: libmicrohttpd on 127.0.0.1, driven by one thread that owns the world. Answers that must wait (latency, long
 * polls) are suspended connections in a list, so that any number wait at once. */
#ifndef SIM_SIM_HTTP_H
#define SIM_SIM_HTTP_H

#include "core/err.h"
#include "sim/sim_sign.h"

struct sim_server;
struct sim_server *sim_server_start(unsigned port, struct world *w, const struct sim_key *key, unsigned latency_ms,
                                    struct err *e);
unsigned sim_server_port(const struct sim_server *s);
void sim_server_stop(struct sim_server *s); /* the world is the caller's again */

#endif
