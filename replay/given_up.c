#include "replay/given_up.h"

#include "core/json.h"

#include <string.h>

#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
#define BATCH_LARGEST 10000 /* that a mapping may have */

static bool is_name(const char *s, size_t most)
{
	size_t n = s ? strlen(s) : 0;
	return n >= 1 && n <= most && strspn(s, NAME_CHARS) == n;
}

bool shard_id_valid(const char *s)
{
	return is_name(s, SHARD_ID - 1);
}

bool stream_arn_split(const char *arn, struct arena *mem, const char **region, const char **account, const char **name)
{
	const char *part[6] = { NULL };
	unsigned n = 0;
	for (const char *p = arn; p && n < 6; n++) {
		size_t len = n < 5 ? strcspn(p, ":") : strlen(p);
		part[n] = arena_strndup(mem, p, len);
		p = p[len] ? p + len + 1 : NULL;
	}
	if (n < 6 || strcmp(part[0], "arn") != 0 || strcmp(part[2], "kinesis") != 0 || !*part[3] || !*part[4] ||
	    strncmp(part[5], "stream/", 7) != 0 || !is_name(part[5] + 7, 128))
		return false;
	*region = part[3];
	*account = part[4];
	*name = part[5] + 7;
	return true;
}

/* ---- the record */

static bool broken(struct err *e, const char *what)
{
	return err_set(e, ERR_BADREPLY, "on-failure record", "%s: it stays in the queue", what);
}

static bool read_range(const struct json *info, struct arena *mem, struct given_up *p, struct err *e)
{
	const char *shard = json_get_str(info, "shardId"), *first = json_get_str(info, "startSequenceNumber");
	const char *last = json_get_str(info, "endSequenceNumber");
	int64_t n = 0;
	if (!shard_id_valid(shard))
		return broken(e, "its shardId is the name of no shard");
	if (!sequence_valid(first) || !sequence_valid(last))
		return broken(e, "its start or end is no sequence number");
	if (sequence_compare(first, last) > 0)
		return broken(e, "its range ends before it begins");
	if (!json_int(json_get(info, "batchSize"), &n) || n < 1 || n > BATCH_LARGEST)
		return broken(e, "its batchSize is no number from 1 to 10,000");
	p->shard = arena_strdup(mem, shard);
	p->first = arena_strdup(mem, first);
	p->last = arena_strdup(mem, last);
	p->records = (unsigned)n;
	json_time_ms(json_get(info, "approximateArrivalOfFirstRecord"), &p->first_ms);
	json_time_ms(json_get(info, "approximateArrivalOfLastRecord"), &p->last_ms);
	return true;
}

static bool read_batch(const struct json *doc, const struct json *info, struct arena *mem, struct given_up *p,
                       struct err *e)
{
	const struct json *context = json_get(doc, "requestContext");
	const char *function = json_get_str(context, "functionArn"), *arn = json_get_str(info, "streamArn");
	p->condition = arena_strdup(mem, json_get_str(context, "condition"));
	p->error = arena_strdup(mem, json_get_str(json_get(doc, "responseContext"), "functionError"));
	if (!arn || !stream_arn_split(arn, mem, &p->region, &p->account, &p->stream))
		return broken(e, "its streamArn is the ARN of no stream");
	p->stream_arn = arena_strdup(mem, arn);
	if (!function || strncmp(function, "arn:", 4) != 0 || !strstr(function, ":function:") || strlen(function) > 255)
		return broken(e, "its functionArn is the ARN of no function");
	p->function_arn = arena_strdup(mem, function);
	return read_range(info, mem, p, e);
}

static enum given_up_found read_doc(const struct json *doc, struct arena *mem, struct given_up *p, struct err *e)
{
	const struct json *info = json_get(doc, "KinesisBatchInfo");
	if (json_get(doc, "DDBStreamBatchInfo")) {
		broken(e, "it is of a DynamoDB stream, whose records sluice does not read");
		return POINTER_BROKEN;
	}
	if (!info)
		return POINTER_NONE;
	return read_batch(doc, info, mem, p, e) ? POINTER_FOUND : POINTER_BROKEN;
}

/* ---- what is around it */

struct opened {
	struct json *body, *inside; /* inside: of an SNS notification; NULL: it is none */
};

static const struct json *open_body(struct span body, struct opened *o)
{
	o->body = json_parse(body, NULL);
	const char *type = json_get_str(o->body, "Type"), *text = json_get_str(o->body, "Message");
	o->inside = type && text && strcmp(type, "Notification") == 0 ? json_parse(span_of(text), NULL) : NULL;
	return o->inside ? o->inside : o->body;
}

static void close_body(struct opened *o)
{
	json_free(o->inside);
	json_free(o->body);
}

enum given_up_found given_up_read(struct span body, struct arena *mem, struct given_up *p, struct err *e)
{
	struct opened o;
	*p = (struct given_up){ .stream = NULL };
	enum given_up_found found = read_doc(open_body(body, &o), mem, p, e);
	close_body(&o);
	return found;
}

bool given_up_since(struct span body, struct arena *mem, const char **stream_arn, int64_t *first_ms)
{
	struct opened o;
	const struct json *doc = open_body(body, &o), *kinesis = json_get(doc, "KinesisBatchInfo");
	const struct json *batch = kinesis ? kinesis : json_get(doc, "DDBStreamBatchInfo");
	const char *stream = json_get_str(batch, "streamArn");
	int64_t first;
	bool ok = stream && json_time_ms(json_get(batch, "approximateArrivalOfFirstRecord"), &first) && first > 0;
	if (ok) {
		*stream_arn = arena_strdup(mem, stream);
		*first_ms = first;
	}
	close_body(&o);
	return ok;
}
