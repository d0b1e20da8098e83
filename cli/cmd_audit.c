/* audit: the log of what was done, as lines or as JSON with ECS names; audit verify: is it what was written? */
#include "cli/args.h"
#include "cli/out.h"

#include "core/clock.h"

#include <stdio.h>
#include <string.h>

static void print_line_json(struct out *o, const struct audit_entry *v)
{
	struct json_out j;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "event.sequence", v->n);
	json_out_time(&j, "@timestamp", v->at_ms / 1000);
	json_out_int(&j, "event.created_ms", v->at_ms);
	json_out_str(&j, "event.action", v->action);
	json_out_str(&j, "event.outcome", v->outcome);
	json_out_str(&j, "user.name", v->user);
	json_out_str(&j, "host.name", v->host);
	json_out_str(&j, "source.address", v->ssh_from);
	json_out_str(&j, "cloud.account.id", v->account);
	json_out_str(&j, "sluice.profile", v->profile);
	json_out_str(&j, "sluice.mode", v->mode);
	json_out_str(&j, "sluice.target", v->target);
	json_out_str(&j, "sluice.run", v->run);
	json_out_str(&j, "message", v->detail);
	json_out_str(&j, "event.hash", v->sum);
	json_out_object_end(&j);
	out_own(o, "\n");
}

static void print_text(struct out *o, const struct audit_result *r)
{
	struct table t;
	table_init(&t, 8, 1u << 0);
	for (unsigned i = 0; i < r->n; i++) {
		const struct audit_entry *v = &r->v[i];
		char n[24], at[CLOCK_RFC3339_SIZE];
		snprintf(n, sizeof n, "%lld", (long long)v->n);
		clock_rfc3339(v->at_ms / 1000, at);
		const char *const cells[] = { n, at, v->user, v->action, v->outcome, v->target, v->run, v->detail };
		for (unsigned k = 0; k < sizeof cells / sizeof *cells; k++)
			table_add(&t, cells[k] ? cells[k] : "-");
	}
	table_print(&t, o);
}

static void print_verified(struct out *o, const struct cli *c, const struct audit_result *r)
{
	struct json_out j;
	if (!cli_is_json(c)) {
		out_ownf(o, "ok\t%u lines\t%s\n", r->n, r->last[0] ? r->last : "-");
		return;
	}
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_bool(&j, "ok", true);
	json_out_int(&j, "lines", r->n);
	json_out_str(&j, "last", r->last[0] ? r->last : NULL);
	json_out_object_end(&j);
	out_own(o, "\n");
}

int cmd_audit(const struct cli *c, struct engine *g)
{
	struct err e = { 0 };
	struct out o;
	bool verify = c->argc > 0 && strcmp(c->argv[0], "verify") == 0;
	if (c->argc > 0 && !verify) {
		err_set(&e, ERR_USAGE, "audit", "verify, or nothing, not '%.40s'", c->argv[0]);
		return cli_fail(c, &e);
	}
	struct request rq = { .kind = REQUEST_AUDIT, .audit = { .verify = verify } };
	struct result *r = engine_call(g, &rq);
	int status;
	if (r->err.code != ERR_OK) {
		status = cli_fail(c, &r->err);
	} else {
		out_init(&o);
		if (verify)
			print_verified(&o, c, &r->audit);
		else if (cli_is_json(c))
			for (unsigned i = 0; i < r->audit.n; i++)
				print_line_json(&o, &r->audit.v[i]);
		else
			print_text(&o, &r->audit);
		status = out_end(&o, c, 0);
	}
	result_free(r);
	return status;
}
