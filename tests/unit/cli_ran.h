/* For tests of the command line: runs it in this process against a made-up engine, which hands back what the test put there
 * and keeps what it was asked. Included once a program. */
#ifndef TESTS_UNIT_CLI_RAN_H
#define TESTS_UNIT_CLI_RAN_H

#include "cli/args.h"
#include "cli/check.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/model/snapshot.h"
#include "core/text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW 1795403682 /* 2026-11-23T03:14:42Z */

/* ---- the made-up engine */
static struct result failed = { .err = { .code = ERR_AUTH } };
static struct result *given = &failed;
static struct request asked;

struct result *engine_call(struct engine *g, const struct request *rq)
{
	(void)g;
	asked = *rq;
	return given;
}

void engine_interrupt(struct engine *g)
{
	(void)g;
}

void result_free(struct result *r)
{
	(void)r;
}

/* ---- running */
static struct {
	int status;
	char out[1 << 16], err[1 << 14];
	struct cli cli;
} ran;

static const char *const scenarios[] = { "calm", "denied", "throttled", NULL };
static const char *const helps[] = { "nothing happens", "one action is denied", "too many calls", NULL };

static void hold(int fd, int *saved, int *file)
{
	fflush(NULL);
	*saved = dup(fd);
	*file = memfd_create("held", 0);
	dup2(*file, fd);
}

static void let_go(int fd, int saved, int file, char *text, size_t size)
{
	fflush(NULL);
	dup2(saved, fd);
	close(saved);
	ssize_t n = pread(file, text, size - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	close(file);
}

/* Words separated by blanks; the command runs when there is one. */
static void run(const char *words)
{
	static char line[4096];
	char *argv[64] = { (char[]){ "sluice" } };
	int argc = 1, out, err, out_file, err_file;
	snprintf(line, sizeof line, "%s", words);
	for (char *p = line, *word; (word = strsep(&p, " "));)
		if (*word)
			argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
	cli_clear(&ran.cli);
	hold(STDOUT_FILENO, &out, &out_file);
	hold(STDERR_FILENO, &err, &err_file);
	cli_parse(&ran.cli, argc, argv, scenarios, helps);
	ran.status = ran.cli.what == CLI_COMMAND ? cli_run(&ran.cli, NULL) : ran.cli.status;
	let_go(STDERR_FILENO, err, err_file, ran.err, sizeof ran.err);
	let_go(STDOUT_FILENO, out, out_file, ran.out, sizeof ran.out);
}

static unsigned lines(const char *text)
{
	unsigned n = 0;
	for (; (text = strchr(text, '\n')); text++)
		n++;
	return n;
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in:\n%s", part, text);
}

static int freeze(void **state)
{
	(void)state;
	setenv("SLUICE_NOW", "2026-11-23T03:14:42Z", 1);
	unsetenv("NO_COLOR");
	return clock_init() ? 0 : -1;
}

static int thaw(void **state)
{
	(void)state;
	cli_clear(&ran.cli);
	return 0;
}

#endif
