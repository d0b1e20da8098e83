#include "replay/pointer.h"

#include "core/json.h"

bool pointer_read(struct span body, struct arena *mem, struct pointer *out)
{
	struct json *doc = json_parse(body, NULL);
	const struct json *kinesis = json_get(doc, "KinesisBatchInfo"), *table = json_get(doc, "DDBStreamBatchInfo");
	const struct json *batch = kinesis ? kinesis : table;
	const char *stream = json_get_str(batch, "streamArn");
	int64_t first;
	bool ok = stream && json_time_ms(json_get(batch, "approximateArrivalOfFirstRecord"), &first) && first > 0;
	if (ok)
		*out = (struct pointer){ arena_strdup(mem, stream), first };
	json_free(doc);
	return ok;
}
