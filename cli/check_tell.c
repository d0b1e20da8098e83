/* --publish and --notify: what was judged goes on to CloudWatch and SNS. What could not be told is said, and no run that was to tell
 * and did not exits as if all were well. */
#include "cli/args.h"
#include "cli/check.h"
#include "cli/check_gate.h"

#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUBJECT 99          /* characters: SNS takes less than 100 */
#define MESSAGE_MOST 200000 /* bytes, of 256 KiB */
#define LINES_MOST 200

/* Done, or said why not. */
static bool told(const struct cli *c, struct result *r)
{
	bool ok = r->err.code == ERR_OK;
	if (!ok) {
		cli_act_failed(c, &r->err);
	} else if (c->args->dry_run && r->act.what) {
		cli_note("not done", r->act.what);
	}
	result_free(r);
	return ok;
}

/* ---- --publish: CheckStatus and CheckValue of each, ExitStatus of all */

static double status_number(enum verdict_status s)
{
	static const double numbers[] = {
		[VERDICT_OK] = 0, [VERDICT_SKIPPED] = 0, [VERDICT_WARNING] = 1, [VERDICT_CRITICAL] = 2, [VERDICT_UNKNOWN] = 3
	};
	return numbers[s];
}

static bool publish(const struct cli *c, struct engine *g, const struct check_view *v, const char *ns)
{
	unsigned rows = check_rows(v), n = 0;
	struct publish_value *values = xcalloc(2u * rows + 1u, sizeof *values);
	for (unsigned i = 0; i < rows; i++) {
		const struct verdict *one = check_row(v, i);
		values[n++] = (struct publish_value){ one->name, "CheckStatus", NULL, status_number(one->status) };
		if (isfinite(one->value))
			values[n++] = (struct publish_value){ one->name, "CheckValue", one->unit, one->value };
	}
	values[n++] = (struct publish_value){ NULL, "ExitStatus", NULL, v->exit };
	struct request rq = { .kind = REQUEST_PUBLISH, .publish = { ns, values, n } };
	bool ok = told(c, cli_act(c, g, &rq));
	free(values);
	return ok;
}

/* ---- --notify */

static int by_name(const void *a, const void *b)
{
	const struct verdict *x = *(const struct verdict *const *)a, *y = *(const struct verdict *const *)b;
	return strcmp(x->name, y->name);
}

/* What is in trouble and how, by name: nothing when nothing is. */
static char *state_of(const struct check_view *v)
{
	unsigned rows = check_rows(v), n = 0;
	const struct verdict **list = xcalloc(rows + 1u, sizeof *list);
	struct buf b;
	buf_init(&b, 1u << 20);
	for (unsigned i = 0; i < rows; i++)
		if (check_is_trouble(check_row(v, i)))
			list[n++] = check_row(v, i);
	qsort(list, n, sizeof *list, by_name);
	for (unsigned i = 0; i < n; i++) {
		buf_addf(&b, "%s\t", verdict_name(list[i]->status));
		text_visible(&b, span_of(list[i]->name));
		buf_addc(&b, '\n');
	}
	free(list);
	return b.n ? buf_steal(&b) : xstrdup("");
}

/* Two runs that judge other things tell for themselves. */
static char *key_of(const struct cli *c)
{
	const struct check_request *rq = &c->args->check;
	struct buf b;
	buf_init(&b, 1u << 20);
	buf_addf(&b, "%s\n%d %d %.17g %lld\n", c->conf && c->conf->path ? c->conf->path : "", rq->alarms, rq->dlq,
	         rq->dlq ? rq->dlq_max : 0, (long long)rq->ttl_min);
	for (unsigned i = 0; i < rq->nmetrics; i++)
		buf_addf(&b, "metric %s %s %s\n", rq->metrics[i].metric, rq->metrics[i].warning ? rq->metrics[i].warning : "",
		         rq->metrics[i].critical ? rq->metrics[i].critical : "");
	for (unsigned i = 0; i < rq->nselect; i++)
		buf_addf(&b, "select %s\n", rq->select[i]);
	return buf_steal(&b);
}

/* Printable ASCII whatever a name has in it. */
static void subject_of(const struct check_view *v, char out[SUBJECT + 1])
{
	const struct target *t = &v->result->target;
	struct buf b;
	unsigned trouble = 0;
	for (unsigned i = 0; i < check_rows(v); i++)
		trouble += check_is_trouble(check_row(v, i));
	buf_init(&b, 4096);
	buf_addf(&b, "sluice %s %s: %s", t->account, t->region, verdict_name(v->status));
	if (trouble)
		buf_addf(&b, " %s", check_row(v, 0)->name);
	if (trouble > 1)
		buf_addf(&b, " (and %u more)", trouble - 1);
	snprintf(out, SUBJECT + 1, "%s", b.p);
	for (char *p = out; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	buf_clear(&b);
}

static char *message_of(const struct check_view *v)
{
	char at[CLOCK_RFC3339_SIZE];
	const struct target *t = &v->result->target;
	struct buf b;
	unsigned said = 0, left = 0;
	buf_init(&b, MESSAGE_MOST);
	clock_rfc3339(clock_wall(), at);
	check_counts(v, &b);
	buf_addf(&b, "\naccount %s, region %s, %s\n\n", t->account, t->region, at);
	for (unsigned i = 0; i < check_rows(v); i++) {
		const struct verdict *one = check_row(v, i);
		if (!check_is_trouble(one))
			continue;
		if (said++ >= LINES_MOST || b.n > MESSAGE_MOST / 2) {
			left++;
			continue;
		}
		buf_addf(&b, "%s ", verdict_name(one->status));
		text_visible(&b, span_of(one->name));
		buf_adds(&b, ": ");
		verdict_reason(one, &b);
		buf_addc(&b, '\n');
	}
	if (!said)
		buf_adds(&b, "Nothing is in trouble any more.\n");
	if (left)
		buf_addf(&b, "... and %u more\n", left);
	return buf_steal(&b);
}

static bool notify(const struct cli *c, struct engine *g, const struct check_view *v, const char *topic)
{
	char subject[SUBJECT + 1];
	char *state = state_of(v), *key = key_of(c), *message = message_of(v);
	subject_of(v, subject);
	struct request rq = { .kind = REQUEST_NOTIFY,
		                  .notify = {
		                      .topic = topic, .subject = subject, .message = message, .key = key, .state = state } };
	bool ok = told(c, cli_act(c, g, &rq));
	free(state);
	free(key);
	free(message);
	return ok;
}

bool check_tell(const struct cli *c, struct engine *g, const struct check_run *run, const struct check_view *v)
{
	bool ok = true;
	if (run->publish)
		ok = publish(c, g, v, run->publish) && ok;
	if (run->notify)
		ok = notify(c, g, v, run->notify) && ok;
	return ok;
}
