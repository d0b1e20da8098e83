/* The table of kinds holds together: every reader above relies on what is checked here. */
#include "aws/kind.h"
#include "core/metric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void each_metric(const struct kind_info *k, const struct metric_info *m)
{
	assert_true(m->key && *m->key && strspn(m->key, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(m->key));
	assert_true(m->title && *m->title);
	assert_ptr_equal(kind_metric(k, m->key), m); /* so no key comes twice */
	if (m->role != ROLE_NONE)
		assert_ptr_equal(kind_role(k, m->role), m); /* nor a role */
	bool cloudwatch = m->from == FROM_CLOUDWATCH, derived = m->from == FROM_RATIO || m->from == FROM_DIFFERENCE;
	assert_true(!cloudwatch || m->name);
	assert_true(!derived || !m->name); /* a direct reading may name where its past is */
	assert_true((m->name != NULL) == (m->stat != NULL));
	assert_true(derived == (m->a != NULL));
	assert_true(derived == (m->b != NULL));
	if (cloudwatch)
		assert_true(metric_stat_valid(m->stat));
	if (derived) {
		const struct metric_info *a = kind_metric(k, m->a), *b = kind_metric(k, m->b);
		assert_non_null(a);
		assert_non_null(b);
		assert_true(a->from == FROM_CLOUDWATCH && b->from == FROM_CLOUDWATCH); /* none is made of one that is made */
	}
	if (m->from == FROM_DIRECT)
		assert_false(m->sparse); /* the service always tells */
}

static void test_every_kind(void **state)
{
	(void)state;
	assert_int_equal(nkinds, 3);
	for (unsigned i = 0; i < nkinds; i++) {
		const struct kind_info *k = &kinds[i]->info;
		assert_ptr_equal(kind_find(k->id), kinds[i]);
		assert_true(k->title && k->ns && k->dimension);
		for (unsigned m = 0; m < k->nmetrics; m++)
			each_metric(k, &k->metrics[m]);
		assert_non_null(kind_metric(k, k->spark));
		assert_non_null(kind_role(k, ROLE_IN));
		/* an error metric, or the reason why there is none */
		assert_true((kind_role(k, ROLE_ERROR) != NULL) == (k->no_error == NULL));
	}
	assert_null(kind_find("s4"));
	assert_null(kind_find(""));
	assert_null(kind_find(NULL));
}

static void each_op(const struct op *op, const struct kind *k)
{
	assert_true(op->name && op->build && op->read && op->service);
	assert_int_equal(op->effect, OP_READ);
	assert_true(op->idempotent);
	size_t n = strlen(k->info.id);
	assert_memory_equal(op->iam, k->info.id, n);
	assert_int_equal(op->iam[n], ':');
	assert_string_equal(op->iam + n + 1, op->name);
}

static void test_every_operation(void **state)
{
	(void)state;
	for (unsigned i = 0; i < nkinds; i++) {
		const struct kind *k = kinds[i];
		each_op(k->list, k);
		assert_true(k->list->paged);
		if (k->describe)
			each_op(k->describe, k);
		if (k->edges)
			each_op(k->edges, k);
		if (k->sources)
			each_op(k->sources, k);
		assert_memory_equal(k->cfn_type, "AWS::", 5);
		for (unsigned m = 0; m < k->info.nmetrics; m++)
			if (k->info.metrics[m].from == FROM_DIRECT)
				assert_non_null(k->describe); /* it is where direct readings come from */
	}
}

static void arn_is(const char *arn, const char *id, const char *name)
{
	const char *got = NULL;
	const struct kind *k = kind_of_arn(arn, &got);
	if (!id) {
		assert_null(k);
		return;
	}
	assert_non_null(k);
	assert_string_equal(k->info.id, id);
	assert_string_equal(got, name);
	assert_true(got > arn && got < arn + strlen(arn)); /* within, not a copy */
}

static void test_arns(void **state)
{
	(void)state;
	arn_is("arn:aws:sqs:eu-west-1:123456789012:orders", "sqs", "orders");
	arn_is("arn:aws:sqs:eu-west-1:123456789012:orders.fifo", "sqs", "orders.fifo");
	arn_is("arn:aws-cn:kinesis:cn-north-1:123456789012:stream/in", "kinesis", "in");
	arn_is("arn:aws:lambda:eu-west-1:123456789012:function:f", "lambda", "f");
	arn_is("arn:aws:lambda:eu-west-1:123456789012:function:f:live", NULL, NULL);
	arn_is("arn:aws:lambda:eu-west-1:123456789012:layer:f", NULL, NULL);
	arn_is("arn:aws:lambda:eu-west-1:123456789012:event-source-mapping:u", NULL, NULL);
	arn_is("arn:aws:kinesis:eu-west-1:123456789012:stream/in/consumer/c:1", NULL, NULL);
	arn_is("arn:aws:kinesis:eu-west-1:123456789012:in", NULL, NULL);
	arn_is("arn:aws:sns:eu-west-1:123456789012:t", NULL, NULL);
	arn_is("arn:aws:sqsx:eu-west-1:123456789012:t", NULL, NULL);
	arn_is("arn:aws:sq:eu-west-1:123456789012:t", NULL, NULL);
	arn_is("arn:aws:sqs:eu-west-1:123456789012:", NULL, NULL);
	arn_is("arn:aws:sqs:eu-west-1:123456789012", NULL, NULL);
	arn_is("arn:aws:sqs", NULL, NULL);
	arn_is("arn:", NULL, NULL);
	arn_is("orders", NULL, NULL);
	arn_is("", NULL, NULL);
	assert_null(kind_of_arn(NULL, NULL));
	assert_non_null(kind_of_arn("arn:aws:sqs:eu-west-1:123456789012:orders", NULL));
}

static void test_found_keeps_its_own_copies(void **state)
{
	(void)state;
	struct found f;
	char name[] = "orders", key[] = "k", value[] = "v", from[] = "a", to[] = "b";
	found_init(&f);
	for (unsigned i = 0; i < 100; i++) {
		found_add(&f, name, NULL, NULL);
		found_fact(&f, name, key, value);
		found_value(&f, name, key, i);
		found_edge(&f, &(struct relation){ .kind = RELATION_DLQ, .from = from, .to = to });
	}
	found_fact(&f, name, key, NULL); /* no value, no fact */
	name[0] = key[0] = value[0] = from[0] = to[0] = '?';
	assert_int_equal(f.nres, 100);
	assert_int_equal(f.nfacts, 100);
	assert_string_equal(f.res[99].name, "orders");
	assert_null(f.res[99].arn);
	assert_string_equal(f.facts[50].res, "orders");
	assert_string_equal(f.facts[50].value, "v");
	assert_true(f.values[99].v == 99);
	assert_string_equal(f.edges[0].from, "a");
	assert_null(f.edges[0].state);
	found_clear(&f);
	assert_int_equal(f.nres, 0);
	found_clear(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_every_operation),
		cmocka_unit_test(test_arns),
		cmocka_unit_test(test_found_keeps_its_own_copies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
