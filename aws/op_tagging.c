/* The resource groups tagging API: GetResources (JSON 1.1). */
#include "aws/op_group.h"
#include "aws/wire.h"

static const struct service service_tagging = {
	.id = "tagging",
	.host = "tagging",
	.signing = "tagging",
	.env = "RESOURCE_GROUPS_TAGGING_API",
	.target = "ResourceGroupsTaggingAPI_20170126",
	.version = "2017-01-26",
	.wire = WIRE_JSON11,
};

static bool build(const void *in, struct http_req *rq, struct err *e)
{
	const struct group_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_array(&o, "TagFilters");
	json_out_object(&o, NULL);
	json_out_str(&o, "Key", q->key);
	if (q->value) {
		json_out_array(&o, "Values");
		json_out_str(&o, NULL, q->value);
		json_out_array_end(&o);
	}
	json_out_object_end(&o);
	json_out_array_end(&o);
	json_out_int(&o, "ResourcesPerPage", 100);
	if (q->page.token)
		json_out_str(&o, "PaginationToken", q->page.token);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static bool read(const struct http_res *rs, void *out, struct err *e)
{
	struct found *f = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool ok = true;
	for (const struct json *m = wire_list(doc, "ResourceTagMappingList", &ok); m && ok; m = json_next(m)) {
		const char *arn = json_get_str(m, "ResourceARN");
		ok = arn != NULL;
		if (ok)
			found_add(f, arn, arn, NULL);
	}
	wire_next(&f->page, doc, "PaginationToken", &ok);
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "json", "not a list of resources by ARN");
}

const struct op op_get_resources = {
	.service = &service_tagging,
	.name = "GetResources",
	.iam = "tag:GetResources", /* its actions have another prefix than its host */
	.effect = OP_READ,
	.idempotent = true,
	.paged = true,
	.rate = 15,
	.cap = 4u * 1024 * 1024, /* 100 resources of 50 tags of 400 bytes */
	.build = build,
	.read = read,
};
