/* One profile as sluice finds it in AWS's files, for the fault suites: a line of JSON on standard input is a case, a line of JSON on
 * standard output what was found.
 *
 *   {"env":{NAME:value,..},"name":..,"keys":[..]}
 *   {"ok":..,"where":..,"why":..,"credentials":path,"config":path,"there":..,"values":{key:value or null,..}} */
#include "aws/profile.h"
#include "tests/tools/lines.h"

static void tell(const struct json *q, struct json_out *o)
{
	struct profile p;
	struct err e = { 0 };
	bool ok = profile_load(&p, json_get_str(q, "name"), &e);
	json_out_object(o, NULL);
	json_out_bool(o, "ok", ok);
	json_out_str(o, "where", e.where);
	json_out_str(o, "why", e.text);
	json_out_str(o, "credentials", p.path[PROFILE_CREDENTIALS]);
	json_out_str(o, "config", p.path[PROFILE_CONFIG]);
	json_out_bool(o, "there", p.in[PROFILE_CREDENTIALS] || p.in[PROFILE_CONFIG]);
	json_out_object(o, "values");
	for (const struct json *k = json_first(json_get(q, "keys")); k; k = json_next(k))
		json_out_str(o, json_str(k), profile_get(&p, json_str(k), NULL));
	json_out_object_end(o);
	json_out_object_end(o);
	profile_clear(&p);
}

static bool answer(const struct json *q, struct buf *out)
{
	struct json_out o;
	json_out_init(&o, out);
	for (const struct json *v = json_first(json_get(q, "env")); v; v = json_next(v)) {
		if (json_str(v))
			setenv(json_key(v), json_str(v), 1);
		else
			unsetenv(json_key(v));
	}
	tell(q, &o);
	return o.ok && o.done;
}

int main(void)
{
	return each_line(answer);
}
