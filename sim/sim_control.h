/* The tests' own door: faults switched on, counted and cleared while the simulator runs. On a path that no AWS service
 * uses, without a signature, for this machine alone.
 *   POST   /_sluice/faults {"faults":["sqs:ReceiveMessage=throttle,times=2",...]}   all of them or none; answers as GET
 *   GET    /_sluice/faults                                                           fault_report()
 *   DELETE /_sluice/faults                                                           all off, a scenario's too; counts 0
 *   POST   /_sluice/clock {"now":"2026-11-23T03:15:42Z"}                             a frozen clock, moved on to then
 *   any    /_sluice/trap                                                             where redirects lead; counted */
#ifndef SIM_SIM_CONTROL_H
#define SIM_SIM_CONTROL_H

#include "sim/sim_req.h"

/* True when the request was for this door, and is answered. Never for a world that is not open. */
bool sim_control_serve(struct world *w, struct sim_req *rq);

#endif
