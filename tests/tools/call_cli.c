/* For the fault tests: the real calls, without the program around them.
 *   call_cli calls URL SIDE_BY_SIDE <lines "KEY IAM-NAME"    each line is a target of its own with KEY as its access key; the operation
 *       is done once, as a write that must not be done twice if its name ends in "!". Out: "KEY CODE ATTEMPTS DOUBT ITEMS TEXT"
 *   call_cli storm URL RATE SECONDS    one target, RATE calls a second of all operations. Out, each second: calls, attempts, ok, failed,
 *       left out, busy
 *   call_cli draws COUNT    delays before retries as parts of what they may be at most, and the most, in ms
 *   call_cli batches <lines {"kind":"sqs"|"kinesis","n":..,"answer":..}    one letter an entry: D(one) R(etry) F(ailed) U(nknown) */
#include "aws/batch.h"
#include "aws/call.h"
#include "aws/kind.h"
#include "aws/op_cloudwatch.h"
#include "aws/op_sts.h"
#include "aws/retry.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPS 16
#define SIDE_MAX 512
#define ENTRIES_MAX 500

static const struct op *ops[OPS];
static unsigned nops;

static void find_ops(void)
{
	for (unsigned i = 0; i < nkinds; i++) {
		const struct op *of[] = { kinds[i]->list, kinds[i]->describe, kinds[i]->edges };
		for (unsigned k = 0; k < 3; k++)
			if (of[k])
				ops[nops++] = of[k];
	}
	ops[nops++] = &op_get_metric_data;
	ops[nops++] = &op_list_metrics;
	ops[nops++] = &op_describe_alarms;
	ops[nops++] = &op_get_caller_identity;
}

/* ---- one operation with what it needs */

struct work {
	const struct op *op;
	struct list_in list;
	struct describe_in describe;
	struct found found;
	struct metric_queries queries;
	struct get_metric_data_in data_in;
	struct get_metric_data_out data_out;
	enum metric_status status[1];
	unsigned points;
	struct list_metrics_in metrics_in;
	struct list_metrics_out metrics_out;
	struct describe_alarms_in alarms_in;
	struct describe_alarms_out alarms_out;
	struct caller_identity caller;
};

static void count_point(void *ctx, unsigned query, int64_t t, double v)
{
	struct work *w = ctx;
	(void)query, (void)t, (void)v;
	w->points++;
}

static void work_init(struct work *w, const struct op *op)
{
	*w = (struct work){ .op = op, .describe = { "orders", "https://queue.invalid/123456789012/orders" } };
	found_init(&w->found);
	metric_queries_init(&w->queries, 60);
	struct metric_id id = { 0 };
	metric_set(&id, "AWS/SQS", "NumberOfMessagesSent", "Sum");
	metric_queries_add(&w->queries, &id);
	metric_clear(&id);
	int64_t end = clock_wall() / 60 * 60;
	w->data_in = (struct get_metric_data_in){ .queries = &w->queries, .start = end - 900, .end = end };
	w->data_out = (struct get_metric_data_out){ .point = count_point, .ctx = w, .status = w->status, .n = 1 };
	w->status[0] = METRIC_UNANSWERED;
	w->metrics_in.ns = "AWS/SQS";
}

static void work_free(struct work *w)
{
	found_clear(&w->found);
	metric_queries_clear(&w->queries);
	list_metrics_out_clear(&w->metrics_out);
	describe_alarms_out_clear(&w->alarms_out);
}

static uint64_t work_call(struct work *w, struct aws *c, enum call_class class, const struct op *as, aws_done *done,
                          void *ctx)
{
	void *in = NULL, *out = &w->caller;
	if (w->op == &op_get_metric_data)
		in = &w->data_in, out = &w->data_out;
	else if (w->op == &op_list_metrics)
		in = &w->metrics_in, out = &w->metrics_out;
	else if (w->op == &op_describe_alarms)
		in = &w->alarms_in, out = &w->alarms_out;
	else if (w->op != &op_get_caller_identity)
		in = w->op->paged ? (void *)&w->list : (void *)&w->describe, out = &w->found;
	return aws_call_permitted(c, &(struct permit){ as }, class, as, in, out, done, ctx);
}

static unsigned work_items(const struct work *w)
{
	return w->found.nres + w->found.nedges + w->points + w->metrics_out.n + w->alarms_out.n;
}

static void turn(struct http *h, struct aws *c, int most)
{
	int wait = aws_tick(c);
	if (wait >= 0 && wait < most)
		most = wait;
	http_turn(h, most);
}

/* ---- calls */

struct trial {
	char key[64];
	struct account *account;
	struct cred *cred;
	struct aws *aws;
	struct op as;
	struct work work;
	bool done;
};

static void trial_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct trial *t = ctx;
	unsigned n;
	(void)op, (void)in, (void)out;
	printf("%s\t%s\t%u\t%d\t%u\t%s\n", t->key, e->code == ERR_OK ? "ok" : err_name(e->code),
	       aws_stats(t->aws, &n)->attempts, e->in_doubt, work_items(&t->work), e->text);
	t->done = true;
}

static struct trial *trial_new(struct http *h, const char *url, char *line)
{
	struct trial *t = xcalloc(1, sizeof *t);
	char *name = strchr(line, ' ');
	size_t n = name ? strlen(++name) : 0;
	bool write = n && name[n - 1] == '!';
	if (!name)
		exit(2);
	name[-1] = '\0';
	snprintf(t->key, sizeof t->key, "%s", line);
	for (unsigned i = 0; i < nops; i++)
		if (strncmp(ops[i]->iam, name, n - write) == 0 && !ops[i]->iam[n - write])
			work_init(&t->work, ops[i]);
	if (!t->work.op)
		exit(2);
	t->as = *t->work.op;
	if (write)
		t->as.effect = OP_WRITE, t->as.idempotent = false;
	t->account = account_static("eu-west-1", url, t->key, "secret", "test");
	t->cred = cred_new(t->account);
	t->aws = aws_new(h, t->account, t->cred);
	work_call(&t->work, t->aws, CALL_VISIBLE, &t->as, trial_done, t);
	return t;
}

static void trial_free(struct trial *t)
{
	aws_free(t->aws);
	cred_free(t->cred);
	account_free(t->account);
	work_free(&t->work);
	free(t);
}

static bool next_line(char **line, size_t *cap)
{
	ssize_t n = getline(line, cap, stdin);
	while (n > 0 && (*line)[n - 1] == '\n')
		(*line)[--n] = '\0';
	return n > 0;
}

static int calls(struct http *h, const char *url, unsigned side)
{
	struct trial *t[SIDE_MAX] = { NULL };
	char *line = NULL;
	size_t cap = 0;
	bool more = true;
	for (unsigned busy = 1; busy;) {
		int most = 100;
		busy = 0;
		for (unsigned i = 0; i < side && i < SIDE_MAX; i++) {
			if (t[i] && t[i]->done) {
				trial_free(t[i]);
				t[i] = NULL;
			}
			if (!t[i] && more && (more = next_line(&line, &cap)))
				t[i] = trial_new(h, url, line);
			int wait = t[i] ? aws_tick(t[i]->aws) : -1;
			most = wait >= 0 && wait < most ? wait : most;
			busy += t[i] != NULL;
		}
		http_turn(h, most);
	}
	free(line);
	return 0;
}

/* ---- storm */

struct storm {
	unsigned ok, failed, left_out;
};
struct drop {
	struct storm *of;
	struct work work;
};

static void drop_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct drop *d = ctx;
	(void)op, (void)in, (void)out;
	d->of->ok += e->code == ERR_OK;
	d->of->left_out += e->code == ERR_THROTTLED && strstr(e->text, "left out");
	d->of->failed += e->code != ERR_OK && e->code != ERR_CANCELLED;
	work_free(&d->work);
	free(d);
}

static int storm(struct http *h, const char *url, unsigned rate, unsigned seconds)
{
	struct account *a = account_static("eu-west-1", url, "AKIDSTORM", "secret", "test");
	struct cred *cred = cred_new(a);
	struct aws *c = aws_new(h, a, cred);
	struct storm s = { 0 };
	int64_t begun = clock_mono_ms(), said = 0;
	for (uint64_t n = 0;;) {
		int64_t ms = clock_mono_ms() - begun;
		for (; (int64_t)(n * 1000 / rate) <= ms; n++) {
			struct drop *d = xcalloc(1, sizeof *d);
			d->of = &s;
			work_init(&d->work, ops[n % nops]);
			work_call(&d->work, c, n % 7 ? CALL_VISIBLE : CALL_DISCOVERY, d->work.op, drop_done, d);
		}
		turn(h, c, 20);
		if (ms / 1000 == said)
			continue;
		said = ms / 1000;
		unsigned nstats, attempts = 0;
		const struct aws_stat *st = aws_stats(c, &nstats);
		for (unsigned i = 0; i < nstats; i++)
			attempts += st[i].attempts;
		printf("%lld %llu %u %u %u %u %u\n", (long long)said, (unsigned long long)n, attempts, s.ok, s.failed,
		       s.left_out, aws_busy(c));
		fflush(stdout);
		if (said >= seconds)
			break;
	}
	aws_free(c);
	cred_free(cred);
	account_free(a);
	return 0;
}

/* ---- pure ones */

static int draws(unsigned count)
{
	struct chance c;
	uint64_t seed;
	if (!hash_random(&seed, sizeof seed))
		return 1;
	chance_init(&c, seed);
	for (unsigned i = 0; i < count; i++) {
		enum fault fault = i & 1 ? FAULT_THROTTLED : FAULT_TRANSIENT;
		unsigned nth = 1 + i / 2 % 12;
		double most = retry_delay_ms(fault, nth, 1);
		printf("%.9f %.0f\n", retry_delay_ms(fault, nth, chance_unit(&c)) / most, most);
	}
	return 0;
}

static int batches(void)
{
	static const char letters[] = { [FATE_UNKNOWN] = 'U', [FATE_DONE] = 'D', [FATE_RETRY] = 'R', [FATE_FAILED] = 'F' };
	static char names[ENTRIES_MAX][8];
	const char *ids[ENTRIES_MAX];
	char *line = NULL;
	size_t cap = 0;
	for (unsigned i = 0; i < ENTRIES_MAX; i++) {
		snprintf(names[i], sizeof names[i], "%u", i);
		ids[i] = names[i];
	}
	while (next_line(&line, &cap)) {
		struct fated f[ENTRIES_MAX];
		struct json *doc = json_parse(span_of(line), NULL);
		const char *kind = json_get_str(doc, "kind");
		int64_t n = 0;
		if (!kind || !json_int(json_get(doc, "n"), &n) || n < 1 || n > ENTRIES_MAX)
			return 2;
		if (strcmp(kind, "sqs") == 0)
			batch_read_sqs(json_get(doc, "answer"), ids, (unsigned)n, "sqs:SendMessageBatch", f, NULL);
		else
			batch_read_kinesis(json_get(doc, "answer"), (unsigned)n, "kinesis:PutRecords", f, NULL);
		for (unsigned i = 0; i < (unsigned)n; i++)
			putchar(letters[f[i].fate]);
		putchar('\n');
		json_free(doc);
	}
	free(line);
	return 0;
}

static int on_the_wire(const char *what, const char *url, unsigned a, unsigned b)
{
	struct http *h = http_new(NULL, NULL);
	int status = 2;
	if (h && strcmp(what, "calls") == 0 && a)
		status = calls(h, url, a);
	else if (h && strcmp(what, "storm") == 0 && a && b)
		status = storm(h, url, a, b);
	http_free(h);
	return status;
}

static unsigned number(const char *text)
{
	return text ? (unsigned)strtoul(text, NULL, 10) : 0;
}

int main(int argc, char **argv)
{
	if (argc < 2 || !clock_init() || !hash_init() || !http_global_init(NULL))
		return 2;
	find_ops();
	if (strcmp(argv[1], "batches") == 0)
		return batches();
	if (argc < 3)
		return 2;
	if (strcmp(argv[1], "draws") == 0)
		return draws(number(argv[2]));
	return on_the_wire(argv[1], argv[2], number(argv[3]), argc > 4 ? number(argv[4]) : 0);
}
