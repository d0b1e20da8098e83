/* alarms enable, disable, set-state, delete: one thing done to one alarm. */
#include "cli/alarm_code.h"

static void print_json(struct out *o, const struct cli *c, const struct result *r)
{
	struct json_out j;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_str(&j, "name", c->argv[1]);
	json_out_str(&j, "act", r->act.what);
	json_out_bool(&j, "dry_run", c->args->dry_run);
	json_out_str(&j, "status", c->args->dry_run ? "planned" : "done");
	json_out_str(&j, "request_id", r->act.request_id[0] ? r->act.request_id : NULL);
	json_out_object_end(&j);
	out_own(o, "\n");
}

static void print_text(struct out *o, const struct cli *c, const struct result *r)
{
	struct table t;
	table_init(&t, 3, 0);
	table_add(&t, c->args->dry_run ? "planned" : "done");
	table_add(&t, c->argv[1]);
	table_add(&t, r->act.what);
	table_print(&t, o);
}

static int act(const struct cli *c, struct engine *g, enum alarm_act_what what)
{
	struct request rq = { .kind = REQUEST_ALARM_ACT, .alarm_act = { .what = what, .name = c->argv[1] } };
	if (what == ALARM_ACT_SET_STATE) {
		rq.alarm_act.state = c->argv[2];
		rq.alarm_act.reason = c->argc > 3 ? c->argv[3] : "set by hand with sluice";
	}
	return cli_act_print(c, g, &rq, print_json, print_text);
}

int alarms_enable(const struct cli *c, struct engine *g)
{
	return act(c, g, ALARM_ACT_ENABLE);
}

int alarms_disable(const struct cli *c, struct engine *g)
{
	return act(c, g, ALARM_ACT_DISABLE);
}

int alarms_set_state(const struct cli *c, struct engine *g)
{
	return act(c, g, ALARM_ACT_SET_STATE);
}

int alarms_delete(const struct cli *c, struct engine *g)
{
	return act(c, g, ALARM_ACT_DELETE);
}
