/* Time. Timers use the monotonic clock; what is shown and asked of AWS uses wall time. SLUICE_NOW=RFC3339 freezes the wall
 * clock (tests, screens); SLUICE_SPEED=N lets both clocks run N times as fast (tests that watch a day). Instants are int64_t: seconds where a name ends in nothing, milliseconds where it ends in _ms. */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool clock_init(void);           /* reads SLUICE_NOW and SLUICE_SPEED; false when one is set and unreadable. Call before threads. */
int64_t clock_wall(void);        /* seconds since 1970 UTC */
int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void);
bool clock_frozen(void);
int clock_real_ms(int ms);       /* how long so many milliseconds of these clocks last */
/* The service's clock is so many seconds ahead of this machine's: clock_wall and clock_wall_ms follow it from now on (0 = this
 * machine's again), since what it sends and accepts goes by it. Any thread. Without effect on a clock that is frozen or fast. */
void clock_correct(int64_t seconds);
int64_t clock_correction(void);

#define CLOCK_RFC3339_SIZE 32
/* On this thread alone clock_wall and clock_wall_ms stand still at t until clock_hold(0): so a picture of a past instant is made by the code
 * that makes one of now. */
void clock_hold(int64_t t);
int64_t clock_pause(void); /* holds it at now, unless it is held: what is done until clock_hold(what this returned) is done at one instant */

void clock_rfc3339(int64_t t, char out[CLOCK_RFC3339_SIZE]);       /* 2026-11-23T03:14:42Z, whatever TZ says */
bool clock_parse_rfc3339(const char *s, size_t n, int64_t *t_ms);  /* Z or offset, fraction allowed; strict otherwise */
bool clock_parse_duration(const char *s, int64_t *seconds);        /* 90s 15m 6h 3d 2w; a unit is required, > 0 */
void clock_hms(int64_t t, char out[16]);                           /* 03:14:42Z */
void clock_hm(int64_t t, char out[16]);                            /* 03:14Z */

#endif
