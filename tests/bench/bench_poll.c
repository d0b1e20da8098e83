/* Ours beside ref_poll: the same 20 requests through aws/ (prepared bodies, signing, one multi, strict reading), every point
 * put into a series. The endpoint and the keys come from the environment.
 *   bench_poll ROUNDS [POINTS]   prints CPU milliseconds a round (the first, with its handshakes, apart) */
#include "aws/account.h"
#include "aws/call.h"
#include "aws/http/http.h"
#include "aws/op_cloudwatch.h"
#include "core/series.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define REQUESTS 20
#define QUERIES 500

struct ask {
	struct metric_queries q;
	struct get_metric_data_in in;
	struct get_metric_data_out out;
	enum metric_status status[QUERIES];
	struct series series[QUERIES];
	bool failed;
};

static unsigned points;

static double cpu_ms(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static void point(void *ctx, unsigned query, int64_t t, double v)
{
	struct ask *a = ctx;
	series_put(&a->series[query], t, v);
	points++;
}

static void done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct ask *a = ctx;
	(void)op, (void)in, (void)out;
	a->failed = e->code != ERR_OK;
	if (a->failed)
		fprintf(stderr, "%s\n", e->text);
}

static void prepare(struct ask *a, unsigned first)
{
	metric_queries_init(&a->q, 60);
	for (unsigned i = 0; i < QUERIES; i++) {
		struct metric_id id = { 0 };
		char name[32];
		snprintf(name, sizeof name, "function%u", first + i);
		metric_set(&id, "AWS/Lambda", "Invocations", "Sum");
		metric_add_dim(&id, "FunctionName", name);
		metric_queries_add(&a->q, &id);
		metric_clear(&id);
		series_init(&a->series[i], 60);
	}
	a->in.queries = &a->q;
	a->out = (struct get_metric_data_out){ .point = point, .ctx = a, .status = a->status, .n = QUERIES };
}

static bool one_round(struct http *h, struct aws *c, struct ask *asks)
{
	bool ok = true;
	int64_t now = time(NULL) / 60 * 60;
	points = 0;
	for (unsigned i = 0; i < REQUESTS; i++) {
		asks[i].in.start = now - 300;
		asks[i].in.end = now;
		aws_call(c, &op_get_metric_data, &asks[i].in, &asks[i].out, done, &asks[i]);
	}
	while (aws_busy(c)) {
		int wait = aws_tick(c);
		http_turn(h, wait < 0 ? 1000 : wait);
	}
	for (unsigned i = 0; i < REQUESTS; i++)
		ok = ok && !asks[i].failed;
	return ok;
}

int main(int argc, char **argv)
{
	static struct ask asks[REQUESTS];
	struct err e = { 0 };
	unsigned expected = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1; /* points of each metric */
	bool ok = argc > 1 && http_global_init(&e);
	struct account *account = account_load(&(struct account_in){ 0 }, &e);
	struct http *h = ok ? http_new(account->ca_bundle.value, &e) : NULL;
	if (h == NULL || e.code != ERR_OK) {
		fprintf(stderr, "%s %s\n", e.where, e.text);
		return 1;
	}
	struct cred *cred = cred_new(account);
	struct aws *c = aws_new(h, account, cred);
	for (unsigned i = 0; i < REQUESTS; i++)
		prepare(&asks[i], i * QUERIES);
	for (long round = 0, rounds = strtol(argv[1], NULL, 10); ok && round < rounds; round++) {
		double before = cpu_ms();
		ok = one_round(h, c, asks);
		printf("%s %.3f\n", round ? "round" : "first", cpu_ms() - before);
	}
	printf("points %u\n", points);
	aws_free(c);
	cred_free(cred);
	http_free(h);
	account_free(account);
	return ok && points == REQUESTS * QUERIES * expected ? 0 : 1;
}
