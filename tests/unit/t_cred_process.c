/* credential_process: how its command line is split, how a child is run and ended, and how JSON becomes keys. */
#include "aws/cred/child.h"
#include "aws/cred/cred.h"
#include "aws/cred/keys_json.h"
#include "core/clock.h"
#include "core/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- words */

static void splits(const char *line, const char *joined)
{
	struct words w;
	struct buf got;
	buf_init(&got, 1000);
	if (!words_split(&w, line))
		buf_adds(&got, "!");
	for (unsigned i = 0; i < w.n; i++)
		buf_addf(&got, "%s[%s]", i ? " " : "", w.v[i]);
	assert_true(!w.v || !w.v[w.n]);
	if (strcmp(got.p ? got.p : "", joined) != 0)
		fail_msg("%s: %s, not %s", line, got.p, joined);
	words_clear(&w);
	buf_clear(&got);
}

/* Each as Python's shlex.split has it. */
static void words(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "", "" },
		{ " \t\r\n ", "" },
		{ "get-keys", "[get-keys]" },
		{ "  /opt/x  --role a\t b ", "[/opt/x] [--role] [a] [b]" },
		{ "'/opt/my tools/x' \"a b\"", "[/opt/my tools/x] [a b]" },
		{ "a\"b c\"d'e f'g", "[ab cde fg]" },
		{ "x '' \"\"", "[x] [] []" },
		{ "x a\\ b \\\"q\\\" \\\\", "[x] [a b] [\"q\"] [\\]" },
		{ "x \"a\\\"b\" \"a\\\\b\" \"a\\nb\" \"a\\$b\"", "[x] [a\"b] [a\\b] [a\\nb] [a\\$b]" },
		{ "x 'a\\'b", "[x] [a\\b]" },
		{ "x 'it''s'", "[x] [its]" },
		{ "x $HOME `id` $(id) * ~ ~/a # b ; c | d > e &", /* no shell */
		  "[x] [$HOME] [`id`] [$(id)] [*] [~] [~/a] [#] [b] [;] [c] [|] [d] [>] [e] [&]" },
		{ "x \xc3\xa4\xff", "[x] [\xc3\xa4\xff]" },
		{ "x 'a", "!" },
		{ "x \"a", "!" },
		{ "x a\\", "!" },
		{ "x \"a\\", "!" },
		{ "x \"a\\\"", "!" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		splits(cases[i][0], cases[i][1]);
}

/* ---- children */

static struct fetch fetch_of(int ms)
{
	return (struct fetch){ .deadline_ms = clock_mono_ms() + ms };
}

static void run(const char *script, int ms, size_t most, struct child *c)
{
	struct fetch f = fetch_of(20000);
	struct err e = { 0 };
	char *argv[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" }, xstrdup(script), NULL };
	assert_true(child_run(&f, argv, ms, most, c, &e));
	assert_int_equal(e.code, ERR_OK);
	free(argv[2]);
}

static void says(const char *script, const char *out, const char *err, int status)
{
	struct child c;
	run(script, 20000, 1000, &c);
	assert_string_equal(c.out.p ? c.out.p : "", out);
	assert_string_equal(c.err.p ? c.err.p : "", err);
	assert_true(WIFEXITED(c.status));
	assert_int_equal(WEXITSTATUS(c.status), status);
	assert_false(c.flood || c.late || c.exec_errno);
	child_clear(&c);
}

static void runs(void **state)
{
	(void)state;
	says("echo out; echo err >&2", "out\n", "err\n", 0);
	says("exit 7", "", "", 7);
	says("cat", "", "", 0); /* nothing to read */
	says("test ! -t 0 && echo none", "none\n", "", 0);
	says("(: < /dev/tty) 2>/dev/null || echo no tty", "no tty\n", "", 0);
	says("trap '' PIPE; kill -PIPE $$ && echo alive", "alive\n", "", 0);
	says("exec >&- 2>&-; sleep 0.2; exit 3", "", "", 3); /* closed pipes are no end */
	/* pid, process group and session are one: fields 1, 5 and 6 of stat, counted behind the name in brackets */
	says("read -r line < /proc/$$/stat; set -- ${line##*) }; test $3 = $$ && test $4 = $$ && echo alone", "alone\n", "",
	     0);
}

static void dies(void **state)
{
	(void)state;
	struct child c;
	run("kill -PIPE $$; echo lives", 20000, 1000, &c); /* as it is by itself, though we ignore it */
	assert_true(WIFSIGNALED(c.status));
	assert_int_equal(WTERMSIG(c.status), SIGPIPE);
	child_clear(&c);
}

static void holds_nothing_of_ours(void **state)
{
	(void)state;
	int leaky = dup(STDIN_FILENO); /* without CLOEXEC, as a library may leave it */
	assert_true(leaky > 2);
	says("ls /proc/self/fd | tr '\\n' ' '", "0 1 2 3 ", "", 0); /* 3 is ls's own, of that folder */
	close(leaky);
}

static void cannot_start(void **state)
{
	(void)state;
	struct child c;
	struct err e = { 0 };
	struct fetch f = fetch_of(20000);
	char *absent[] = { (char[]){ "/does/not/exist" }, NULL }, *folder[] = { (char[]){ "/" }, NULL };
	assert_true(child_run(&f, absent, 5000, 100, &c, &e));
	assert_int_equal(c.exec_errno, ENOENT);
	child_clear(&c);
	assert_true(child_run(&f, folder, 5000, 100, &c, &e));
	assert_int_equal(c.exec_errno, EACCES);
	child_clear(&c);
}

/* The file is removed by nobody but a survivor's silence: it is written half a second after we have gone on. */
static void ends(const char *script, int ms, bool late, bool flood)
{
	struct child c;
	char mark[] = "/tmp/sluice-child-XXXXXX";
	int fd = mkstemp(mark);
	assert_true(fd >= 0);
	close(fd);
	char *all = xasprintf("MARK=%s; %s", mark, script);
	int64_t begun = clock_mono_ms();
	run(all, ms, 1000, &c);
	assert_true(clock_mono_ms() - begun < 5000);
	assert_true(c.late == late);
	assert_true(c.flood == flood);
	usleep(700000);
	struct stat st;
	assert_int_equal(stat(mark, &st), 0);
	assert_int_equal(st.st_size, 0);
	unlink(mark);
	child_clear(&c);
	free(all);
}

static void leaves_nothing_behind(void **state)
{
	(void)state;
	ends("sleep 0.6; echo alive > $MARK", 200, true, false);
	ends("(sleep 0.6; echo alive > $MARK) & exit 0", 10000, false, false); /* it outlives its parent */
	ends("(sleep 0.6; echo alive > $MARK) & sleep 10", 200, true, false);  /* both */
	ends("(sleep 0.6; echo alive > $MARK) & yes", 10000, false, true);     /* more than is wanted */
	ends("exec >&- 2>&-; trap '' TERM HUP INT; sleep 0.6; echo alive > $MARK", 200, true, false);
}

static void only_so_much(void **state)
{
	(void)state;
	struct child c;
	run("head -c 1000 /dev/zero | tr '\\0' x", 20000, 1000, &c);
	assert_false(c.flood);
	assert_int_equal(c.out.n, 1000);
	child_clear(&c);
	run("head -c 1001 /dev/zero | tr '\\0' x", 20000, 1000, &c);
	assert_true(c.flood);
	child_clear(&c);
	/* of complaints the end is kept, however they come */
	run("head -c 1000000 /dev/zero | tr '\\0' x >&2; echo the end >&2", 20000, 1000, &c);
	assert_int_equal(c.err.n, CHILD_ERR);
	assert_memory_equal(c.err.p + c.err.n - 8, "the end\n", 8);
	child_clear(&c);
	run("for i in 1 2 3 4 5 6 7 8 9; do head -c 999 /dev/zero | tr '\\0' $i >&2; sleep 0.02; done", 20000, 1000, &c);
	assert_int_equal(c.err.n, CHILD_ERR);
	assert_int_equal(c.err.p[c.err.n - 1], '9');
	assert_int_equal(c.err.p[c.err.n - 999], '9');
	assert_int_equal(c.err.p[c.err.n - 1000], '8');
	assert_int_equal(c.err.p[0], '5');
	child_clear(&c);
}

static void stops(void **state)
{
	(void)state;
	struct child c;
	struct err e = { 0 };
	char *argv[] = { (char[]){ "sleep" }, (char[]){ "10" }, NULL }; /* by PATH */
	atomic_bool stop = true;
	struct fetch f = fetch_of(20000);
	int64_t begun = clock_mono_ms();
	f.stop = &stop;
	assert_false(child_run(&f, argv, 5000, 100, &c, &e));
	assert_int_equal(e.code, ERR_CANCELLED);
	child_clear(&c);
	f = fetch_of(100);
	assert_false(child_run(&f, argv, 5000, 100, &c, &e));
	assert_int_equal(e.code, ERR_TIMEOUT);
	child_clear(&c);
	assert_true(clock_mono_ms() - begun < 3000);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* all are reaped */
	assert_int_equal(errno, ECHILD);
}

/* ---- JSON */

static const struct keys_names names = { "AccessKeyId", "SecretAccessKey", "SessionToken",
	                                     "AccountId",   "Expiration",      NULL },
                               camel = { "accessKeyId", "secretAccessKey", "sessionToken", NULL, NULL, "expiration" };

static const char *keys_of(const char *text, const struct keys_names *n, struct keys *k)
{
	struct json *doc = json_parse(span_of(text), NULL);
	assert_non_null(doc);
	*k = (struct keys){ 0 };
	const char *why = keys_from_json(k, doc, n);
	json_free(doc);
	return why;
}

static void json_keys(void **state)
{
	(void)state;
	struct keys k;
	assert_null(keys_of(
	    "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"SessionToken\":\"T\",\"AccountId\":\"123456789012\","
	    "\"Expiration\":\"2026-01-02T03:04:05+01:00\",\"More\":[1]}",
	    &names, &k));
	assert_string_equal(k.access_key, "A");
	assert_string_equal(k.secret_key, "S");
	assert_string_equal(k.session_token, "T");
	assert_string_equal(k.account, "123456789012");
	assert_int_equal(k.expires, 1767319445);
	keys_clear(&k);
	assert_null(keys_of("{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"SessionToken\":\"\",\"AccountId\":null,"
	                    "\"Expiration\":null}",
	                    &names, &k));
	assert_null(k.session_token);
	assert_null(k.account);
	assert_int_equal(k.expires, 0);
	keys_clear(&k);
	assert_null(
	    keys_of("{\"accessKeyId\":\"A\",\"secretAccessKey\":\"S\",\"sessionToken\":\"T\",\"expiration\":1767319445999}",
	            &camel, &k));
	assert_int_equal(k.expires, 1767319445);
	keys_clear(&k);
	static const char *const bad[] = {
		"{}",
		"[]",
		"{\"AccessKeyId\":\"A\"}",
		"{\"SecretAccessKey\":\"S\"}",
		"{\"AccessKeyId\":\"\",\"SecretAccessKey\":\"S\"}",
		"{\"AccessKeyId\":1,\"SecretAccessKey\":\"S\"}",
		"{\"accessKeyId\":\"A\",\"secretAccessKey\":\"S\"}",
		"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"SessionToken\":7}",
		"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Expiration\":\"tomorrow\"}",
		"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Expiration\":1767319445}",
		"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Expiration\":\"\"}",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (!keys_of(bad[i], &names, &k))
			fail_msg("%s", bad[i]);
		keys_clear(&k);
	}
	assert_non_null(keys_of("{\"accessKeyId\":\"A\",\"secretAccessKey\":\"S\",\"expiration\":\"soon\"}", &camel, &k));
	keys_clear(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),        cmocka_unit_test(runs),
		cmocka_unit_test(dies),         cmocka_unit_test(holds_nothing_of_ours),
		cmocka_unit_test(cannot_start), cmocka_unit_test(leaves_nothing_behind),
		cmocka_unit_test(only_so_much), cmocka_unit_test(stops),
		cmocka_unit_test(json_keys),
	};
	signal(SIGPIPE, SIG_IGN); /* as the program does */
	return clock_init() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
