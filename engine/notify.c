/* REQUEST_PUBLISH and REQUEST_NOTIFY: what a check found as custom metrics, and as one message when it changed. Both pass the gate. */
#include "aws/op_sns.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/text.h"
#include "engine/audited.h"
#include "engine/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define BATCH 500      /* values a PutMetricData: half of what it takes, well below its megabyte */
#define DIMENSION 1024 /* bytes of a dimension's value */

/* One after the other, each answered before the next. */
struct telling {
	struct permit permit;
	bool answered, sent;
	struct err err;
	struct metric_id *metrics; /* publish */
	struct put_metric_in *values;
	unsigned n, at;
	struct put_metric_out put;
	struct sns_publish_in message; /* notify */
	struct sns_publish_out told;
	int state; /* the file that says what was told last, locked; -1 */
};

static void on_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct telling *a = ctx;
	(void)op, (void)in, (void)out;
	a->err = *e;
	a->answered = true;
}

static struct telling *begin(struct task *t)
{
	struct telling *a = t->work = arena_alloc(&t->mem, sizeof *a);
	a->state = -1;
	return a;
}

static bool permitted(struct engine *g, struct task *t, struct telling *a, const struct op *op)
{
	struct result *r = t->result;
	struct gate_act wish = { .needs = MODE_OPERATE, .op = op, .what = r->act.what };
	if (t->rq.dry_run || !audited_gate(g, &t->rq.consent, &wish, &a->permit, r))
		return false;
	if (engine_connect(g))
		return true;
	r->err = g->account_err;
	return false;
}

/* ---- publish */

/* A dimension's value is ASCII: what is not, and % itself, stands as %XX. */
static char *dimension(const char *name)
{
	struct buf b;
	buf_init(&b, DIMENSION);
	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		if (!(*p > 0x20 && *p < 0x7f && *p != '%' ? buf_addc(&b, (char)*p)
		      : *p == ' ' && b.n                  ? buf_addc(&b, ' ')
		                                          : buf_addf(&b, "%%%02X", *p)))
			break; /* as much of it as there is room for */
	return b.n ? buf_steal(&b) : xstrdup("%00");
}

static bool publish_begin(struct engine *g, struct task *t)
{
	const struct publish_request *rq = &t->rq.publish;
	struct telling *a = begin(t);
	if (!namespace_valid(rq->ns, "--publish", &t->result->err))
		return false;
	a->metrics = xcalloc(rq->n + 1u, sizeof *a->metrics);
	a->values = xcalloc(rq->n + 1u, sizeof *a->values);
	for (a->n = 0; a->n < rq->n; a->n++) {
		const struct publish_value *v = &rq->values[a->n];
		metric_set(&a->metrics[a->n], rq->ns, v->metric, NULL);
		if (v->check) {
			char *value = dimension(v->check);
			metric_add_dim(&a->metrics[a->n], "Check", value);
			free(value);
		}
		a->values[a->n] = (struct put_metric_in){ &a->metrics[a->n], v->value, put_metric_unit(v->unit), NULL };
	}
	t->result->act.what = xasprintf("publish %u values of checks into namespace %s", rq->n, rq->ns);
	return permitted(g, t, a, &op_put_metric_data);
}

/* False: it could not be announced, and is not sent. */
static bool publish_batch(struct engine *g, struct task *t, struct telling *a)
{
	struct result *r = t->result;
	if (!audited(g, t->rq.consent.mode, &op_put_metric_data, NULL, "announced", r->act.what, &r->err))
		return false;
	unsigned first = a->at, end = first + BATCH < a->n ? first + BATCH : a->n;
	for (unsigned i = first; i < end; i++)
		a->values[i].next = i + 1 < end ? &a->values[i + 1] : NULL;
	a->at = end;
	a->answered = false;
	aws_call_permitted(g->aws, &a->permit, CALL_ACT, &op_put_metric_data, &a->values[first], &a->put, on_done, a);
	return true;
}

void publish_step(struct engine *g, struct task *t)
{
	struct telling *a = t->work;
	if (t->state++ == 0) {
		bool begun = publish_begin(g, t);
		t->done = !begun || !publish_batch(g, t, t->work);
		return;
	}
	if (!a->answered)
		return;
	t->result->err = a->err;
	t->done = a->err.code != ERR_OK || a->at == a->n || !publish_batch(g, t, a);
}

/* ---- notify */

/* Field n (from 0) of arn:PARTITION:SERVICE:REGION:ACCOUNT:NAME. */
static struct span field(const char *arn, unsigned n)
{
	for (; n && arn; n--) {
		arn = strchr(arn, ':');
		arn += arn != NULL;
	}
	return (struct span){ arn ? arn : "", arn ? strcspn(arn, ":") : 0 };
}

static bool topic_valid(const struct engine *g, const char *arn, struct err *e)
{
	struct span name = field(arn, 5), region = field(arn, 3);
	bool topic = span_eq(field(arn, 0), "arn") && span_eq(field(arn, 2), "sns") && region.n && field(arn, 4).n &&
	             name.n && name.p[name.n] == '\0';
	if (!topic)
		return err_set(e, ERR_USAGE, "--notify", "wants a topic's ARN, arn:aws:sns:REGION:ACCOUNT:NAME, not '%.80s'",
		               arn);
	if (name.n > 5 && strcmp(name.p + name.n - 5, ".fifo") == 0)
		return err_set(e, ERR_USAGE, "--notify",
		               "%.80s is a FIFO topic, which no person subscribes to: name a standard one", name.p);
	return span_eq(region, g->target.region) ||
	       err_set(e, ERR_USAGE, "--notify",
	               "the topic is in %.*s and this run in %.40s: a message is published where the topic is",
	               (int)region.n, region.p, g->target.region);
}

/* One file for each topic and what is told to it; locked while it is compared, told and written. */
static bool open_state(struct engine *g, const struct notify_request *rq, struct telling *a, struct err *e)
{
	char target[TARGET_KEY], hex[2 * HASH_SHA256 + 1];
	uint8_t sum[HASH_SHA256];
	if (!g->o.state_path)
		return err_set(e, ERR_CONF, "--notify", "neither XDG_STATE_HOME nor HOME says where what was told is kept");
	target_key(&g->target, target);
	char *what = xasprintf("%s\n%s\n%s", rq->topic, target, rq->key);
	hash_sha256(what, strlen(what), sum);
	hash_hex(sum, sizeof sum, hex);
	free(what);
	char *path = xasprintf("%s/told-%.16s", g->o.state_path, hex);
	bool folder = file_folder(g->o.state_path, true, e);
	a->state = folder ? file_open_private(path, O_RDWR | O_CREAT, e) : -1;
	free(path);
	if (a->state < 0)
		return false;
	while (flock(a->state, LOCK_EX) != 0)
		if (errno != EINTR)
			return err_set(e, ERR_DISK, "--notify", "what was told cannot be locked: %s", strerror(errno));
	return true;
}

static bool told_already(const struct telling *a, const char *state)
{
	size_t n = strlen(state), have = 0;
	char *old = xmalloc(n + 1);
	ssize_t got;
	while (have < n + 1 && (got = pread(a->state, old + have, n + 1 - have, (off_t)have)) > 0)
		have += (size_t)got;
	bool same = have == n && memcmp(old, state, n) == 0;
	free(old);
	return same;
}

/* What cannot be kept is told again next time: better twice than not. */
static bool keep_told(const struct telling *a, const char *state, struct err *e)
{
	size_t n = strlen(state), done = 0;
	ssize_t put = 0;
	bool ok = ftruncate(a->state, 0) == 0;
	while (ok && done < n && (put = pwrite(a->state, state + done, n - done, (off_t)done)) > 0)
		done += (size_t)put;
	return (ok && done == n) || err_set(e, ERR_DISK, "--notify",
	                                    "told, but that cannot be kept, so it will be told again: %s", strerror(errno));
}

static bool notify_begin(struct engine *g, struct task *t)
{
	const struct notify_request *rq = &t->rq.notify;
	struct result *r = t->result;
	struct telling *a = begin(t);
	if (!topic_valid(g, rq->topic, &r->err) || !open_state(g, rq, a, &r->err))
		return false;
	if (told_already(a, rq->state)) {
		r->act.unchanged = true;
		return false;
	}
	r->act.what = xasprintf("notify topic %s: %s", field(rq->topic, 5).p, rq->subject);
	a->message = (struct sns_publish_in){ rq->topic, rq->subject, rq->message };
	if (!permitted(g, t, a, &op_sns_publish) ||
	    !audited(g, t->rq.consent.mode, &op_sns_publish, rq->topic, "announced", r->act.what, &r->err))
		return false;
	aws_call_permitted(g->aws, &a->permit, CALL_ACT, &op_sns_publish, &a->message, &a->told, on_done, a);
	return true;
}

void notify_step(struct engine *g, struct task *t)
{
	struct result *r = t->result;
	if (t->state++ == 0) {
		t->done = !notify_begin(g, t);
		return;
	}
	const struct telling *a = t->work;
	t->done = a->answered;
	if (!a->answered)
		return;
	r->err = a->err;
	snprintf(r->act.request_id, sizeof r->act.request_id, "%s", a->told.message_id);
	if (a->err.code == ERR_OK)
		keep_told(a, t->rq.notify.state, &r->err);
}

void telling_abandon(struct task *t)
{
	struct telling *a = t->work;
	if (!a)
		return;
	for (unsigned i = 0; i < a->n; i++)
		metric_clear(&a->metrics[i]);
	free(a->metrics);
	free(a->values);
	if (a->state >= 0)
		close(a->state);
}
