/* One profile out of AWS's files: what of its values only the profile itself shows. The files' rules are t_ini's, the chain's use of
 * them is tested with it. */
#include "aws/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/t_profile.XXXXXX";

static int set_up(void **state)
{
	(void)state;
	int fd = mkstemp(path);
	return fd < 0 || close(fd) || setenv("AWS_CONFIG_FILE", "/nowhere/config", 1) ||
	       setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static void load(struct profile *p, const char *name, const char *text)
{
	struct err e = { 0 };
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	if (!profile_load(p, name, &e))
		fail_msg("%s: %s", e.where, e.text);
}

/* Cut short, a secret would be another secret. */
static void values_that_go_on(void **state)
{
	(void)state;
	struct profile p;
	load(&p, "c",
	     "[a]\nx=1\n[c]\naws_secret_access_key=ab\n -cd\n\t-ef # g \nregion=r\n[b]\ny=2\n -3\n[c]\nz=4\n -5\n");
	assert_string_equal(profile_get(&p, "aws_secret_access_key", NULL), "ab\n-cd\n-ef # g");
	assert_string_equal(profile_get(&p, "region", NULL), "r");
	assert_string_equal(profile_get(&p, "z", NULL), "4\n-5");
	assert_null(profile_get(&p, "y", NULL));
	profile_clear(&p);
}

/* A block's keys are its own, not the value's next lines. */
static void blocks_are_no_values(void **state)
{
	(void)state;
	struct profile p;
	load(&p, "c", "[c]\ns3 =\n  a = 1\n  b = 2\nregion=r\n");
	assert_null(profile_get(&p, "s3", NULL));
	assert_null(profile_get(&p, "a", NULL));
	assert_string_equal(profile_get(&p, "region", NULL), "r");
	profile_clear(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_that_go_on),
		cmocka_unit_test(blocks_are_no_values),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
