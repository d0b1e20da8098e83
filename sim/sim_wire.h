/* The wires: JSON 1.0 and 1.1, query with XML answers, and rest-json. */
#ifndef SIM_SIM_WIRE_H
#define SIM_SIM_WIRE_H

#include "sim/sim_req.h"
#include "sim/sim_sign.h"

/* Takes rq (its raw half filled) to an answer; or sets rq->hold_ms, then rq is to be served again after that time. */
void sim_wire_serve(struct world *w, const struct sim_key *key, struct sim_req *rq);
void sim_wire_too_large(struct world *w, struct sim_req *rq);

#endif
