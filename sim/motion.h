/* How the account moves with time: the wall clock from the start on, scaled by speed. A world catches up minute by minute
 * whenever somebody asks; a frozen clock makes it stand still, the same every time. */
#ifndef SIM_MOTION_H
#define SIM_MOTION_H

#include <stdint.h>

struct world;
struct scenario;

struct world *motion_start(const struct scenario *s, const char *region, double speed);
void motion_end(struct world *w);
void motion_catch_up(struct world *w);                     /* to the present */
void motion_run_to(struct world *w, int64_t minute);       /* settles every minute before this one */

#endif
