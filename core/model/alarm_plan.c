#include "core/model/alarm_plan.h"

#include <stddef.h>

const char *plan_outcome_name(enum plan_outcome o)
{
	static const char *const names[] = { "waiting", "applied", "failed", "unknown" };
	return names[o];
}

static struct plan_step step_copy(struct arena *mem, const struct plan_step *s)
{
	struct plan_step c = *s;
	struct plan_change *changes = arena_array(mem, s->nchanges, sizeof *changes);
	c.name = arena_strdup(mem, s->name);
	c.why = arena_strdup(mem, s->why);
	c.kept = arena_strdup(mem, s->kept);
	for (unsigned i = 0; i < s->nchanges; i++) {
		changes[i] = s->changes[i];
		changes[i].path = arena_strdup(mem, s->changes[i].path);
		changes[i].from = arena_strdup(mem, s->changes[i].from);
		changes[i].to = arena_strdup(mem, s->changes[i].to);
	}
	c.changes = changes;
	c.notes = arena_array(mem, s->nnotes, sizeof *c.notes);
	for (unsigned i = 0; i < s->nnotes; i++)
		c.notes[i] = arena_strdup(mem, s->notes[i]);
	return c;
}

struct alarm_plan alarm_plan_copy(struct arena *mem, const struct alarm_plan *p)
{
	struct alarm_plan c = *p;
	c.owner = arena_strdup(mem, p->owner);
	c.steps = arena_array(mem, p->n, sizeof *c.steps);
	for (unsigned i = 0; i < p->n; i++)
		c.steps[i] = step_copy(mem, &p->steps[i]);
	return c;
}
