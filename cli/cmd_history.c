/* history: the points of one metric, gap for gap. */
#include "cli/args.h"
#include "cli/out.h"

#include "core/clock.h"
#include "core/mem.h"
#include "core/metric.h"
#include "core/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400

struct place {
	const struct history_part *part;
	unsigned left; /* points of the part from here on */
	int64_t t;
};

/* From point to point, part after part. */
static struct place place_first(const struct history_result *h)
{
	return (struct place){ h->parts, h->parts->n, h->parts->from };
}

static void place_next(struct place *p, const struct history_result *h)
{
	p->t += p->part->step;
	if (--p->left || p->part + 1 == h->parts + h->nparts)
		return;
	p->part++;
	p->left = p->part->n;
	p->t = p->part->from;
}

static void print_csv(struct out *o, const struct history_result *h)
{
	struct place p = place_first(h);
	out_own(o, "time,value\n");
	for (unsigned i = 0; i < h->n; i++, place_next(&p, h)) {
		char at[CLOCK_RFC3339_SIZE], value[32];
		clock_rfc3339(p.t, at);
		text_exact(h->v[i], value);
		out_ownf(o, "%s,%s\n", at, value);
	}
}

static void print_text(struct out *o, const struct history_result *h)
{
	struct table t;
	struct place p = place_first(h);
	table_init(&t, 2, 1U << 1);
	if (o->tty) {
		out_text(o, h->metric);
		out_ownf(o, "  %s, every ", unit_name(h->info.unit));
		for (unsigned i = 0; i < h->nparts; i++)
			out_ownf(o, "%s%u s", i ? ", then " : "", (unsigned)h->parts[i].step);
		out_own(o, "\n");
	}
	for (unsigned i = 0; i < h->n; i++, place_next(&p, h)) {
		char at[CLOCK_RFC3339_SIZE], value[32];
		clock_rfc3339(p.t, at);
		text_exact(h->v[i], value);
		table_add(&t, at);
		table_add(&t, *value ? value : "-");
	}
	table_print(&t, o);
}

static void print_parts(struct json_out *j, const struct history_result *h)
{
	json_out_array(j, "parts");
	for (unsigned i = 0; i < h->nparts; i++) {
		json_out_object(j, NULL);
		json_out_time(j, "from", h->parts[i].from);
		json_out_time(j, "to", h->parts[i].to);
		json_out_int(j, "step", h->parts[i].step);
		json_out_str(j, "rolled_up", h->parts[i].rolled);
		json_out_object_end(j);
	}
	json_out_array_end(j);
}

static void print_points(struct json_out *j, const struct history_result *h)
{
	struct place p = place_first(h);
	json_out_array(j, "points");
	for (unsigned i = 0; i < h->n; i++, place_next(&p, h)) {
		json_out_object(j, NULL);
		json_out_time(j, "time", p.t);
		json_out_num(j, "value", h->v[i]);
		if (h->held[i])
			json_out_int(j, "holds", h->held[i]);
		json_out_object_end(j);
	}
	json_out_array_end(j);
}

static void print_json(struct out *o, const struct history_request *rq, const struct history_result *h)
{
	struct json_out j;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_str(&j, "resource", rq->resource);
	json_out_str(&j, "metric", h->metric);
	json_out_str(&j, "key", h->info.key);
	json_out_str(&j, "unit", unit_name(h->info.unit));
	json_out_int(&j, "step", h->step);
	json_out_time(&j, "from", h->from);
	json_out_time(&j, "to", h->to);
	json_out_bool(&j, "polled", h->polled);
	json_out_str(&j, "hint", h->hint);
	print_parts(&j, h);
	print_points(&j, h);
	json_out_object_end(&j);
	out_own(o, "\n");
}

/* A value that was made here, not by CloudWatch, is told as such. */
static void say_rolled(const struct history_result *h)
{
	for (unsigned i = 0; i < h->nparts; i++) {
		const struct history_part *p = &h->parts[i];
		char until[CLOCK_RFC3339_SIZE];
		if (!p->rolled)
			continue;
		clock_rfc3339(p->to, until);
		char *text = xasprintf("note: before %s a value is the %s of the points kept of its %u minutes", until,
		                       p->rolled, (unsigned)p->step / 60);
		cli_say(text);
		free(text);
	}
}

static bool no_points(const struct history_result *h)
{
	for (unsigned i = 0; i < h->n; i++)
		if (!isnan(h->v[i]))
			return false;
	return true;
}

static void say_notes(const struct history_result *h)
{
	say_rolled(h);
	if (h->note)
		cli_note("history", h->note);
	if (h->hint) {
		char *text = xasprintf("note: %s", h->hint);
		cli_say(text);
		free(text);
	} else if (no_points(h)) {
		cli_say(h->polled ? "note: CloudWatch has no points in this time"
		                  : "note: the history file has no points in this time");
	}
}

static int print(const struct cli *c, const struct history_request *rq, const struct history_result *h)
{
	struct out o;
	bool failed = !h->polled && !rq->offline;
	out_init(&o);
	if (cli_is_json(c))
		print_json(&o, rq, h);
	else
		(c->format && strcmp(c->format, "csv") == 0 ? print_csv : print_text)(&o, h);
	int status = out_end(&o, c, failed ? 1 : 0);
	if (status > 1)
		return status;
	say_notes(h);
	return failed && h->poll_error.code != ERR_OK ? cli_fail(c, &h->poll_error) : status;
}

static bool build(const struct cli *c, struct history_request *rq, struct err *e)
{
	const struct cli_args *a = c->args;
	int64_t now = clock_wall(), end = now;
	*rq = (struct history_request){ .metric = c->argv[1], .offline = a->offline };
	if (strcmp(c->argv[0], "-") != 0)
		rq->resource = c->argv[0];
	else {
		struct metric_id id;
		if (!metric_parse(&id, rq->metric, e)) {
			e->code = ERR_USAGE; /* an argument, not a line of a file */
			return false;
		}
		metric_clear(&id);
	}
	if (a->until) {
		cli_time(a->until, now, &end);
		rq->to = end;
	}
	rq->from = end - DAY;
	if (a->since)
		cli_time(a->since, end, &rq->from);
	return rq->from < end || err_set(e, ERR_USAGE, "--since", "is not before the end");
}

int cmd_history(const struct cli *c, struct engine *g)
{
	struct request rq = { .kind = REQUEST_HISTORY };
	struct err e = { 0 };
	if (!build(c, &rq.history, &e))
		return cli_fail(c, &e);
	struct result *r = engine_call(g, &rq);
	int status = r->err.code != ERR_OK ? cli_fail(c, &r->err) : print(c, &rq.history, &r->history);
	result_free(r);
	return status;
}
