#include "replay/object.h"

#include "core/clock.h"
#include "core/json.h"
#include "core/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIPTION_MOST 16384

static struct message *message_of(const struct object_facts *o)
{
	struct message *m = xcalloc(1, sizeof *m);
	arena_init(&m->mem);
	const struct message_fact facts[] = {
		{ "SentTimestamp", arena_printf(&m->mem, "%" PRId64, o->modified_ms) },
		{ "Bucket", arena_strdup(&m->mem, o->bucket) },
		{ "Key", arena_strdup(&m->mem, o->key) },
		{ "ETag", arena_strdup(&m->mem, o->etag ? o->etag : "") },
		{ "Version", arena_strdup(&m->mem, o->version ? o->version : "") },
		{ "Size", arena_printf(&m->mem, "%" PRId64, o->size) },
	};
	m->nfacts = sizeof facts / sizeof *facts;
	m->facts = arena_alloc(&m->mem, sizeof facts);
	memcpy(m->facts, facts, sizeof facts);
	m->id = arena_printf(&m->mem, "s3://%s/%s", o->bucket, o->key);
	return m;
}

struct message *object_message(const struct object_facts *o)
{
	struct buf b;
	struct json_out j;
	struct message *m = message_of(o);
	buf_init(&b, DESCRIPTION_MOST);
	json_out_init(&j, &b);
	json_out_object(&j, NULL);
	json_out_str(&j, "bucket", o->bucket);
	json_out_str(&j, "key", o->key);
	json_out_str(&j, "version", o->version ? o->version : "");
	json_out_str(&j, "etag", o->etag ? o->etag : "");
	json_out_int(&j, "size", o->size);
	json_out_object_end(&j);
	m->body = (struct span){ arena_strndup(&m->mem, b.p ? b.p : "", b.n), b.n };
	buf_clear(&b);
	return m;
}

struct message *object_content(const struct object_facts *o, struct span stored)
{
	struct message *m = message_of(o);
	m->body = (struct span){ arena_strndup(&m->mem, stored.n ? stored.p : "", stored.n), stored.n };
	return m;
}

void object_of_message(const struct message *m, struct object_facts *o)
{
	*o = (struct object_facts){
		.bucket = message_fact(m, "Bucket"),
		.key = message_fact(m, "Key"),
		.etag = message_fact(m, "ETag"),
		.version = message_fact(m, "Version"),
		.size = strtoll(message_fact(m, "Size"), NULL, 10),
		.modified_ms = strtoll(message_fact(m, "SentTimestamp"), NULL, 10),
	};
}

const char *object_key(const char *id)
{
	const char *slash = strlen(id) > 5 ? strchr(id + 5, '/') : NULL;
	return slash ? slash + 1 : "";
}

/* ---- events */

bool event_object(struct buf *out, const struct object_facts *o, int64_t now)
{
	struct json_out j;
	json_out_init(&j, out);
	json_out_object(&j, NULL);
	json_out_str(&j, "bucket", o->bucket);
	json_out_str(&j, "key", o->key);
	json_out_time(&j, "timestamp", now);
	json_out_object_end(&j);
	return j.ok && j.done;
}

/* As in a form: a blank is a plus, slashes stay. */
static void write_key(struct json_out *j, const char *key)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._*/";
	struct buf b;
	buf_init(&b, 3 * strlen(key) + 1);
	for (; *key; key++) {
		if (*key == ' ')
			buf_addc(&b, '+');
		else if (strchr(plain, *key))
			buf_addc(&b, *key);
		else
			buf_addf(&b, "%%%02X", (unsigned char)*key);
	}
	json_out_str(j, "key", b.p ? b.p : "");
	buf_clear(&b);
}

static void write_object(struct json_out *j, const struct object_facts *o)
{
	size_t n = strlen(o->etag);
	bool quoted = n >= 2 && o->etag[0] == '"' && o->etag[n - 1] == '"';
	json_out_object(j, "object");
	write_key(j, o->key);
	json_out_int(j, "size", o->size);
	json_out_span(j, "eTag", (struct span){ o->etag + quoted, n - 2u * quoted });
	if (o->version && *o->version)
		json_out_str(j, "versionId", o->version);
	json_out_object_end(j);
}

static void write_who(struct json_out *j, const char *key)
{
	json_out_object(j, key);
	json_out_str(j, "principalId", "sluice-replay");
	json_out_object_end(j);
}

bool event_s3(struct buf *out, const struct object_facts *o, const char *region, const char *partition)
{
	char arn[320];
	struct json_out j;
	snprintf(arn, sizeof arn, "arn:%s:s3:::%s", partition, o->bucket);
	json_out_init(&j, out);
	json_out_object(&j, NULL);
	json_out_array(&j, "Records");
	json_out_object(&j, NULL);
	json_out_str(&j, "eventVersion", "2.1");
	json_out_str(&j, "eventSource", "aws:s3");
	json_out_str(&j, "awsRegion", region);
	json_out_time(&j, "eventTime", o->modified_ms / 1000);
	json_out_str(&j, "eventName", "ObjectCreated:Put");
	write_who(&j, "userIdentity");
	json_out_object(&j, "requestParameters");
	json_out_object_end(&j);
	json_out_object(&j, "responseElements");
	json_out_object_end(&j);
	json_out_object(&j, "s3");
	json_out_str(&j, "s3SchemaVersion", "1.0");
	json_out_str(&j, "configurationId", "sluice-replay");
	json_out_object(&j, "bucket");
	json_out_str(&j, "name", o->bucket);
	write_who(&j, "ownerIdentity");
	json_out_str(&j, "arn", arn);
	json_out_object_end(&j);
	write_object(&j, o);
	json_out_object_end(&j);
	json_out_object_end(&j);
	json_out_array_end(&j);
	json_out_object_end(&j);
	return j.ok && j.done;
}
