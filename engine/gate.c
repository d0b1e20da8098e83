#include "engine/gate.h"

#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const modes[] = { "observe", "inspect", "operate", "admin" };

bool gate_may(const struct conf_target *target, const struct consent *c, const struct gate_act *act, struct err *e)
{
	const char *wanted = modes[act->needs];
	if (c->mode < act->needs)
		return err_set(e, ERR_GATE, act->op->iam, "refused in mode %s: it needs --mode %s", modes[c->mode], wanted);
	if (target && target->grant < act->needs)
		return err_set(e, ERR_GATE, act->op->iam,
		               "refused: target %.60s grants %s; \"grant = %s\" in its section would allow it", target->name,
		               modes[target->grant], wanted);
	return true;
}

/* A number that was said beforehand must be the right one; one that a person types is looked at the same way. */
static bool counted(const struct consent *c, unsigned count)
{
	char text[16];
	snprintf(text, sizeof text, "%u", count);
	return c->count_said ? c->count == count : c->typed && strcmp(c->typed, text) == 0;
}

static bool confirmed(const struct conf_target *target, const struct consent *c, const struct gate_act *act)
{
	if (act->counted)
		return counted(c, act->count);
	bool named = target && target->production && c->person;
	return named ? c->typed && strcmp(c->typed, target->name) == 0 : c->yes;
}

static void ask(const struct conf_target *target, const struct consent *c, const struct gate_act *act, struct result *r)
{
	bool production = target && target->production;
	if (!c->person) {
		err_set(&r->err, ERR_GATE, act->op->iam, "not confirmed: without a terminal it needs --yes");
		return;
	}
	r->ask = production ? GATE_ASK_NAME : GATE_ASK_YES;
	r->name = production ? xstrdup(target->name) : NULL;
	free(r->question);
	r->question = target
	                  ? xasprintf("%s in %s%s", act->what, production ? "PRODUCTION, target " : "target ", target->name)
	                  : xstrdup(act->what);
	err_set(&r->err, ERR_GATE, act->op->iam, "%s: nothing was sent",
	        c->typed ? "what was typed is not the target's name" : "not confirmed");
}

static void ask_count(const struct conf_target *target, const struct consent *c, const struct gate_act *act,
                      struct result *r)
{
	if (c->count_said) {
		err_set(&r->err, ERR_GATE, act->op->iam, "--yes-i-mean %u, but it is %u: nothing was sent", c->count,
		        act->count);
		return;
	}
	if (!c->person) {
		err_set(&r->err, ERR_GATE, act->op->iam,
		        "not confirmed: without a terminal it needs --yes-i-mean %u, the number of messages", act->count);
		return;
	}
	r->ask = GATE_ASK_COUNT;
	r->name = xasprintf("%u", act->count);
	free(r->question);
	r->question = target ? xasprintf("%s in %s%s", act->what, target->production ? "PRODUCTION, target " : "target ",
	                                 target->name)
	                     : xstrdup(act->what);
	err_set(&r->err, ERR_GATE, act->op->iam, "%s: nothing was sent",
	        c->typed ? "what was typed is not the number" : "not confirmed");
}

/* The lease of writing and the row of the audit log belong between the confirmation and the permit: what is recorded there has
 * passed everything else and not yet been sent. */
bool gate_open(const struct conf_target *target, const struct consent *c, const struct gate_act *act, struct permit *p,
               struct result *r)
{
	*p = (struct permit){ NULL };
	if (!gate_may(target, c, act, &r->err))
		return false;
	if (!confirmed(target, c, act)) {
		(act->counted ? ask_count : ask)(target, c, act, r);
		return false;
	}
	p->op = act->op;
	return true;
}
