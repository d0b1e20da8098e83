/* How fast one operation may be called: a token bucket that holds a second's worth, halves when the service throttles and
 * recovers by small steps. Pure; times in milliseconds of the monotonic clock. */
#ifndef AWS_GATE_H
#define AWS_GATE_H

#include <stdbool.h>
#include <stdint.h>

struct gate {
	double limit, rate; /* calls a second: granted, and now */
	double tokens;
	int64_t at, halved_at;
};

void gate_init(struct gate *g, double limit, int64_t now);
bool gate_take(struct gate *g, int64_t now);
int gate_wait(struct gate *g, int64_t now); /* ms until gate_take will succeed; 0 = at once */
void gate_throttled(struct gate *g, int64_t now);
void gate_succeeded(struct gate *g);

#endif
