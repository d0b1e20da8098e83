/* CloudWatch Logs (json11): what functions write. */
#include "sim/sim_log.h"
#include "sim/sim_req.h"
#include "sim/world.h"

#include "core/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 10000
#define PAGE_BYTES (1u << 20)
#define LOOKED_MAX 200000 /* lines a call goes through: then it answers with what it has, and a token */
#define MINUTES_MAX 720
#define GROUPS_PAGE 50

/* ---- groups and streams */

static void group_arn(const struct world *w, const char *name, const char *end, char *out, size_t size)
{
	char resource[700];
	snprintf(resource, sizeof resource, "log-group:%.512s%s", name, end);
	world_arn(w, "logs", resource, out, size);
}

static bool page_of(const struct sim_req *rq, unsigned *at, int64_t *limit, struct sim_fail *f)
{
	const char *token = NULL;
	char text[32] = "";
	*limit = GROUPS_PAGE;
	if (!arg_int(rq, rq->args, "limit", 1, GROUPS_PAGE, limit, f) || !arg_str(rq, rq->args, "nextToken", &token, f))
		return false;
	if (token && *token && !token_read(token, rq->op, text, sizeof text, f))
		return sim_fail(f, WHY_INVALID_PARAMETER, "The specified nextToken is invalid.");
	*at = (unsigned)strtoul(text, NULL, 10);
	return true;
}

static void tell_group(const struct world *w, struct wr *o, const struct log_group *g)
{
	char arn[1000];
	wr_object(o, NULL);
	wr_str(o, "logGroupName", g->name);
	wr_int(o, "creationTime", g->created_ms);
	wr_int(o, "metricFilterCount", 0);
	group_arn(w, g->name, ":*", arn, sizeof arn);
	wr_str(o, "arn", arn);
	wr_int(o, "storedBytes", 0);
	wr_str(o, "logGroupClass", "STANDARD");
	group_arn(w, g->name, "", arn, sizeof arn);
	wr_str(o, "logGroupArn", arn);
	wr_object_end(o);
}

static bool describe_groups(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *prefix = "", *pattern = NULL;
	unsigned i, n = 0;
	int64_t limit;
	if (!arg_str(rq, rq->args, "logGroupNamePrefix", &prefix, f) ||
	    !arg_str(rq, rq->args, "logGroupNamePattern", &pattern, f) || !page_of(rq, &i, &limit, f))
		return false;
	if (*prefix && pattern)
		return sim_fail(f, WHY_INVALID_PARAMETER,
		                "LogGroup name prefix and LogGroup name pattern are mutually exclusive.");
	wr_list(o, "logGroups", NULL);
	for (; i < w->ngroups && n < limit; i++) {
		const char *name = w->groups[i]->name;
		if (strncmp(name, prefix, strlen(prefix)) != 0 || (pattern && !strstr(name, pattern)))
			continue;
		tell_group(w, o, w->groups[i]);
		n++;
	}
	wr_list_end(o);
	if (i < w->ngroups)
		token_write(o, "nextToken", rq->op, "%u", i);
	return true;
}

static struct log_group *group_of(const struct world *w, const struct sim_req *rq, struct sim_fail *f)
{
	const char *name = NULL, *id = NULL;
	if (!arg_str(rq, rq->args, "logGroupName", &name, f) || !arg_str(rq, rq->args, "logGroupIdentifier", &id, f))
		return NULL;
	if (!name == !id) {
		sim_fail(f, WHY_INVALID_PARAMETER, "Exactly one of logGroupName and logGroupIdentifier must be specified.");
		return NULL;
	}
	struct log_group *g = log_group_find(w, name ? name : world_arn_name(id));
	if (!g && id && strstr(id, ":log-group:"))
		g = log_group_find(w, strstr(id, ":log-group:") + 11);
	if (!g)
		sim_fail(f, WHY_STREAM_NOT_FOUND, "The specified log group does not exist.");
	return g;
}

/* Streams by what they were last written, newest first; those of one block of minutes share their times. */
struct streams {
	struct stream_seen {
		char name[80];
		int64_t first_ms, last_ms;
	} * all;
	unsigned n, cap;
};

static void see(struct streams *s, const char *name, int64_t first_ms, int64_t last_ms)
{
	for (unsigned i = s->n; i-- > 0;)
		if (strcmp(s->all[i].name, name) == 0) {
			if (last_ms > s->all[i].last_ms)
				s->all[i].last_ms = last_ms;
			return;
		}
	MEM_GROW(s->all, s->n, s->cap);
	struct stream_seen *one = &s->all[s->n++];
	*one = (struct stream_seen){ .first_ms = first_ms, .last_ms = last_ms };
	snprintf(one->name, sizeof one->name, "%s", name);
}

static void see_all(const struct world *w, const struct log_group *g, struct streams *s)
{
	char name[80];
	const struct sim_function *fn = world_function(w, strrchr(g->name, '/') + 1);
	int64_t block = -1;
	unsigned version = 0;
	for (unsigned i = fn ? fn->nlived : 0; i-- > 0;) {
		const struct lived *l = &fn->lived[i];
		if (l->minute / LIFE_BLOCK == block && l->version == version)
			continue;
		block = l->minute / LIFE_BLOCK;
		version = l->version;
		for (unsigned c = 0; c < l->containers; c++) {
			life_stream(w, fn, version, l->minute, c, name);
			see(s, name, block * LIFE_BLOCK * 60000, l->minute * 60000 + 59999);
		}
		if (s->n > 1000)
			break;
	}
	for (unsigned i = 0; i < g->nlines; i++)
		see(s, g->lines[i].stream, g->lines[i].at_ms, g->lines[i].at_ms);
}

static int newest_first(const void *a, const void *b)
{
	const struct stream_seen *x = a, *y = b;
	return x->last_ms > y->last_ms ? -1 : x->last_ms < y->last_ms ? 1 : strcmp(x->name, y->name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct stream_seen *)a)->name, ((const struct stream_seen *)b)->name);
}

static void tell_stream(const struct world *w, struct wr *o, const struct log_group *g, const struct stream_seen *s)
{
	char arn[1000], end[100];
	snprintf(end, sizeof end, ":log-stream:%.79s", s->name);
	group_arn(w, g->name, end, arn, sizeof arn);
	wr_object(o, NULL);
	wr_str(o, "logStreamName", s->name);
	wr_int(o, "creationTime", s->first_ms);
	wr_int(o, "firstEventTimestamp", s->first_ms);
	wr_int(o, "lastEventTimestamp", s->last_ms);
	wr_int(o, "lastIngestionTime", s->last_ms);
	wr_str(o, "arn", arn);
	wr_int(o, "storedBytes", 0);
	wr_object_end(o);
}

static bool describe_streams(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *prefix = "", *order = "LogStreamName";
	bool down = false;
	unsigned at, told = 0;
	int64_t limit;
	struct streams s = { 0 };
	const struct log_group *g = group_of(w, rq, f);
	if (!g || !arg_str(rq, rq->args, "logStreamNamePrefix", &prefix, f) ||
	    !arg_str(rq, rq->args, "orderBy", &order, f) || !arg_bool(rq, rq->args, "descending", &down, f) ||
	    !page_of(rq, &at, &limit, f))
		return false;
	bool times = strcmp(order, "LastEventTime") == 0;
	if (times && *prefix)
		return sim_fail(f, WHY_INVALID_PARAMETER, "Cannot order by LastEventTime with a logStreamNamePrefix.");
	see_all(w, g, &s);
	if (s.n)
		qsort(s.all, s.n, sizeof *s.all, times ? newest_first : by_name);
	bool turn = times != down; /* newest_first counts down already */
	wr_list(o, "logStreams", NULL);
	for (; at < s.n && told < limit; at++) {
		const struct stream_seen *one = &s.all[turn ? s.n - 1 - at : at];
		if (strncmp(one->name, prefix, strlen(prefix)) != 0)
			continue;
		tell_stream(w, o, g, one);
		told++;
	}
	wr_list_end(o);
	if (at < s.n)
		token_write(o, "nextToken", rq->op, "%u", at);
	free(s.all);
	return true;
}

/* ---- events */

struct reading {
	struct log_want want;
	struct log_filter filter;
	int64_t limit, minute, last_minute; /* minute: where it stands; last: where it ends */
	unsigned skip;                      /* lines of the minute that were told before */
	bool head;
	const struct json *streams;
};

static bool bad_pattern(struct sim_fail *f)
{
	return sim_fail(
	    f, WHY_INVALID_PARAMETER,
	    "Invalid filter pattern: terms of other than letters, digits and _ stand in double quotes; patterns in "
	    "{}, [] and %% are not simulated.");
}

static bool read_streams(const struct sim_req *rq, struct reading *r, struct sim_fail *f)
{
	const char *prefix = NULL;
	if (!arg_list(rq, rq->args, "logStreamNames", 100, &r->streams, f) ||
	    !arg_str(rq, rq->args, "logStreamNamePrefix", &prefix, f))
		return false;
	if (prefix && r->streams)
		return sim_fail(f, WHY_INVALID_PARAMETER, "logStreamNames and logStreamNamePrefix are mutually exclusive.");
	r->want.stream = prefix;
	r->want.prefix = prefix != NULL;
	return true;
}

static bool read_token(const struct sim_req *rq, const char *token, struct reading *r, struct sim_fail *f)
{
	char text[64] = "", way;
	if (!token || !*token)
		return true;
	if (!token_read(token, rq->op, text, sizeof text, f))
		return sim_fail(f, WHY_INVALID_PARAMETER, "The specified nextToken is invalid.");
	if (!*text)
		return true;
	if (sscanf(text, "%c %" SCNd64 " %u", &way, &r->minute, &r->skip) != 3)
		return sim_fail(f, WHY_INVALID_PARAMETER, "The specified nextToken is invalid.");
	r->head = way == 'h';
	return true;
}

/* What is to come is not written yet, and what was before the first line neither. */
static bool read_window(const struct world *w, const struct sim_req *rq, const struct log_group *g, struct reading *r,
                        struct sim_fail *f)
{
	int64_t oldest = log_oldest_ms(w, g);
	struct log_want *want = &r->want;
	want->from_ms = oldest;
	want->to_ms = w->now_ms;
	if (!arg_int(rq, rq->args, "startTime", 0, INT64_MAX, &want->from_ms, f) ||
	    !arg_int(rq, rq->args, "endTime", 0, INT64_MAX, &want->to_ms, f))
		return false;
	if (want->from_ms > want->to_ms && oldest != INT64_MAX)
		return sim_fail(f, WHY_INVALID_PARAMETER, "startTime must not be after endTime.");
	if (want->from_ms < oldest)
		want->from_ms = oldest;
	if (want->to_ms > w->now_ms)
		want->to_ms = w->now_ms;
	return true;
}

static bool read_reading(const struct world *w, const struct sim_req *rq, const struct log_group *g, struct reading *r,
                         struct sim_fail *f)
{
	const char *pattern = "", *token = NULL;
	*r = (struct reading){ .limit = LIMIT, .head = true };
	if (!read_window(w, rq, g, r, f) || !arg_int(rq, rq->args, "limit", 1, LIMIT, &r->limit, f) ||
	    !arg_bool(rq, rq->args, "startFromHead", &r->head, f) || !arg_str(rq, rq->args, "filterPattern", &pattern, f) ||
	    !arg_str(rq, rq->args, "nextToken", &token, f) || !read_streams(rq, r, f))
		return false;
	if (!log_filter_parse(pattern, &r->filter))
		return bad_pattern(f);
	int64_t first = r->want.from_ms / 60000, last = r->want.to_ms / 60000;
	r->minute = r->head ? first : last;
	if (!read_token(rq, token, r, f))
		return false;
	r->last_minute = r->head ? last : first;
	return true;
}

static void tell_event(struct wr *o, const struct log_line *l)
{
	char id[64];
	snprintf(id, sizeof id, "%020" PRId64 "%018u%018u", l->at_ms, l->order, 1u);
	wr_object(o, NULL);
	wr_str(o, "logStreamName", l->stream);
	wr_int(o, "timestamp", l->at_ms);
	wr_str(o, "message", l->text);
	wr_int(o, "ingestionTime", l->at_ms + 1200);
	wr_str(o, "eventId", id);
	wr_object_end(o);
}

static bool named(const struct reading *r, const char *stream)
{
	for (const struct json *n = json_first(r->streams); n; n = json_next(n))
		if (json_str(n) && strcmp(json_str(n), stream) == 0)
			return true;
	return !json_first(r->streams);
}

/* The lines of the minute that r stands at, from r->skip on; true when the page is full before they end. */
static bool tell_minute(const struct log_found *found, struct wr *o, struct reading *r, unsigned *told, size_t *bytes)
{
	for (; r->skip < found->n; r->skip++) {
		const struct log_line *l = &found->line[r->head ? r->skip : found->n - 1 - r->skip];
		if (!named(r, l->stream))
			continue;
		if (*told == r->limit || *bytes + strlen(l->text) > PAGE_BYTES)
			return true;
		tell_event(o, l);
		*bytes += strlen(l->text) + 26;
		++*told;
	}
	return false;
}

/* Goes on from minute to minute; true when there is more to come. */
static bool tell_events(const struct world *w, const struct log_group *g, struct wr *o, struct reading *r)
{
	unsigned told = 0;
	size_t bytes = 0;
	uint64_t looked = 0;
	int step = r->head ? 1 : -1;
	for (unsigned minutes = 0; r->head ? r->minute <= r->last_minute : r->minute >= r->last_minute; minutes++) {
		struct log_found found = { 0 };
		if (minutes == MINUTES_MAX || looked > LOOKED_MAX)
			return true;
		log_minute(w, g, r->minute, &r->want, &found);
		bool full = tell_minute(&found, o, r, &told, &bytes);
		looked += found.looked;
		log_found_clear(&found);
		if (full)
			return true;
		r->minute += step;
		r->skip = 0;
	}
	return false;
}

static bool filter_events(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct reading r = { 0 };
	const struct log_group *g = group_of(w, rq, f);
	bool ok = g && read_reading(w, rq, g, &r, f);
	r.want.filter = &r.filter;
	if (ok) {
		wr_list(o, "events", NULL);
		bool more = tell_events(w, g, o, &r);
		wr_list_end(o);
		wr_list(o, "searchedLogStreams", NULL);
		wr_list_end(o);
		if (more)
			token_write(o, "nextToken", rq->op, "%c %" PRId64 " %u", r.head ? 'h' : 't', r.minute, r.skip);
	}
	log_filter_clear(&r.filter);
	return ok;
}

/* One stream. Its tokens never end: at the end the same one comes again. */
static bool get_events(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct reading r = { 0 };
	const char *stream;
	const struct log_group *g = group_of(w, rq, f);
	if (!g || !arg_need(rq, rq->args, "logStreamName", &stream, f) || !read_reading(w, rq, g, &r, f)) {
		log_filter_clear(&r.filter);
		return false;
	}
	r.want.stream = stream;
	wr_list(o, "events", NULL);
	tell_events(w, g, o, &r);
	wr_list_end(o);
	token_write(o, "nextForwardToken", rq->op, "h %" PRId64 " %u", r.minute, r.skip);
	token_write(o, "nextBackwardToken", rq->op, "t %" PRId64 " 0", r.want.from_ms / 60000 - 1);
	log_filter_clear(&r.filter);
	return true;
}

static const struct sim_op ops[] = {
	{ .name = "DescribeLogGroups", .effect = SIM_READ, .handle = describe_groups },
	{ .name = "DescribeLogStreams", .effect = SIM_READ, .handle = describe_streams },
	{ .name = "FilterLogEvents", .effect = SIM_READ, .handle = filter_events },
	{ .name = "GetLogEvents", .effect = SIM_READ, .handle = get_events },
};

const struct sim_service sim_logs = {
	.name = "logs",
	.target = "Logs_20140328",
	.json11 = true,
	.ops = ops,
	.nops = sizeof ops / sizeof *ops,
};
