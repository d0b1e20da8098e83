/* The command line: the tables, and what is accepted and refused. */
#include "tests/unit/cli_ran.h"

/* ---- the tables */
static void tables_are_whole(void **state)
{
	(void)state;
	for (int i = 0; i < CMD_COUNT; i++) {
		const struct cli_command *c = &cli_commands[i];
		assert_int_equal(c->id, i);
		assert_true(*c->name && *c->help && *c->more && c->operands);
		assert_true(c->run || i == CMD_SIM);
		assert_true(c->min <= c->max);
		assert_int_equal(cli_command_needs_engine(c), c->engine);
	}
	for (unsigned i = 0; i < cli_noptions; i++) {
		const struct cli_option *o = &cli_options[i];
		assert_true(strncmp(o->name, "--", 2) == 0 && *o->help && o->takers && o->set);
		for (unsigned k = 0; k < i; k++) {
			assert_string_not_equal(o->name, cli_options[k].name);
			assert_true(!o->letter || o->letter != cli_options[k].letter);
		}
	}
}

static void has_roff(const char *man, const char *name)
{
	char roff[100] = "";
	for (const char *p = name; *p; p++)
		snprintf(roff + strlen(roff), sizeof roff - strlen(roff), *p == '-' ? "\\-" : "%c", *p);
	has(man, roff);
}

static void every_command_and_option_is_in_help_and_manual(void **state)
{
	(void)state;
	static char man[1 << 16];
	run("help --man");
	assert_int_equal(ran.status, 0);
	memcpy(man, ran.out, sizeof man);
	for (int i = 0; i < CMD_COUNT; i++) {
		char words[100];
		const char *name = cli_commands[i].name + strspn(cli_commands[i].name, "-");
		snprintf(words, sizeof words, "help %s", name);
		run(words);
		assert_int_equal(ran.status, 0);
		assert_string_equal(ran.err, "");
		for (unsigned k = 0; k < cli_noptions; k++)
			if (cli_options[k].takers & (1U << i))
				has(ran.out, cli_options[k].name);
		has_roff(man, name);
	}
	for (unsigned k = 0; k < cli_noptions; k++)
		has_roff(man, cli_options[k].name);
}

static void help_fits_a_terminal(void **state)
{
	(void)state;
	static const char *const all[] = { "--help",         "-h",          "help", "help check", "status --help",
		                               "--check --help", "help history" };
	for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
		run(all[i]);
		assert_int_equal(ran.cli.what == CLI_COMMAND ? 0 : ran.cli.what, CLI_EXIT);
		assert_int_equal(ran.status, 0);
		assert_string_equal(ran.err, "");
		for (char *p = ran.out, *line; (line = strsep(&p, "\n"));)
			assert_in_range(strlen(line), 0, 79);
	}
	run("--version");
	assert_int_equal(ran.status, 0);
	assert_string_equal(ran.out, "sluice " SLUICE_VERSION "\n");
}

/* ---- accepted */
static void options_stand_anywhere(void **state)
{
	(void)state;
	static const char *const same[] = { "--region eu-west-1 --format=json status orders",
		                                "status --format json orders --region=eu-west-1",
		                                "--format json status --region eu-west-1 -- orders" };
	for (unsigned i = 0; i < 3; i++) {
		given = &failed;
		run(same[i]);
		assert_string_equal(ran.cli.region, "eu-west-1");
		assert_string_equal(ran.cli.format, "json");
		assert_int_equal(ran.cli.argc, 1);
		assert_string_equal(ran.cli.argv[0], "orders");
		assert_int_equal(asked.kind, REQUEST_STATUS);
		assert_int_equal(ran.status, 1);
	}
}

static void the_console_and_sim(void **state)
{
	(void)state;
	given = &failed;
	run("");
	assert_int_equal(ran.cli.what, CLI_CONSOLE);
	assert_null(ran.cli.demo);
	run("--demo --mode operate --color never --config f --log debug");
	assert_int_equal(ran.cli.what, CLI_CONSOLE);
	assert_string_equal(ran.cli.demo, "calm");
	assert_string_equal(ran.err, "sluice: --config: not used with --demo\n");
	assert_true(ran.cli.mode_said && ran.cli.mode == MODE_OPERATE && ran.cli.color == 2);
	run("--demo=denied status");
	assert_string_equal(ran.cli.demo, "denied");
	run("sim --port 8080 --scenario throttled --speed 2.5 --latency 30 --region us-east-1");
	assert_int_equal(ran.cli.what, CLI_SIM);
	assert_int_equal(ran.cli.sim.port, 8080);
	assert_string_equal(ran.cli.sim.scenario, "throttled");
	assert_true(ran.cli.sim.speed > 2.49 && ran.cli.sim.speed < 2.51);
	assert_int_equal(ran.cli.sim.latency_ms, 30);
	assert_string_equal(ran.cli.sim.region, "us-east-1");
	assert_int_equal(ran.cli.sim.nfaults, 0);
	run("sim --fault *=reset --fault list");
	assert_int_equal(ran.cli.sim.nfaults, 2);
	assert_string_equal(ran.cli.sim.faults[0], "*=reset");
	assert_string_equal(ran.cli.sim.faults[1], "list");
	run("--demo=list");
	assert_int_equal(ran.cli.what, CLI_EXIT);
	assert_int_equal(lines(ran.out), 3);
	has(ran.out, "one action is denied");
}

static void no_color_is_honoured(void **state)
{
	(void)state;
	setenv("NO_COLOR", "1", 1);
	run("");
	assert_int_equal(ran.cli.color, 2);
	run("--color always");
	assert_int_equal(ran.cli.color, 1);
	setenv("NO_COLOR", "", 1);
	run("");
	assert_int_equal(ran.cli.color, 0);
	unsetenv("NO_COLOR");
}

static void check_options_become_the_request(void **state)
{
	(void)state;
	given = &(struct result){ .kind = REQUEST_CHECK };
	run("--check -w 1 --metric A/B:Sum --alarms --metric C/D{e=f}:Average@300 -c5 -w 2: --dlq-max 3 --ttl-min 24h "
	    "--mofn 2/3 "
	    "--window 15m "
	    "--min-samples 4 --no-data crit --delay 90 --select x --select=y --in-alarm-is warn -t 10s --format json");
	const struct check_request *r = &asked.check;
	assert_int_equal(asked.kind, REQUEST_CHECK);
	assert_int_equal(r->nmetrics, 2);
	assert_string_equal(r->metrics[0].metric, "A/B:Sum");
	assert_string_equal(r->metrics[0].warning, "1");
	assert_null(r->metrics[0].critical);
	assert_string_equal(r->metrics[1].metric, "C/D{e=f}:Average@300");
	assert_string_equal(r->metrics[1].warning, "2:");
	assert_string_equal(r->metrics[1].critical, "5");
	assert_true(r->alarms && r->dlq && r->in_alarm_is_warning && r->identity);
	assert_int_equal((int)r->dlq_max, 3);
	assert_int_equal(r->ttl_min, 86400);
	assert_true(r->m == 2 && r->n == 3 && r->window == 900 && r->min_samples == 4 && r->delay_s == 90);
	assert_string_equal(r->no_data, "crit");
	assert_int_equal(r->nselect, 2);
	assert_string_equal(r->select[1], "y");
	assert_int_equal(ran.cli.deadline_s, 10);
	run("--check -vv -v --format gitlab --out a.xml --out b");
	assert_true(ran.cli.args->verbose == 3 && ran.cli.args->nout == 2 && asked.check.deadline_s == 60);
	unlink("a.xml");
	unlink("b");
	run("--check --format nagios");
	assert_int_equal(asked.check.deadline_s, 10);
	run("--check --format nagios -t 1m");
	assert_int_equal(asked.check.deadline_s, 60);
	run("--check");
	assert_true(!asked.check.alarms && !asked.check.dlq && !asked.check.nmetrics && asked.check.delay_s == -1);
	assert_int_equal(ran.cli.deadline_s, 0);
}

/* ---- refused: one line, the right status, the right words */
static const struct {
	const char *words;
	int status;
	const char *says;
} refusals[] = {
	{ "frobnicate", 2, "frobnicate: unknown command" },
	{ "statis", 2, "did you mean status?" },
	{ "check", 2, "did you mean --check?" },
	{ "''", 2, "unknown command" },
	{ "--frmat json status", 2, "did you mean --format?" },
	{ "--nonsense", 2, "--nonsense: unknown option" },
	{ "-x", 2, "-x: unknown option" },
	{ "-hx", 2, "-hx: unknown option" },
	{ "--region", 2, "--region: needs a value" },
	{ "--region --check", 3, "--region: needs a value" },
	{ "--region= status", 2, "--region: needs a value" },
	{ "--alarms", 2, "only with --check" },
	{ "status --since 3h", 2, "only with history" },
	{ "--port 80 --check", 3, "only with sim" },
	{ "--format json", 2, "not with the console" },
	{ "status --format csv", 2, "text json" },
	{ "doctor now", 2, "one too many" },
	{ "history a", 2, "needs RESOURCE METRIC" },
	{ "status --check", 3, "no command" },
	{ "--check status", 3, "no command" },
	{ "--check --bogus", 3, "unknown option" },
	{ "--check --for 59s", 3, "--for: a duration of 1m to 7d" },
	{ "--check --for 8d", 3, "--for: a duration" },
	{ "--check --for 600", 3, "--for: a duration" },
	{ "--check --for 10m --fail-limit -1", 3, "--fail-limit: a whole number" },
	{ "--check --until-ok --fail-limit 1", 3, "--fail-limit: belongs to --for alone" },
	{ "--check --max-cost cheap", 3, "--max-cost: US dollars" },
	{ "--check --max-cost -0.1", 3, "--max-cost: US dollars" },
	{ "--check --baseline 7d", 3, "not in this version" },
	{ "--check --drift", 3, "not in this version" },
	{ "--check --quality f", 3, "not in this version" },
	{ "--check -vx", 3, "-vx: unknown option" },
	{ "-v", 2, "only with --check" },
	{ "--check --out a --out b", 3, "--out: two files only with --format gitlab" },
	{ "--check --format gitlab --out a --out b --out c", 3, "twice at most" },
	{ "--check --format yaml", 3, "not 'yaml'" },
	{ "--check --select tag:=b", 3, "tag:KEY=VALUE" },
	{ "audit --yes", 2,
	  "--yes: only with --check, alarms, topics, put-record, process, put-metric, replay, not with audit" },
	{ "alarms nonsense", 2, "alarms: \"nonsense\" is none of list, show" },
	{ "quality", 2, "not in this version" },
	{ "topics publish", 2, "topics: publish needs a topic's name or ARN, and a message or --test" },
	{ "--check -w 5", 3, "-w: needs a --metric" },
	{ "--check --metric nonsense", 3, "--metric: NAMESPACE/NAME" },
	{ "--check --metric A/B:Sum -w 5;", 3, "--warning: a range" },
	{ "--check --dlq-max -1", 3, "--dlq-max" },
	{ "--check --dlq-max nan", 3, "--dlq-max" },
	{ "--check --ttl-min 24", 3, "--ttl-min" },
	{ "--check --notify oncall", 3, "--notify: a topic's ARN" },
	{ "--check --publish ''", 3, "--publish" },
	{ "--check --ttl-min 0h", 3, "--ttl-min" },
	{ "--check --dlq-max ''", 3, "--dlq-max" },
	{ "--check --mofn 3/2", 3, "--mofn" },
	{ "--check --mofn 0/2", 3, "--mofn" },
	{ "--check --mofn 3", 3, "--mofn" },
	{ "--check --window 15", 3, "--window" },
	{ "--check --min-samples 1.5", 3, "--min-samples" },
	{ "--check --no-data fine", 3, "--no-data" },
	{ "--check --delay soon", 3, "--delay" },
	{ "--check --in-alarm-is bad", 3, "--in-alarm-is" },
	{ "--check --unknown-is fine", 3, "--unknown-is" },
	{ "--check --alarms=yes", 3, "takes no value" },
	{ "--check -t 0", 3, "--timeout" },
	{ "--check -t -5", 3, "--timeout" },
	{ "--check -t 99999999999999999999", 3, "--timeout" },
	{ "--mode root", 2, "--mode" },
	{ "--color red", 2, "--color" },
	{ "--demo=clam", 2, "did you mean calm?" },
	{ "sim --scenario x", 2, "--demo=list" },
	{ "sim --port 70000", 2, "--port" },
	{ "sim --speed 0", 2, "--speed" },
	{ "sim --speed inf", 2, "--speed" },
	{ "sim --latency -1", 2, "--latency" },
	{ "--fault *=reset status", 2, "only with sim" },
	{ "sim --demo", 2, "--demo" },
	{ "history a b --since yesterday", 2, "--since" },
	{ "history a b --until 25:00", 2, "--until" },
	{ "help nonsense", 2, "no such command" },
	{ "help statsu", 2, "did you mean status?" },
};

static void refused(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		run(refusals[i].words);
		if (ran.status != refusals[i].status || lines(ran.err) != 1 || *ran.out ||
		    strncmp(ran.err, "sluice: ", 8) != 0 || !strstr(ran.err, refusals[i].says))
			fail_msg("%s -> %d, wanted %d and \"%s\"\n%s%s", refusals[i].words, ran.status, refusals[i].status,
			         refusals[i].says, ran.err, ran.out);
	}
}

static void hostile_arguments_are_filtered(void **state)
{
	(void)state;
	run("\x1b]0;x\x07");
	has(ran.err, "<U+001B>]0;x<U+0007>");
	run("--check --no-data \x9b"
	    "31m");
	has(ran.err, "<0x9B>31m");
}

static void near(void **state)
{
	(void)state;
	static const char *const words[] = { "status", "history", "--format", "--check", NULL };
	assert_string_equal(cli_near("statsu", words), "status");
	assert_string_equal(cli_near("hist", words), "history");
	assert_string_equal(cli_near("--chekc", words), "--check");
	assert_null(cli_near("zzz", words));
	assert_null(cli_near("x", words));
	assert_null(cli_near("", words));
	assert_null(cli_near("a-word-that-is-far-longer-than-any-of-the-others", words));
	assert_true(cli_listed("text json csv", "json"));
	assert_false(cli_listed("text json csv", "jso"));
	assert_false(cli_listed(NULL, "json"));
}

/* ---- which target */
static void targets(void **state)
{
	(void)state;
	struct conf_target t[] = {
		{ .name = (char[]){ "prod" }, .profile = (char[]){ "p" }, .region = (char[]){ "eu-west-1" } },
		{ .name = (char[]){ "us" }, .profile = (char[]){ "p" }, .region = (char[]){ "us-east-1" } },
		{ .name = (char[]){ "test" }, .profile = (char[]){ "t" }, .region = (char[]){ "eu-west-1" } }
	};
	struct conf_pipeline p = { .name = (char[]){ "orders" }, .target = (char[]){ "test" } };
	struct conf conf = { .targets = t, .ntargets = 3, .pipelines = &p, .npipelines = 1 };
	given = &failed;
	run("");
	assert_ptr_equal(cli_target(&ran.cli, &conf), &t[0]);
	run("--region us-east-1");
	assert_ptr_equal(cli_target(&ran.cli, &conf), &t[1]);
	run("--region ap-south-1");
	assert_ptr_equal(cli_target(&ran.cli, &conf), &t[0]);
	run("--profile t");
	assert_ptr_equal(cli_target(&ran.cli, &conf), &t[2]);
	run("--profile other");
	assert_null(cli_target(&ran.cli, &conf));
	run("status orders");
	assert_ptr_equal(cli_target(&ran.cli, &conf), &t[2]);
	run("status others");
	assert_ptr_equal(cli_target(&ran.cli, &conf), &t[0]);
	conf.ntargets = 0;
	assert_null(cli_target(&ran.cli, &conf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_whole),
		cmocka_unit_test(every_command_and_option_is_in_help_and_manual),
		cmocka_unit_test(help_fits_a_terminal),
		cmocka_unit_test(options_stand_anywhere),
		cmocka_unit_test(the_console_and_sim),
		cmocka_unit_test(no_color_is_honoured),
		cmocka_unit_test(check_options_become_the_request),
		cmocka_unit_test(refused),
		cmocka_unit_test(hostile_arguments_are_filtered),
		cmocka_unit_test(near),
		cmocka_unit_test(targets),
	};
	return cmocka_run_group_tests(tests, freeze, thaw);
}
