/* The gate before every write: every mode against every grant, and every way to say yes or no. */
#include "engine/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct op op = { .iam = "test:Write", .effect = OP_WRITE };

static bool passes(const struct conf_target *t, const struct consent *c, enum conf_mode needs, struct result *r)
{
	struct gate_act act = { .needs = needs, .op = &op, .what = "put 1 record" };
	struct permit p = { &op };
	*r = (struct result){ 0 };
	bool open = gate_open(t, c, &act, &p, r);
	assert_true(p.op == (open ? &op : NULL));
	assert_int_equal(r->err.code, open ? ERR_OK : ERR_GATE);
	assert_int_equal(err_exit(ERR_GATE), 3);
	if (!open)
		assert_string_equal(r->err.where, "test:Write");
	return open;
}

static void done(struct result *r)
{
	free(r->question);
	free(r->name);
}

static void modes_and_grants(void **state)
{
	(void)state;
	unsigned open = 0;
	struct result r;
	for (int mode = MODE_OBSERVE; mode <= MODE_ADMIN; mode++)
		for (int grant = MODE_OBSERVE; grant <= MODE_ADMIN; grant++)
			for (int needs = MODE_OPERATE; needs <= MODE_ADMIN; needs++) {
				struct conf_target t = { .name = (char[]){ "prod" }, .grant = (enum conf_mode)grant };
				struct consent c = { .mode = (enum conf_mode)mode, .yes = true };
				bool ok = passes(&t, &c, (enum conf_mode)needs, &r);
				assert_int_equal(ok, mode >= needs && grant >= needs);
				assert_int_equal(r.ask, GATE_ASK_NOTHING); /* no answer would help */
				open += ok;
				const char *hint = needs == MODE_OPERATE ? "operate" : "admin";
				if (!ok) /* it says what would allow it */
					assert_non_null(strstr(r.err.text, hint));
				if (mode >= needs && grant < needs)
					assert_non_null(strstr(r.err.text, "target prod"));
				done(&r);
			}
	assert_int_equal(open, 5);
	struct consent c = { .mode = MODE_ADMIN, .yes = true };
	assert_true(passes(NULL, &c, MODE_ADMIN, &r)); /* nothing configured forbids nothing */
}

static void confirmation(void **state)
{
	(void)state;
	static const struct {
		bool production, person, yes;
		const char *typed;
		bool open;
		enum gate_ask ask;
	} cases[] = {
		{ false, false, false, NULL, false, GATE_ASK_NOTHING },   { false, false, true, NULL, true, GATE_ASK_NOTHING },
		{ false, true, false, NULL, false, GATE_ASK_YES },        { false, true, true, NULL, true, GATE_ASK_NOTHING },
		{ false, false, false, "prod", false, GATE_ASK_NOTHING }, { true, false, false, NULL, false, GATE_ASK_NOTHING },
		{ true, false, true, NULL, true, GATE_ASK_NOTHING },      { true, true, false, NULL, false, GATE_ASK_NAME },
		{ true, true, true, NULL, false, GATE_ASK_NAME }, /* a person types the name, whatever the flag */
		{ true, true, false, "prod", true, GATE_ASK_NOTHING },    { true, true, true, "prod", true, GATE_ASK_NOTHING },
		{ true, true, true, "", false, GATE_ASK_NAME },           { true, true, true, "y", false, GATE_ASK_NAME },
		{ true, true, true, "PROD", false, GATE_ASK_NAME },       { true, true, true, "prod ", false, GATE_ASK_NAME },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct conf_target t = { .name = (char[]){ "prod" }, .grant = MODE_ADMIN, .production = cases[i].production };
		struct consent c = {
			.mode = MODE_OPERATE, .yes = cases[i].yes, .person = cases[i].person, .typed = cases[i].typed
		};
		struct result r;
		if (passes(&t, &c, MODE_OPERATE, &r) != cases[i].open || r.ask != cases[i].ask)
			fail_msg("case %u: %s", i, r.err.text);
		assert_int_equal(r.ask != GATE_ASK_NOTHING, r.question != NULL);
		assert_int_equal(r.ask == GATE_ASK_NAME, r.name != NULL);
		if (r.question)
			assert_non_null(strstr(r.question, cases[i].production ? "PRODUCTION, target prod" : "target prod"));
		if (!cases[i].open && !cases[i].person)
			assert_non_null(strstr(r.err.text, "--yes"));
		done(&r);
	}
}

/* Of many things at once nothing but their number lets them through. */
static void numbers(void **state)
{
	(void)state;
	const struct {
		bool yes, person, said;
		unsigned count;
		const char *typed;
		bool open;
		enum gate_ask ask;
	} cases[] = {
		{ true, false, false, 0, NULL, false, GATE_ASK_NOTHING },
		{ false, false, true, 42, NULL, true, GATE_ASK_NOTHING },
		{ true, false, true, 41, NULL, false, GATE_ASK_NOTHING },
		{ false, true, true, 41, "42", false, GATE_ASK_NOTHING },
		{ true, true, false, 0, NULL, false, GATE_ASK_COUNT },
		{ false, true, false, 0, "42", true, GATE_ASK_NOTHING },
		{ false, true, false, 0, "y", false, GATE_ASK_COUNT },
		{ false, true, false, 0, "042", false, GATE_ASK_COUNT },
		{ false, true, false, 0, "", false, GATE_ASK_COUNT },
		{ false, true, false, 0, "42 ", false, GATE_ASK_COUNT },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct consent c = { .mode = MODE_OPERATE,
			                 .yes = cases[i].yes,
			                 .person = cases[i].person,
			                 .count_said = cases[i].said,
			                 .count = cases[i].count,
			                 .typed = cases[i].typed };
		struct gate_act act = { MODE_OPERATE, &op, "replay 42 messages", true, 42 };
		struct permit p;
		struct result r = { 0 };
		bool open = gate_open(NULL, &c, &act, &p, &r);
		if (open != cases[i].open || r.ask != cases[i].ask)
			fail_msg("case %u: %s", i, r.err.text);
		assert_int_equal(open, p.op != NULL);
		if (r.ask == GATE_ASK_COUNT)
			assert_string_equal(r.name, "42");
		done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(modes_and_grants), cmocka_unit_test(confirmation),
		                                cmocka_unit_test(numbers) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
