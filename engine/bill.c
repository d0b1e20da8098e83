/* What GetMetricData costs: metrics requested, hour by hour, kept in the history so that "today" outlives a restart.
 *
 * AWS bills each metric that is requested. Whether up to five statistics of one metric in one request count once or five times is told
 * either way, so both are counted, the larger is what is shown and what the budget is held against. A request that AWS refused, and
 * each page after the first, are not counted: nobody documents whether they are billed. */
#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "engine/inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR 3600
#define BILL "bill"

static struct bill_hour *hour_of(struct bill *b, int64_t hour)
{
	struct bill_hour *h = &b->hour[(uint64_t)hour % BILL_HOURS];
	if (h->hour != hour)
		*h = (struct bill_hour){ .hour = hour };
	return h;
}

static struct bill_hour *this_hour(struct bill *b)
{
	b->changed = true;
	return hour_of(b, clock_wall() / HOUR);
}

/* The last place is everybody else's. */
static struct bill_ns *ns_of(struct bill *b, const char *ns)
{
	unsigned most = sizeof b->ns / sizeof *b->ns;
	for (unsigned i = 0; i < b->nns; i++)
		if (strcmp(b->ns[i].ns, ns) == 0)
			return &b->ns[i];
	if (b->nns == most || strlen(ns) >= sizeof b->ns->ns)
		return &b->ns[most - 1];
	struct bill_ns *n = &b->ns[b->nns++];
	snprintf(n->ns, sizeof n->ns, "%s", b->nns == most ? "others" : ns);
	return n;
}

void bill_batch(struct engine *g, const struct batch *b)
{
	struct bill *bill = &g->bill;
	g->metrics_asked += b->n;
	g->side_by_side += b->side_by_side;
	this_hour(bill)->metrics += b->n;
	for (unsigned i = 0; i < b->n; i++)
		ns_of(bill, b->m[i]->id.ns)->metrics++;
	if (b->point || !g->threaded) /* a history, a command */
		bill_beyond(g, b->n);
}

void bill_beyond(struct engine *g, double metrics)
{
	if (metrics > 0)
		this_hour(&g->bill)->beyond += (uint64_t)metrics;
}

double bill_today(const struct engine *g)
{
	int64_t now = clock_wall() / HOUR, midnight = now / 24 * 24;
	double sum = 0;
	for (unsigned i = 0; i < BILL_HOURS; i++)
		if (g->bill.hour[i].hour >= midnight && g->bill.hour[i].hour <= now)
			sum += (double)g->bill.hour[i].metrics;
	return sum;
}

double bill_beyond_day(const struct engine *g)
{
	int64_t now = clock_wall() / HOUR;
	double sum = 0;
	for (unsigned i = 0; i < BILL_HOURS; i++)
		if (g->bill.hour[i].hour > now - 24 && g->bill.hour[i].hour <= now)
			sum += (double)g->bill.hour[i].beyond;
	return sum;
}

/* ---- in the history */

static void load_hour(struct bill *b, const struct json *n)
{
	int64_t hour, metrics, beyond;
	if (!json_int(json_get(n, "hour"), &hour) || !json_int(json_get(n, "metrics"), &metrics) ||
	    !json_int(json_get(n, "beyond"), &beyond) || hour <= clock_wall() / HOUR - BILL_HOURS ||
	    hour > clock_wall() / HOUR || metrics < 0 || beyond < 0)
		return;
	struct bill_hour *h = hour_of(b, hour);
	h->metrics += (uint64_t)metrics;
	h->beyond += (uint64_t)beyond;
}

/* What was asked before it was known for which account is this one's. Another account's hours stay behind. */
void bill_load(struct engine *g)
{
	char target[TARGET_KEY];
	struct bill *b = &g->bill;
	if (!g->cache || !g->target.account[0] || strcmp(b->account, g->target.account) == 0)
		return;
	if (b->account[0])
		memset(b->hour, 0, sizeof b->hour);
	memcpy(b->account, g->target.account, sizeof b->account);
	target_key(&g->target, target);
	char *text = cache_get_text(g->cache, target, BILL);
	struct json *doc = text ? json_parse(span_of(text), NULL) : NULL;
	for (const struct json *n = json_first(doc); n; n = json_next(n))
		load_hour(b, n);
	json_free(doc);
	free(text);
}

void bill_save(struct engine *g)
{
	char target[TARGET_KEY];
	struct buf text;
	struct json_out o;
	struct err e = { 0 };
	bill_load(g);
	if (!g->bill.changed || !g->bill.account[0] || !g->cache || !cache_is_writer(g->cache))
		return;
	target_key(&g->target, target);
	buf_init(&text, 16 * 1024);
	json_out_init(&o, &text);
	json_out_array(&o, NULL);
	for (unsigned i = 0; i < BILL_HOURS; i++) {
		const struct bill_hour *h = &g->bill.hour[i];
		if (h->hour <= clock_wall() / HOUR - BILL_HOURS)
			continue;
		json_out_object(&o, NULL);
		json_out_int(&o, "hour", h->hour);
		json_out_int(&o, "metrics", (int64_t)h->metrics);
		json_out_int(&o, "beyond", (int64_t)h->beyond);
		json_out_object_end(&o);
	}
	json_out_array_end(&o);
	if (o.ok && !cache_put_text(g->cache, target, BILL, text.p, &e))
		log_warn(LOG_ENGINE, "the bill is not kept: %s", e.text);
	g->bill.changed = false;
	buf_clear(&text);
}

/* ---- in the snapshot */

static void show_top(const struct bill *b, struct snapshot *s)
{
	const struct bill_ns *top = NULL;
	double all = 0;
	for (unsigned i = 0; i < b->nns; i++) {
		all += b->ns[i].metrics;
		top = !top || b->ns[i].metrics > top->metrics ? &b->ns[i] : top;
	}
	if (!top || all <= 0)
		return;
	s->cost.top = arena_strdup(&s->mem, top->ns);
	s->cost.top_percent = (unsigned)lround(100 * top->metrics / all);
}

void bill_show(const struct engine *g, struct snapshot *s)
{
	s->cost.metrics = g->metrics_asked;
	s->cost.side_by_side = g->side_by_side;
	s->cost.usd = g->metrics_asked * USD_PER_METRIC;
	s->cost.today_usd = g->bill.account[0] ? bill_today(g) * USD_PER_METRIC : NAN;
	s->cost.usd_per_day = g->usd_per_day;
	s->cost.budget = g->conf->budget_usd_per_day;
	s->cost.slowed = g->sched.slowed;
	show_top(&g->bill, s);
}
