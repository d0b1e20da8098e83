/* errors: what a function's log says went wrong, grouped by shape, the newest first. */
#include "cli/args.h"
#include "cli/out.h"

#include "core/clock.h"
#include "core/text.h"

#include <stdio.h>
#include <string.h>

#define HOUR 3600

static void ids_text(const char *const *ids, unsigned n, char *out, size_t size)
{
	size_t at = 0;
	out[0] = '\0';
	for (unsigned i = 0; i < n && at + 70 < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%.63s", i ? "," : "", ids[i]);
}

static void add_time(struct table *t, int64_t at, bool tty)
{
	char text[CLOCK_RFC3339_SIZE];
	clock_rfc3339(at, text);
	table_add(t, tty ? text + 5 : text);
}

static void eye_group(struct table *t, const struct error_group *g)
{
	char n[TEXT_NUM];
	text_number(g->count, n);
	table_add(t, n);
	add_time(t, g->first, true);
	add_time(t, g->last, true);
	table_add(t, g->release ? g->release : "?");
	table_add(t, g->shape);
}

static void pipe_group(struct table *t, const struct error_group *g)
{
	char n[24], requests[24], ids[400];
	snprintf(n, sizeof n, "%u", g->count);
	snprintf(requests, sizeof requests, "%u", g->requests_in_all);
	table_add(t, n);
	add_time(t, g->first, false);
	add_time(t, g->last, false);
	table_add(t, g->release);
	table_add(t, g->newest_release);
	table_add(t, requests);
	table_add(t, g->shape);
	table_add(t, g->sample);
	ids_text(g->requests, g->nrequests, ids, sizeof ids);
	table_add(t, ids);
	ids_text(g->messages, g->nmessages, ids, sizeof ids);
	table_add(t, ids);
}

static void print_text(struct out *o, const struct errors_result *r)
{
	static const char *const heads[] = { "LINES", "FIRST", "LAST", "RELEASE", "ERROR" };
	struct table t;
	table_init(&t, o->tty ? 5 : 10, 1U);
	for (unsigned i = 0; o->tty && i < sizeof heads / sizeof *heads; i++)
		table_add(&t, heads[i]);
	for (unsigned i = 0; i < r->n; i++)
		(o->tty ? eye_group : pipe_group)(&t, &r->groups[i]);
	table_print(&t, o);
}

static void json_ids(struct json_out *j, const char *key, const char *const *ids, unsigned n)
{
	json_out_array(j, key);
	for (unsigned i = 0; i < n; i++)
		json_out_str(j, NULL, ids[i]);
	json_out_array_end(j);
}

static void json_group(struct json_out *j, const struct error_group *g)
{
	json_out_object(j, NULL);
	json_out_str(j, "shape", g->shape);
	json_out_str(j, "type", g->type[0] ? g->type : NULL);
	json_out_int(j, "lines", g->count);
	json_out_time(j, "first", g->first);
	json_out_time(j, "last", g->last);
	json_out_str(j, "release", g->release);
	json_out_str(j, "newest_release", g->newest_release);
	json_out_str(j, "sample", g->sample);
	json_out_str(j, "stream", g->stream);
	json_out_int(j, "requests_known", g->requests_in_all);
	json_ids(j, "requests", g->requests, g->nrequests);
	json_ids(j, "messages", g->messages, g->nmessages);
	json_out_object_end(j);
}

static void print_json(struct out *o, const struct errors_result *r)
{
	struct json_out j;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_time(&j, "generated", r->at);
	json_out_str(&j, "function", r->function);
	json_out_str(&j, "log_group", r->log_group);
	json_out_time(&j, "from", r->from);
	json_out_time(&j, "to", r->to);
	json_out_time(&j, "read_from", r->read_from);
	json_out_bool(&j, "whole", !r->more);
	json_out_int(&j, "lines_read", r->lines);
	json_out_int(&j, "calls", r->calls);
	json_out_str(&j, "dead_letters", r->dead_letters);
	json_out_array(&j, "errors");
	for (unsigned i = 0; i < r->n; i++)
		json_group(&j, &r->groups[i]);
	json_out_array_end(&j);
	json_out_object_end(&j);
	out_own(o, "\n");
}

static void say_rest(const struct errors_result *r)
{
	char text[300], from[CLOCK_RFC3339_SIZE];
	clock_rfc3339(r->read_from, from);
	if (r->more) {
		snprintf(text, sizeof text,
		         "note: the log holds more than %u calls read: this is from %s on; a shorter --since reads all",
		         r->calls, from);
		cli_say(text);
	} else if (!r->n) {
		snprintf(text, sizeof text, "note: no line of %.150s since %s looks like an error", r->log_group, from);
		cli_say(text);
	}
}

int cmd_errors(const struct cli *c, struct engine *g)
{
	int64_t now = clock_wall(), from = now - HOUR;
	if (c->args->since)
		cli_time(c->args->since, now, &from);
	struct request rq = { .kind = REQUEST_ERRORS,
		                  .errors = { .function = c->argv[0], .from = from > 0 ? from : 1, .to = now } };
	struct result *r = engine_call(g, &rq);
	if (r->err.code != ERR_OK) {
		int failed = cli_fail(c, &r->err);
		result_free(r);
		return failed;
	}
	struct out o;
	out_init(&o);
	(cli_is_json(c) ? print_json : print_text)(&o, &r->errors);
	int status = out_end(&o, c, 0);
	if (status == 0)
		say_rest(&r->errors);
	result_free(r);
	return status;
}
