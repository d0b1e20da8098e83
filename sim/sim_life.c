#include "sim/sim_life.h"

#include "core/clock.h"
#include "core/json.h"
#include "core/mem.h"
#include "sim/sim_stream.h"
#include "sim/sim_version.h"
#include "sim/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_MINUTES (14 * 1440)

/* ---- what was lived */

static void lived_clear(struct lived *l)
{
	free(l->failed);
}

void life_add(struct sim_function *fn, const struct lived *minute)
{
	if (fn->nlived > KEEP_MINUTES + 1440) { /* a day at a time */
		for (unsigned i = 0; i < 1440; i++)
			lived_clear(&fn->lived[i]);
		fn->nlived -= 1440;
		memmove(fn->lived, fn->lived + 1440, fn->nlived * sizeof *fn->lived);
	}
	MEM_GROW(fn->lived, fn->nlived, fn->caplived);
	struct lived *l = &fn->lived[fn->nlived++];
	*l = *minute;
	l->failed = NULL;
	if (l->nfailed) {
		l->failed = xreallocarray(NULL, l->nfailed, sizeof *l->failed);
		memcpy(l->failed, minute->failed, l->nfailed * sizeof *l->failed);
	}
}

const struct lived *life_at(const struct sim_function *fn, int64_t minute)
{
	unsigned lo = 0, hi = fn->nlived;
	while (lo < hi) {
		unsigned mid = lo + (hi - lo) / 2;
		if (fn->lived[mid].minute < minute)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < fn->nlived && fn->lived[lo].minute == minute ? &fn->lived[lo] : NULL;
}

void life_free(struct sim_function *fn)
{
	for (unsigned i = 0; i < fn->nlived; i++)
		lived_clear(&fn->lived[i]);
	free(fn->lived);
}

/* ---- shapes */

static const struct {
	const char *type, *message;
	double ms;
} shapes[SHAPE_COUNT] = {
#define X(id, type, message, ms) { type, message, ms },
	SIM_SHAPES(X)
#undef X
};

const char *shape_type(enum sim_shape shape)
{
	return shapes[shape].type;
}

double life_ms(const struct sim_function *fn, enum sim_shape shape, double median_ms)
{
	double ms = shapes[shape].ms;
	return ms < 0 ? (double)fn->timeout * 1000 + 30 : ms > 0 ? ms : median_ms;
}

void shape_message(const struct sim_run *run, char *out, size_t size)
{
	switch (run->failure->shape) {
	case SHAPE_MEMORY:
		snprintf(out, size, "RequestId: %s Error: Runtime exited with error: signal: killed", run->id);
		break;
	case SHAPE_TIMEOUT:
		snprintf(out, size, "RequestId: %s Error: Task timed out after %.2f seconds", run->id, run->ms / 1000);
		break;
	default: snprintf(out, size, "%s", shapes[run->failure->shape].message);
	}
}

const char *const *shape_trace(enum sim_shape shape)
{
	static const char *const none[] = { NULL };
	static const char *const simulated[] = {
		"  File \"/var/task/app.py\", line 12, in handler\n    raise SimulatedError\n", NULL
	};
	static const char *const bad_date[] = {
		"  File \"/var/task/app.py\", line 41, in handler\n    row = parse(json.loads(record[\"body\"]))\n",
		"  File \"/var/task/app.py\", line 23, in parse\n    created = datetime.strptime(order[\"created\"], FORMAT)\n",
		"  File \"/var/lang/lib/python3.12/_strptime.py\", line 554, in _strptime_datetime\n    tt, fraction, "
		"gmtoff_fraction "
		"= _strptime(data_string, format)\n",
		NULL
	};
	static const char *const pool[] = {
		"  File \"/var/task/app.py\", line 58, in handler\n    with pool.connection() as db:\n",
		"  File \"/var/task/psycopg_pool/pool.py\", line 203, in getconn\n    raise PoolTimeout(\n", NULL
	};
	static const char *const slow_down[] = {
		"  File \"/var/task/app.py\", line 49, in handler\n    lake.put_object(Bucket=BUCKET, Key=key, Body=body)\n",
		"  File \"/var/lang/lib/python3.12/site-packages/botocore/client.py\", line 1023, in _make_api_call\n    raise "
		"error_class(parsed_response, operation_name)\n",
		NULL
	};
	static const char *const upstream[] = {
		"  File \"/var/task/app.py\", line 37, in handler\n    customer = customers.get(order[\"customer\"])\n",
		"  File \"/var/task/requests/adapters.py\", line 713, in send\n    raise ReadTimeout(e, request=request)\n",
		NULL
	};
	static const char *const *const all[SHAPE_COUNT] = {
		[SHAPE_SIMULATED] = simulated, [SHAPE_BAD_DATE] = bad_date, [SHAPE_POOL] = pool,
		[SHAPE_SLOW_DOWN] = slow_down, [SHAPE_UPSTREAM] = upstream,
	};
	return all[shape] ? all[shape] : none;
}

/* ---- the lines of one invocation */

static void iso_ms(int64_t at_ms, char out[CLOCK_RFC3339_SIZE + 8])
{
	char whole[CLOCK_RFC3339_SIZE];
	clock_rfc3339(at_ms / 1000, whole);
	snprintf(out, CLOCK_RFC3339_SIZE + 8, "%.19s.%03dZ", whole, (int)(at_ms % 1000));
}

static void say_traceback(const struct sim_run *run, int64_t at_ms, struct log_sink *to)
{
	char text[2048], message[400];
	enum sim_shape shape = run->failure->shape;
	shape_message(run, message, sizeof message);
	int n = snprintf(text, sizeof text, "[ERROR] %s: %s\nTraceback (most recent call last):\n", shapes[shape].type,
	                 message);
	for (const char *const *t = shape_trace(shape); *t && n < (int)sizeof text; t++)
		n += snprintf(text + n, sizeof text - (size_t)n, "%s", *t);
	to->line(to, at_ms, run->stream, text);
}

/* What is said of a failure before the invocation ends. */
static void say_failure(const struct sim_run *run, int64_t end_ms, struct log_sink *to)
{
	char text[400], when[CLOCK_RFC3339_SIZE + 8];
	const struct sim_failure *fail = run->failure;
	if (*fail->about) {
		iso_ms(run->start_ms + 4, when);
		snprintf(text, sizeof text, "[INFO]\t%s\t%s\t%s\n", when, run->id, fail->about);
		to->line(to, run->start_ms + 4, run->stream, text);
	}
	iso_ms(end_ms, when);
	if (fail->shape == SHAPE_TIMEOUT) {
		snprintf(text, sizeof text, "%s %s Task timed out after %.2f seconds\n\n", when, run->id, run->ms / 1000);
		to->line(to, end_ms, run->stream, text);
	} else if (fail->shape != SHAPE_MEMORY) {
		say_traceback(run, end_ms, to);
	}
}

void run_lines(const struct sim_run *run, struct log_sink *to)
{
	char text[400], version[16];
	int64_t end_ms = run->start_ms + (int64_t)run->ms, memory = run->fn->memory,
	        used = memory * 36 / 100 + run->start_ms % 17;
	enum sim_shape shape = run->failure ? run->failure->shape : SHAPE_NONE;
	const char *status = shape == SHAPE_TIMEOUT  ? "Status: timeout"
	                     : shape == SHAPE_MEMORY ? "Status: error\tError Type: Runtime.OutOfMemory"
	                                             : "";
	version_text(run->version, version);
	snprintf(text, sizeof text, "START RequestId: %s Version: %s\n", run->id, version);
	to->line(to, run->start_ms, run->stream, text);
	if (run->failure)
		say_failure(run, end_ms, to);
	snprintf(text, sizeof text, "END RequestId: %s\n", run->id);
	to->line(to, end_ms, run->stream, text);
	snprintf(text, sizeof text,
	         "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %" PRId64 " ms\tMemory Size: %" PRId64
	         " MB\tMax Memory Used: %" PRId64 " MB\t%s\n",
	         run->id, run->ms, (int64_t)run->ms + 1, memory, shape == SHAPE_MEMORY ? memory : used, status);
	to->line(to, end_ms, run->stream, text);
	if (shape != SHAPE_MEMORY)
		return;
	snprintf(text, sizeof text, "RequestId: %s Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n",
	         run->id);
	to->line(to, end_ms, run->stream, text);
}

/* ---- the lines of a minute */

static uint64_t name_key(const char *s)
{
	uint64_t h = 0xcbf29ce484222325;
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3;
	return h;
}

void life_stream(const struct world *w, const struct sim_function *fn, unsigned version, int64_t minute,
                 unsigned container, char out[80])
{
	char day[CLOCK_RFC3339_SIZE], id[37], number[16];
	int64_t block = minute / LIFE_BLOCK;
	clock_rfc3339(block * LIFE_BLOCK * 60, day);
	version_text(version, number);
	world_stable_id(w, name_key(fn->name) ^ version * 7919ull, (uint64_t)block * 1000 + container, id);
	snprintf(out, 80, "%.4s/%.2s/%.2s/[%s]%.8s%.4s%.4s%.4s%.12s", day, day + 5, day + 8, number, id, id + 9, id + 14,
	         id + 19, id + 24);
}

/* A long tail to the right, as the law spreads its durations. */
static double spread(double u)
{
	return u < 0.05   ? 0.55
	       : u < 0.15 ? 0.7
	       : u < 0.3  ? 0.8
	       : u < 0.45 ? 0.9
	       : u < 0.6  ? 1.0
	       : u < 0.75 ? 1.15
	       : u < 0.88 ? 1.4
	       : u < 0.97 ? 2.0
	                  : 3.4;
}

static void one_run(const struct world *w, const struct sim_function *fn, const struct lived *l, unsigned i,
                    const struct sim_failure *failure, struct log_sink *to)
{
	uint64_t key = name_key(fn->name) + 0x51ed2700 * (uint64_t)l->minute;
	struct sim_run run = { .fn = fn, .version = l->version, .failure = failure };
	unsigned containers = l->containers ? l->containers : 1;
	world_stable_id(w, key, i, run.id);
	double u = world_noise(w, (unsigned)(key ^ key >> 32) + 17, i), slot = 60000.0 / l->n;
	run.start_ms = l->minute * 60000 + (int64_t)(slot * (i + u * 0.9));
	run.ms = failure ? life_ms(fn, failure->shape, l->median_ms) : l->median_ms * spread(u);
	life_stream(w, fn, l->version, l->minute, i % containers, run.stream);
	run_lines(&run, to);
}

/* The failed are spread evenly among the others. */
void life_lines(const struct world *w, const struct sim_function *fn, const struct lived *l, bool failed_alone,
                struct log_sink *to)
{
	unsigned k = 0;
	for (unsigned i = 0; i < l->n; i++) {
		unsigned next = k < l->nfailed ? (unsigned)((2 * k + 1) * (uint64_t)l->n / (2 * l->nfailed)) : l->n;
		if (failed_alone && next > i)
			i = next;
		if (i >= l->n)
			break;
		if (i == next)
			one_run(w, fn, l, i, &l->failed[k++], to);
		else
			one_run(w, fn, l, i, NULL, to);
	}
}

/* ---- what is given up */

char *life_on_failure(struct world *w, const struct sim_mapping *m, const struct failed_batch *f)
{
	struct buf b;
	struct json_out o;
	char when[CLOCK_RFC3339_SIZE + 8], id[37], arn[400], resource[300], number[16], seq[STREAM_SEQ];
	world_uuid(w, id);
	buf_init(&b, 8192);
	json_out_init(&o, &b);
	json_out_object(&o, NULL);
	json_out_object(&o, "requestContext");
	json_out_str(&o, "requestId", id);
	snprintf(resource, sizeof resource, "function:%s%s%s", m->function, m->qualifier ? ":" : "",
	         m->qualifier ? m->qualifier : "");
	world_arn(w, "lambda", resource, arn, sizeof arn);
	json_out_str(&o, "functionArn", arn);
	json_out_str(&o, "condition", m->retries >= 0 ? "RetryAttemptsExhausted" : "RecordAgeExceeded");
	json_out_int(&o, "approximateInvokeCount", m->retries >= 0 ? m->retries + 1 : 1);
	json_out_object_end(&o);
	json_out_object(&o, "responseContext");
	version_text(f->version, number);
	json_out_int(&o, "statusCode", 200);
	json_out_str(&o, "executedVersion", number);
	json_out_str(&o, "functionError", "Unhandled");
	json_out_object_end(&o);
	json_out_str(&o, "version", "1.0");
	iso_ms(w->now_ms, when);
	json_out_str(&o, "timestamp", when);
	json_out_object(&o, "KinesisBatchInfo");
	json_out_str(&o, "shardId", f->shard->id);
	stream_seq_text(f->first, seq);
	json_out_str(&o, "startSequenceNumber", seq);
	stream_seq_text(f->last, seq);
	json_out_str(&o, "endSequenceNumber", seq);
	iso_ms(f->arrived_ms, when);
	json_out_str(&o, "approximateArrivalOfFirstRecord", when);
	json_out_str(&o, "approximateArrivalOfLastRecord", when);
	json_out_int(&o, "batchSize", (int64_t)(f->last - f->first + 1));
	json_out_str(&o, "streamArn", m->source_arn);
	json_out_object_end(&o);
	json_out_object_end(&o);
	return buf_steal(&b);
}
