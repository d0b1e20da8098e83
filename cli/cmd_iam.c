/* iam: the least policy, as the document that AWS's console and tools take. */
#include "cli/args.h"
#include "cli/out.h"

static void add_list(struct json_out *o, const char *key, char *const *v, unsigned n)
{
	json_out_array(o, key);
	for (unsigned i = 0; i < n; i++)
		json_out_str(o, NULL, v[i]);
	json_out_array_end(o);
}

static void add_statement(struct json_out *o, const struct iam_statement *s)
{
	json_out_object(o, NULL);
	if (s->sid)
		json_out_str(o, "Sid", s->sid);
	json_out_str(o, "Effect", "Allow");
	add_list(o, "Action", s->actions, s->nactions);
	add_list(o, "Resource", s->resources, s->nresources);
	json_out_object_end(o);
}

int cmd_iam(const struct cli *c, struct engine *g)
{
	struct result *r = engine_call(g, &(struct request){ .kind = REQUEST_IAM, .iam = { .mode = c->mode } });
	struct out o;
	struct json_out j;
	out_init(&o);
	json_out_init(&j, &o.b);
	json_out_object(&j, NULL);
	json_out_str(&j, "Version", "2012-10-17");
	json_out_array(&j, "Statement");
	for (unsigned i = 0; i < r->iam.n; i++)
		add_statement(&j, &r->iam.statements[i]);
	json_out_array_end(&j);
	json_out_object_end(&j);
	out_own(&o, "\n");
	result_free(r);
	return out_end(&o, c, 0);
}
