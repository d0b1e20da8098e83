#include "aws/line.h"

#include <stddef.h>

void calls_init(struct calls *q)
{
	q->head = NULL;
	q->tail = &q->head;
}

void calls_add(struct calls *q, struct queued *m)
{
	m->next = NULL;
	m->self = q->tail;
	*q->tail = m;
	q->tail = &m->next;
}

void calls_push(struct calls *q, struct queued *m)
{
	m->next = q->head;
	m->self = &q->head;
	if (q->head)
		q->head->self = &m->next;
	else
		q->tail = &m->next;
	q->head = m;
}

void calls_drop(struct calls *q, struct queued *m)
{
	*m->self = m->next;
	if (m->next)
		m->next->self = m->self;
	else
		q->tail = m->self;
}

void line_init(struct line *l, double limit, int64_t now)
{
	gate_init(&l->gate, limit, now);
	for (unsigned i = 0; i < CALL_CLASSES; i++)
		calls_init(&l->waiting[i]);
}

struct queued *line_first(const struct line *l)
{
	for (unsigned i = 0; i < CALL_CLASSES; i++)
		if (l->waiting[i].head)
			return l->waiting[i].head;
	return NULL;
}

void line_shed(struct line *l, struct calls *out)
{
	double room = l->gate.rate * LINE_PATIENCE_S;
	for (unsigned i = 0; i < CALL_CLASSES; i++) {
		for (struct queued *m = l->waiting[i].head, *next; m; m = next) {
			next = m->next;
			room -= 1;
			if (room >= 0 || i == CALL_ACT)
				continue;
			calls_drop(&l->waiting[i], m);
			calls_add(out, m);
		}
	}
}
