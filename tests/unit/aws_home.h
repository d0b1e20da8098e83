/* A home of our own, and an environment without AWS in it: for tests that read AWS's files. */
#ifndef TESTS_AWS_HOME_H
#define TESTS_AWS_HOME_H

#include "core/mem.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;

static char home[64];

static inline int remove_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
	(void)st, (void)kind, (void)f;
	return remove(path);
}

static inline void forget_environment(void)
{
	for (bool again = true; again;) {
		again = false;
		for (char **v = environ; *v; v++) {
			if (strncmp(*v, "AWS_", 4) != 0)
				continue;
			char *name = xstrndup(*v, strcspn(*v, "="));
			unsetenv(name);
			free(name);
			again = true;
			break;
		}
	}
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1); /* the end of every chain otherwise */
}

static inline int set_up(void **state)
{
	(void)state;
	snprintf(home, sizeof home, "/tmp/sluice-home-XXXXXX");
	if (!mkdtemp(home))
		return -1;
	forget_environment();
	char dir[80];
	snprintf(dir, sizeof dir, "%s/.aws", home);
	mkdir(dir, 0700);
	return setenv("HOME", home, 1);
}

static inline int tear_down(void **state)
{
	(void)state;
	forget_environment();
	return nftw(home, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void put_file(const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof path, "%s/.aws/%s", home, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static inline void env_keys(void)
{
	setenv("AWS_ACCESS_KEY_ID", "AKIDENV", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secretenv", 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
