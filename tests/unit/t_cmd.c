/* What each command makes of an engine's results, in every format. */
#include "tests/unit/cli_ran.h"

static void hasnt(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" in:\n%s", part, text);
}

/* ---- --check */
static struct verdict verdict(enum verdict_status s)
{
	static char name[] = "orders/x";
	return (struct verdict){ .name = name, .status = s, .value = NAN, .age_s = -1, .code = NULL };
}

static void exit_is_the_worst(void **state)
{
	(void)state;
	const enum verdict_status O = VERDICT_OK, S = VERDICT_SKIPPED, W = VERDICT_WARNING, U = VERDICT_UNKNOWN,
	                          C = VERDICT_CRITICAL;
	const struct {
		const char *options;
		enum verdict_status a, b;
		int exit;
		const char *status;
	} cases[] = {
		{ "", O, O, 0, "OK" },
		{ "", O, S, 0, "OK" },
		{ "", S, S, 0, "OK" },
		{ "", W, O, 1, "WARNING" },
		{ "", W, U, 3, "UNKNOWN" },
		{ "", U, C, 2, "CRITICAL" },
		{ "", U, O, 3, "UNKNOWN" },
		{ "", S, U, 3, "UNKNOWN" },
		{ "--warn-is-ok", W, O, 0, "WARNING" },
		{ "--warn-is-ok", W, C, 2, "CRITICAL" },
		{ "--warn-is-ok", U, W, 3, "UNKNOWN" },
		{ "--unknown-is ok", U, O, 0, "UNKNOWN" },
		{ "--unknown-is ok", U, W, 1, "UNKNOWN" },
		{ "--unknown-is warn", U, O, 1, "UNKNOWN" },
		{ "--unknown-is crit", U, O, 2, "UNKNOWN" },
		{ "--unknown-is warn --warn-is-ok", U, O, 0, "UNKNOWN" },
		{ "--unknown-is ok", U, C, 2, "CRITICAL" },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char words[200];
		struct verdict v[2] = { verdict(cases[i].a), verdict(cases[i].b) };
		struct result r = { .kind = REQUEST_CHECK, .check = { .verdicts = v, .n = 2 } };
		given = &r;
		snprintf(words, sizeof words, "--check --format json %s", cases[i].options);
		run(words);
		struct json *j = json_parse(span_of(ran.out), NULL);
		int64_t said = -1;
		json_int(json_get(j, "exit"), &said);
		if (ran.status != cases[i].exit || said != cases[i].exit ||
		    strcmp(json_get_str(j, "status"), cases[i].status) != 0)
			fail_msg("case %u: %s %d: %s", i, words, ran.status, ran.out);
		json_free(j);
	}
}

static void nothing_judged_is_unknown(void **state)
{
	(void)state;
	given = &(struct result){ .kind = REQUEST_CHECK };
	run("--check");
	assert_int_equal(ran.status, 3);
	has(ran.err, "nothing was judged");
	run("--check --unknown-is ok");
	assert_int_equal(ran.status, 0);
}

static void a_failed_run_still_prints_the_object(void **state)
{
	(void)state;
	struct result r = { .kind = REQUEST_CHECK };
	err_set(&r.err, ERR_AUTH, "sts:GetCallerIdentity", "expired");
	given = &r;
	run("--check --format json --unknown-is ok");
	assert_int_equal(ran.status, 3);
	struct json *j = json_parse(span_of(ran.out), NULL);
	assert_string_equal(json_get_str(j, "status"), "UNKNOWN");
	assert_string_equal(json_get_str(json_get(j, "error"), "code"), "AUTH");
	assert_true(json_is_array(json_get(j, "checks")));
	json_free(j);
	assert_string_equal(ran.err, "sluice: sts:GetCallerIdentity: expired; check or renew the credentials\n");
}

static void every_member_is_always_there(void **state)
{
	(void)state;
	static const char *const members[] = { "name",    "pipeline", "resource",    "kind",    "status",   "code",
		                                   "reason",  "value",    "unit",        "warning", "critical", "window",
		                                   "samples", "missing",  "age_seconds", "source",  NULL };
	static const char *const top[] = { "version", "status", "exit",   "generated", "account",
		                               "region",  "cost",   "checks", NULL };
	struct verdict v[] = { verdict(VERDICT_OK),
		                   { .name = (char[]){ "a" },
		                     .pipeline = (char[]){ "orders" },
		                     .status = VERDICT_CRITICAL,
		                     .value = 7.8,
		                     .unit = "Percent",
		                     .critical = (char[]){ "5" },
		                     .window_start = NOW - 180,
		                     .window_end = NOW,
		                     .period = 60,
		                     .samples = 3,
		                     .age_s = 64,
		                     .source = "live" } };
	struct result r = { .kind = REQUEST_CHECK, .check = { .verdicts = v, .n = 2, .metrics = 42, .usd = 42 * 0.00001 } };
	given = &r;
	run("--check --format json");
	struct json *j = json_parse(span_of(ran.out), NULL);
	for (unsigned i = 0; top[i]; i++)
		assert_non_null(json_get(j, top[i]));
	const struct json *first = json_first(json_get(j, "checks"));
	for (const struct json *c = first; c; c = json_next(c))
		for (unsigned i = 0; members[i]; i++)
			assert_non_null(json_get(c, members[i]));
	assert_string_equal(json_get_str(first, "status"), "CRITICAL"); /* worst first */
	has(ran.out, "\"age_seconds\":64,\"source\":\"live\"");
	has(ran.out, "\"window\":{\"start\":\"2026-11-23T03:11:42Z\",\"end\":\"2026-11-23T03:14:42Z\",\"period\":60}");
	has(ran.out, "\"age_seconds\":null,\"source\":null");
	has(ran.out, "\"cost\":{\"metrics\":42,\"usd\":0.00042}");
	has(ran.out, "\"generated\":\"2026-11-23T03:14:42Z\"");
	json_free(j);
}

static void check_lines_fit_80_columns(void **state)
{
	(void)state;
	char name[300], reason[300];
	static const char *const glyphs[] = { "a", "-", "\xe4\xb8\xad", "e\xcc\x81", "\x1b", "\xff", "\xf0\x9f\x98\x80" };
	for (unsigned i = 0; i < 500; i++) {
		struct verdict v[2] = { verdict(VERDICT_CRITICAL), verdict(VERDICT_OK) };
		unsigned n = i % 60, m = (i * 7) % 90;
		name[0] = reason[0] = '\0';
		for (unsigned k = 0; k < n && strlen(name) < 290; k++)
			snprintf(name + strlen(name), sizeof name - strlen(name), "%s", glyphs[(i + k) % 7]);
		for (unsigned k = 0; k < m && strlen(reason) < 290; k++)
			snprintf(reason + strlen(reason), sizeof reason - strlen(reason), "%s", glyphs[(i * 3 + k) % 7]);
		v[0].name = name;
		v[0].reason = reason;
		v[0].code = i % 3 ? NULL : "NO_DATA";
		struct result r = { .kind = REQUEST_CHECK, .check = { .verdicts = v, .n = 2, .defaults = true } };
		given = &r;
		run("--check");
		assert_int_equal(lines(ran.out), 5);
		for (char *p = ran.out, *line; (line = strsep(&p, "\n"));)
			assert_in_range(text_width(span_of(line)), 0, 80);
	}
}

static void causes_are_three_lines_at_most(void **state)
{
	(void)state;
	struct verdict v = verdict(VERDICT_UNKNOWN);
	char *texts[5] = { (char[]){ "sluice: a: 1" }, (char[]){ "b: <U+001B> 2" }, (char[]){ "c: \x1b 3" },
		               (char[]){ "d" }, (char[]){ "e" } };
	struct result r = { .kind = REQUEST_CHECK, .check = { .verdicts = &v, .n = 1 } };
	r.check.causes = xcalloc(5, sizeof *r.check.causes);
	for (unsigned i = 0; i < 5; i++)
		r.check.causes[i].text = texts[i];
	given = &r;
	r.check.ncauses = 5;
	run("--check");
	assert_string_equal(ran.err, "sluice: a: 1\nsluice: b: <U+001B> 2\nsluice: c: <U+001B> 3 (and 2 more)\n");
	r.check.ncauses = 3;
	run("--check");
	assert_string_equal(ran.err, "sluice: a: 1\nsluice: b: <U+001B> 2\nsluice: c: <U+001B> 3\n");
	r.check.ncauses = 0; /* then the unknown says itself why it is */
	v.code = "NO_DATA";
	v.reason = (char[]){ "no datapoint" };
	run("--check");
	assert_string_equal(ran.err, "sluice: orders/x: NO_DATA no datapoint\n");
	v.status = VERDICT_CRITICAL;
	run("--check");
	assert_string_equal(ran.err, "");
	free(r.check.causes);
}

/* ---- status */
static const struct metric_info infos[] = { { .key = "visible", .role = ROLE_BACKLOG, .unit = UNIT_COUNT },
	                                        { .key = "error", .role = ROLE_ERROR, .unit = UNIT_PERCENT },
	                                        { .key = "age", .role = ROLE_AGE, .unit = UNIT_SECONDS } };
static const struct metric_info own_error = { .key = "error", .role = ROLE_ERROR, .unit = UNIT_PERCENT };
static const struct kind_info kind = { .id = "sqs", .metrics = infos, .nmetrics = 3 };
static const struct reading readings[] = { { &infos[0], 1291.25, NOW - 60, false },
	                                       { &infos[1], 9, NOW - 60, false },
	                                       { &infos[2], NAN, 0, false },
	                                       { &own_error, 7.5, NOW - 120, true } };
static const struct row rows[] = {
	{ .kind = &kind,
	  .name = "load",
	  .resource = "orders-load",
	  .arn = "arn:x",
	  .health = HEALTH_ALARM,
	  .reason = "tab\there",
	  .readings = readings,
	  .nreadings = 4,
	  .loss = { .state = LOSS_AT_MOST,
	            .high = NOW + 259200,
	            .rate = 0.5,
	            .what = "first message",
	            .where = "here",
	            .basis = "moved" },
	  .by_role = { [ROLE_BACKLOG] = &readings[0], [ROLE_ERROR] = &readings[3], [ROLE_AGE] = &readings[2] } },
	{ .kind = &kind,
	  .name = "bill",
	  .resource = "billing",
	  .reason = "",
	  .health = HEALTH_UNKNOWN,
	  .pipeline = 1,
	  .loss = { .state = LOSS_UNKNOWN, .rate = NAN } },
};
static const struct pipeline pipelines[] = { { "orders", HEALTH_ALARM, 0, 1 }, { "billing", HEALTH_UNKNOWN, 1, 1 } };
static const struct alarm alarm_list[] = { { .name = "High\nError",
	                                         .arn = "arn:a",
	                                         .description = "desc",
	                                         .reason = "because",
	                                         .metric = "A/B:Sum",
	                                         .comparison = ">",
	                                         .threshold = 5,
	                                         .state = ALARM_STATE_ALARM,
	                                         .since = NOW - 3600,
	                                         .actions_enabled = true } };

static struct api_health denied(const char *op)
{
	struct api_health a = { .op = op };
	err_set(&a.last, ERR_DENIED, op, "no \x1b[31m");
	snprintf(a.last.action, sizeof a.last.action, "%s", op);
	return a;
}

static struct snapshot picture(void)
{
	struct snapshot s = { .at = NOW,
		                  .settled = true,
		                  .data_to = NOW - 60,
		                  .cost = { .metrics = 42,
		                            .side_by_side = 40,
		                            .usd = 42 * 0.00001,
		                            .today_usd = NAN,
		                            .usd_per_day = 0.5543,
		                            .budget = 1,
		                            .top = "AWS/Lambda",
		                            .top_percent = 62,
		                            .slowed = 3 } };
	s.target = (struct target){ .partition = "aws", .account = "123456789012", .region = "eu-west-1" };
	s.pipelines = pipelines;
	s.npipelines = 2;
	s.rows = rows;
	s.nrows = 2;
	s.alarms = alarm_list;
	s.nalarms = 1;
	return s;
}

static void status_on_a_pipe(void **state)
{
	(void)state;
	struct snapshot s = picture();
	given = &(struct result){ .kind = REQUEST_STATUS, .status = &s };
	run("status");
	assert_int_equal(ran.status, 0);
	assert_string_equal(ran.err, "");
	assert_string_equal(
	    ran.out, "target\t123456789012\teu-west-1\t\t2026-11-23T03:14:42Z\t2026-11-23T03:13:42Z\t\n"
	             "stage\torders\tload\tsqs\torders-load\talarm\t\t\t7.5~\t\t1291.25\t\ttab<U+0009>here\t<=259200\n"
	             "stage\tbilling\tbill\tsqs\tbilling\tunknown\t\t\t\t\t\t\t\t??\n"
	             "alarm\tHigh<U+000A>Error\tALARM\t2026-11-23T02:14:42Z\tA/B:Sum\t> 5\tbecause\n"
	             "cost\t42\t0.00042\t\t0.5543\t1\n");
	run("status billing");
	hasnt(ran.out, "orders");
	has(ran.out, "billing");
	run("status nope");
	assert_int_equal(ran.status, 1);
	assert_string_equal(ran.out, "");
	has(ran.err, "there are: orders, billing");
}

static void status_json(void **state)
{
	(void)state;
	struct snapshot s = picture();
	given = &(struct result){ .kind = REQUEST_STATUS, .status = &s };
	run("status --format json orders");
	struct json *j = json_parse(span_of(ran.out), NULL);
	assert_non_null(j); /* a doubled key would have been refused: the stage's own error replaces the kind's */
	const struct json *p = json_first(json_get(j, "pipelines")), *stage = json_first(json_get(p, "stages"));
	const struct json *metrics = json_get(stage, "metrics");
	double v = 0;
	int64_t age = 0;
	bool stale = false;
	assert_null(json_next(p));
	assert_string_equal(json_get_str(stage, "health"), "alarm");
	assert_true(json_num(json_get(json_get(metrics, "visible"), "value"), &v) && v == 1291.25);
	assert_true(json_num(json_get(json_get(metrics, "error"), "value"), &v) && v == 7.5);
	assert_true(json_int(json_get(json_get(metrics, "error"), "age_seconds"), &age) && age == 120);
	assert_true(json_bool(json_get(json_get(metrics, "error"), "stale"), &stale) && stale);
	has(ran.out, "\"age\":{\"value\":null,\"unit\":\"Seconds\",\"at\":null,\"age_seconds\":null,\"stale\":false}");
	has(ran.out,
	    "\"loss\":{\"state\":\"at_most\",\"at\":\"2026-11-26T03:14:42Z\",\"in_seconds\":259200,\"low_seconds\":null,"
	    "\"high_seconds\":259200,\"what\":\"first message\",\"where\":\"here\",\"basis\":\"moved\","
	    "\"lost_per_second\":0.5,\"drains_at\":null}");
	has(ran.out,
	    "\"targets\":[{\"account\":\"123456789012\",\"region\":\"eu-west-1\",\"partition\":\"aws\",\"profile\":null");
	has(ran.out, "\"name\":\"High\\u000aError\"");
	has(ran.out, "\"problems\":[]");
	has(ran.out, "\"cost\":{\"metrics\":42,\"metrics_side_by_side\":40,\"usd\":0.00042,\"today_usd\":null,\"usd_per_"
	             "day\":0.5543,"
	             "\"budget_usd_per_day\":1,\"top\":\"AWS/Lambda\",\"top_percent\":62,\"slowed\":3}");
	json_free(j);
}

static void status_says_what_it_could_not_read(void **state)
{
	(void)state;
	struct snapshot s = picture();
	struct api_health apis[] = {
		denied("sqs:ListQueues"), { .op = "lambda:ListFunctions" }, denied("a"), denied("b"), denied("c")
	};
	s.apis = apis;
	s.napis = 5;
	given = &(struct result){ .kind = REQUEST_STATUS, .status = &s };
	run("status");
	assert_int_equal(ran.status, 1);
	assert_string_equal(
	    ran.err, "sluice: sqs:ListQueues: no <U+001B>[31m; allow it: "
	             "{\"Effect\":\"Allow\",\"Action\":\"sqs:ListQueues\",\"Resource\":\"*\"}\n"
	             "sluice: a: no <U+001B>[31m; allow it: {\"Effect\":\"Allow\",\"Action\":\"a\",\"Resource\":\"*\"}\n"
	             "sluice: b: no <U+001B>[31m; allow it: {\"Effect\":\"Allow\",\"Action\":\"b\",\"Resource\":\"*\"} "
	             "(and 1 more)\n");
	has(ran.out, "problem\tsqs:ListQueues\tDENIED\tno <U+001B>[31m\tsqs:ListQueues\n");
	hasnt(ran.out, "lambda:ListFunctions");
	run("status --format json");
	assert_int_equal(ran.status, 1);
	assert_int_equal(lines(ran.err), 3);
	has(ran.out, "{\"operation\":\"sqs:ListQueues\",\"code\":\"DENIED\"");
}

static void a_round_that_did_not_finish_is_no_success(void **state)
{
	(void)state;
	struct snapshot s = picture();
	s.settled = false;
	struct result r = { .kind = REQUEST_STATUS, .status = &s };
	given = &r;
	run("status");
	assert_int_equal(ran.status, 1);
	assert_int_equal(lines(ran.err), 1);
	err_set(&r.err, ERR_TIMEOUT, "status", "not all was read in 60 s");
	run("status");
	assert_int_equal(ran.status, 1);
	has(ran.out, "orders-load"); /* it prints what it has */
	has(ran.err, "not all was read");
	assert_int_equal(lines(ran.err), 1);
	r.status = NULL;
	run("status");
	assert_int_equal(ran.status, 1);
	assert_string_equal(ran.out, "");
}

/* ---- history */
static struct result points(double *v, unsigned n)
{
	static char metric[] = "AWS/SQS/V{QueueName=a}:Sum";
	static struct history_part part;
	static uint32_t held[16];
	struct result r = { .kind = REQUEST_HISTORY };
	part = (struct history_part){ NOW / 60 * 60, NOW / 60 * 60 + 60 * n, 60, n, NULL };
	r.history = (struct history_result){ .info = infos[0],
		                                 .metric = metric,
		                                 .parts = &part,
		                                 .nparts = 1,
		                                 .step = 60,
		                                 .from = part.from,
		                                 .to = part.to,
		                                 .n = n,
		                                 .v = v,
		                                 .held = held,
		                                 .polled = true };
	return r;
}

static void history_gap_for_gap(void **state)
{
	(void)state;
	double v[] = { 0, NAN, 0.1, -3 };
	struct result r = points(v, 4);
	given = &r;
	run("history orders visible --format csv");
	assert_int_equal(ran.status, 0);
	assert_string_equal(ran.out, "time,value\n2026-11-23T03:14:00Z,0\n2026-11-23T03:15:00Z,\n"
	                             "2026-11-23T03:16:00Z,0.1\n2026-11-23T03:17:00Z,-3\n");
	run("history orders visible");
	assert_string_equal(ran.out, "2026-11-23T03:14:00Z\t0\n2026-11-23T03:15:00Z\t-\n2026-11-23T03:16:00Z\t0.1\n"
	                             "2026-11-23T03:17:00Z\t-3\n");
	run("history - AWS/SQS/V:Sum --format json");
	assert_null(asked.history.resource);
	has(ran.out, "\"resource\":null,\"metric\":\"AWS/SQS/"
	             "V{QueueName=a}:Sum\",\"key\":\"visible\",\"unit\":\"Count\",\"step\":60");
	has(ran.out, "\"points\":[{\"time\":\"2026-11-23T03:14:00Z\",\"value\":0},{\"time\":\"2026-11-23T03:15:00Z\","
	             "\"value\":null}");
	assert_string_equal(ran.err, "");
}

static void history_times(void **state)
{
	(void)state;
	struct result r = points((double[]){ 1 }, 1);
	given = &r;
	run("history a b");
	assert_true(asked.history.from == NOW - 86400 && asked.history.to == 0 && !asked.history.offline);
	run("history a b --since 90s");
	assert_true(asked.history.from == NOW - 90);
	run("history a b --since 2026-11-22T00:00:00Z --until 2026-11-22T06:00:00Z --offline");
	assert_true(asked.history.from == 1795305600 && asked.history.to == 1795305600 + 6 * 3600 && asked.history.offline);
	run("history a b --since 1h --until 2h");
	assert_true(asked.history.to == NOW - 7200 && asked.history.from == NOW - 3 * 3600);
	run("history a b --since 2026-11-23T03:14:43Z");
	assert_int_equal(ran.status, 2);
	has(ran.err, "not before the end");
	run("history - nonsense");
	assert_int_equal(ran.status, 2);
	assert_int_equal(lines(ran.err), 1);
}

static void history_that_could_not_poll(void **state)
{
	(void)state;
	struct result r = points((double[]){ 1, NAN }, 2);
	r.history.polled = false;
	err_set(&r.history.poll_error, ERR_TIMEOUT, "cloudwatch:GetMetricData", "slow");
	given = &r;
	run("history a b --format csv");
	assert_int_equal(ran.status, 1);
	assert_int_equal(lines(ran.out), 3); /* what the file knows is still printed */
	has(ran.err, "cloudwatch:GetMetricData: slow");
	run("history a b --offline");
	assert_int_equal(ran.status, 0);
	assert_string_equal(ran.err, "");
	r.history.polled = true;
	r.history.hint = (char[]){ "CloudWatch lists \x1b" };
	run("history a b");
	assert_string_equal(ran.err, "sluice: note: CloudWatch lists <U+001B>\n");
	r = (struct result){ .kind = REQUEST_HISTORY };
	err_set(&r.err, ERR_NOTFOUND, "a", "no such stage");
	run("history a b --format csv");
	assert_int_equal(ran.status, 1);
	assert_string_equal(ran.out, "");
}

/* ---- doctor */
static void doctor(void **state)
{
	(void)state;
	struct finding f[] = {
		{ "credentials", (char[]){ "access key" }, (char[]){ "****WXYZ" }, (char[]){ "environment" }, { 0 } },
		{ "permissions", (char[]){ "sqs:ListQueues" }, (char[]){ "\x1b" }, NULL, { 0 } },
		{ "clock", (char[]){ "skew" }, (char[]){ "900 s" }, NULL, { 0 } }
	};
	struct result r = { .kind = REQUEST_DOCTOR, .doctor = { f, 1 } };
	given = &r;
	run("doctor --config /nonexistent/x");
	assert_int_equal(ran.status, 0);
	has(ran.out, "ok\tcredentials\taccess key\t****WXYZ\tenvironment\t\n");
	has(ran.out, "ok\tterminal\t");
	has(ran.out, "ok\tlocale\t");
	has(ran.out, "/nonexistent/x");
	assert_string_equal(ran.err, "");
	r.doctor.n = 3;
	err_set(&f[1].problem, ERR_DENIED, "sqs:ListQueues", "not allowed");
	snprintf(f[1].problem.action, sizeof f[1].problem.action, "sqs:ListQueues");
	err_set(&f[2].problem, ERR_CONF, "", "the clock is wrong");
	run("doctor");
	assert_int_equal(ran.status, 1);
	has(ran.out, "!!\tpermissions\tsqs:ListQueues\t<U+001B>\t\tnot allowed; allow it: "
	             "{\"Effect\":\"Allow\",\"Action\":\"sqs:ListQueues\",\"Resource\":\"*\"}\n");
	assert_string_equal(ran.err, "sluice: sqs:ListQueues: not allowed; allow it: "
	                             "{\"Effect\":\"Allow\",\"Action\":\"sqs:ListQueues\",\"Resource\":\"*\"}\n");
	run("doctor --format json");
	struct json *j = json_parse(span_of(ran.out), NULL);
	assert_non_null(json_get(j, "findings"));
	has(ran.out, "\"problem\":{\"code\":\"DENIED\",\"text\":\"not allowed\",\"action\":\"sqs:ListQueues\"");
	json_free(j);
}

static void doctor_without_an_engine(void **state)
{
	(void)state;
	struct err why = { 0 };
	int out, err, out_file, err_file;
	err_set(&why, ERR_CONF, "f.ini:3", "regio: unknown key");
	given = &failed;
	run("doctor");
	hold(STDOUT_FILENO, &out, &out_file);
	hold(STDERR_FILENO, &err, &err_file);
	int status = cli_run_without(&ran.cli, &why);
	let_go(STDERR_FILENO, err, err_file, ran.err, sizeof ran.err);
	let_go(STDOUT_FILENO, out, out_file, ran.out, sizeof ran.out);
	assert_int_equal(status, 1);
	has(ran.out, "!!\tconfiguration\t");
	has(ran.err, "f.ini:3: regio: unknown key");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_is_the_worst),
		cmocka_unit_test(nothing_judged_is_unknown),
		cmocka_unit_test(a_failed_run_still_prints_the_object),
		cmocka_unit_test(every_member_is_always_there),
		cmocka_unit_test(check_lines_fit_80_columns),
		cmocka_unit_test(causes_are_three_lines_at_most),
		cmocka_unit_test(status_on_a_pipe),
		cmocka_unit_test(status_json),
		cmocka_unit_test(status_says_what_it_could_not_read),
		cmocka_unit_test(a_round_that_did_not_finish_is_no_success),
		cmocka_unit_test(history_gap_for_gap),
		cmocka_unit_test(history_times),
		cmocka_unit_test(history_that_could_not_poll),
		cmocka_unit_test(doctor),
		cmocka_unit_test(doctor_without_an_engine),
	};
	return cmocka_run_group_tests(tests, freeze, thaw);
}
