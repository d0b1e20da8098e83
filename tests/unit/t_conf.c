/* The configuration: the contract's example, what every option accepts and refuses, and where errors point. */
#include "core/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char example[] = "[sluice]\n"
                              "budget_usd_per_day = 2.50        ; polling slows its tail down\n"
                              "retention = 14d\n"
                              "[target \"prod\"]                  ; one account and region\n"
                              "profile = prod-readonly\n"
                              "region = eu-west-1\n"
                              "production = yes                 ; unmistakable on screen\n"
                              "grant = operate                  ; the ceiling\n"
                              "[pipeline \"orders\"]\n"
                              "target = prod\n"
                              "runbook = https://wiki.example/orders\n"
                              "[stage \"orders/enrich\"]          ; PIPELINE/NAME\n"
                              "resource = lambda:orders-enrich  ; KIND:NAME or an ARN\n"
                              "in = DataPipeline/RecordsProcessed{Stage=enrich}:Sum      ; any of in, out, ...\n"
                              "error = DataPipeline/ErrorRate{Stage=enrich,Kind=\"a ; b\"}:Average ; quoted\n"
                              "[check \"orders errors\"]\n"
                              "stage = orders/enrich\n"
                              "metric = error\n"
                              "critical = 5\n"
                              "mofn = 3/5\n"
                              "window = 15m\n";

static void contract_example(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct conf *c = conf_parse("x.ini", span_of(example), &e);
	assert_string_equal(e.text, "");
	assert_non_null(c);
	assert_true(c->budget_usd_per_day == 2.5);
	assert_int_equal(c->retention, 14 * 86400);
	assert_int_equal(c->ntargets, 1);
	assert_string_equal(c->targets[0].name, "prod");
	assert_string_equal(c->targets[0].profile, "prod-readonly");
	assert_string_equal(c->targets[0].region, "eu-west-1");
	assert_null(c->targets[0].endpoint_url);
	assert_true(c->targets[0].production);
	assert_int_equal(c->targets[0].grant, MODE_OPERATE);
	assert_int_equal(c->targets[0].line, 4);
	assert_string_equal(c->pipelines[0].target, "prod");
	assert_string_equal(c->pipelines[0].runbook, "https://wiki.example/orders");
	assert_int_equal(c->nstages, 1);
	const struct conf_stage *s = &c->stages[0];
	assert_string_equal(s->pipeline, "orders");
	assert_string_equal(s->name, "enrich");
	assert_string_equal(s->kind, "lambda");
	assert_string_equal(s->resource, "orders-enrich");
	assert_null(s->arn);
	assert_string_equal(s->metric[ROLE_IN].name, "RecordsProcessed");
	assert_string_equal(s->metric[ROLE_ERROR].dims[0].value, "a ; b");
	assert_null(s->metric[ROLE_OUT].name);
	const struct conf_check *ch = &c->checks[0];
	assert_string_equal(ch->name, "orders errors");
	assert_string_equal(ch->pipeline, "orders");
	assert_string_equal(ch->stage, "enrich");
	assert_string_equal(ch->metric, "error");
	assert_string_equal(ch->critical, "5");
	assert_null(ch->warning);
	assert_null(ch->no_data);
	assert_int_equal(ch->m, 3);
	assert_int_equal(ch->n, 5);
	assert_int_equal(ch->window, 900);
	conf_free(c);
}

static void defaults(void **state)
{
	(void)state;
	static const char *const texts[] = { "", "\n; nothing\n", "[sluice]\n" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct conf *c = conf_parse("x", span_of(texts[i]), NULL);
		assert_non_null(c);
		assert_true(c->budget_usd_per_day == 1.0);
		assert_int_equal(c->retention, 30 * 86400);
		assert_int_equal(c->history_fine, 15 * 86400);
		assert_int_equal(c->history_max, 256 << 20);
		assert_int_equal(c->ntargets + c->npipelines + c->nstages + c->nchecks, 0);
		assert_null(c->path);
		conf_free(c);
	}
	struct conf *c = conf_parse("x", SPAN("[target t]\n"), NULL);
	assert_non_null(c);
	assert_int_equal(c->targets[0].grant, MODE_ADMIN);
	assert_false(c->targets[0].production);
	assert_null(c->targets[0].region);
	conf_free(c);
}

/* A text with one fault; the line it is to be found at, and what the message begins with. */
static const struct {
	unsigned line;
	const char *text, *begins;
} faults[] = {
	{ 1, "x = 1\n", "syntax: " },
	{ 2, "[sluice]\nretention 30d\n", "syntax: " },
	{ 2, "[sluice]\nretention = \xff\n", "syntax: " },
	{ 3, "\n\n[slice]\n", "slice: unknown section" },
	{ 1, "[sluice x]\n", "sluice: " },
	{ 3, "[sluice]\n\n[sluice]\n", "sluice: " },
	{ 2, "[sluice]\nbudget = 1\n",
	  "budget: unknown key; [sluice] takes budget_usd_per_day, poll_rest, retention, process_function, history_fine, "
	  "history_max" },
	{ 3, "[sluice]\nretention = 30d\nretention = 31d\n", "retention: the key is there twice" },
	{ 1, "[target]\n", "target: " },
	{ 1, "[target \"\"]\n", "section: " },
	{ 2, "[target a]\n[target \"a\"]\n", "target: \"a\" is there twice" },
	{ 3, "[pipeline a]\n[pipeline b]\n[pipeline a]\n", "pipeline: \"a\" is there twice" },
	{ 1, "[pipeline a/b]\n", "pipeline: " },
	{ 2, "[pipeline p]\ntarget = nowhere\n", "target: there is no [target \"nowhere\"]" },
	{ 2, "[pipeline p]\ntag = =b\n", "tag: \"=b\" is not accepted; it takes KEY=VALUE, or KEY alone for any value" },
	{ 2, "[pipeline p]\n[stage enrich]\nresource = sqs:q\n", "stage: a stage is named PIPELINE/NAME" },
	{ 2, "[pipeline p]\n[stage p/]\n", "stage: " },
	{ 2, "[pipeline p]\n[stage /s]\n", "stage: " },
	{ 2, "[pipeline p]\n[stage p/a/b]\n", "stage: " },
	{ 1, "[stage p/s]\nresource = sqs:q\n", "stage: there is no [pipeline \"p\"]" },
	{ 2, "[pipeline p]\n[stage p/s]\n", "resource: the stage needs one" },
	{ 2, "[pipeline p]\n[stage p/s]\nin = A/b:Sum\n[sluice]\n", "resource: the stage needs one" },
	{ 4, "[pipeline p]\n[stage p/s]\nresource = sqs:q\n[stage p/s]\nresource = sqs:q\n",
	  "stage: \"p/s\" is there twice" },
	{ 3, "[pipeline p]\n[stage p/s]\nin = A/b\nresource = sqs:q\n", "in: A/b: the statistic is missing" },
	{ 2, "[check c]\nstage = p/s\n", "stage: there is no [stage \"p/s\"]" },
	{ 1, "[check c]\ncritical = 5\n", "metric: the check needs one" },
	{ 1, "[check c]\nmetric = error\ncritical = 5\n", "stage: the check needs one" },
	{ 1, "[check c]\nmetric = A/b:Sum\n", "critical: the check needs it" },
	{ 4, "[check c]\nmetric = A/b:Sum\ncritical = 5\n[check c]\n", "check: \"c\" is there twice" },
	{ 3, "[check c]\nno-data = ok\nno_data = ok\n", "no-data: " },
};

static void faults_are_placed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		struct err e = { 0 };
		char where[32];
		snprintf(where, sizeof where, "my.ini:%u", faults[i].line);
		if (conf_parse("my.ini", span_of(faults[i].text), &e))
			fail_msg("accepted: %s", faults[i].text);
		assert_int_equal(e.code, ERR_CONF);
		if (strncmp(e.text, faults[i].begins, strlen(faults[i].begins)) != 0)
			fail_msg("%s: %s", faults[i].text, e.text);
		assert_string_equal(e.where, where);
		assert_null(conf_parse("my.ini", span_of(faults[i].text), NULL));
	}
	print_message("configuration: %zu malformed files named by file, line and key\n", sizeof faults / sizeof *faults);
}

/* Every row of the table: at least one value it takes and one it does not. */
static const struct {
	const char *section, *key, *good[11], *bad[17];
} values[] = {
	{ "sluice",
	  "budget_usd_per_day",
	  { "0", "1.00", "10000", "\"3\"" },
	  { "", "-1", "1e3", "10001", "0x1", "1,5", "1.2.3", "nan", "inf", "." } },
	{ "sluice", "poll_rest", { "1m", "5m", "1h" }, { "", "59s", "61m", "300" } },
	{ "sluice", "retention", { "1h", "30d", "520w" }, { "", "30", "0d", "59m", "3651d", "-1d", "30 d", "1d12h" } },
	{ "sluice", "process_function", { "f", "f:live", "arn:aws:lambda:eu-west-1:123456789012:function:f" }, { "" } },
	{ "sluice", "history_fine", { "1d", "15d", "520w" }, { "", "15", "23h", "3651d" } },
	{ "sluice",
	  "history_max",
	  { "16M", "256M", "1G", "64G" },
	  { "", "256", "15M", "65G", "M", "1.5G", "256MB", "256m", "-16M", "99999999M", "1K", "256 M", "0x20M" } },
	{ "sluice", "idempotency_path", { "$.event_id", "a.b[0]" }, { "" } },
	{ "sluice", "bell", { "yes", "no" }, { "", "loud" } },
	{ "sluice", "title", { "yes", "no" }, { "", "off" } },
	{ "watch", "everything", { "yes", "no" }, { "", "all" } },
	{ "target",
	  "profile",
	  { "prod", "my team", "\" x \"", "a#b" },
	  { "", "\"\"", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" } },
	{ "target", "region", { "eu-west-1", "us-gov-west-1" }, { "", "EU-WEST-1", "eu west 1", "eu-west-1/", "eu.west" } },
	{ "target",
	  "endpoint_url",
	  { "http://127.0.0.1:4566", "https://x.example/p" },
	  { "", "x.example", "ftp://x", "http://", "https:///p", "http://u:p@x", "http://a b" } },
	{ "target", "production", { "yes", "no", "true", "false" }, { "", "1", "Yes!", "ja", "on" } },
	{ "target", "grant", { "observe", "inspect", "operate", "admin" }, { "", "root", "Operate", "oper" } },
	{ "target", "lock_bucket", { "abc", "my-locks.eu" }, { "", "ab", "My-Locks", "a/b", "s3://b" } },
	{ "target", "lock_lease", { "10s", "60s", "15m" }, { "", "9s", "16m", "60" } },
	{ "pipeline", "target", { "t" }, { "", "u", "T" } },
	{ "pipeline", "runbook", { "https://x", "file 7, shelf 3" }, { "" } },
	{ "pipeline", "tag", { "a=b", "team", "a=", "aws:cloudformation:stack-name=orders" }, { "=b", "=" } },
	{ "pipeline", "stack", { "s", "arn:aws:cloudformation:eu-west-1:123456789012:stack/s/1" }, { "" } },
	{ "stage",
	  "resource",
	  { "sqs:q", "lambda:f:live", "unheard0f:x", "arn:aws:sqs:eu-west-1:123456789012:q",
	    "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/s", "arn:aws:lambda:eu-west-1:123456789012:function:f",
	    "arn:aws:s3:::bucket" },
	  { "", "sqs", "sqs:", ":q", "SQS:q", "s q:q", "sqs:a b", "arn:aws:sqs", "arn:aws:sqs:eu-west-1:1:q",
	    "arn:aws:sqs::123456789012:q", "arn:aws:kinesis:eu-west-1:123456789012:s",
	    "arn:aws:lambda:eu-west-1:123456789012:function:", "arn:aws:iam::123456789012:role/r",
	    "arn::sqs:eu-west-1:123456789012:q", "arn:aws:sqs:eu-west-1:123456789012:" } },
	{ "stage", "in", { "A/b:Sum", "A/b{c=d}:p99" }, { "", "b:Sum", "A/b:sum", "A/b{c}:Sum" } },
	{ "stage", "out", { "A/b:Sum" }, { "A/b" } },
	{ "stage", "error", { "A/b:Average" }, { "5" } },
	{ "stage", "latency", { "A/b:TM(10%:90%)" }, { "A/b:TM" } },
	{ "stage", "backlog", { "A/b:Maximum" }, { "A/b:" } },
	{ "stage", "age", { "A/b:Maximum" }, { "/b:Sum" } },
	{ "check", "stage", { "p/s" }, { "", "p", "s", "p/", "p/t", "p/s/" } },
	{ "check", "metric", { "error", "error_rate", "A/b{c=d}:Sum" }, { "", "error rate", "A/b", "a-b", "A/b:none" } },
	{ "check",
	  "warning",
	  { "10", "10:", "~:10", "10:20", "@10:20", ":5", "-5:5", "1e3", "0.5", "@~:0" },
	  { "", "@", "a", "20:10", "10:~", "1:2:3", "5%", "0x10", "nan", "10 20" } },
	{ "check", "critical", { "5" }, { "five", "~" } },
	{ "check",
	  "mofn",
	  { "1/1", "3/5", "180/180" },
	  { "", "3", "0/5", "6/5", "3/", "/5", "1/181", "-1/5", "3/5/7", "1 / 2" } },
	{ "check", "window", { "1m", "15m", "15d" }, { "", "59s", "16d", "15" } },
	{ "check", "no-data", { "ok", "warn", "crit", "unknown" }, { "", "critical", "OK" } },
	{ "check", "min-samples", { "0", "10", "100000" }, { "", "-1", "100001", "1.5", "ten", "9999999999" } },
	{ "check", "delay", { "auto", "90s", "5m" }, { "", "90", "2d", "soon" } },
	{ "checks", "alarms", { "yes", "no" }, { "", "1" } },
	{ "checks", "in-alarm-is", { "warn", "crit" }, { "", "ok" } },
	{ "checks", "dlq-max", { "0", "5.5" }, { "", "-1", "many" } },
	{ "checks", "ttl-min", { "24h", "3d" }, { "", "24", "1s", "-1h" } },
	{ "checks", "mofn", { "3/5" }, { "", "6/5" } },
	{ "checks", "window", { "15m" }, { "", "15" } },
	{ "checks", "no-data", { "ok", "warn", "crit", "unknown" }, { "", "fine" } },
	{ "checks", "min-samples", { "3" }, { "", "-3" } },
	{ "checks", "delay", { "auto", "3m" }, { "", "3" } },
	{ "checks", "unknown-is", { "ok", "warn", "crit" }, { "", "unknown" } },
	{ "checks", "warn-is-ok", { "yes" }, { "", "maybe" } },
	{ "checks", "for", { "1m", "10m", "7d" }, { "", "59s", "8d", "10" } },
	{ "checks", "fail-limit", { "0", "3" }, { "", "-1" } },
	{ "checks", "until-ok", { "yes" }, { "", "1" } },
	{ "checks", "timeout", { "1s", "10m" }, { "", "0s", "2d" } },
	{ "checks", "max-cost", { "0", "0.05" }, { "", "-1", "cheap" } },
	{ "checks", "publish", { "Sluice", "Sluice/Checks" }, { "" } },
	{ "checks", "notify", { "arn:aws:sns:eu-west-1:1:t" }, { "" } },
	{ "checks", "format", { "nagios" }, { "", "a format with too long a name" } },
};

/* The place that an error names: "x:LINE", and in that line of the text the key. */
static bool names_the_line(const char *text, const char *where, const char *key)
{
	if (strncmp(where, "x:", 2) != 0)
		return false;
	for (unsigned long line = strtoul(where + 2, NULL, 10); line > 1 && text; line--)
		text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL;
	return text && strncmp(text, key, strlen(key)) == 0;
}

/* The one key under test in a file that is right otherwise. */
static bool takes(const char *section, const char *key, const char *value, struct err *e)
{
	struct buf b;
	buf_init(&b, 65536);
	buf_addf(&b, "[target t]\n[pipeline p]\n[stage p/s]\n%s", strcmp(key, "resource") == 0 ? "" : "resource = sqs:q\n");
	if (strcmp(section, "stage") == 0)
		buf_addf(&b, "%s = %s\n", key, value);
	else if (strcmp(key, "resource") == 0)
		buf_addf(&b, "resource = sqs:q\n");
	buf_addf(&b, "[check c]\n%s%s%s", strcmp(key, "metric") == 0 ? "" : "metric = error\n",
	         strcmp(key, "stage") == 0 ? "" : "stage = p/s\n", strcmp(key, "critical") == 0 ? "" : "critical = 5\n");
	if (strcmp(section, "check") == 0)
		buf_addf(&b, "%s = %s\n", key, value);
	else if (strcmp(section, "stage") != 0)
		buf_addf(&b, "[%s%s]\n%s = %s\n", section,
		         strcmp(section, "target") && strcmp(section, "pipeline") ? "" : " other", key, value);
	struct conf *c = conf_parse("x", buf_span(&b), e);
	if (!c && !names_the_line(b.p, e->where, key))
		fail_msg("%s: not in line %s of\n%s", key, e->where, b.p);
	buf_clear(&b);
	conf_free(c);
	return c != NULL;
}

static void every_option(void **state)
{
	(void)state;
	unsigned n, good = 0, bad = 0;
	const struct conf_key *keys = conf_keys(&n);
	assert_int_equal(n, sizeof values / sizeof *values);
	for (unsigned i = 0; i < n; i++) {
		assert_string_equal(keys[i].section, values[i].section);
		assert_string_equal(keys[i].key, values[i].key);
		assert_true(keys[i].type[0] && keys[i].help[0]);
		struct err e = { 0 };
		if (keys[i].fallback[0] && !takes(keys[i].section, keys[i].key, keys[i].fallback, &e))
			fail_msg("%s: its own fallback: %s", keys[i].key, e.text);
		for (unsigned k = 0; values[i].good[k]; k++, good++)
			if (!takes(keys[i].section, keys[i].key, values[i].good[k], &e))
				fail_msg("%s = %s: %s", keys[i].key, values[i].good[k], e.text);
		assert_non_null(values[i].bad[0]);
		for (unsigned k = 0; values[i].bad[k]; k++, bad++) {
			if (takes(keys[i].section, keys[i].key, values[i].bad[k], &e))
				fail_msg("%s = %s: accepted", keys[i].key, values[i].bad[k]);
			if (strncmp(e.text, keys[i].key, strlen(keys[i].key)) != 0)
				fail_msg("%s = %s: %s", keys[i].key, values[i].bad[k], e.text);
		}
	}
	print_message("configuration: %u options: %u values taken, %u refused by file, line and key\n", n, good, bad);
}

static void check_resource(const char *value, const char *kind, const char *name, bool arn)
{
	char text[256];
	snprintf(text, sizeof text, "[stage p/s]\nresource = %s\n[pipeline p]\n", value);
	struct conf *c = conf_parse("x", span_of(text), NULL);
	assert_non_null(c);
	assert_string_equal(c->stages[0].kind, kind);
	assert_string_equal(c->stages[0].resource, name);
	assert_int_equal(c->stages[0].arn != NULL, arn);
	if (arn)
		assert_string_equal(c->stages[0].arn, value);
	conf_free(c);
}

static void resources(void **state)
{
	(void)state;
	check_resource("kinesis:orders", "kinesis", "orders", false);
	check_resource("lambda:f:live", "lambda", "f:live", false);
	check_resource("arn:aws:sqs:eu-west-1:123456789012:q.fifo", "sqs", "q.fifo", true);
	check_resource("arn:aws:kinesis:eu-west-1:123456789012:stream/s", "kinesis", "s", true);
	check_resource("arn:aws:lambda:eu-west-1:123456789012:function:f", "lambda", "f", true);
	check_resource("arn:aws:elasticmapreduce:eu-west-1:123456789012:cluster/j-1", "emr", "j-1", true);
	check_resource("arn:aws:s3:::b", "s3", "b", true);
}

static void order_does_not_matter(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct conf *c = conf_parse(
	    "x",
	    SPAN("[check a]\nmetric=NS/m{B=2, A=1}:Sum\nwarning=1\n[check b]\nstage=p/two\nmetric=error\ncritical=1\n"
	         "[stage p/one]\nresource=sqs:1\n[stage p/two]\nresource=sqs:2\n[pipeline p]\ntarget=t\n[target t]\n"),
	    &e);
	assert_string_equal(e.text, "");
	assert_non_null(c);
	assert_string_equal(c->checks[0].metric, "NS/m{A=1,B=2}:Sum"); /* canonical: the key in the history */
	assert_null(c->checks[0].stage);
	assert_string_equal(c->checks[1].stage, "two");
	assert_string_equal(c->stages[1].resource, "2");
	conf_free(c);
}

/* Every cut of the example, and every byte of it turned into something else: a verdict with a line, never a crash. */
static void hostile(void **state)
{
	(void)state;
	unsigned good = 0;
	for (size_t n = 0; n < sizeof example; n++) {
		char *cut = malloc(n ? n : 1);
		assert_non_null(cut);
		memcpy(cut, example, n);
		struct err e = { 0 };
		struct conf *c = conf_parse("x", (struct span){ cut, n }, &e);
		assert_true(c ? e.code == ERR_OK : e.code == ERR_CONF && strncmp(e.where, "x:", 2) == 0);
		good += c != NULL;
		conf_free(c);
		static const char other[] = { '\0', '\n', '"', '[', ']', '=', '/', '\\', '\xff' };
		for (size_t k = 0; n > 0 && k < sizeof other; k++) {
			memcpy(cut, example, n);
			cut[n / 2] = other[k];
			conf_free(conf_parse("x", (struct span){ cut, n }, NULL));
		}
		free(cut);
	}
	assert_true(good > 10);
}

/* A long path keeps its end and the line number. */
static void long_names(void **state)
{
	(void)state;
	char path[200];
	memset(path, 'd', sizeof path);
	memcpy(path + sizeof path - 12, "/config.ini", 12);
	struct err e = { 0 };
	assert_null(conf_parse(path, SPAN("\n\n[x]\n"), &e));
	assert_string_equal(e.where + strlen(e.where) - 13, "/config.ini:3");
	assert_int_equal(strlen(e.where), sizeof e.where - 1);
	assert_int_equal(e.where[0], '~');
}

/* ---- files ---- */

static char folder[64], nested[96], file[128];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/t_conf.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(nested, sizeof nested, "%s/sluice", folder);
	snprintf(file, sizeof file, "%s/config.ini", nested);
	return mkdir(nested, 0700);
}

static int drop_folder(void **state)
{
	(void)state;
	unlink(file);
	rmdir(nested);
	return rmdir(folder);
}

static void loading(void **state)
{
	(void)state;
	struct err e = { 0 };
	setenv("XDG_CONFIG_HOME", folder, 1);
	struct conf *c = conf_load(NULL, &e); /* no default file: fine */
	assert_non_null(c);
	assert_null(c->path);
	assert_int_equal(c->retention, 30 * 86400);
	conf_free(c);
	assert_null(conf_load(file, &e)); /* a named file must be there */
	assert_int_equal(e.code, ERR_CONF);
	assert_string_equal(e.where, file);
	FILE *f = fopen(file, "w");
	assert_non_null(f);
	fputs("[sluice]\nretention = 7d\n", f);
	fclose(f);
	assert_int_equal(chmod(file, 0600), 0);
	for (int named = 0; named < 2; named++) {
		c = conf_load(named ? file : NULL, &e);
		assert_non_null(c);
		assert_string_equal(c->path, file);
		assert_int_equal(c->retention, 7 * 86400);
		conf_free(c);
		assert_int_equal(chmod(file, 0664), 0);
		assert_null(conf_load(named ? file : NULL, &e));
		assert_int_equal(e.code, ERR_CONF);
		assert_non_null(strstr(e.text, "chmod"));
		assert_int_equal(chmod(file, 0600), 0);
	}
	assert_null(conf_load(folder, &e));
	assert_int_equal(e.code, ERR_CONF);
	assert_null(conf_load(folder, NULL));
}

static void check_path(char *got, const char *want)
{
	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
	free(got);
}

static void default_paths(void **state)
{
	(void)state;
	setenv("HOME", "/h/u", 1);
	setenv("XDG_CONFIG_HOME", "/c", 1);
	setenv("XDG_CACHE_HOME", "/k", 1);
	check_path(conf_default_path(), "/c/sluice/config.ini");
	check_path(conf_default_cache(), "/k/sluice/history.db");
	setenv("XDG_CONFIG_HOME", "", 1);
	setenv("XDG_CACHE_HOME", "relative", 1); /* the standard says to ignore it */
	check_path(conf_default_path(), "/h/u/.config/sluice/config.ini");
	check_path(conf_default_cache(), "/h/u/.cache/sluice/history.db");
	unsetenv("HOME");
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_CACHE_HOME");
	check_path(conf_default_path(), NULL);
	check_path(conf_default_cache(), NULL);
	struct err e = { 0 };
	struct conf *c = conf_load(NULL, &e);
	assert_non_null(c);
	conf_free(c);
	conf_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contract_example), cmocka_unit_test(defaults),   cmocka_unit_test(faults_are_placed),
		cmocka_unit_test(every_option),     cmocka_unit_test(resources),  cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(hostile),          cmocka_unit_test(long_names), cmocka_unit_test(loading),
		cmocka_unit_test(default_paths),
	};
	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
