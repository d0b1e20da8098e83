/* Before anything is received: what is meant by the names, what the source and the function are like, and whether somebody else moves
 * these messages already. Reads only, one call after the other; which, the row of the source says (source.h). */
#include "engine/drive/source.h"

#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
#define LEASE_LEAST 60
#define LEASE_MOST 900

/* ---- names */

bool name_valid(const char *s, size_t most, const char *more)
{
	size_t n = strlen(s), i = 0;
	while (i < n && (strchr(NAME_CHARS, s[i]) || strchr(more, s[i])))
		i++;
	return n >= 1 && n <= most && i == n;
}

static const struct replay_source *const sources[] = {
#define X(row) &row,
	REPLAY_SOURCES(X)
#undef X
};

const struct replay_source *replay_source_of(const char *text, struct err *e)
{
	char forms[256] = "";
	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
		const struct replay_source *s = sources[i];
		size_t used = strlen(forms);
		if (s->is ? s->is(text) : strncmp(text, s->prefix, strlen(s->prefix)) == 0)
			return s;
		snprintf(forms + used, sizeof forms - used, "%s%s", i ? ", " : "", s->form);
	}
	err_set(e, ERR_USAGE, "SOURCE", "is one of %s, not '%.80s'", forms, text);
	return NULL;
}

static bool redrive_valid(const struct drive *d, struct err *e)
{
	const struct replay_request *rq = &d->t->rq.replay;
	if (rq->redrive && !d->src->redrives)
		return err_set(e, ERR_USAGE, "--redrive", "only from a queue, not from %s", d->src->form);
	if (rq->through && rq->redrive)
		return err_set(e, ERR_USAGE, "--redrive", "not together with --through");
	if (rq->to && !rq->redrive)
		return err_set(e, ERR_USAGE, "--to", "only with --redrive or --move-task");
	return true;
}

/* Where the messages go, and what may be said with it. */
static bool way_valid(const struct drive *d, struct err *e)
{
	const struct replay_request *rq = &d->t->rq.replay;
	if (!redrive_valid(d, e))
		return false;
	if (rq->through && !name_valid(rq->through, 170, ":$"))
		return err_set(e, ERR_USAGE, "--through", "is the name of no function");
	return rq->through || rq->redrive || d->plan || d->src->through ||
	       err_set(e, ERR_USAGE, "replay", "--through FUNCTION[:ALIAS] or --redrive says where the messages go");
}

bool prepare_names(struct drive *d, struct err *e)
{
	const struct replay_request *rq = &d->t->rq.replay;
	d->prepared_names = true;
	d->src = replay_source_of(rq->source, e);
	return d->src && d->src->names(d, rq->source, e) && where_valid(rq->where, e) &&
	       (rq->move_task ? move_names(d, e) : way_valid(d, e));
}

bool resume_names(struct drive *d, struct err *e)
{
	d->src = d->run.mode == REPLAY_MOVE ? &source_move : replay_source_of(d->run.source, e);
	return d->src && d->src->names(d, d->run.source, e);
}

/* ---- one call at a time */

static void on_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct drive *d = ctx;
	(void)op, (void)in, (void)out;
	d->err = *e;
	d->answered = true;
}

void read_aws(struct drive *d, const struct op *op, void *in, void *out)
{
	d->asking = true;
	d->answered = false;
	aws_call(d->g->aws, op, in, out, on_done, d);
}

static bool ask_identity(struct drive *d)
{
	read_aws(d, &op_get_caller_identity, NULL, &d->identity);
	return true;
}

/* A run belongs to one account and region: with other credentials it is not gone on with. */
static bool hear_identity(struct drive *d)
{
	const char *mine = d->identity.account, *region = d->g->target.region;
	snprintf(d->g->target.account, sizeof d->g->target.account, "%s", mine);
	d->who.who.account = arena_strdup(d->mem, mine);
	if (!d->resumed)
		return true;
	if (strcmp(mine, d->run.account) != 0)
		return err_set(&d->err, ERR_USAGE, "replay", "run %s is of account %s, these credentials are of %s", d->run.id,
		               d->run.account, mine);
	return strcmp(region, d->run.region) == 0 ||
	       err_set(&d->err, ERR_USAGE, "replay", "run %s is of region %s, not of %s", d->run.id, d->run.region, region);
}

const struct prepare_step step_identity = { ask_identity, hear_identity, true, true,
	                                        "whose account this is is not known" };

/* The name in NAME[:ALIAS] or in an ARN, whole or partial; *alias is what stands behind it, "" when nothing does. */
static struct span function_name(const char *function, const char **alias)
{
	const char *word = strstr(function, "function:"), *name = word ? word + strlen("function:") : function;
	size_t n = strcspn(name, ":");
	*alias = name[n] ? name + n + 1 : "";
	return (struct span){ name, n };
}

bool ask_mappings(struct drive *d)
{
	if (!d->t->rq.replay.through)
		return false;
	d->through = d->t->rq.replay.through;
	d->in.mappings = (struct mappings_in){ .source = d->one_source };
	read_aws(d, &op_list_mappings_of, &d->in.mappings, &d->mappings);
	return true;
}

/* From this source to the function, whichever of its aliases; the very one that was named goes before. */
const struct function_mapping *mapping_of(const struct drive *d, const char *arn)
{
	const struct function_mapping *found = NULL;
	const char *alias, *wanted;
	struct span name = function_name(d->through, &wanted);
	for (unsigned i = 0; i < d->mappings.n; i++) {
		const struct function_mapping *m = &d->mappings.v[i];
		struct span to = function_name(m->function_arn, &alias);
		if (strcmp(m->source_arn, arn) != 0 || to.n != name.n || memcmp(to.p, name.p, to.n) != 0)
			continue;
		if (!found || strcmp(alias, wanted) == 0)
			found = m;
	}
	return found;
}

/* What the queue invokes is an alias more often than not; its function's bare name would be $LATEST, which may be anything. */
static void settle_alias(struct drive *d, const struct function_mapping *m)
{
	const char *alias, *wanted;
	struct span name = function_name(d->through, &wanted);
	function_name(m->function_arn, &alias);
	if (strcmp(alias, wanted) == 0)
		return;
	if (d->t->rq.replay.as_mapped && !wanted[0])
		d->through = arena_printf(d->mem, "%.*s:%s", (int)name.n, name.p, alias);
	else
		drive_warn(d, "the queue's own mapping invokes %.*s:%s, this replay %.*s:%s", (int)name.n, name.p,
		           alias[0] ? alias : "$LATEST", (int)name.n, name.p, wanted[0] ? wanted : "$LATEST");
}

void use_mapping(struct drive *d, const struct function_mapping *m)
{
	d->run.batch = m && m->batch_size > 0 ? (unsigned)m->batch_size : 1;
	d->run.batch = d->run.batch < BATCH_MOST ? d->run.batch : BATCH_MOST;
	d->run.partial = m && m->partial;
	if (m)
		settle_alias(d, m);
}

bool ask_function(struct drive *d)
{
	d->through = d->through ? d->through : d->t->rq.replay.through;
	if (!d->through)
		return false;
	d->in.function.function = d->through;
	read_aws(d, &op_get_function_configuration, &d->in.function, &d->function);
	return true;
}

/* The answer's ARN may leave out the alias that was asked for: what is invoked is what was named. */
bool hear_function(struct drive *d)
{
	const char *alias, *said;
	function_name(d->through, &alias);
	struct span name = function_name(d->function.arn, &said);
	int base = (int)(name.p + name.n - d->function.arn);
	d->r->function_arn = arena_printf(d->mem, "%.*s%s%s", base, d->function.arn, alias[0] ? ":" : "", alias);
	d->run.dest = d->r->function_arn;
	d->run.call_s = (unsigned)d->function.timeout_s;
	return true;
}

/* ---- in this order */

unsigned lease_of(const struct drive *d)
{
	int64_t s = 6 * (int64_t)d->run.call_s;
	if (d->t->rq.replay.lease_s)
		return d->t->rq.replay.lease_s;
	return (unsigned)(s < LEASE_LEAST ? LEASE_LEAST : s > LEASE_MOST ? LEASE_MOST : s);
}

static void settle(struct drive *d)
{
	const struct replay_request *rq = &d->t->rq.replay;
	struct replay_run *r = &d->run;
	r->mode = rq->move_task ? REPLAY_MOVE : rq->redrive ? REPLAY_REDRIVE : REPLAY_INVOKE;
	r->dest = r->dest ? r->dest : "";
	r->rate = rq->rate > 0 ? rq->rate : RATE_DEFAULT;
	r->tolerance = TOLERANCE;
	r->limit = rq->limit;
	r->where = arena_strdup(d->mem, rq->where);
	r->unknown = rq->unknown_said ? rq->unknown : r->mode == REPLAY_REDRIVE && r->fifo ? UNKNOWN_RESEND : UNKNOWN_HOLD;
	r->batch = r->batch ? r->batch : 1;
	d->src->settle(d);
}

/* The account first: whatever is named is looked for there. */
static const struct prepare_step *step_at(const struct drive *d, unsigned i)
{
	return i == 0 ? &step_identity : i <= d->src->nsteps ? &d->src->steps[i - 1] : NULL;
}

bool prepare_step(struct drive *d)
{
	for (const struct prepare_step *s; (s = step_at(d, d->step));) {
		if (!d->asking && ((d->resumed && !s->again) || !s->ask(d))) {
			d->step++;
			continue;
		}
		if (!d->answered)
			return false;
		d->asking = d->answered = false;
		bool heard = d->err.code == ERR_OK;
		if (!heard && s->optional) {
			drive_warn(d, "%s: %s: %s", s->what, d->err.where, d->err.text);
			err_clear(&d->err);
		} else if (!heard || !s->hear(d)) {
			drive_fail(d, &d->err);
			return true;
		}
		d->step++;
	}
	err_clear(&d->err);
	if (!d->resumed)
		settle(d);
	if (d->err.code != ERR_OK)
		drive_fail(d, &d->err);
	return true;
}
