/* Before anything is received: what is meant by the names, what the queue and the function are like, and whether somebody else moves
 * these messages already. Reads only, one call after the other. */
#include "engine/replay.h"

#include "core/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
#define LEASE_LEAST 60
#define LEASE_MOST 900
#define REDRIVE_CALL_S 10

/* ---- names */

static bool is_name(const char *s, size_t most, const char *more)
{
	size_t n = strlen(s), i = 0;
	while (i < n && (strchr(NAME_CHARS, s[i]) || strchr(more, s[i])))
		i++;
	return n >= 1 && n <= most && i == n;
}

/* sqs:QUEUE, or its ARN; *name is owned. */
static bool queue_name(const char *text, const char *where, char **name, struct err *e)
{
	const char *plain = strncmp(text, "sqs:", 4) == 0 ? text + 4 : text;
	if (strncmp(text, "arn:", 4) == 0 && strstr(text, ":sqs:"))
		plain = strrchr(text, ':') + 1;
	if (!is_name(plain, 80, ""))
		return err_set(e, ERR_USAGE, where, "sqs:QUEUE or the ARN of a queue, not '%.80s'", text);
	*name = xstrdup(plain);
	return true;
}

bool prepare_names(struct drive *d, struct err *e)
{
	const struct replay_request *rq = &d->t->rq.replay;
	d->prepared_names = true;
	if (!queue_name(rq->source, "SOURCE", &d->queue_name, e) || !where_valid(rq->where, e))
		return false;
	if (rq->to && !queue_name(rq->to, "--to", &d->to_name, e))
		return false;
	if (rq->through && rq->redrive)
		return err_set(e, ERR_USAGE, "--redrive", "not together with --through");
	if (rq->to && !rq->redrive)
		return err_set(e, ERR_USAGE, "--to", "only with --redrive");
	if (rq->through && !is_name(rq->through, 170, ":$"))
		return err_set(e, ERR_USAGE, "--through", "is the name of no function");
	if (!rq->through && !rq->redrive && !d->plan)
		return err_set(e, ERR_USAGE, "replay", "--through FUNCTION[:ALIAS] or --redrive says where the messages go");
	return true;
}

/* ---- one call at a time */

static void on_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct drive *d = ctx;
	(void)op, (void)in, (void)out;
	d->err = *e;
	d->answered = true;
}

static void read_aws(struct drive *d, const struct op *op, void *in, void *out)
{
	d->asking = true;
	d->answered = false;
	aws_call(d->g->aws, op, in, out, on_done, d);
}

static const char *fact(const struct drive *d, const char *key)
{
	for (unsigned i = 0; i < d->found.nfacts; i++)
		if (strcmp(d->found.facts[i].key, key) == 0)
			return d->found.facts[i].value;
	return NULL;
}

static int64_t fact_number(const struct drive *d, const char *key)
{
	const char *text = fact(d, key);
	return text ? strtoll(text, NULL, 10) : 0;
}

static double reading(const struct drive *d, const char *key)
{
	for (unsigned i = 0; i < d->found.nvalues; i++)
		if (strcmp(d->found.values[i].key, key) == 0)
			return d->found.values[i].v;
	return 0;
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

static bool ask_url(struct drive *d)
{
	d->in.url.name = d->queue_name;
	read_aws(d, &op_get_queue_url, &d->in.url, &d->url);
	return true;
}

static bool hear_url(struct drive *d)
{
	d->run.source_url = arena_strdup(d->mem, d->url.url);
	return true;
}

static bool ask_queue(struct drive *d)
{
	d->in.describe = (struct describe_in){ d->queue_name, d->run.source_url };
	read_aws(d, kind_sqs.describe, &d->in.describe, &d->found);
	return true;
}

/* arn:PARTITION:sqs:REGION:ACCOUNT:NAME */
static void read_arn(struct drive *d, const char *arn)
{
	char part[6][128] = { "" };
	unsigned n = 0;
	for (const char *p = arn; n < 6; n++) {
		size_t len = strcspn(p, ":");
		snprintf(part[n], sizeof part[n], "%.*s", (int)len, p);
		if (!p[len])
			break;
		p += len + 1;
	}
	d->run.region = arena_strdup(d->mem, part[3]);
	d->run.account = arena_strdup(d->mem, part[4]);
}

static bool hear_queue(struct drive *d)
{
	const char *arn = fact(d, "arn"), *fifo = fact(d, "fifo");
	const char *account = d->g->target.account;
	if (!arn)
		return err_set(&d->err, ERR_BADREPLY, "sqs:GetQueueAttributes", "the queue has no ARN");
	d->run.source_arn = arena_strdup(d->mem, arn);
	d->r->queue_arn = d->run.source_arn;
	read_arn(d, arn);
	d->run.fifo = fifo && strcmp(fifo, "true") == 0;
	d->retention_s = fact_number(d, "retention_s");
	d->r->in_flight = (unsigned)reading(d, "in_flight");
	if (account[0] && d->run.account[0] && strcmp(account, d->run.account) != 0)
		return err_set(&d->err, ERR_USAGE, "SOURCE", "%s is in account %s, these credentials are of %s", d->queue_name,
		               d->run.account, account);
	return true;
}

static bool ask_sources(struct drive *d)
{
	d->in.sources = (struct sources_in){ .handle = d->run.source_url };
	read_aws(d, kind_sqs.sources, &d->in.sources, &d->sources);
	return true;
}

/* A source is a queue of the same account and region. */
static char *source_arn(const struct drive *d, unsigned i)
{
	const char *colon = strrchr(d->run.source_arn, ':');
	return xasprintf("%.*s:%s", (int)(colon - d->run.source_arn), d->run.source_arn, d->sources.res[i].name);
}

static bool hear_sources(struct drive *d)
{
	if (d->sources.nres != 1)
		return true;
	char *arn = source_arn(d, 0);
	d->one_source = arena_strdup(d->mem, arn);
	free(arn);
	return true;
}

/* The name in NAME[:ALIAS] or in an ARN, whole or partial; *alias is what stands behind it, "" when nothing does. */
static struct span function_name(const char *function, const char **alias)
{
	const char *word = strstr(function, "function:"), *name = word ? word + strlen("function:") : function;
	size_t n = strcspn(name, ":");
	*alias = name[n] ? name + n + 1 : "";
	return (struct span){ name, n };
}

static bool ask_mappings(struct drive *d)
{
	if (!d->t->rq.replay.through)
		return false;
	d->through = d->t->rq.replay.through;
	d->in.mappings = (struct mappings_in){ .source = d->one_source };
	read_aws(d, &op_list_mappings_of, &d->in.mappings, &d->mappings);
	return true;
}

/* From this source to the function, whichever of its aliases; the very one that was named goes before. */
static const struct function_mapping *mapping_of(const struct drive *d, const char *arn)
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

static bool hear_mappings(struct drive *d)
{
	const struct function_mapping *m = NULL;
	for (unsigned i = 0; i < d->sources.nres && !m; i++) {
		char *arn = source_arn(d, i);
		m = mapping_of(d, arn);
		free(arn);
	}
	d->run.batch = m && m->batch_size > 0 ? (unsigned)m->batch_size : 1;
	d->run.batch = d->run.batch < BATCH_MOST ? d->run.batch : BATCH_MOST;
	d->run.partial = m && m->partial;
	if (m)
		settle_alias(d, m);
	else
		drive_warn(d,
		           "no event source mapping leads from a source of %s to %s: messages go one by one, and the function "
		           "sees the name of a queue that does not invoke it",
		           d->queue_name, d->through);
	return true;
}

static bool ask_function(struct drive *d)
{
	if (!d->through)
		return false;
	d->in.function.function = d->through;
	read_aws(d, &op_get_function_configuration, &d->in.function, &d->function);
	return true;
}

/* The answer's ARN may leave out the alias that was asked for: what is invoked is what was named. */
static bool hear_function(struct drive *d)
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

static bool ask_moves(struct drive *d)
{
	d->moves_in.arn = d->run.source_arn;
	read_aws(d, &op_list_message_move_tasks, &d->moves_in, &d->moves);
	return true;
}

static bool hear_moves(struct drive *d)
{
	return !d->moves.running || err_set(&d->err, ERR_GATE, "replay",
	                                    "an SQS message move task is %s on %s: two movers would share its messages",
	                                    d->moves.status, d->queue_name);
}

/* ---- back to a queue */

static bool ask_to_url(struct drive *d)
{
	const struct replay_request *rq = &d->t->rq.replay;
	if (!rq->redrive)
		return false;
	if (!d->to_name && d->sources.nres == 1)
		d->to_name = xstrdup(d->sources.res[0].name);
	if (!d->to_name)
		return false;
	d->in.url.name = d->to_name;
	read_aws(d, &op_get_queue_url, &d->in.url, &d->url);
	return true;
}

static bool hear_to_url(struct drive *d)
{
	d->run.dest_url = arena_strdup(d->mem, d->url.url);
	return true;
}

static bool ask_to(struct drive *d)
{
	if (!d->run.dest_url)
		return false;
	found_clear(&d->found);
	found_init(&d->found);
	d->in.describe = (struct describe_in){ d->to_name, d->run.dest_url };
	read_aws(d, kind_sqs.describe, &d->in.describe, &d->found);
	return true;
}

static bool hear_to(struct drive *d)
{
	const char *arn = fact(d, "arn"), *fifo = fact(d, "fifo");
	bool is_fifo = fifo && strcmp(fifo, "true") == 0;
	if (!arn)
		return err_set(&d->err, ERR_BADREPLY, "sqs:GetQueueAttributes", "the queue has no ARN");
	if (is_fifo != d->run.fifo)
		return err_set(&d->err, ERR_USAGE, "--redrive", "%s and %s are not of the same kind: one is a FIFO queue",
		               d->queue_name, d->to_name);
	if (strcmp(arn, d->run.source_arn) == 0)
		return err_set(&d->err, ERR_USAGE, "--to", "is the queue that the messages lie in");
	d->run.dest = arena_strdup(d->mem, arn);
	d->visibility_s = fact_number(d, "visibility_s");
	d->max_receive = fact_number(d, "max_receive_count");
	d->run.batch = SQS_BATCH;
	d->run.call_s = REDRIVE_CALL_S;
	return true;
}

/* ---- in this order */

static const struct {
	bool (*ask)(struct drive *d);  /* false: it need not be asked */
	bool (*hear)(struct drive *d); /* false: d->err says why it ends here */
	bool again;                    /* also before a resume */
	bool optional; /* a service that does not know it, or does not let us, does not stop us: it is said */
	const char *what;
} steps[] = {
	{ ask_identity, hear_identity, true, true, "whose account this is is not known" },
	{ ask_url, hear_url, false, false, NULL },
	{ ask_queue, hear_queue, false, false, NULL },
	{ ask_sources, hear_sources, true, true, "which queues this is the dead-letter queue of is not known" },
	{ ask_moves, hear_moves, true, true, "whether a message move task is running is not known" },
	{ ask_mappings, hear_mappings, false, false, NULL },
	{ ask_function, hear_function, false, false, NULL },
	{ ask_to_url, hear_to_url, false, false, NULL },
	{ ask_to, hear_to, false, false, NULL },
};
#define STEPS (sizeof steps / sizeof *steps)

static unsigned lease_of(const struct drive *d)
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
	r->mode = rq->redrive ? REPLAY_REDRIVE : REPLAY_INVOKE;
	r->source = arena_printf(d->mem, "sqs:%s", d->queue_name);
	r->dest = r->dest ? r->dest : "";
	r->rate = rq->rate > 0 ? rq->rate : RATE_DEFAULT;
	r->tolerance = TOLERANCE;
	r->limit = rq->limit;
	r->where = arena_strdup(d->mem, rq->where);
	r->lease_s = lease_of(d);
	if (r->mode == REPLAY_REDRIVE)
		r->verify_s = rq->verify_s ? rq->verify_s : (unsigned)(d->max_receive * d->visibility_s + 60);
	r->unknown = rq->unknown_said ? rq->unknown : r->mode == REPLAY_REDRIVE && r->fifo ? UNKNOWN_RESEND : UNKNOWN_HOLD;
	r->batch = r->batch ? r->batch : 1;
	if (r->mode == REPLAY_REDRIVE && !r->dest_url && !d->plan)
		err_set(&d->err, ERR_USAGE, "--redrive", "%s has %u source queues: name one with --to QUEUE", d->queue_name,
		        d->sources.nres);
}

bool prepare_step(struct drive *d)
{
	while (d->step < STEPS) {
		if (!d->asking && ((d->resumed && !steps[d->step].again) || !steps[d->step].ask(d))) {
			d->step++;
			continue;
		}
		if (!d->answered)
			return false;
		d->asking = d->answered = false;
		bool heard = d->err.code == ERR_OK;
		if (!heard && steps[d->step].optional) {
			drive_warn(d, "%s: %s: %s", steps[d->step].what, d->err.where, d->err.text);
			err_clear(&d->err);
		} else if (!heard || !steps[d->step].hear(d)) {
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
