#include "tui/action.h"

#include "tui/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static unsigned nkeys(const struct action *a)
{
	unsigned n = 0;
	while (key_list(a->keys, n) != K_NONE)
		n++;
	return n;
}

static void test_keys_are_keys(void **state)
{
	(void)state;
	for (unsigned i = 0; i < nactions; i++) {
		unsigned words = 1;
		for (const char *p = actions[i].keys; *p; p++)
			words += *p == ' ';
		assert_int_equal(nkeys(&actions[i]), words);
	}
}

/* In every place a key means one thing. */
static void test_no_key_twice_in_one_place(void **state)
{
	(void)state;
	for (unsigned i = 0; i < nactions; i++)
		for (unsigned j = i + 1; j < nactions; j++) {
			if (!(actions[i].where & actions[j].where))
				continue;
			for (unsigned k = 0; k < nkeys(&actions[i]); k++)
				for (unsigned l = 0; l < nkeys(&actions[j]); l++)
					assert_int_not_equal(key_list(actions[i].keys, k), key_list(actions[j].keys, l));
		}
}

static void test_every_action_can_be_found_and_has_help(void **state)
{
	(void)state;
	for (unsigned i = 0; i < nactions; i++) {
		const struct action *a = &actions[i];
		assert_true(a->help[0] && strlen(a->help) <= 27); /* a column of the help screen */
		assert_true(!a->hint || strlen(a->hint) <= 10);
		assert_non_null(a->run);
		assert_true(a->group < GROUP_COUNT && action_group_title(a->group)[0]);
		for (unsigned bit = 0; bit < 32; bit++)
			for (unsigned k = 0; k < nkeys(a); k++)
				if (a->where & (1u << bit))
					assert_ptr_equal(action_find(key_list(a->keys, k), 1u << bit), a);
	}
}

/* What destroys elsewhere only moves here, and every screen can be left and explained. */
static void test_rules_of_the_keymap(void **state)
{
	(void)state;
	for (unsigned s = 0; s < SCREEN_COUNT; s++) {
		assert_ptr_equal(action_find('q', 1u << s)->run, act_back);
		assert_ptr_equal(action_find('?', 1u << s)->run, act_help);
		assert_ptr_equal(action_find('k', 1u << s)->run, act_up);
		assert_ptr_equal(action_find(K_CTRL('D'), 1u << s)->run, act_half_down);
		assert_ptr_equal(action_find(K_CTRL('C'), 1u << s)->run, act_interrupt);
		assert_null(action_find('d', 1u << s));
		assert_true(s == SCREEN_FIRST || action_find('x', 1u << s)->run == act_write); /* a menu, and no write yet */
		assert_null(action_find(K_CTRL('K'), 1u << s));
		assert_null(action_find('D', 1u << s));
	}
	assert_ptr_equal(action_find(K_ESC, IN_PROMPT)->run, act_prompt_cancel);
	assert_null(action_find('q', IN_PROMPT));
}

static void test_key_names_there_and_back(void **state)
{
	(void)state;
	char name[KEY_NAME_SIZE];
	for (uint32_t key = 1; key < 0x250; key++) {
		key_text(key, name);
		if (strcmp(name, "?key") != 0)
			assert_int_equal(key_parse(name, strlen(name)), key);
	}
	assert_int_equal(key_parse("PgDn", 4), K_PGDN);
	assert_int_equal(key_parse("Ctrl-D", 6), 4);
	assert_int_equal(key_parse("\xC3\xA4", 2), 0xE4);
	assert_int_equal(key_parse("", 0), K_NONE);
	assert_int_equal(key_parse("jk", 2), K_NONE);
	assert_int_equal(key_parse("\x1B", 1), K_NONE);
	assert_string_equal(key_text(K_LEFT, name), "Left");
	assert_string_equal(key_text(K_CTRL('L'), name), "Ctrl-L");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_are_keys),
		cmocka_unit_test(test_no_key_twice_in_one_place),
		cmocka_unit_test(test_every_action_can_be_found_and_has_help),
		cmocka_unit_test(test_rules_of_the_keymap),
		cmocka_unit_test(test_key_names_there_and_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
