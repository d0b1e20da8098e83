/* pipeline/: shapes, names, rules and advice over hand-made facts. */
#include "core/mem.h"
#include "pipeline/inside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define ARN "arn:aws:%s:eu-west-1:123456789012:%s%s"

/* ---- facts, made by hand */
struct made {
	struct arena mem;
	struct flow_resource res[64];
	struct relation rel[64];
	struct flow_facts f;
};

static void made_init(struct made *m)
{
	memset(m, 0, sizeof *m);
	arena_init(&m->mem);
	m->f = (struct flow_facts){ .resources = m->res, .relations = m->rel, .mappings_known = true };
}

static const char *arn(struct made *m, const char *kind, const char *name)
{
	const char *prefix = strcmp(kind, "kinesis") == 0 ? "stream/" : strcmp(kind, "lambda") == 0 ? "function:" : "";
	return arena_printf(&m->mem, ARN, kind, prefix, name);
}

/* facts: "key=value key=value" */
static struct flow_resource *res(struct made *m, const char *kind, const char *name, const char *facts)
{
	struct flow_resource *r = &m->res[m->f.nresources++];
	struct fact *v = arena_array(&m->mem, 8, sizeof *v);
	*r = (struct flow_resource){ .kind = kind, .name = name, .arn = arn(m, kind, name), .facts = v };
	char *text = arena_strdup(&m->mem, facts), *save = NULL;
	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		char *eq = strchr(w, '=');
		*eq = '\0';
		v[r->nfacts++] = (struct fact){ w, eq + 1 };
	}
	return r;
}

static struct relation *rel(struct made *m, enum relation_kind kind, const char *from, const char *to)
{
	struct relation *r = &m->rel[m->f.nrelations++];
	*r = (struct relation){ .kind = kind, .from = from, .to = to, .retries = UNSAID, .record_age_s = UNSAID };
	if (kind == RELATION_MAPPING)
		r->state = "Enabled";
	return r;
}

static void said(const struct flow_graph *f, char *out, size_t size)
{
	size_t n = 0;
	out[0] = '\0';
	for (unsigned i = 0; i < f->nverdicts; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s:%s", i ? " " : "", f->nodes[f->verdicts[i].node].name,
		                      f->verdicts[i].code);
}

/* "orders[a b c] pay[d]": pipelines with their nodes in order, then what is in none. */
static void drawn(const struct flow_graph *f, char *out, size_t size)
{
	size_t n = 0;
	uint32_t lone = 0;
	out[0] = '\0';
	for (unsigned p = 0; p < f->npipelines; p++) {
		const struct flow_pipeline *pipe = &f->pipelines[p];
		n += (size_t)snprintf(out + n, size - n, "%s%s[", p ? " " : "", pipe->name);
		for (uint32_t i = pipe->first; i < pipe->first + pipe->n; i++) {
			assert_int_equal(f->nodes[i].pipeline, p);
			n += (size_t)snprintf(out + n, size - n, "%s%s", i > pipe->first ? " " : "", f->nodes[i].name);
		}
		n += (size_t)snprintf(out + n, size - n, "]");
		lone = pipe->first + pipe->n;
	}
	for (uint32_t i = lone; i < f->nnodes; i++) {
		assert_int_equal(f->nodes[i].pipeline, FLOW_NONE);
		n += (size_t)snprintf(out + n, size - n, "%s%s", n ? " " : "", f->nodes[i].name);
	}
}

static void assert_flow(const struct made *m, const char *shape, const char *verdicts)
{
	char text[2048];
	struct flow_graph *f = discover_flow(&m->f);
	drawn(f, text, sizeof text);
	assert_string_equal(text, shape);
	said(f, text, sizeof text);
	assert_string_equal(text, verdicts);
	flow_free(f);
}

/* ---- tests */

static void test_chain(void **state)
{
	(void)state;
	struct made m;
	made_init(&m);
	res(&m, "sqs", "orders-dlq", "retention_s=1209600");
	res(&m, "lambda", "orders-enrich", "timeout_s=30");
	res(&m, "sqs", "orders-buffer",
	    "retention_s=345600 visibility_s=180 max_receive_count=5 dlq=arn:aws:sqs:eu-west-1:123456789012:orders-dlq");
	res(&m, "lambda", "alone", "");
	rel(&m, RELATION_MAPPING, arn(&m, "sqs", "orders-buffer"), arn(&m, "lambda", "orders-enrich"));
	rel(&m, RELATION_DLQ_SOURCE, arn(&m, "sqs", "orders-buffer"), arn(&m, "sqs", "orders-dlq"));
	assert_flow(&m, "orders[orders-buffer orders-enrich orders-dlq] alone", "");
	struct flow_graph *f = discover_flow(&m.f);
	assert_int_equal(f->nedges, 2);
	assert_string_equal(f->edges[0].kind, "mapping");
	assert_string_equal(f->edges[0].operation, "lambda:ListEventSourceMappings");
	assert_string_equal(f->edges[0].state, "Enabled");
	assert_false(f->edges[0].confirmed);
	assert_string_equal(f->edges[1].kind, "dlq");
	assert_int_equal(f->edges[1].rule, 3);
	assert_string_equal(f->edges[1].field, "RedrivePolicy.deadLetterTargetArn");
	assert_true(f->edges[1].confirmed);
	flow_free(f);
	arena_clear(&m.mem);
}

/* An edge that only the dead-letter queue knows (the source could not be described) is drawn by rule 4. */
static void test_sources_alone(void **state)
{
	(void)state;
	struct made m;
	made_init(&m);
	res(&m, "sqs", "jobs", "");
	res(&m, "sqs", "jobs-dlq", "");
	rel(&m, RELATION_DLQ_SOURCE, arn(&m, "sqs", "jobs"), arn(&m, "sqs", "jobs-dlq"));
	struct flow_graph *f = discover_flow(&m.f);
	assert_int_equal(f->nedges, 1);
	assert_int_equal(f->edges[0].rule, 4);
	assert_string_equal(f->edges[0].operation, "sqs:ListDeadLetterSourceQueues");
	flow_free(f);
	/* And one that the queue claims but the dead-letter queue does not name is said. */
	m.f.nrelations = 0;
	m.f.nresources = 0;
	const char *asked[] = { arn(&m, "sqs", "jobs-dlq") };
	m.f.asked = asked;
	m.f.nasked = 1;
	res(&m, "sqs", "jobs", "dlq=arn:aws:sqs:eu-west-1:123456789012:jobs-dlq");
	res(&m, "sqs", "jobs-dlq", "");
	assert_flow(&m, "jobs[jobs jobs-dlq]", "jobs:dlq_unconfirmed jobs:no_consumer");
	arena_clear(&m.mem);
}

static void test_advice(void **state)
{
	(void)state;
	struct made m;
	const char *dlq = "arn:aws:sqs:eu-west-1:123456789012:dlq";
	made_init(&m);
	res(&m, "sqs", "dlq", "retention_s=60 fifo=false");
	res(&m, "sqs", "a", arena_printf(&m.mem, "dlq=%s retention_s=60 max_receive_count=1 visibility_s=59", dlq));
	res(&m, "sqs", "b", arena_printf(&m.mem, "dlq=%s retention_s=59 max_receive_count=2 visibility_s=60", dlq));
	res(&m, "lambda", "f", "timeout_s=10");
	res(&m, "kinesis", "s", "consumers=0");
	res(&m, "kinesis", "quiet", "consumers=0");
	res(&m, "kinesis", "fanned", "consumers=1");
	rel(&m, RELATION_MAPPING, arn(&m, "sqs", "a"), arn(&m, "lambda", "f"));
	rel(&m, RELATION_MAPPING, arn(&m, "sqs", "b"), arn(&m, "lambda", "f"))->state = "Disabled";
	struct relation *r = rel(&m, RELATION_MAPPING, arn(&m, "kinesis", "s"), arn(&m, "lambda", "f"));
	r->retries = r->record_age_s = -1;
	assert_flow(&m, "s[s a b f dlq] fanned quiet",
	            "s:infinite_retries s:no_on_failure a:max_receive_1 a:visibility b:consumer_disabled "
	            "dlq:dlq_retention dlq:dlq_shared quiet:no_consumer");
	r->record_age_s = 3600; /* an end after all */
	r->on_failure = dlq;
	m.f.mappings_known = false; /* then nothing is said of who does not read */
	assert_flow(&m, "s[s a b f dlq] fanned quiet",
	            "a:max_receive_1 a:visibility b:consumer_disabled dlq:dlq_retention dlq:dlq_shared");
	r->retries = UNSAID;
	assert_flow(&m, "s[s a b f dlq] fanned quiet",
	            "a:max_receive_1 a:visibility b:consumer_disabled dlq:dlq_retention dlq:dlq_shared");
	arena_clear(&m.mem);
}

/* A FIFO dead-letter queue dates a message anew. */
static void test_fifo_retention(void **state)
{
	(void)state;
	struct made m;
	made_init(&m);
	res(&m, "sqs", "o.fifo", "retention_s=60 dlq=arn:aws:sqs:eu-west-1:123456789012:o-dlq.fifo");
	res(&m, "sqs", "o-dlq.fifo", "retention_s=60 fifo=true");
	m.f.mappings_known = false;
	assert_flow(&m, "o.fifo[o.fifo o-dlq.fifo]", "");
	arena_clear(&m.mem);
}

static void test_cycle(void **state)
{
	(void)state;
	struct made m;
	made_init(&m);
	m.f.mappings_known = false;
	res(&m, "sqs", "loop-a", "dlq=arn:aws:sqs:eu-west-1:123456789012:loop-b");
	res(&m, "sqs", "loop-b", "dlq=arn:aws:sqs:eu-west-1:123456789012:loop-a");
	res(&m, "sqs", "self", "dlq=arn:aws:sqs:eu-west-1:123456789012:self");
	assert_flow(&m, "loop[loop-a loop-b] self[self]", "loop-b:cycle self:cycle");
	arena_clear(&m.mem);
}

/* What no list names is a node all the same: its kind and name are in its ARN. */
static void test_foreign(void **state)
{
	(void)state;
	static const char *const arns[][3] = {
		{ "arn:aws:dynamodb:eu-west-1:1:table/users/stream/2026-01-01T00:00:00.000", "dynamodb", "users" },
		{ "arn:aws:kafka:eu-west-1:1:cluster/bus/uuid-1", "kafka", "bus" },
		{ "arn:aws:s3:::failed-batches", "s3", "failed-batches" },
		{ "arn:aws:sns:eu-west-1:1:failures", "sns", "failures" },
		{ "arn:aws:sqs:eu-west-1:999999999999:theirs", "sqs", "theirs" },
		{ "not-an-arn", "unknown", "not-an-arn" },
	};
	for (unsigned i = 0; i < sizeof arns / sizeof *arns; i++) {
		struct made m;
		made_init(&m);
		res(&m, "lambda", "f", "");
		rel(&m, RELATION_MAPPING, arns[i][0], arn(&m, "lambda", "f"));
		struct flow_graph *f = discover_flow(&m.f);
		assert_int_equal(f->nnodes, 2);
		const struct flow_node *n = &f->nodes[f->edges[0].from];
		assert_string_equal(n->id, arns[i][0]);
		assert_string_equal(n->kind, arns[i][1]);
		assert_string_equal(n->name, arns[i][2]);
		assert_false(n->listed);
		flow_free(f);
		arena_clear(&m.mem);
	}
}

static void test_names(void **state)
{
	(void)state;
	static const struct {
		const char *names[4];
		unsigned n;
		size_t len;
	} cases[] = {
		{ { "orders-a", "orders-b" }, 2, 6 },
		{ { "orders", "orders-dlq" }, 2, 6 },
		{ { "orders", "ordersdlq" }, 2, 0 },
		{ { "prod-orders-a", "prod-orders-b" }, 2, 11 },
		{ { "orders-x1", "orders-x2" }, 2, 6 },
		{ { "a-b", "a-c" }, 2, 0 },
		{ { "x", "y" }, 2, 0 },
		{ { "same", "same" }, 2, 4 },
		{ { "--a", "--b" }, 2, 0 },
		{ { "lone" }, 1, 4 },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(name_prefix(cases[i].names, cases[i].n), cases[i].len);
}

/* Two pipelines that would be called the same go by their sources; a configured name is kept and never given again. */
static void test_names_unique(void **state)
{
	(void)state;
	struct made m;
	made_init(&m);
	m.f.mappings_known = false;
	res(&m, "sqs", "app-x", "");
	res(&m, "sqs", "app-y", "");
	res(&m, "lambda", "app-f", "");
	res(&m, "lambda", "app-g", "");
	rel(&m, RELATION_MAPPING, arn(&m, "sqs", "app-x"), arn(&m, "lambda", "app-f"));
	rel(&m, RELATION_MAPPING, arn(&m, "sqs", "app-y"), arn(&m, "lambda", "app-g"));
	assert_flow(&m, "app-x[app-x app-f] app-y[app-y app-g]", "");
	m.res[2].pipeline = "billing";
	assert_flow(&m, "app[app-y app-g] billing[app-x app-f]", "");
	m.res[2].pipeline = "app";
	assert_flow(&m, "app[app-x app-f] app-y[app-y app-g]", "");
	/* A part that the configuration gives to another pipeline stays there. */
	m.res[0].pipeline = "ingest";
	m.res[2].pipeline = "billing";
	assert_flow(&m, "app[app-y app-g] billing[app-f] ingest[app-x]", "");
	arena_clear(&m.mem);
}

static void test_group(void **state)
{
	(void)state;
	struct made m;
	made_init(&m);
	res(&m, "sqs", "in", "dlq=arn:aws:sqs:eu-west-1:123456789012:shared")->member = true;
	res(&m, "sqs", "shared", "");
	res(&m, "sqs", "other", "dlq=arn:aws:sqs:eu-west-1:123456789012:shared");
	res(&m, "sqs", "far", "");
	res(&m, "lambda", "apart", "")->member = true;
	m.f.group = "my-stack";
	assert_flow(&m, "my-stack[apart in] shared", "in:no_consumer");
	arena_clear(&m.mem);
}

/* The order facts come in changes nothing. */
static void test_stable(void **state)
{
	(void)state;
	char first[8192] = "", text[8192];
	unsigned seed = 7;
	for (unsigned round = 0; round < 20; round++) {
		struct made m;
		made_init(&m);
		for (unsigned i = 0; i < 30; i++)
			res(&m, i % 2 ? "lambda" : "sqs", arena_printf(&m.mem, "%c-%u", "abc"[i % 3], i), "");
		for (unsigned i = 0; i + 7 < 30; i++)
			rel(&m, RELATION_MAPPING, m.res[i].arn, m.res[i + 1 + i % 7].arn);
		for (unsigned i = 29; round && i > 0; i--) {
			seed = seed * 1103515245u + 12345u;
			unsigned k = (seed >> 8) % (i + 1);
			struct flow_resource r = m.res[i];
			m.res[i] = m.res[k];
			m.res[k] = r;
			if (i < m.f.nrelations && k < m.f.nrelations) {
				struct relation l = m.rel[i];
				m.rel[i] = m.rel[k];
				m.rel[k] = l;
			}
		}
		struct flow_graph *f = discover_flow(&m.f);
		drawn(f, text, sizeof text);
		if (!round)
			memcpy(first, text, sizeof text);
		assert_string_equal(text, first);
		flow_free(f);
		arena_clear(&m.mem);
	}
}

/* ---- the shape alone, large */

static double shaped(uint32_t n, uint32_t nedges, struct graph_edge *edges, struct graph *g)
{
	*g = (struct graph){ .n = n, .nedges = nedges, .edges = edges };
	clock_t begin = clock();
	graph_shape(g);
	return (double)(clock() - begin) / CLOCKS_PER_SEC;
}

static struct graph_edge *chain(uint32_t n, bool ring)
{
	struct graph_edge *e = xcalloc(n, sizeof *e);
	for (uint32_t i = 0; i < n; i++)
		e[i] = (struct graph_edge){ .from = i, .to = (i + 1) % n };
	if (!ring)
		e[n - 1] = (struct graph_edge){ 0 };
	return e;
}

static void test_large_shapes(void **state)
{
	(void)state;
	enum { N = 10000 };
	struct graph g;
	struct graph_edge *e = chain(N, false);
	shaped(N, N - 1, e, &g);
	assert_int_equal(g.ncomponents, 1);
	assert_int_equal(g.layer[N - 1], N - 1);
	graph_clear(&g);
	free(e);
	e = chain(N, true);
	shaped(N, N, e, &g);
	unsigned back = 0;
	for (unsigned i = 0; i < N; i++)
		back += e[i].back;
	assert_int_equal(back, 1); /* cut once, and where it began */
	assert_true(e[N - 1].back);
	assert_int_equal(g.layer[N - 1], N - 1);
	graph_clear(&g);
	for (uint32_t i = 0; i < N; i++) /* a star: all feed the last */
		e[i] = (struct graph_edge){ .from = i, .to = N - 1 };
	shaped(N, N - 1, e, &g);
	assert_int_equal(g.ncomponents, 1);
	assert_int_equal(g.layer[N - 1], 1);
	graph_clear(&g);
	for (uint32_t i = 0; i < N / 2; i++) /* pairs */
		e[i] = (struct graph_edge){ .from = 2 * i, .to = 2 * i + 1 };
	shaped(N, N / 2, e, &g);
	assert_int_equal(g.ncomponents, N / 2);
	assert_int_equal(g.component[N - 1], N / 2 - 1);
	graph_clear(&g);
	shaped(0, 0, e, &g);
	assert_int_equal(g.ncomponents, 0);
	graph_clear(&g);
	free(e);
}

/* Processor time of ten times the nodes, the least of five: far from a hundred times. */
static void test_linear(void **state)
{
	(void)state;
	double least[2] = { 1e9, 1e9 };
	for (unsigned k = 0; k < 5; k++)
		for (unsigned big = 0; big < 2; big++) {
			uint32_t n = big ? 1000000 : 100000;
			struct graph g;
			struct graph_edge *e = chain(n, true);
			double t = shaped(n, n, e, &g);
			least[big] = t < least[big] ? t : least[big];
			graph_clear(&g);
			free(e);
		}
	printf("shape: 100,000 nodes %.1f ms, 1,000,000 nodes %.1f ms\n", least[0] * 1e3, least[1] * 1e3);
	assert_true(least[1] < 40 * least[0] + 0.01);
}

static double drawn_in(unsigned pairs)
{
	struct arena mem;
	struct flow_resource *r = xcalloc(2u * pairs, sizeof *r);
	struct relation *l = xcalloc(pairs, sizeof *l);
	arena_init(&mem);
	for (unsigned i = 0; i < 2 * pairs; i++) {
		const char *kind = i < pairs ? "sqs" : "lambda";
		const char *name = arena_printf(&mem, "p%06u-%s", i % pairs, kind);
		r[i] = (struct flow_resource){ .kind = kind, .name = name, .arn = arena_printf(&mem, ARN, kind, "", name) };
	}
	for (unsigned i = 0; i < pairs; i++)
		l[i] =
		    (struct relation){ .kind = RELATION_MAPPING, .from = r[i].arn, .to = r[pairs + i].arn, .state = "Enabled" };
	struct flow_facts f = { .resources = r, .nresources = 2 * pairs, .relations = l, .nrelations = pairs };
	clock_t begin = clock();
	struct flow_graph *flow = discover_flow(&f);
	double took = (double)(clock() - begin) / CLOCKS_PER_SEC;
	assert_int_equal(flow->npipelines, pairs);
	assert_string_equal(flow->pipelines[pairs - 1].name, arena_printf(&mem, "p%06u", pairs - 1));
	flow_free(flow);
	arena_clear(&mem);
	free(r);
	free(l);
	return took;
}

/* A whole account: 10,000 resources in 5,000 pipelines, and ten times that. */
static void test_account(void **state)
{
	(void)state;
	double small = 1e9, large = 1e9;
	for (unsigned k = 0; k < 3; k++) {
		double a = drawn_in(5000), b = drawn_in(50000);
		small = a < small ? a : small;
		large = b < large ? b : large;
	}
	printf("flow: 10,000 resources %.1f ms, 100,000 resources %.1f ms\n", small * 1e3, large * 1e3);
	assert_true(large < 40 * small + 0.01);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain),          cmocka_unit_test(test_sources_alone), cmocka_unit_test(test_advice),
		cmocka_unit_test(test_fifo_retention), cmocka_unit_test(test_cycle),         cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_names),          cmocka_unit_test(test_names_unique),  cmocka_unit_test(test_group),
		cmocka_unit_test(test_stable),         cmocka_unit_test(test_large_shapes),  cmocka_unit_test(test_linear),
		cmocka_unit_test(test_account),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
