#include "engine/drive/watch.h"

#include "aws/op_cloudwatch.h"
#include "core/mem.h"
#include "core/text.h"
#include "replay/watch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE 60
#define SINCE_MOST 60 /* minutes of the run that are looked at: the newest */
#define NORMAL_S (24 * 3600)
#define NORMAL_STEP 300
#define NORMAL_POINTS (NORMAL_S / NORMAL_STEP)
#define MEASURED_S 60 /* from then on the run's own pace counts, not only the one it was allowed */

enum { THROTTLES, AGE, METRICS };

struct run_watch {
	struct drive *d;
	const struct look *list; /* what is being asked, one call after the other */
	unsigned nlist, at;
	bool asking, answered, prepared, said[8];
	uint64_t call;
	struct err err;
	int64_t began, next_ms, from; /* seconds of the wall clock; monotonic; of the minutes under way */
	double left_then;             /* when it began */
	char function[140], queue[96],
	    source[96]; /* names: of the consumer, of what it reads, of what is replayed; "" = not known, or no queue */
	struct gone_off {
		char *name;
		int64_t since;
	} * alarms; /* before it began */
	unsigned nalarms, calarms;
	double normal[NORMAL_POINTS], before[METRICS][WATCH_BEFORE], since[METRICS][SINCE_MOST];
	struct metric_queries queries;
	enum metric_status status[METRICS];
	struct get_metric_data_in metrics_in;
	struct get_metric_data_out metrics;
	struct describe_alarms_in alarms_in;
	struct describe_alarms_out told;
	struct describe_in queue_in;
	struct found found;
	struct mappings_in mappings_in;
	struct mappings_out mappings;
};

struct look {
	bool (*ask)(struct run_watch *w);  /* false: there is nothing to ask */
	void (*hear)(struct run_watch *w); /* after a success */
	const char *else_;                 /* what is not watched when it fails; said once */
};

/* ---- calls */

static void on_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct run_watch *w = ctx;
	(void)op, (void)in, (void)out;
	w->err = *e;
	w->answered = true;
	w->call = 0;
}

static bool read_aws(struct run_watch *w, const struct op *op, void *in, void *out)
{
	w->answered = false;
	w->call = aws_call(w->d->g->aws, op, in, out, on_done, w);
	return true;
}

/* The last part of an SQS queue's ARN; "": it is none. */
static void queue_of(const char *arn, char out[96])
{
	const char *sqs = arn ? strstr(arn, ":sqs:") : NULL, *name = sqs ? strrchr(arn, ':') : NULL;
	snprintf(out, 96, "%s", name ? name + 1 : "");
}

static void add_metric(struct run_watch *w, const char *ns, const char *name, const char *stat, const char *dim,
                       const char *value)
{
	struct metric_id m;
	metric_set(&m, ns, name, stat);
	metric_add_dim(&m, dim, value);
	metric_queries_add(&w->queries, &m);
	metric_clear(&m);
}

static bool send_metrics(struct run_watch *w, int64_t from, int64_t to,
                         void (*point)(void *ctx, unsigned query, int64_t t, double v))
{
	for (unsigned i = 0; i < METRICS; i++)
		w->status[i] = METRIC_UNANSWERED;
	free(w->metrics_in.page.token);
	w->from = from;
	w->metrics_in = (struct get_metric_data_in){ .queries = &w->queries, .start = from, .end = to };
	w->metrics = (struct get_metric_data_out){ .point = point, .ctx = w, .status = w->status, .n = w->queries.n };
	bill_beyond(w->d->g, w->queries.n);
	return read_aws(w, &op_get_metric_data, &w->metrics_in, &w->metrics);
}

/* ---- what is normal */

static void normal_point(void *ctx, unsigned query, int64_t t, double v)
{
	struct run_watch *w = ctx;
	int64_t i = (t - w->from) / NORMAL_STEP;
	if (query == 0 && i >= 0 && i < NORMAL_POINTS)
		w->normal[i] = v;
}

static bool ask_normal(struct run_watch *w)
{
	int64_t to = clock_wall() / NORMAL_STEP * NORMAL_STEP;
	for (unsigned i = 0; i < NORMAL_POINTS; i++)
		w->normal[i] = (double)NAN;
	if (!w->queue[0] || w->d->resumed)
		return false;
	metric_queries_clear(&w->queries);
	metric_queries_init(&w->queries, NORMAL_STEP);
	add_metric(w, "AWS/SQS", "NumberOfMessagesSent", "Sum", "QueueName", w->queue);
	return send_metrics(w, to - NORMAL_S, to, normal_point);
}

static void nothing(struct run_watch *w)
{
	(void)w;
}

/* The rate that was said stands; else 5 % of what is normal there, where that is known. */
static void settle_rate(struct drive *d)
{
	const struct run_watch *w = d->watch;
	double normal = normal_rate(w->normal, NORMAL_POINTS, NORMAL_STEP), cap = normal * RATE_SHARE;
	if (d->t->rq.replay.rate > 0 || d->resumed)
		d->r->rate_why = d->t->rq.replay.rate > 0 ? "as it was said" : "as the run has it";
	else if (isnan(normal))
		d->r->rate_why = arena_printf(d->mem, "what %s normally sees is not known, so there is no cap of 5 %% of it",
		                              w->queue[0] ? w->queue : "its source");
	else if (cap < d->run.rate)
		d->r->rate_why = arena_printf(d->mem, "5 %% of the %.3g a second that %s normally sees; --rate overrides it",
		                              normal, w->queue);
	else
		d->r->rate_why =
		    arena_printf(d->mem, "below 5 %% of the %.3g a second that %s normally sees", normal, w->queue);
	if (d->t->rq.replay.rate <= 0 && !d->resumed && cap < d->run.rate)
		d->run.rate = cap;
}

/* ---- alarms */

static bool ask_alarms(struct run_watch *w)
{
	if (w->d->plan || w->d->t->rq.replay.despite & DESPITE_ALARMS)
		return false;
	describe_alarms_out_clear(&w->told);
	free(w->alarms_in.page.token);
	w->told = (struct describe_alarms_out){ 0 };
	w->alarms_in = (struct describe_alarms_in){ .no_logs = w->d->g->no_log_alarms };
	return read_aws(w, &op_describe_alarms, &w->alarms_in, &w->told);
}

/* The same transition that it was in when the run began; no clock is compared with another. */
static bool went_off_before(const struct run_watch *w, const struct alarm *a)
{
	for (unsigned i = 0; i < w->nalarms; i++)
		if (strcmp(w->alarms[i].name, a->name) == 0)
			return w->alarms[i].since == a->since;
	return false;
}

static void keep_alarms(struct run_watch *w)
{
	for (unsigned i = 0; i < w->told.n; i++) {
		if (w->told.alarms[i].state != ALARM_STATE_ALARM)
			continue;
		MEM_GROW(w->alarms, w->nalarms, w->calarms);
		w->alarms[w->nalarms++] = (struct gone_off){ xstrdup(w->told.alarms[i].name), w->told.alarms[i].since };
	}
}

static void judge_alarms(struct run_watch *w)
{
	for (unsigned i = 0; i < w->told.n; i++) {
		const struct alarm *a = &w->told.alarms[i];
		if (a->state == ALARM_STATE_ALARM && !went_off_before(w, a))
			drive_end(w->d, RUN_PAUSED, "alarm %.120s went off since the run began", a->name);
	}
}

/* ---- the consumer, and what it reads */

static bool ask_consumer(struct run_watch *w)
{
	if (w->d->plan || w->function[0] || !w->queue[0])
		return false;
	w->mappings_in = (struct mappings_in){ .source = w->d->run.dest };
	return read_aws(w, &op_list_mappings_of, &w->mappings_in, &w->mappings);
}

static void name_function(struct run_watch *w, const char *arn)
{
	const char *word = arn ? strstr(arn, ":function:") : NULL, *name = word ? word + strlen(":function:") : "";
	snprintf(w->function, sizeof w->function, "%.*s", (int)strcspn(name, ":"), name);
}

static void hear_consumer(struct run_watch *w)
{
	if (w->mappings.n)
		name_function(w, w->mappings.v[0].function_arn);
}

/* ---- throttles and age */

static void minute_point(void *ctx, unsigned query, int64_t t, double v)
{
	struct run_watch *w = ctx;
	unsigned metric = w->function[0] ? query : AGE;
	int64_t start = w->began - WATCH_BEFORE * MINUTE, i = (t - start) / MINUTE, since = (t - w->from) / MINUTE;
	if (metric >= METRICS || t < start)
		return;
	if (i < WATCH_BEFORE)
		w->before[metric][i] = v;
	else if (w->from < w->began && i - WATCH_BEFORE < SINCE_MOST)
		w->since[metric][i - WATCH_BEFORE] = v;
	else if (w->from >= w->began && since < SINCE_MOST)
		w->since[metric][since] = v;
}

static bool ask_minutes(struct run_watch *w)
{
	int64_t to = clock_wall() / MINUTE * MINUTE + MINUTE, from = to - SINCE_MOST * MINUTE;
	if (!w->function[0] && !w->queue[0])
		return false;
	for (unsigned m = 0; m < METRICS; m++)
		for (unsigned i = 0; i < SINCE_MOST; i++)
			w->since[m][i] = (double)NAN;
	metric_queries_clear(&w->queries);
	metric_queries_init(&w->queries, MINUTE);
	if (w->function[0])
		add_metric(w, "AWS/Lambda", "Throttles", "Sum", "FunctionName", w->function);
	if (w->queue[0])
		add_metric(w, "AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum", "QueueName", w->queue);
	return send_metrics(w, from < w->began ? w->began - WATCH_BEFORE * MINUTE : from, to, minute_point);
}

static void judge_minutes(struct run_watch *w)
{
	unsigned despite = w->d->t->rq.replay.despite;
	if (!(despite & DESPITE_THROTTLES) &&
	    throttles_rise(w->before[THROTTLES], WATCH_BEFORE, w->since[THROTTLES], SINCE_MOST))
		drive_end(w->d, RUN_PAUSED, "function %s is throttled more than before the run", w->function);
	if (!(despite & DESPITE_AGE) && age_rises(w->before[AGE], WATCH_BEFORE, w->since[AGE], SINCE_MOST))
		drive_end(w->d, RUN_PAUSED, "the oldest message of %s grows older faster than before the run", w->queue);
}

/* ---- the clock */

static bool ask_queue(struct run_watch *w)
{
	const struct replay_run *r = &w->d->run;
	if (!r->source_url || !*r->source_url || !w->source[0] || w->d->plan)
		return false;
	found_clear(&w->found);
	found_init(&w->found);
	w->queue_in = (struct describe_in){ w->source, r->source_url };
	return read_aws(w, kind_sqs.describe, &w->queue_in, &w->found);
}

static void hear_queue(struct run_watch *w)
{
	for (unsigned i = 0; i < w->found.nfacts; i++)
		if (strcmp(w->found.facts[i].key, "retention_s") == 0)
			w->d->retention_s = strtoll(w->found.facts[i].value, NULL, 10);
}

static bool is_left(const struct entry *en)
{
	return !item_ended(en->it.state) && en->it.state != ITEM_ACCEPTED && en->it.state != ITEM_REMOVED &&
	       en->it.state != ITEM_REMOVE_LOST;
}

double watch_left(const struct drive *d)
{
	double n = 0;
	if (d->run.mode == REPLAY_MOVE)
		return d->run.to_move > d->run.moved ? (double)(d->run.to_move - d->run.moved) : 0;
	for (unsigned i = d->first; i < d->n; i++)
		n += is_left(&d->v[i]);
	return n;
}

double watch_loss(const struct drive *d)
{
	int64_t first = 0, now = now_ms();
	for (unsigned i = d->first; i < d->n; i++) {
		int64_t at = loss_of(d, i);
		if (is_left(&d->v[i]) && at > now && (!first || at < first))
			first = at;
	}
	return first ? (double)(first - now) / 1000 : (double)NAN;
}

static double finish_in(const struct drive *d, double left)
{
	const struct run_watch *w = d->watch;
	double rate = d->run.rate, took = (double)(clock_wall() - w->began);
	if (w->began && took >= MEASURED_S && w->left_then - left > 0) {
		double measured = (w->left_then - left) / took;
		rate = measured < rate ? measured : rate;
	}
	return left / rate + (d->run.mode == REPLAY_REDRIVE ? d->run.verify_s : 0);
}

static void tell_race(const struct drive *d, double loss, double finish, char out[256])
{
	char left[TEXT_NUM], takes[TEXT_NUM];
	text_duration((int64_t)loss, left);
	text_duration((int64_t)finish, takes);
	snprintf(out, 256,
	         "the first message is lost in %s, and the run takes %s: `sluice replay buy-time %s` raises the retention",
	         left, takes, d->run.source);
}

bool watch_refuses(struct drive *d, struct err *e)
{
	char text[256];
	double loss = watch_loss(d), finish = finish_in(d, watch_left(d));
	if (d->resumed || d->t->rq.replay.despite & DESPITE_LOSS || race_of(loss, finish) != RACE_LOST)
		return false;
	tell_race(d, loss, finish, text);
	err_set(e, ERR_GATE, "replay", "%s, --rate makes it faster, --despite loss begins all the same", text);
	return true;
}

static void judge_race(struct run_watch *w)
{
	struct drive *d = w->d;
	char text[256];
	double loss = watch_loss(d), finish = finish_in(d, watch_left(d));
	if (d->t->rq.replay.despite & DESPITE_LOSS || race_of(loss, finish) != RACE_LOST)
		return;
	tell_race(d, loss, finish, text);
	drive_end(d, RUN_PAUSED, "%s; resume goes on, with --despite loss whatever the clock says", text);
}

/* ---- in this order */

static const struct look first[] = {
	{ ask_normal, nothing, NULL }, /* settle_rate says it */
	{ ask_queue, hear_queue, "when the messages expire" },
	{ ask_alarms, keep_alarms, "alarms" },
	{ ask_consumer, hear_consumer, "who consumes" },
};
static const struct look again[] = {
	{ ask_minutes, judge_minutes, "the consumer's throttles and its queue's age" },
	{ ask_alarms, judge_alarms, "alarms" },
	{ ask_queue, hear_queue, "when the messages expire" },
};

static void heard(struct run_watch *w)
{
	const struct look *l = &w->list[w->at];
	w->asking = false;
	if (l->ask == ask_alarms && w->err.code == ERR_REFUSED && !w->d->g->no_log_alarms) {
		w->d->g->no_log_alarms = true; /* once more, without the type that it does not know */
		return;
	}
	w->at++;
	if (w->err.code == ERR_OK) {
		l->hear(w);
		return;
	}
	if (w->list == first && w->at == 1)
		for (unsigned i = 0; i < NORMAL_POINTS; i++) /* part of an answer is not what is normal */
			w->normal[i] = (double)NAN;
	if (!l->else_ || w->said[l - w->list + (w->list == again ? 4 : 0)])
		return;
	w->said[l - w->list + (w->list == again ? 4 : 0)] = true;
	drive_warn(w->d, "not watched during the run: %s: %s: %s", l->else_, w->err.where, w->err.text);
}

/* True: all of the list was asked and heard. */
static bool run_list(struct run_watch *w)
{
	while (w->at < w->nlist) {
		if (!w->asking && !w->list[w->at].ask(w)) {
			w->at++;
			continue;
		}
		w->asking = true;
		if (!w->answered)
			return false;
		heard(w);
	}
	return true;
}

static void begin_list(struct run_watch *w, const struct look *list, unsigned n)
{
	w->list = list;
	w->nlist = n;
	w->at = 0;
	w->asking = w->answered = false;
}

static struct run_watch *watch_new(struct drive *d)
{
	struct run_watch *w = xcalloc(1, sizeof *w);
	w->d = d;
	found_init(&w->found);
	arena_init(&w->mappings.mem);
	metric_queries_init(&w->queries, MINUTE);
	for (unsigned m = 0; m < METRICS; m++)
		for (unsigned i = 0; i < WATCH_BEFORE; i++)
			w->before[m][i] = (double)NAN;
	if (d->run.mode == REPLAY_INVOKE)
		name_function(w, d->run.dest);
	queue_of(d->run.mode == REPLAY_INVOKE ? d->one_source : d->run.dest, w->queue);
	queue_of(d->run.source_arn, w->source);
	begin_list(w, first, sizeof first / sizeof *first);
	return w;
}

bool watch_prepare(struct drive *d)
{
	if (!d->watch)
		d->watch = watch_new(d);
	if (d->watch->prepared)
		return true;
	if (!run_list(d->watch))
		return false;
	d->watch->prepared = true;
	settle_rate(d);
	return true;
}

void watch_step(struct drive *d, int64_t *wake_ms)
{
	struct run_watch *w = d->watch;
	int64_t now = clock_mono_ms();
	if (!w || (d->ending && !w->asking))
		return;
	if (!w->began) {
		w->began = clock_wall() / MINUTE * MINUTE;
		w->left_then = watch_left(d);
		judge_race(w);
	}
	if (!w->asking && now >= w->next_ms) {
		begin_list(w, again, sizeof again / sizeof *again);
		w->next_ms = now + (int64_t)(d->t->rq.replay.watch_s ? d->t->rq.replay.watch_s : MINUTE) * 1000;
	}
	if (w->list == again && w->at < w->nlist && run_list(w) && !d->ending)
		judge_race(w);
	*wake_ms = wake_sooner(*wake_ms, w->next_ms);
}

bool watch_flying(const struct drive *d)
{
	return d->watch && d->watch->asking && !d->watch->answered;
}

void watch_free(struct drive *d)
{
	struct run_watch *w = d->watch;
	if (!w)
		return;
	if (w->call && d->g->aws)
		aws_cancel(d->g->aws, w->call);
	for (unsigned i = 0; i < w->nalarms; i++)
		free(w->alarms[i].name);
	free(w->alarms);
	metric_queries_clear(&w->queries);
	free(w->metrics_in.page.token);
	free(w->alarms_in.page.token);
	describe_alarms_out_clear(&w->told);
	found_clear(&w->found);
	arena_clear(&w->mappings.mem);
	free(w->mappings.v);
	free(w);
	d->watch = NULL;
}
