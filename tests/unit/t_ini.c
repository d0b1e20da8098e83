/* The INI reader: each case is a text and the events it gives, written out. */
#include "core/ini.h"

#include "core/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* "[section] key=value parent>sub=value !why", separated by '|'; the line of each event where `lines` asks for it. */
static void dump(struct span text, unsigned flags, bool lines, struct buf *out)
{
	struct ini i;
	enum ini_event ev;
	/* an exact copy on the heap, so that a sanitizer sees the first byte read too far */
	char *copy = malloc(text.n ? text.n : 1);
	assert_non_null(copy);
	if (text.n)
		memcpy(copy, text.p, text.n);
	ini_init(&i, (struct span){ copy, text.n }, flags);
	while ((ev = ini_next(&i)) != INI_END) {
		if (out->n)
			buf_addc(out, '|');
		if (lines)
			buf_addf(out, "%u:", i.line);
		if (ev == INI_SECTION)
			buf_addf(out, "[%.*s]", (int)i.section.n, i.section.p);
		if (ev == INI_SUBKEY)
			buf_addf(out, "%.*s>", (int)i.parent.n, i.parent.p);
		if (ev == INI_KEY || ev == INI_SUBKEY)
			buf_addf(out, "%.*s=%.*s", (int)i.key.n, i.key.p, (int)i.value.n, i.value.p);
		if (ev == INI_BAD)
			buf_addf(out, "!%s", i.why);
	}
	assert_int_equal(ini_next(&i), INI_END);
	free(copy);
}

struct test {
	const char *text, *want;
};

static void run(const struct test *t, size_t n, unsigned flags, bool lines)
{
	for (size_t i = 0; i < n; i++) {
		struct buf out;
		buf_init(&out, 1 << 20);
		dump(span_of(t[i].text), flags, lines, &out);
		assert_string_equal(out.p ? out.p : "", t[i].want);
		buf_clear(&out);
	}
}

#define RUN(table, flags, lines) run((table), sizeof(table) / sizeof *(table), (flags), (lines))

static void aws_dialect(void **state)
{
	(void)state;
	static const struct test t[] = {
		{ "", "" },
		{ "[profile foo]", "[profile foo]" },
		{ "[profile foo", "!Profile definition must end with ']'" },
		{ "[profile \tfoo \t]", "[profile \tfoo]" },
		{ "[   profile foo    ]", "[profile foo]" },
		{ "[]", "!a section must have a name" },
		{ "name = value", "!Expected a profile definition" },
		{ "[f]\r\nname = value\r\n", "[f]|name=value" },
		{ "[f]\nname = val=ue", "[f]|name=val=ue" },
		{ "[f]\nname \t=  \tvalue \t", "[f]|name=value" },
		{ "[f]\nname =", "[f]|name=" },
		{ "[f]\n= value", "[f]|!Property did not have a name" },
		{ "[f]\nkey : value", "[f]|!Expected an '=' sign defining a property" },
		{ "\t \n[f]\n\t\n \nname = value\n\t \n[b]\n \t", "[f]|name=value|[b]" },
		{ "# C\n[f] # C\nname = value # C with # sign", "[f]|name=value" },
		{ "; C\n[f] ; C\nname = value ; C with ; sign", "[f]|name=value" },
		{ ";\n[f];\nname = value ;\n", "[f]|name=value" },
		{ "[f]; Adjacent\n[b]# Adjacent", "[f]|[b]" },
		{ "[f] junk\nk = v", "!nothing but a comment may follow a section's ']'|!Expected a profile definition" },
		{ "[f]\na = v; near\nb = v# near\nc =#near\nd = # far", "[f]|a=v; near|b=v# near|c=#near|d=" },
		{ "[f]\nname = value\n -continued", "[f]|name=value|name>=-continued" },
		{ "[f]\nname = v\n -a\n \t -b \t ", "[f]|name=v|name>=-a|name>=-b" },
		{ "[f]\nname = v\n -a # C\n -b ; C", "[f]|name=v|name>=-a # C|name>=-b ; C" },
		{ " -continued", "!Expected a profile definition" },
		{ "[f]\n -continued", "[f]|!Expected a property definition, found continuation" },
		{ "[f]\nname = v\n[f]\n -c", "[f]|name=v|[f]|!Expected a property definition, found continuation" },
		{ "[f]\ns3 =\n name = value", "[f]|s3=|s3>name=value" },
		{ "[f]\ns3 =\n invalid", "[f]|s3=|!Expected an '=' sign defining a sub-property" },
		{ "[f]\ns3 =\n name =", "[f]|s3=|s3>name=" },
		{ "[f]\ns3 =\n = value", "[f]|s3=|!Sub-property did not have a name" },
		{ "[f]\ns3 =\n in valid = value", "[f]|s3=|s3>in valid=value" },
		{ "[f]\ns3 =\n a = 1\n\t \n b = 2\nc = 3", "[f]|s3=|s3>a=1|s3>b=2|c=3" },
		{ "[f]\ns3 =\n  # said\n a = 1 # C\n", "[f]|s3=|s3>a=1" },
		{ "[f]\ns3 = # empty\n a = 1", "[f]|s3=|s3>a=1" },
		{ "[f]\na = \"x ; y\"", "[f]|a=\"x" }, /* quotes mean nothing here */
		{ "\xEF\xBB\xBF[f]\na = 1", "[f]|a=1" },
		{ "[f]\na = \xff\x01", "[f]|a=\xff\x01" }, /* bytes as they are */
	};
	RUN(t, INI_AWS, false);
}

static void own_dialect(void **state)
{
	(void)state;
	static const struct test t[] = {
		{ "[target \"prod\"]   ; c\nregion = eu-west-1 # c\n", "[target \"prod\"]|region=eu-west-1" },
		{ "[s]\n  indented = means nothing\n\tso = too", "[s]|indented=means nothing|so=too" },
		{ "  [s]\nk = v", "[s]|k=v" },
		{ "[s \"a]b\"]\nk=v", "[s \"a]b\"]|k=v" },
		{ "[s]\nk = a;b#c", "[s]|k=a;b#c" },
		{ "[s]\nk = N/M{D=\"a ; b # c\"}:Sum ; gone", "[s]|k=N/M{D=\"a ; b # c\"}:Sum" },
		{ "[s]\nk = N/M{D=\"a\\\" ; b\"}:Sum ; gone", "[s]|k=N/M{D=\"a\\\" ; b\"}:Sum" },
		{ "[s]\nk = \"open ; \nj = 1", "[s]|!a double quote is not closed|j=1" },
		{ "[s]\nk : v", "[s]|!expected KEY = VALUE" },
		{ "[s]\n= v", "[s]|!the key has no name" },
		{ "[s", "!a section must end with ']'" },
		{ "k = v", "!a [section] must come before the first key" },
		{ "[s]\nk = \xff\nj = 1", "[s]|!the line is not UTF-8|j=1" },
		{ "[s]\nk = a\x1b[2Jb", "[s]|!the line holds a control character" },
		{ "[s]\nk = a\rb", "[s]|!the line holds a control character" },
		{ "\xEF\xBB\xBF[s]\nk=\xc3\xbc", "[s]|k=\xc3\xbc" },
	};
	RUN(t, 0, false);
	static const struct test lines[] = {
		{ "\n; c\n[a]\n\nx = 1\nbad\n\n[b]\r\n\r\ny = 2", "3:[a]|5:x=1|6:!expected KEY = VALUE|8:[b]|10:y=2" },
	};
	RUN(lines, 0, true);
}

static void hostile(void **state)
{
	(void)state;
	static const char nul[] = "[s]\nk = a\0b\nj = 1";
	for (unsigned flags = 0; flags <= INI_AWS; flags++) {
		struct buf out, text;
		buf_init(&out, 1 << 20);
		buf_init(&text, 1 << 20);
		dump((struct span){ nul, sizeof nul - 1 }, flags, true, &out);
		assert_string_equal(out.p, "1:[s]|2:!the line holds a NUL byte|3:j=1");
		for (unsigned over = 0; over < 2; over++) {
			buf_reset(&out);
			buf_reset(&text);
			buf_adds(&text, "[s]\nk=");
			for (unsigned n = 2; n < 64 * 1024 + over; n++)
				buf_addc(&text, 'x');
			buf_adds(&text, "\nj=1\n");
			dump(buf_span(&text), flags, false, &out);
			if (over)
				assert_string_equal(out.p, "[s]|!the line is longer than 64 KiB|j=1");
			else
				assert_true(out.n > 64 * 1024 && strcmp(out.p + out.n - 5, "x|j=1") == 0);
		}
		buf_clear(&out);
		buf_clear(&text);
	}
}

/* Any bytes, both dialects: ends, reads nothing beyond the text, events are inside it. */
static void random_texts(void **state)
{
	(void)state;
	static const char *const bits[] = { "[",  "]",  "=", "\n", "\r\n",  " ",       "\t",       "#",    ";",
		                                "\"", "\\", "k", "v",  "[s]\n", "k = v\n", " x = y\n", "\xff", "\x01" };
	uint64_t x = 88172645463325252u;
	for (unsigned i = 0; i < 20000; i++) {
		char text[256];
		size_t n = 0;
		for (unsigned k = 0; k < 24; k++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			const char *bit = bits[x % (sizeof bits / sizeof *bits)];
			memcpy(text + n, bit, strlen(bit));
			n += strlen(bit);
		}
		struct buf out;
		buf_init(&out, 1 << 16);
		dump((struct span){ text, n }, i % 2 ? INI_AWS : 0, true, &out);
		buf_clear(&out);
	}
}

static void check_split(const char *section, bool good, const char *type, const char *name)
{
	struct span t, n;
	assert_int_equal(ini_section_split(span_of(section), &t, &n), good);
	if (good) {
		assert_true(span_eq(t, type));
		assert_true(span_eq(n, name));
	}
}

static void sections(void **state)
{
	(void)state;
	check_split("sluice", true, "sluice", "");
	check_split("stage \"orders/enrich\"", true, "stage", "orders/enrich");
	check_split("stage orders/enrich", true, "stage", "orders/enrich");
	check_split("profile\tfoo", true, "profile", "foo");
	check_split("profile \"my team\"", true, "profile", "my team");
	check_split("profile in valid", true, "profile", "in valid");
	check_split("profile \"", false, NULL, NULL);
	check_split("profile \"\"", false, NULL, NULL);
	check_split("profile \"a\"b\"", false, NULL, NULL);
	check_split("profile \"a\" b", false, NULL, NULL);
	check_split("profile\"a\"", false, NULL, NULL);
	check_split("", false, NULL, NULL);
}

/* ---- AWS's own cases: what is lexical in them, the errors and which sections and keys there are ---- */

/* The text that the reader's events make of a property; the cases write nested keys as "\nsub = value". */
static void collect(struct span text, struct buf *values, const char **why)
{
	struct ini i;
	enum ini_event ev;
	ini_init(&i, text, INI_AWS);
	while (!*why && (ev = ini_next(&i)) != INI_END) {
		if (ev == INI_BAD)
			*why = i.why;
		else if (ev == INI_KEY)
			buf_addf(values, "%s%.*s", values->n ? "\x1f" : "", (int)i.value.n, i.value.p);
		else if (ev == INI_SUBKEY && i.key.n)
			buf_addf(values, "\n%.*s =%s%.*s", (int)i.key.n, i.key.p, i.value.n ? " " : "", (int)i.value.n, i.value.p);
		else if (ev == INI_SUBKEY)
			buf_addf(values, "\n%.*s", (int)i.value.n, i.value.p);
	}
}

static void check_values(const struct json *group, const struct buf *values, const char *name)
{
	for (const struct json *profile = json_first(group); profile; profile = json_next(profile)) {
		for (const struct json *prop = json_first(profile); prop; prop = json_next(prop)) {
			const char *want = json_str(prop);
			bool found = false;
			for (const char *p = values->p; want && p; p = strchr(p, '\x1f') ? strchr(p, '\x1f') + 1 : NULL)
				found =
				    found || (strncmp(p, want, strlen(want)) == 0 && (p[strlen(want)] == '\x1f' || !p[strlen(want)]));
			if (!found)
				fail_msg("%s: no value \"%s\"", name, want ? want : "?");
		}
	}
}

static void check_case(const struct json *test)
{
	const char *name = json_get_str(test, "name");
	const struct json *input = json_get(test, "input"), *output = json_get(test, "output");
	static const char *const files[] = { "configFile", "credentialsFile" };
	struct buf values;
	const char *why = NULL;
	buf_init(&values, 1 << 16);
	for (unsigned f = 0; f < 2; f++)
		if (json_get_str(input, files[f]))
			collect(span_of(json_get_str(input, files[f])), &values, &why);
	const char *want = json_get_str(output, "errorContaining");
	if ((want != NULL) != (why != NULL) || (want && !strstr(why, want)))
		fail_msg("%s: wanted error \"%s\", got \"%s\"", name, want ? want : "none", why ? why : "none");
	const struct json *config = json_get(output, "config");
	check_values(json_get(config, "profiles"), &values, name);
	check_values(json_get(config, "sso_sessions"), &values, name);
	buf_clear(&values);
}

static void aws_cases(void **state)
{
	(void)state;
	const char *shared = getenv("SLUICE_SHARED");
	static const char *const below[] = { "data/", "" };
	struct buf text;
	struct err e = { 0 };
	bool found = false;
	for (unsigned i = 0; i < 2 && !found; i++) {
		char path[512];
		snprintf(path, sizeof path, "%s/%saws-config/profile-parser-tests.json", shared ? shared : "../shared",
		         below[i]);
		found = ini_read_file(path, &text, &e);
		if (!found)
			buf_clear(&text);
	}
	if (!found) {
		print_message("SKIP: AWS's profile parser cases are not here\n");
		skip();
	}
	struct json *root = json_parse(buf_span(&text), &e);
	assert_non_null(root);
	unsigned n = 0;
	for (const struct json *t = json_first(json_get(root, "tests")); t; t = json_next(t), n++)
		check_case(t);
	print_message("%u of AWS's profile parser cases\n", n);
	assert_int_equal(n, 65);
	json_free(root);
	buf_clear(&text);
}

/* ---- files ---- */

static char folder[64], file[96];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/t_ini.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(file, sizeof file, "%s/f", folder);
	return 0;
}

static int drop_folder(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(folder);
}

static void write_file(size_t n)
{
	FILE *f = fopen(file, "w");
	assert_non_null(f);
	for (size_t i = 0; i < n; i++)
		fputc('x', f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(file, 0600), 0);
}

static bool reads(const char *path, bool own, enum err_code code, size_t n)
{
	struct buf b;
	struct err e = { 0 };
	bool ok = own ? ini_read_own_file(path, &b, &e) : ini_read_file(path, &b, &e);
	bool as_wanted = ok ? code == ERR_OK && b.n == n : e.code == code && strncmp(e.where, path, 10) == 0 && e.text[0];
	buf_clear(&b);
	return as_wanted;
}

static void files(void **state)
{
	(void)state;
	for (int own = 0; own < 2; own++) {
		assert_true(reads("/tmp/t_ini.none/none", own, ERR_NOTFOUND, 0));
		assert_true(reads("/dev/null", own, ERR_CONF, 0));
		assert_true(reads(folder, own, ERR_CONF, 0));
		write_file(0);
		assert_true(reads(file, own, ERR_OK, 0));
		write_file(1 << 20);
		assert_true(reads(file, own, ERR_OK, 1 << 20));
		write_file((1 << 20) + 1);
		assert_true(reads(file, own, ERR_CONF, 0));
		unlink(file);
		assert_int_equal(mkfifo(file, 0600), 0);
		assert_true(reads(file, own, ERR_CONF, 0)); /* and does not hang */
		unlink(file);
	}
	write_file(5);
	static const mode_t refused[] = { 0620, 0602, 0666 };
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		assert_int_equal(chmod(file, refused[i]), 0);
		assert_true(reads(file, false, ERR_OK, 5));
		assert_true(reads(file, true, ERR_CONF, 0));
	}
	assert_int_equal(chmod(file, 0644), 0);
	assert_true(reads(file, true, ERR_OK, 5));
	if (geteuid() == 0 && chown(file, 12345, (gid_t)-1) == 0) {
		assert_true(reads(file, false, ERR_OK, 5));
		assert_true(reads(file, true, ERR_CONF, 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aws_dialect),  cmocka_unit_test(own_dialect), cmocka_unit_test(hostile),
		cmocka_unit_test(random_texts), cmocka_unit_test(sections),    cmocka_unit_test(aws_cases),
		cmocka_unit_test(files),
	};
	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
