/* core/conf_write: sections are added, nothing is changed. */
#include "core/conf_write.h"

#include "core/mem.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct flow_node nodes[] = {
	{ .id = "1", .kind = "kinesis", .name = "orders-in", .pipeline = 0, .listed = true },
	{ .id = "2", .kind = "lambda", .name = "orders-x", .pipeline = 0, .listed = true },
	{ .id = "3", .kind = "sqs", .name = "orders-x", .pipeline = 0, .listed = true },
	{ .id = "4", .kind = "sqs", .name = "orders", .pipeline = 0, .listed = true },
	{ .id = "5", .kind = "s3", .name = "orders-bucket", .pipeline = 0 },
	{ .id = "6", .kind = "sqs", .name = "b-1", .pipeline = 1, .listed = true },
	{ .id = "x", .kind = "sqs", .name = "b\n[check x]", .pipeline = 1, .listed = true },
	{ .id = "7", .kind = "sqs", .name = "alone", .pipeline = FLOW_NONE, .listed = true },
};
static const struct flow_pipeline pipelines[] = { { "orders", 0, 5 }, { "b\"]\n/c", 5, 2 } };
static const struct flow_graph flow = { .nodes = nodes, .nnodes = 8, .pipelines = pipelines, .npipelines = 2 };

#define ORDERS                                                                                                         \
	"[pipeline \"orders\"]\n\n[stage \"orders/in\"]\nresource = kinesis:orders-in\n\n[stage \"orders/x\"]\nresource "  \
	"= "                                                                                                               \
	"lambda:orders-x\n\n[stage \"orders/sqs-orders-x\"]\nresource = sqs:orders-x\n\n[stage "                           \
	"\"orders/orders\"]\nresource "                                                                                    \
	"= sqs:orders\n"
#define B "[pipeline \"b----c\"]\n\n[stage \"b----c/b-1\"]\nresource = sqs:b-1\n"

static struct conf *parsed(const char *text)
{
	struct err e = { 0 };
	struct conf *c = conf_parse("x", span_of(text), &e);
	if (!c)
		fail_msg("%s: %s\n%s", e.where, e.text, text);
	return c;
}

static void missing(const char *have, const char *target, const char *expected, unsigned np, unsigned ns)
{
	struct buf out;
	struct conf *c = parsed(have);
	buf_init(&out, 1 << 20);
	struct conf_added n = conf_missing(c, &flow, target, &out);
	assert_string_equal(out.p ? out.p : "", expected);
	assert_int_equal(n.pipelines, np);
	assert_int_equal(n.stages, ns);
	char *whole = xasprintf("%s\n%s", have, out.p ? out.p : "");
	struct conf *after = parsed(whole);
	struct buf again;
	buf_init(&again, 1 << 20);
	n = conf_missing(after, &flow, target, &again); /* what was added is not added again */
	assert_int_equal(n.pipelines + n.stages, 0);
	assert_int_equal(again.n, 0);
	conf_free(after);
	conf_free(c);
	free(whole);
	buf_clear(&out);
	buf_clear(&again);
}

static void test_missing(void **state)
{
	(void)state;
	missing("", NULL, ORDERS "\n" B, 2, 5);
	/* a pipeline that is there gets what it lacks; a resource that is a stage anywhere is left where it is */
	missing(
	    "[pipeline orders]\n[stage orders/first]\nresource = kinesis:orders-in\n[pipeline z]\n[stage z/a]\nresource = "
	    "arn:aws:sqs:eu-west-1:123456789012:orders-x\n[stage orders/x]\nresource = sqs:b-1\n",
	    NULL,
	    "\n[stage \"orders/lambda-orders-x\"]\nresource = lambda:orders-x\n\n[stage \"orders/orders\"]\nresource = "
	    "sqs:orders\n",
	    0, 2);
	missing("[target prod]\n[pipeline orders]\n[stage orders/a]\nresource = kinesis:orders-in\n[stage "
	        "orders/b]\nresource = "
	        "lambda:orders-x\n[stage orders/c]\nresource = sqs:orders-x\n[stage orders/d]\nresource = sqs:orders\n",
	        "prod", "[pipeline \"b----c\"]\ntarget = \"prod\"\n\n[stage \"b----c/b-1\"]\nresource = sqs:b-1\n", 1, 1);
}

static void group(const char *have, const char *stack, const char *tag, const char *expected)
{
	struct buf out;
	struct conf *c = parsed(have);
	buf_init(&out, 4096);
	struct conf_added n = conf_missing_group(c, stack, tag, NULL, &out);
	assert_string_equal(out.p ? out.p : "", expected);
	assert_int_equal(n.pipelines, *expected != '\0');
	char *whole = xasprintf("%s\n%s", have, out.p ? out.p : "");
	struct conf *after = parsed(whole);
	buf_reset(&out);
	assert_int_equal(conf_missing_group(after, stack, tag, NULL, &out).pipelines, 0);
	conf_free(after);
	conf_free(c);
	free(whole);
	buf_clear(&out);
}

static void test_group(void **state)
{
	(void)state;
	group("", "orders-prod", NULL, "[pipeline \"orders-prod\"]\nstack = \"orders-prod\"\n");
	group("", "arn:aws:cloudformation:eu-west-1:1:stack/orders/uuid", NULL,
	      "[pipeline \"orders\"]\nstack = \"arn:aws:cloudformation:eu-west-1:1:stack/orders/uuid\"\n");
	group("", NULL, "team=or\"d\\rs ; x", "[pipeline \"or-d-rs---x\"]\ntag = \"team=or\\\"d\\\\rs ; x\"\n");
	group("", NULL, "team", "[pipeline \"team\"]\ntag = \"team\"\n");
	group("[pipeline team]\n", NULL, "team", "[pipeline \"team-2\"]\ntag = \"team\"\n");
	group("[pipeline x]\nstack = s\n", "s", NULL, "");
}

/* ---- files */

static char folder[] = "/tmp/sluice-conf-XXXXXX";

static char *at(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

static void put(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static void holds(const char *path, const char *text, mode_t mode)
{
	char got[4096];
	struct stat st;
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	size_t n = fread(got, 1, sizeof got - 1, f);
	got[n] = '\0';
	fclose(f);
	assert_string_equal(got, text);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, mode);
}

static void test_files(void **state)
{
	(void)state;
	struct err e = { 0 };
	char *path = at("config.ini"), *link_path = at("link.ini");
	assert_true(conf_append(path, SPAN("[pipeline a]\n"), &e));
	holds(path, "[pipeline a]\n", 0600);
	assert_true(conf_append(path, SPAN("[pipeline b]\n"), &e));
	holds(path, "[pipeline a]\n\n[pipeline b]\n", 0600);
	put(path, "; mine\r\n[pipeline a] ; kept\r\n\r\n\trunbook = x", 0640); /* no newline at its end */
	assert_true(conf_append(path, SPAN("[pipeline b]\n"), &e));
	holds(path, "; mine\r\n[pipeline a] ; kept\r\n\r\n\trunbook = x\n\n[pipeline b]\n", 0640);
	assert_int_equal(symlink("config.ini", link_path), 0);
	put(path, "[pipeline a]\n", 0600);
	assert_true(conf_append(link_path, SPAN("[pipeline b]\n"), &e));
	holds(path, "[pipeline a]\n\n[pipeline b]\n", 0600);
	struct stat st;
	assert_int_equal(lstat(link_path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	free(path);
	free(link_path);
}

static void refused(const char *path, const char *sections, enum err_code code)
{
	struct err e = { 0 };
	assert_false(conf_append(path, span_of(sections), &e));
	assert_int_equal(e.code, code);
	assert_true(e.text[0]);
}

static void test_refused(void **state)
{
	(void)state;
	char *path = at("bad.ini"), *none = at("no/such/folder/c.ini");
	put(path, "[pipeline a]\nnonsense\n", 0600);
	refused(path, "[pipeline b]\n", ERR_CONF);
	holds(path, "[pipeline a]\nnonsense\n", 0600);
	put(path, "[pipeline a]\n", 0600);
	refused(path, "[pipeline a]\n", ERR_CONF); /* the outcome would be refused */
	holds(path, "[pipeline a]\n", 0600);
	put(path, "[pipeline a]\n", 0666); /* others could have written it */
	refused(path, "[pipeline b]\n", ERR_CONF);
	holds(path, "[pipeline a]\n", 0666);
	put(path, "[pipeline a]\n", 0600);
	char *large = xcalloc(1, (1 << 20) + 1);
	memset(large, ';', 1 << 20);
	refused(path, large, ERR_LIMIT);
	holds(path, "[pipeline a]\n", 0600);
	refused(none, "[pipeline b]\n", ERR_DISK);
	if (geteuid() != 0) {
		assert_int_equal(chmod(folder, 0500), 0);
		refused(path, "[pipeline b]\n", ERR_DISK);
		assert_int_equal(chmod(folder, 0700), 0);
	}
	holds(path, "[pipeline a]\n", 0600);
	free(large);
	free(path);
	free(none);
}

static int prepare(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int clean(void **state)
{
	static const char *const names[] = { "config.ini", "link.ini", "bad.ini" };
	(void)state;
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		char *path = at(names[i]);
		unlink(path);
		free(path);
	}
	return rmdir(folder); /* fails when a temporary file was left behind */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, prepare, clean);
}
