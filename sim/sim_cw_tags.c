/* CloudWatch: tags of alarms. */
#include "sim/sim_alarm.h"
#include "sim/sim_cw.h"
#include "sim/world.h"

#include <string.h>

static struct sim_alarm *tagged(struct world *w, const struct sim_req *rq, struct sim_fail *f)
{
	const char *arn;
	if (!arg_need(rq, rq->args, "ResourceARN", &arn, f))
		return NULL;
	const char *name = strstr(arn, ":alarm:");
	struct sim_alarm *a = name ? world_alarm(w, name + 7) : NULL;
	if (!a)
		sim_fail(f, WHY_NOT_FOUND, "%.300s does not exist", arn);
	return a;
}

bool cw_read_tags(const struct sim_req *rq, struct sim_alarm *a, struct sim_fail *f)
{
	const struct json *tags;
	const char *key, *value;
	if (!arg_list(rq, rq->args, "Tags", 50, &tags, f))
		return false;
	for (const struct json *t = json_first(tags); t; t = json_next(t)) {
		value = "";
		if (!arg_need(rq, t, "Key", &key, f) || !arg_str(rq, t, "Value", &value, f))
			return false;
		tags_set(&a->tags, &a->ntags, &a->captags, key, value);
	}
	return true;
}

bool cw_list_tags(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const struct sim_alarm *a = tagged(w, rq, f);
	if (!a)
		return false;
	wr_list(o, "Tags", NULL);
	for (unsigned i = 0; i < a->ntags; i++) {
		wr_object(o, NULL);
		wr_str(o, "Key", a->tags[i].key);
		wr_str(o, "Value", a->tags[i].value);
		wr_object_end(o);
	}
	wr_list_end(o);
	return true;
}

bool cw_tag(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_alarm *a = tagged(w, rq, f);
	(void)o;
	return a && cw_read_tags(rq, a, f);
}

bool cw_untag(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_alarm *a = tagged(w, rq, f);
	const struct json *keys;
	(void)o;
	if (!a || !arg_list(rq, rq->args, "TagKeys", 50, &keys, f))
		return false;
	for (const struct json *k = json_first(keys); k; k = json_next(k))
		if (json_str(k))
			tags_remove(a->tags, &a->ntags, json_str(k));
	return true;
}
