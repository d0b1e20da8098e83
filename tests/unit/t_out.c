/* The outlets: what is written, how it is quoted, and that nothing is written by halves unnoticed. */
#include "cli/args.h"
#include "cli/out.h"
#include "core/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
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

/* The commands are linked, none is run. */
struct result *engine_call(struct engine *g, const struct request *rq)
{
	(void)g, (void)rq;
	abort();
}

void engine_interrupt(struct engine *g)
{
	(void)g;
}

void result_free(struct result *r)
{
	(void)r;
	abort();
}

static char folder[100];

static const char *path_of(const char *name)
{
	static char path[200];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static struct out in_memory(void)
{
	struct out o = { .fd = memfd_create("out", 0) };
	buf_init(&o.b, 1 << 20);
	return o;
}

static char *written(struct out *o)
{
	static char text[1 << 20];
	int fd = dup(o->fd);
	assert_int_equal(out_end(o, NULL, 0), 0);
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	close(fd);
	return text;
}

static char *content(const char *path)
{
	static char text[1000];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	text[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
	return text;
}

/* stderr is of no interest here */
static int quiet(void)
{
	int saved = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
	dup2(null, STDERR_FILENO);
	close(null);
	return saved;
}

static void loud(int saved)
{
	dup2(saved, STDERR_FILENO);
	close(saved);
}

/* ---- CSV */
static void csv_cells(void **state)
{
	(void)state;
	static const struct {
		const char *cell, *csv;
	} cases[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "a,b", "\"a,b\"" },
		{ "say \"hi\"", "\"say \"\"hi\"\"\"" },
		{ "\"", "\"\"\"\"" },
		{ "=1+1", "'=1+1" },
		{ "+1", "'+1" },
		{ "-1", "'-1" },
		{ "@SUM(A1)", "'@SUM(A1)" },
		{ "=a,b", "\"'=a,b\"" },
		{ "a=b", "a=b" },
		{ " x", "\" x\"" },
		{ "x ", "\"x \"" },
		{ "\t=1", "<U+0009>=1" },
		{ "a\r\nb", "a<U+000D><U+000A>b" },
		{ "\x1b[2J", "<U+001B>[2J" },
		{ "\xff", "<0xFF>" },
		{ "\xe2\x80\xae", "<U+202E>" },
		{ "\xc3\xbc", "\xc3\xbc" },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct out o = in_memory();
		out_csv(&o, cases[i].cell);
		assert_string_equal(written(&o), cases[i].csv);
	}
	struct out o = in_memory();
	out_csv(&o, NULL);
	assert_string_equal(written(&o), "");
}

/* What RFC 4180 gives back from one quoted cell. */
static void uncsv(const char *csv, char *cell)
{
	bool quoted = *csv == '"';
	csv += quoted;
	for (; *csv && !(quoted && csv[0] == '"' && csv[1] != '"'); csv++) {
		csv += quoted && *csv == '"';
		*cell++ = *csv;
	}
	*cell = '\0';
}

static void csv_reads_back(void **state)
{
	(void)state;
	static const char alphabet[] = "ab\",=+-@ '\n\r\t\x1b\xff<U+";
	unsigned seed = 1;
	for (unsigned i = 0; i < 20000; i++) {
		char cell[20], back[400];
		unsigned n = 1 + (seed = seed * 1103515245 + 12345) / 65536 % 12;
		for (unsigned k = 0; k < n; k++)
			cell[k] = alphabet[(seed = seed * 1103515245 + 12345) / 65536 % (sizeof alphabet - 1)];
		cell[n] = '\0';
		struct out o = { .fd = -1 };
		struct buf want;
		buf_init(&o.b, 4096);
		buf_init(&want, 4096);
		out_csv(&o, cell);
		text_visible(&want, span_of(cell));
		uncsv(o.b.p, back);
		bool formula = strchr("=+-@", want.p[0]);
		assert_true(!strchr("=+-@\t\r", back[0]));
		assert_string_equal(back + formula, want.p);
		assert_null(strpbrk(o.b.p, "\n\r\t\x1b\xff"));
		buf_clear(&want);
		out_drop(&o);
	}
}

/* ---- text and tables */
static void text_is_filtered(void **state)
{
	(void)state;
	struct out o = in_memory();
	out_own(&o, "own\t");
	out_text(&o, "a\x1b]52;c;x\x07\n<U+");
	out_text(&o, NULL);
	out_ownf(&o, "%d\n", 5);
	assert_string_equal(written(&o), "own\ta<U+001B>]52;c;x<U+0007><U+000A><U+003C>U+5\n");
}

static void tables(void **state)
{
	(void)state;
	static const char *const cells[] = { "a", "1", "x", "\xe4\xb8\xad\xe4\xb8\xad", "23", "tab\there" };
	for (int tty = 0; tty < 2; tty++) {
		struct out o = in_memory();
		struct table t;
		o.tty = tty;
		table_init(&t, 3, 1U << 1);
		for (unsigned i = 0; i < 6; i++)
			table_add(&t, cells[i]);
		table_print(&t, &o);
		assert_string_equal(written(&o), tty ? "a      1  x\n\xe4\xb8\xad\xe4\xb8\xad  23  tab<U+0009>here\n"
		                                     : "a\t1\tx\n\xe4\xb8\xad\xe4\xb8\xad\t23\ttab<U+0009>here\n");
	}
}

/* ---- what cannot be written */
static void much_is_written_whole(void **state)
{
	(void)state;
	struct out o = in_memory();
	for (unsigned i = 0; i < 30000; i++)
		out_ownf(&o, "%05u\n", i);
	const char *text = written(&o);
	assert_int_equal(strlen(text), 180000);
	for (unsigned i = 0; i < 30000; i++)
		assert_int_equal(strtol(text + 6 * (size_t)i, NULL, 10), i);
}

static void a_full_device_is_noticed(void **state)
{
	(void)state;
	struct out o = { .fd = open("/dev/full", O_WRONLY) };
	buf_init(&o.b, 1 << 20);
	out_own(&o, "x");
	int saved = quiet();
	int status = out_end(&o, NULL, 0);
	loud(saved);
	assert_int_equal(status, 1);
}

static void a_reader_that_left_is_141_and_silent(void **state)
{
	(void)state;
	int ends[2];
	char said[10];
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	struct out o = { .fd = ends[1] };
	buf_init(&o.b, 1 << 20);
	out_own(&o, "x");
	int saved = dup(STDERR_FILENO), file = memfd_create("err", 0);
	dup2(file, STDERR_FILENO);
	int status = out_end(&o, NULL, 0);
	loud(saved);
	assert_int_equal(status, 141);
	assert_int_equal(pread(file, said, sizeof said, 0), 0);
	close(file);
}

static void more_than_the_cap_is_noticed(void **state)
{
	(void)state;
	struct out o = in_memory();
	o.b.max = 10;
	buf_adds(&o.b, "12345678901");
	int saved = quiet();
	int status = out_end(&o, NULL, 0);
	loud(saved);
	assert_int_equal(status, 1);
}

/* ---- files */
static void a_file_appears_whole_or_not_at_all(void **state)
{
	(void)state;
	struct out o;
	struct err e;
	struct stat st;
	assert_true(out_init_file(&o, path_of("new"), 0600, &e));
	out_own(&o, "one\n");
	assert_int_equal(access(path_of("new"), F_OK), -1);
	assert_int_equal(out_end(&o, NULL, 2), 2);
	assert_string_equal(content(path_of("new")), "one\n");
	assert_int_equal(stat(path_of("new"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	chmod(path_of("new"), 0644);
	assert_true(out_init_file(&o, path_of("new"), 0600, &e));
	out_own(&o, "two\n");
	out_drop(&o);
	assert_string_equal(content(path_of("new")), "one\n");
	assert_true(out_init_file(&o, path_of("new"), 0600, &e));
	out_own(&o, "three\n");
	assert_int_equal(out_end(&o, NULL, 0), 0);
	assert_string_equal(content(path_of("new")), "three\n");
	assert_int_equal(stat(path_of("new"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
}

static void a_link_stays_a_link(void **state)
{
	(void)state;
	struct out o;
	struct err e;
	struct stat st;
	char target[200];
	snprintf(target, sizeof target, "%s", path_of("target"));
	close(open(target, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(symlink(target, path_of("link")), 0);
	assert_true(out_init_file(&o, path_of("link"), 0600, &e));
	out_own(&o, "x");
	assert_int_equal(out_end(&o, NULL, 0), 0);
	assert_int_equal(lstat(path_of("link"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_string_equal(content(target), "x");
}

/* Somebody else's link would choose which of our files is replaced, somebody else's pipe would read along. */
static void what_others_planted_is_refused(void **state)
{
	(void)state;
	struct out o;
	struct err e = { 0 };
	struct stat st;
	if (geteuid() != 0)
		skip();
	char target[200];
	snprintf(target, sizeof target, "%s", path_of("victim"));
	close(open(target, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(symlink(target, path_of("planted")), 0);
	assert_int_equal(lchown(path_of("planted"), 12345, 12345), 0);
	assert_false(out_init_file(&o, path_of("planted"), 0600, &e));
	assert_string_equal(e.text, "is another user's symbolic link");
	unlink(path_of("planted"));
	assert_int_equal(mkfifo(path_of("planted"), 0666) | chown(path_of("planted"), 12345, 12345), 0);
	assert_false(out_init_file(&o, path_of("planted"), 0600, &e));
	assert_string_equal(e.text, "is another user's, and no regular file");
	unlink(path_of("planted"));
	close(open(path_of("planted"), O_CREAT | O_WRONLY, 0600));
	assert_int_equal(chmod(path_of("planted"), 0666) | chown(path_of("planted"), 12345, 12345), 0);
	assert_true(out_init_file(&o, path_of("planted"), 0600, &e)); /* its name is taken over, its owner's mode is not */
	assert_int_equal(out_end(&o, NULL, 0), 0);
	assert_int_equal(stat(path_of("planted"), &st), 0);
	assert_true(st.st_uid == 0 && (st.st_mode & 0777) == 0600);
}

static void devices_are_written_not_replaced(void **state)
{
	(void)state;
	struct out o;
	struct err e = { 0 };
	struct stat st;
	assert_true(out_init_file(&o, "/dev/null", 0600, &e));
	out_own(&o, "x");
	assert_int_equal(out_end(&o, NULL, 0), 0);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_true(out_init_file(&o, "/dev/full", 0600, &e));
	out_own(&o, "x");
	int saved = quiet();
	int status = out_end(&o, NULL, 0);
	loud(saved);
	assert_int_equal(status, 1);
}

static void what_cannot_be_a_file_is_said(void **state)
{
	(void)state;
	struct out o;
	struct err e = { 0 };
	assert_false(out_init_file(&o, folder, 0600, &e));
	assert_int_equal(e.code, ERR_DISK);
	assert_string_equal(e.where, folder);
	assert_false(out_init_file(&o, "/nonexistent/folder/x", 0600, &e));
	assert_int_equal(e.code, ERR_DISK);
}

static int make_folder(void **state)
{
	(void)state;
	const char *tmp = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%s/t_out-XXXXXX", tmp && strlen(tmp) < 60 ? tmp : "/tmp");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	for (const char *const *p = (const char *const[]){ "new", "link", "target", "planted", "victim", NULL }; *p; p++)
		unlink(path_of(*p));
	return rmdir(folder); /* fails when a temporary file was left behind */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(csv_cells),
		cmocka_unit_test(csv_reads_back),
		cmocka_unit_test(text_is_filtered),
		cmocka_unit_test(tables),
		cmocka_unit_test(much_is_written_whole),
		cmocka_unit_test(a_full_device_is_noticed),
		cmocka_unit_test(a_reader_that_left_is_141_and_silent),
		cmocka_unit_test(more_than_the_cap_is_noticed),
		cmocka_unit_test(a_file_appears_whole_or_not_at_all),
		cmocka_unit_test(a_link_stays_a_link),
		cmocka_unit_test(what_others_planted_is_refused),
		cmocka_unit_test(devices_are_written_not_replaced),
		cmocka_unit_test(what_cannot_be_a_file_is_said),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
