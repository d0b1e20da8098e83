/* What the process does is announced in the audit log, and synced, before it is done. */
#include "engine/audited.h"

#include "core/mem.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void audited_who(const struct engine *g, enum conf_mode mode, struct audited *a)
{
	static const char *const modes[] = { "observe", "inspect", "operate", "admin" };
	struct passwd pw, *found = NULL;
	char room[4096];
	const char *ssh = getenv("SSH_CONNECTION");
	if (getpwuid_r(getuid(), &pw, room, sizeof room, &found) == 0 && found)
		snprintf(a->user, sizeof a->user, "%s", pw.pw_name);
	else
		snprintf(a->user, sizeof a->user, "%u", (unsigned)getuid());
	if (gethostname(a->host, sizeof a->host - 1) < 0)
		snprintf(a->host, sizeof a->host, "unknown");
	snprintf(a->ssh, sizeof a->ssh, "%s", ssh ? ssh : "");
	a->who = (struct audit_who){ .user = a->user,
		                         .host = a->host,
		                         .ssh_from = a->ssh[0] ? a->ssh : NULL,
		                         .account = g->target.account[0] ? g->target.account : NULL,
		                         .profile = g->target.profile[0] ? g->target.profile : NULL,
		                         .mode = modes[mode] };
}

bool audited(const struct engine *g, enum conf_mode mode, const struct op *op, const char *target, const char *outcome,
             const char *detail, struct err *e)
{
	struct audited who = { 0 };
	char action[96];
	if (!g->o.state_path)
		return true;
	struct audit *a = audit_open(g->o.state_path, true, e);
	if (!a)
		return false;
	audited_who(g, mode, &who);
	snprintf(action, sizeof action, "%s:%s", op->service->id, op->name);
	bool ok = audit_add(a, &who.who, action, target, outcome, NULL, detail, e);
	audit_close(a);
	return ok;
}

bool audited_gate(const struct engine *g, const struct consent *c, const struct gate_act *act, struct permit *p,
                  struct result *r)
{
	struct err ignored; /* it is refused, whether that can be written down or not */
	bool open = gate_open(g->o.target, c, act, p, r);
	if (!open && r->ask == GATE_ASK_NOTHING)
		audited(g, c->mode, act->op, NULL, "denied", act->what, &ignored);
	return open;
}
