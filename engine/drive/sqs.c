/* source_sqs: the messages of a queue. Receiving is sweep.c's; here is what is meant by the names, what the queue is like, whether
 * somebody else moves its messages already, and what is sent. */
#include "engine/drive/source.h"

#include "core/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REDRIVE_CALL_S 10

/* ---- names */

/* sqs:QUEUE, or its ARN; *name is owned. */
static bool queue_name(const char *text, const char *where, char **name, struct err *e)
{
	const char *plain = strncmp(text, "sqs:", 4) == 0 ? text + 4 : text;
	if (strncmp(text, "arn:", 4) == 0 && strstr(text, ":sqs:"))
		plain = strrchr(text, ':') + 1;
	if (!name_valid(plain, 80, ""))
		return err_set(e, ERR_USAGE, where, "sqs:QUEUE or the ARN of a queue, not '%.80s'", text);
	*name = xstrdup(plain);
	return true;
}

static bool is_queue(const char *text)
{
	return strncmp(text, "sqs:", 4) == 0 || !strchr(text, ':') ||
	       (strncmp(text, "arn:", 4) == 0 && strstr(text, ":sqs:"));
}

static bool names(struct drive *d, const char *text, struct err *e)
{
	const char *to = d->resumed ? NULL : d->t->rq.replay.to;
	return queue_name(text, "SOURCE", &d->queue_name, e) && (!to || queue_name(to, "--to", &d->to_name, e));
}

/* Receiving hides messages and counts receives: it needs inspect, and so does giving them back. */
bool may_receive(struct drive *d)
{
	struct consent c = d->t->rq.consent;
	struct result refused = { 0 };
	const struct gate_act acts[] = {
		{ MODE_INSPECT, &op_receive_message, "receive messages", false, 0 },
		{ MODE_INSPECT, &op_change_visibility_batch, "give messages back", false, 0 },
	};
	c.yes = true;
	c.person = false;
	bool ok = gate_open(d->g->o.target, &c, &acts[0], &d->receive, &refused) &&
	          gate_open(d->g->o.target, &c, &acts[1], &d->visibility, &refused);
	if (!ok)
		d->t->result->err = refused.err;
	return ok;
}

/* ---- the queue */

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

bool ask_url(struct drive *d)
{
	d->in.url.name = d->queue_name;
	read_aws(d, &op_get_queue_url, &d->in.url, &d->url);
	return true;
}

bool hear_url(struct drive *d)
{
	d->run.source_url = arena_strdup(d->mem, d->url.url);
	return true;
}

bool ask_queue(struct drive *d)
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

bool hear_queue(struct drive *d)
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
	d->run.to_move = d->run.mode == REPLAY_MOVE ? (int64_t)reading(d, "visible") : 0;
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

static bool hear_mappings(struct drive *d)
{
	const struct function_mapping *m = NULL;
	for (unsigned i = 0; i < d->sources.nres && !m; i++) {
		char *arn = source_arn(d, i);
		m = mapping_of(d, arn);
		free(arn);
	}
	use_mapping(d, m);
	if (!m)
		drive_warn(d,
		           "no event source mapping leads from a source of %s to %s: messages go one by one, and the function "
		           "sees the name of a queue that does not invoke it",
		           d->queue_name, d->through);
	return true;
}

bool ask_moves(struct drive *d)
{
	d->moves_in.arn = d->run.source_arn;
	read_aws(d, &op_list_message_move_tasks, &d->moves_in, &d->moves);
	return true;
}

/* A move task that is this run's own is gone on with; which one that is move.c looks at. */
bool hear_moves(struct drive *d)
{
	if (d->resumed && d->run.mode == REPLAY_MOVE && d->run.task)
		return true;
	return !d->moves.running || err_set(&d->err, ERR_GATE, "replay",
	                                    "an SQS message move task is %s on %s: two movers would share its messages",
	                                    d->moves.status, d->queue_name);
}

/* ---- back to a queue */

static bool ask_to_url(struct drive *d)
{
	const struct replay_request *rq = &d->t->rq.replay;
	if (!rq->redrive && !rq->move_task)
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

/* ---- the row */

const struct prepare_step sqs_steps[SQS_STEPS] = {
	{ ask_url, hear_url, false, false, NULL },
	{ ask_queue, hear_queue, false, false, NULL },
	{ ask_sources, hear_sources, true, true, "which queues this is the dead-letter queue of is not known" },
	{ ask_moves, hear_moves, true, true, "whether a message move task is running is not known" },
	{ ask_mappings, hear_mappings, false, false, NULL },
	{ ask_function, hear_function, false, false, NULL },
	{ ask_to_url, hear_to_url, false, false, NULL },
	{ ask_to, hear_to, false, false, NULL },
};

static void settle(struct drive *d)
{
	const struct replay_request *rq = &d->t->rq.replay;
	struct replay_run *r = &d->run;
	r->source = arena_printf(d->mem, "sqs:%s", d->queue_name);
	r->lease_s = lease_of(d);
	if (r->mode == REPLAY_REDRIVE)
		r->verify_s = rq->verify_s ? rq->verify_s : (unsigned)(d->max_receive * d->visibility_s + 60);
	if (r->mode == REPLAY_REDRIVE && !r->dest_url && !d->plan)
		err_set(&d->err, ERR_USAGE, "--redrive", "%s has %u source queues: name one with --to QUEUE", d->queue_name,
		        d->sources.nres);
}

static bool event(struct drive *d, struct flight *f)
{
	const struct message *m[BATCH_MOST];
	for (unsigned i = 0; i < f->n; i++)
		m[i] = d->v[f->at[i]].msg;
	return event_sqs(&f->payload, m, f->n, feeding_queue(d, &d->v[f->at[0]]), d->run.region);
}

const struct replay_source source_sqs = {
	.prefix = "sqs:",
	.form = "sqs:QUEUE",
	.kept = "the queue",
	.redrives = true,
	.leases = true,
	.deletes = true,
	.is = is_queue,
	.names = names,
	.may_read = may_receive,
	.steps = sqs_steps,
	.nsteps = SQS_STEPS,
	.settle = settle,
	.begin = sweep_begin,
	.step = sweep_step,
	.give_back = release_step,
	.event = event,
};
