/* What a run does to others, looked at while it works: its consumer's throttles, the age of the queue that the
 * consumer reads, alarms, and the clock of what is to be sent. Any of them ends the run as PAUSED, its reason said; what cannot be read
 * is warned of once, before. Reads only. */
#ifndef ENGINE_DRIVE_WATCH_H
#define ENGINE_DRIVE_WATCH_H

#include "engine/drive/drive.h"

/* Before anything is received: what the source's normal rate is (and so the cap, when no rate was said), which alarms have gone off already,
 * and who consumes. True when that is over. */
bool watch_prepare(struct drive *d);
/* Before anybody is asked to confirm: will the first message be lost before the run is over? True: e says so, and it must not begin. */
bool watch_refuses(struct drive *d, struct err *e);
void watch_step(struct drive *d, int64_t *wake_ms); /* a turn of the run */
bool watch_flying(const struct drive *d); /* a call is under way: it is waited for */
void watch_free(struct drive *d);
double watch_left(const struct drive *d); /* messages that are still to be sent */
/* Seconds until the first of what is still to be sent is lost; NAN: not known. */
double watch_loss(const struct drive *d);

#endif
