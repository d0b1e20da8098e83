/* put-metric: one value of one custom metric. */
#include "cli/args.h"
#include "cli/out.h"

#include "core/text.h"

static void print_json(struct out *o, const struct cli *c, const struct result *r)
{
	struct json_out j;
	const char *id = r->act.request_id;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_str(&j, "metric", r->act.metric);
	json_out_num(&j, "value", r->act.value);
	json_out_str(&j, "unit", r->act.unit);
	json_out_bool(&j, "dry_run", c->args->dry_run);
	json_out_str(&j, "status", c->args->dry_run ? "planned" : "taken");
	json_out_str(&j, "request_id", *id ? id : NULL);
	json_out_object_end(&j);
	out_own(o, "\n");
}

static void print_text(struct out *o, const struct cli *c, const struct result *r)
{
	struct table t;
	char value[32];
	text_exact(r->act.value, value);
	table_init(&t, 4, 0);
	table_add(&t, c->args->dry_run ? "planned" : r->act.request_id[0] ? r->act.request_id : "-");
	table_add(&t, r->act.metric);
	table_add(&t, value);
	table_add(&t, r->act.unit ? r->act.unit : "-");
	table_print(&t, o);
}

int cmd_put_metric(const struct cli *c, struct engine *g)
{
	const struct cli_args *a = c->args;
	struct request rq = {
		.kind = REQUEST_PUT_METRIC,
		.put_metric = { c->argv[0], c->argv[1], c->argv[2], a->unit, a->dims, a->ndims },
	};
	return cli_act_print(c, g, &rq, print_json, print_text);
}
