/* The calls of one operation that wait for its gate: the best class goes first, and when the service throttles whoever could not be
 * sent in time is let go, the worst class first. Pure; lists of members that know where they are, so that any can leave at once. */
#ifndef AWS_LINE_H
#define AWS_LINE_H

#include "aws/call.h"
#include "aws/gate.h"

struct queued {
	struct queued *next, **self;
}; /* first member of what is queued; in one queue at a time */
struct calls {
	struct queued *head, **tail;
}; /* points into itself: must not be moved */

void calls_init(struct calls *q);
void calls_add(struct calls *q, struct queued *m);  /* at the end */
void calls_push(struct calls *q, struct queued *m); /* at the front */
void calls_drop(struct calls *q, struct queued *m);

#define LINE_PATIENCE_S 30 /* half of what lies between two polls */

#define LINE_FLYING 32 /* calls under way at once, of all lines */
#define LINE_FILLING 8 /* of CALL_HISTORY: their answers are large, and more at once would not come sooner than a gate lets them go */
static inline bool line_full(enum call_class class, unsigned flying, unsigned filling)
{
	return flying >= LINE_FLYING || (class == CALL_HISTORY && filling >= LINE_FILLING);
}

struct line {
	struct gate gate;
	struct calls waiting[CALL_CLASSES];
};
void line_init(struct line *l, double limit, int64_t now);
struct queued *line_first(const struct line *l); /* who goes next; NULL = nobody waits */
/* The service has throttled: those that would wait longer than LINE_PATIENCE_S at the rate that is left go to `out`, in their order.
 * CALL_ACT stays whatever happens. */
void line_shed(struct line *l, struct calls *out);

#endif
