/* put-record: JSON lines into a stream, and an account of every line that is not in. */
#include "cli/args.h"
#include "cli/input.h"
#include "cli/out.h"

#include "core/file.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA_MOST (256UL << 20)

static const char *const statuses[] = {
	[PUT_PLANNED] = "planned", [PUT_OK] = "ok", [PUT_FAILED] = "failed", [PUT_UNKNOWN] = "unknown"
};

/* ---- what is kept */

static bool opened(const struct out *o)
{
	return o->fd >= 0;
}

/* As they came, byte for byte; the file is there also when it has nothing to hold. */
static int write_rejects(struct out *o, const struct cli *c, const struct put_records_result *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		if (r->items[i].status == PUT_OK)
			continue;
		buf_addspan(&o->b, r->items[i].data);
		out_own(o, "\n");
	}
	return out_end(o, c, 0);
}

/* ---- the answer */

/* The record itself, when no file holds it: a JSON text gives its bytes back, what is no UTF-8 goes as base64. */
static void print_record(struct json_out *j, const struct put_item *it)
{
	uint32_t cp;
	size_t n = 1;
	for (size_t i = 0; i < it->data.n && n; i += n)
		n = text_decode(it->data.p + i, it->data.n - i, &cp);
	if (n) {
		json_out_span(j, "data", it->data);
		return;
	}
	struct buf b;
	buf_init(&b, 2 * it->data.n + 4);
	hash_base64(&b, it->data.p, it->data.n);
	json_out_str(j, "data_base64", b.p);
	buf_clear(&b);
}

static void print_item(struct json_out *j, const struct put_item *it, bool whole)
{
	json_out_object(j, NULL);
	json_out_int(j, "line", it->line);
	json_out_str(j, "status", statuses[it->status]);
	json_out_str(j, "shard", it->shard);
	json_out_str(j, "sequence", it->sequence);
	json_out_str(j, "code", it->code);
	json_out_str(j, "message", it->message);
	json_out_str(j, "partition_key", it->key);
	if (whole && it->status != PUT_OK)
		print_record(j, it);
	json_out_object_end(j);
}

static void print_json(struct out *o, const struct cli *c, const struct put_records_result *r, bool whole)
{
	struct json_out j;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_str(&j, "stream", c->argv[0]);
	json_out_bool(&j, "dry_run", c->args->dry_run);
	json_out_int(&j, "total", r->n);
	json_out_int(&j, "ok", r->ok);
	json_out_int(&j, "failed", r->failed);
	json_out_int(&j, "unknown", r->unknown);
	json_out_int(&j, "sent_again", r->again);
	json_out_str(&j, "rejects", whole ? NULL : c->args->rejects);
	json_out_array(&j, "records");
	for (unsigned i = 0; i < r->n; i++)
		print_item(&j, &r->items[i], whole);
	json_out_array_end(&j);
	json_out_object_end(&j);
	out_own(o, "\n");
}

static void add_line(struct table *t, const struct put_item *it, bool whole)
{
	struct buf data;
	char line[16];
	snprintf(line, sizeof line, "%u", it->line);
	buf_init(&data, it->data.n);
	buf_addspan(&data, it->data);
	table_add(t, "record");
	table_add(t, line);
	table_add(t, statuses[it->status]);
	table_add(t, it->code ? it->code : "-");
	table_add(t, it->message ? it->message : "-");
	table_add(t, it->key ? it->key : "-");
	table_add(t, whole && data.p ? data.p : "-");
	buf_clear(&data);
}

static void add_total(struct table *t, const struct put_records_result *r)
{
	const struct {
		const char *name;
		unsigned n;
	} sums[] = { { "ok", r->ok }, { "failed", r->failed }, { "unknown", r->unknown }, { "sent again", r->again } };
	char text[32];
	table_add(t, "total");
	snprintf(text, sizeof text, "%u", r->n);
	table_add(t, text);
	for (unsigned i = 0; i < sizeof sums / sizeof *sums; i++) {
		snprintf(text, sizeof text, "%u %s", sums[i].n, sums[i].name);
		table_add(t, text);
	}
	table_add(t, "");
}

static void print_text(struct out *o, const struct cli *c, const struct put_records_result *r, bool whole)
{
	struct table t;
	table_init(&t, 7, 1U << 1);
	for (unsigned i = 0; i < r->n; i++)
		if (r->items[i].status != PUT_OK)
			add_line(&t, &r->items[i], whole || c->args->dry_run);
	add_total(&t, r);
	table_print(&t, o);
}

/* ---- the command */

static void say_rest(const struct cli *c, const struct put_records_result *r)
{
	char line[160];
	if (r->cause.code != ERR_OK)
		cli_fail(c, &r->cause);
	if (r->failed) {
		snprintf(line, sizeof line, "%u of %u records %s", r->failed, r->n,
		         c->args->dry_run ? "cannot be sent" : "are certainly not in the stream");
		cli_say(line);
	}
	if (r->unknown) {
		snprintf(line, sizeof line,
		         "%u of %u records are unknown: sent, and may be in; sent again they may be there twice", r->unknown,
		         r->n);
		cli_say(line);
	}
}

static int report(const struct cli *c, const struct put_records_result *r, struct out *rejects)
{
	bool dry = c->args->dry_run, all = r->ok == r->n;
	struct out o;
	int filed = opened(rejects) ? write_rejects(rejects, c, r) : 1;
	out_init(&o);
	(cli_is_json(c) ? print_json : print_text)(&o, c, r, filed != 0);
	int status = out_end(&o, c, dry || all ? 0 : 1);
	say_rest(c, r);
	return c->args->rejects && filed && !status ? filed : status;
}

static int put(const struct cli *c, struct engine *g, struct span text, struct out *rejects)
{
	struct request rq = { .kind = REQUEST_PUT_RECORDS,
		                  .put_records = { .stream = c->argv[0], .text = text, .key = c->args->partition_key } };
	struct result *r = cli_act(c, g, &rq);
	int status;
	if (r->err.code == ERR_OK) {
		status = report(c, &r->put_records, rejects);
	} else { /* not one was sent: what came through a pipe is not lost either */
		status = cli_fail(c, &r->err);
		if (opened(rejects) && r->put_records.n)
			write_rejects(rejects, c, &r->put_records);
	}
	result_free(r);
	return status;
}

int cmd_put_record(const struct cli *c, struct engine *g)
{
	struct buf data;
	struct out rejects = { .fd = -1 };
	struct err e = { 0 };
	const char *path = c->args->rejects;
	buf_init(&data, 0);
	int status;
	if (!cli_read_input(c->args->data, DATA_MOST, &data, &e) ||
	    (path && !c->args->dry_run && !out_init_file(&rejects, path, 0600, &e)))
		status = cli_fail(c, &e);
	else
		status = put(c, g, buf_span(&data), &rejects);
	out_drop(&rejects);
	buf_clear(&data);
	return cli_act_status(status);
}
