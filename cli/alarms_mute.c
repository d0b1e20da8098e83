/* alarms mute, unmute: an alarm's actions are held back for a time, or no more. */
#include "cli/alarm_code.h"

#include "core/clock.h"

static void print_json(struct out *o, const struct cli *c, const struct result *r)
{
	struct json_out j;
	const struct act_result *a = &r->act;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_str(&j, "alarm", c->argv[1]);
	json_out_str(&j, "rule", a->rule);
	if (a->until)
		json_out_time(&j, "until", a->until);
	json_out_bool(&j, "dry_run", c->args->dry_run);
	json_out_str(&j, "request_id", a->request_id[0] ? a->request_id : NULL);
	json_out_object_end(&j);
	out_own(o, "\n");
}

static void print_text(struct out *o, const struct cli *c, const struct result *r)
{
	struct table t;
	char until[CLOCK_RFC3339_SIZE] = "-";
	if (r->act.until)
		clock_rfc3339(r->act.until, until);
	table_init(&t, 4, 0);
	table_add(&t, c->args->dry_run ? "planned" : r->act.until ? "muted" : "unmuted");
	table_add(&t, c->argv[1]);
	table_add(&t, until);
	table_add(&t, r->act.rule ? r->act.rule : "-");
	table_print(&t, o);
}

static int mute(const struct cli *c, struct engine *g, bool off)
{
	struct request rq = { .kind = REQUEST_MUTE,
		                  .mute = {
		                      .alarm = c->argv[1], .reason = c->args->reason, .seconds = c->args->for_s, .off = off } };
	return cli_act_print(c, g, &rq, print_json, print_text);
}

int alarms_mute(const struct cli *c, struct engine *g)
{
	return mute(c, g, false);
}

int alarms_unmute(const struct cli *c, struct engine *g)
{
	return mute(c, g, true);
}
