/* When a run stops for what it does to others: its consumer is throttled more than before, the queue that the consumer reads
 * grows older faster than before, an alarm has gone off since it began, or the first message will be lost before the run is over. And how
 * fast it may be at all beside what the queue sees every day. Pure; minutes are given oldest first, NAN where nothing was measured. */
#ifndef REPLAY_WATCH_H
#define REPLAY_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#define WATCH_BEFORE 15 /* minutes before the run that it is compared with */

/* More throttles than in any minute before it began, in two of the run's minutes; or in one, by ten. A minute without a value
 * was one without a throttle: Lambda says 0, or was not invoked. */
bool throttles_rise(const double *before, unsigned nbefore, const double *since, unsigned nsince);

/* Seconds a second that an age grows: Theil and Sen's slope; NAN with fewer than three values. */
double age_slope(const double *minutes, unsigned n);
/* It grows, faster than before by a fifth of a second a second, and is older than it ever was then. Unknown is no reason. */
bool age_rises(const double *before, unsigned nbefore, const double *since, unsigned nsince);

/* What is known of the time until the first message of the run is lost, and until the run is over; NAN: not known. */
enum race { RACE_UNKNOWN, RACE_FINE, RACE_TIGHT /* more than half of the time is needed */, RACE_LOST };
enum race race_of(double loss_in_s, double finish_in_s);

/* 5 % of what the source sees normally, from sums of `step` seconds each: the mean since the first of them that is known. NAN: less than
 * an hour is known, so there is no cap. */
#define RATE_SHARE 0.05
double normal_rate(const double *sums, unsigned n, unsigned step);

#endif
