/* process: one asynchronous invocation for one object. */
#include "cli/args.h"
#include "cli/out.h"

static void print_json(struct out *o, const struct cli *c, const struct result *r)
{
	struct json_out j;
	const char *id = r->act.request_id;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_str(&j, "function", r->act.function);
	json_out_str(&j, "payload", r->act.body);
	json_out_bool(&j, "dry_run", c->args->dry_run);
	json_out_str(&j, "status", c->args->dry_run ? "planned" : "queued");
	json_out_str(&j, "request_id", *id ? id : NULL);
	json_out_object_end(&j);
	out_own(o, "\n");
}

static void print_text(struct out *o, const struct cli *c, const struct result *r)
{
	struct table t;
	table_init(&t, 3, 0);
	table_add(&t, c->args->dry_run ? "planned" : r->act.request_id[0] ? r->act.request_id : "-");
	table_add(&t, r->act.function);
	table_add(&t, r->act.body);
	table_print(&t, o);
}

int cmd_process(const struct cli *c, struct engine *g)
{
	struct request rq = { .kind = REQUEST_PROCESS,
		                  .process = { .function = c->args->function, .bucket = c->argv[0], .key = c->argv[1] } };
	return cli_act_print(c, g, &rq, print_json, print_text);
}
