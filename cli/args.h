/* Private to cli/: the two tables everything hangs on. A row carries all: parsing, dispatch, help, man page and the tests
 * walk them. A new command is a row here and a cmd_x.c; a new option is a row here and a setter in set.c. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "cli/check_formats.h"
#include "cli/cli.h"

/* What a command offers: "status" with `[PIPELINE]`, 0 to 1 operands, formats (NULL: none; the first is the default).
 * --check stands in the table like a command, but is typed as an option.
 *  X(ID, name, operands, min, max, formats, needs the engine, run, help, more) */
#define CLI_COMMANDS(X)                                                                                                    \
	X(CHECK, "--check", "", 0, 0, CHECK_FORMAT_NAMES, true, cmd_check, "judge everything once, for CI, cron and monitoring",      \
	  "Judges, with one batched poll, what [check] sections of the configuration and the options name, or, when nothing "  \
	  "is named, sluice's own defaults: an alarm in ALARM, a dead-letter queue with visible messages, an error rate over " \
	  "5 %, an age growing towards loss are CRITICAL; an alarm in INSUFFICIENT_DATA is WARNING. The worst result decides " \
	  "the exit status, in the order CRITICAL (2), UNKNOWN (3), WARNING (1), OK (0). Unusable arguments, missing "         \
	  "credentials and a bad configuration are 3. Nothing unknown is ever OK. -w and -c belong to the --metric before "    \
	  "them; given before the first --metric they are the default of every --metric that has none of its own. "            \
	  "--alarms, --dlq-max, --ttl-min and --metric leave the configured checks aside; of everything else a [check]'s own key wins "   \
	  "over the option, and that over [checks]. docs/ci.md has examples for CI, cron and monitoring.")                     \
	X(STATUS, "status", "[PIPELINE]", 0, 1, "text json", true, cmd_status, "the overview, from one poll",                  \
	  "Prints every stage with its health and its newest values, then the alarms. Without a terminal the text form is "    \
	  "one line per thing, tab-separated, its first column saying what it is: target, stage, alarm or problem. The "         \
	  "last column of a stage is its first-loss clock: in how many seconds the first item is lost, LOW..HIGH between "     \
	  "bounds, <= or >= where one is known, ?? where none is, and nothing when nothing is at risk. What "      \
	  "could not be read is named on standard error, and the exit status is then 1.")                                      \
	X(HISTORY, "history", "RESOURCE METRIC", 2, 2, "text csv json", true, cmd_history,                                     \
	  "points of one metric, gap for gap",                                                                                 \
	  "RESOURCE is a stage's or a resource's name (KIND:NAME when that is ambiguous). METRIC is the kind's key, as in "    \
	  "status --format json, a role (in, out, error, latency, backlog, age), or NAMESPACE/NAME{dim=v}:STAT, which needs "  \
	  "no RESOURCE: write - in its place. The history file is read first and one poll fills what it lacks. A gap is an "   \
	  "empty value in CSV, null in JSON and - in text, never 0.")                                                          \
	X(DISCOVER, "discover", "", 0, 0, "text json dot", true, cmd_discover,                                                 \
	  "the account's pipelines, with the proof of every edge",                                                             \
	  "Draws what belongs together from what the services say: event source mappings, redrive policies and who puts "      \
	  "failures into a dead-letter queue. Every edge names the call and the field that prove it; what is wrong with the "  \
	  "wiring follows. --stack takes a CloudFormation stack as the pipeline, --tag what carries a tag. --write adds what " \
	  "the configuration lacks as [pipeline] and [stage] sections and changes nothing that is there; with --dry-run it "   \
	  "prints them instead. Only calls without a price are made. What could not be read is named on standard error; the "  \
	  "exit status is 1 only when nothing could. --format dot is for graphviz.")                                           \
	X(NOTE, "note", "[kind=incident] TEXT...", 1, 100, "text json", true, cmd_note, "a note among the events",              \
	  "Keeps a line of text, with its time and the user's name, among the events of this account and region: the "          \
	  "console, status --format json and report show it. kind=incident before the text marks an incident. It is kept in "   \
	  "the history file of this machine and nowhere else.")                                                                \
	X(REPORT, "report", "", 0, 0, "md html json", true, cmd_report, "an incident or hand-over report",                     \
	  "What happened from --since (default 24h) to --until (default now), from the history, the alarms, the changes and "  \
	  "the notes: what is not ok at the end, events with their time and source, and charts of what was in trouble. Facts "  \
	  "only: a gap is a gap, and what nobody looked at is said to be unknown. --format html is one file that needs "        \
	  "nothing else: no script, no link, charts as SVG. With --offline, or an end in the past, AWS is not asked.")         \
	X(ALARMS, "alarms", "[ACTION] [NAME|FILE]", 0, 101, "text json", true, cmd_alarms,                                     \
	  "CloudWatch's alarms: who would really be told, and alarms as code",                                                 \
	  "`list` (also without a word) names every alarm with its state, its rule and whom its actions reach: which topics "  \
	  "exist, how many of their subscriptions are confirmed, whether actions are on. `show NAME` tells everything of "     \
	  "one: also its owner and manager by its tags, the runbook, the newest moments of its history, and what it would be " \
	  "now by its own datapoints (one or two metrics are polled), where CloudWatch's rules say enough for that. `history " \
	  "NAME` lists what happened to it, --since a duration or time ago (default 7d; CloudWatch keeps 30 days). What "      \
	  "could not be read is ? and is named on standard error. `backtest NAME` says what its rule would have done --since "  \
	  "a duration or time ago (default 14d, at most 15d; one or two metrics are polled): by today's datapoints and by those that the "  \
	  "history file first saw, how far CloudWatch's own history agrees, and what other thresholds and M of N would have done. "  \
	  "`init NAME` prints an alarm file with HighErrorRate-NAME (> 5 %) "  \
	  "and LowThroughput-NAME (< 1000 a minute) for a pipeline or a resource: on its own metrics where it has some, else on "  \
	  "its kind's. `export [NAME...]` prints the account's alarms as one: JSON whose bodies "  \
	  "are exactly what PutMetricAlarm and its like take; what `aws cloudwatch describe-alarms` prints is one too. `plan "  \
	  "FILE` says field by field what differs, `drift FILE` the same of what others changed; both exit 0 when nothing "     \
	  "does, 2 when something does, 1 on any error. `apply FILE` shows the plan, asks, and writes exactly that, children "  \
	  "before their composites, each alarm read again before and after. A setting that this build does not know is kept or " \
	  "its alarm refused; an alarm that is not this file's (tag sluice:owner) or that CloudFormation or Terraform keeps is " \
	  "refused without --adopt. apply needs --mode admin and a confirmation: a terminal asks, elsewhere --yes says it. "    \
	  "docs/alarms.md has the file's form. `enable NAME` and `disable NAME` switch an alarm's actions, `set-state NAME STATE "   \
	  "[REASON]` sets its state until the next evaluation and fires its actions, `delete NAME` deletes it: each says who keeps "  \
	  "the alarm, asks, and reads back what it did. "   \
	  "`mute NAME --reason TEXT` holds its actions back for an hour or --for a time, by a mute rule that ends by itself; "  \
	  "`unmute NAME` ends sluice's rules on it. Both need --mode operate.")                                                                              \
	X(TOPICS, "topics", "[ACTION] [TOPIC] ...", 0, 4, "text json", true, cmd_topics,                                       \
	  "SNS's topics, who is subscribed, and one message to them",                                                          \
	  "`list` names the topics with their subscriptions, confirmed and pending. `show TOPIC` (a name or an ARN) says who would " \
	  "really be told: each subscription with its endpoint, filter and redrive policy. `create NAME`; `subscribe TOPIC "   \
	  "PROTOCOL ENDPOINT`, with --filter-policy JSON and --dead-letters QUEUE-ARN; `unsubscribe SUBSCRIPTION-ARN`; `publish " \
	  "TOPIC MESSAGE` with --subject, or with --test in place of the message one test alert through the real route. These need " \
	  "--mode admin and a confirmation: a terminal asks, elsewhere --yes says it.")                                        \
	X(ERRORS, "errors", "FUNCTION", 1, 1, "text json", true, cmd_errors,                                                   \
	  "a function's last errors by shape, from its log",                                                                   \
	  "Reads the lines that look like errors from the function's log group (FilterLogEvents: a few calls, no price), "     \
	  "--since a duration or time ago (default 1h), and groups them by what stays when numbers, ids and quoted values are " \
	  "taken out: how many lines, first and last, and the release that the first of them ran. Requests are told by id, "   \
	  "and messages where the lines name them; what stands in braces or in long quotes is not shown, as a message's body " \
	  "may be in it. A window that holds more than a few calls read is said. No log group and no right to it are errors.") \
	X(DOCTOR, "doctor", "", 0, 0, "text json", true, cmd_doctor, "what was found, where it comes from, what to mend",      \
	  "Looks at the terminal, the locale, the configuration, credentials, endpoints, the clock, the history file and the " \
	  "permissions. Each line says ok or !!. The exit status is 1 when something wants mending, and standard error names " \
	  "the first thing to mend. Secrets are never shown.")                                                                 \
	X(IAM, "iam", "", 0, 0, "json", true, cmd_iam, "the least IAM policy for what the configuration names",                \
	  "Prints an IAM policy document that allows what sluice calls in the mode given with --mode (default observe), and "  \
	  "no more: attach it to the user or role that sluice runs as. Nothing is asked of AWS. Without configured stages it " \
	  "covers every resource of the account and region. From operate on it also allows what put-record, process and "        \
	  "put-metric do.")                                                                                                    \
	X(PUT_RECORD, "put-record", "STREAM", 1, 1, "text json", true, cmd_put_record, "put JSON lines into a Kinesis stream", \
	  "Each line of --data (default standard input) is one record and is sent byte for byte, without its line feed; "  \
	  "a line that is not JSON fails alone. Records go in batches; those that the stream refuses for its rate are "    \
	  "sent again, up to 8 times with growing pauses, and only those. The answer tells of every record that is not "   \
	  "in: one line each (record, line, status, code, message, partition key, and the record unless --rejects has "    \
	  "it) and a last one with the totals; --format json tells of all. A record is ok, failed (certainly not in) or "  \
	  "unknown: the answer was lost after the record was sent, so that it may be in, and sent again it may be there "  \
	  "twice. Failed and unknown records are kept: in --rejects FILE, else in the answer. Exit status 0 only when "    \
	  "all are in. It needs --mode operate and a confirmation: a terminal asks, elsewhere --yes says it.")             \
	X(PROCESS, "process", "BUCKET KEY", 2, 2, "text json", true, cmd_process,                                              \
	  "start batch processing of an object through Lambda",                                                                \
	  "Invokes the function asynchronously (Event) with {\"bucket\",\"key\",\"timestamp\"}, the timestamp being now in "     \
	  "RFC 3339 UTC, and prints the id of the request. Lambda has then queued the event; how the function fares is for "   \
	  "its own metrics to say. When the answer is lost the event may have been queued: that is said, nothing is sent "     \
	  "again, and the exit status is 1. It needs --mode operate and a confirmation: a terminal asks, elsewhere --yes "     \
	  "says it.")                                                                                                          \
	X(PUT_METRIC, "put-metric", "NAMESPACE NAME VALUE", 3, 3, "text json", true, cmd_put_metric,                           \
	  "put a value into a custom CloudWatch metric",                                                                       \
	  "One sample at the time of its arrival. Nothing is sent unless namespace, name, value, unit and dimensions are what " \
	  "CloudWatch takes. When the answer is lost the sample may have been taken: that is said, nothing is sent again, and " \
	  "the exit status is 1. It needs --mode operate and a confirmation: a terminal asks, elsewhere --yes says it.")       \
	X(REPLAY, "replay", "ACTION [SOURCE|RUN|FILE] [MESSAGE|FILE]", 1, 3, "text json jsonl", true, cmd_replay,                                \
	  "put failed messages back: through Lambda, or into their queue",                                                   \
	  "groups SOURCE shows the messages of a dead-letter queue by cause; plan SOURCE says what a replay would do and warns; " \
	  "start SOURCE freezes the messages, asks for their number, and replays them: --through FUNCTION[:ALIAS] invokes the " \
	  "function with the event its queue would have brought it and deletes what it processed, --redrive sends them back. The " \
	  "first line is the run's id. resume, status, show, pause, stop and verify take a RUN, without one the newest unfinished, " \
	  "else the newest; list shows all. hold, skip and release [RUN] MESSAGE set one message aside, for good, or back. export [RUN] FILE " \
	  "hands a run over and adopt FILE goes on with it elsewhere. buy-time SOURCE raises a queue's or stream's retention (--mode " \
	  "admin; --undo puts it back). --move-task leaves the moving to SQS. SOURCE is sqs:QUEUE; kinesis:STREAM/SHARD@SEQ..SEQ, whose records are read again; " \
	  "failures:QUEUE: on-failure records, whose own function gets what they point to unless --through names another; "\
	  "s3://BUCKET/PREFIX, which invokes the function "\
	  "with each object as {bucket, key, timestamp} unless it was written again since; failures:s3://BUCKET/PREFIX with the event in "\
	  "each on-failure record that lies there. Every message's state is in a ledger below $XDG_STATE_HOME before " \
	  "anything is done to it: after a crash, resume goes on. A message whose outcome is not known is UNKNOWN and never sent " \
	  "again silently: --unknown says what becomes of it. Exit status 0 only when every message was processed. groups, plan and " \
	  "--dry-run receive messages, which hides them for a while: they need --mode inspect; start and resume need --mode " \
	  "operate. Without a terminal start needs --yes-i-mean COUNT, and refuses (3) when it is another number that was frozen.") \
	X(AUDIT, "audit", "[verify]", 0, 1, "text json", true, cmd_audit, "the log of what sluice did, and whether it is whole", \
	  "Every request that changes something was written here, and synced, before it was sent. Each line covers the one before: " \
	  "verify names the first that was changed, removed or put in (exit status 1). --format json gives an object a line, with " \
	  "the names of the Elastic Common Schema.")                                                                         \
	X(SIM, "sim", "", 0, 0, NULL, false, NULL, "the embedded AWS alone, for any client",                                   \
	  "Serves a simulated AWS account on 127.0.0.1 until a signal ends it, verifying signatures. It accepts the key pair " \
	  "of its own environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), else one that it makes up and prints. "       \
	  "What --fault says can also be switched while it runs: POST {\"faults\":[\"OP=FAULT\"]} to /_sluice/faults; GET tells "  \
	  "how often each was reached, DELETE ends them all.")                                                                 \
	X(HELP, "help", "[COMMAND]", 0, 1, NULL, false, cmd_help, "how to use a command",                                      \
	  "`help check` explains --check.")

enum cmd_id {
#define X(id, ...) CMD_##id,
	CLI_COMMANDS(X)
#undef X
	CMD_COUNT
};

struct cli_command {
	enum cmd_id id;
	const char *name, *operands;
	int min, max;
	const char *formats;
	bool engine;
	int (*run)(const struct cli *c, struct engine *g);
	const char *help, *more;
};

/* Which commands take an option: one bit each, and one for the console, which has no row of its own. */
#define BIT(id) (1U << CMD_##id)
#define FOR_CONSOLE (1U << CMD_COUNT)
#define FOR_ALL (~0U)
#define FOR_ACTS (BIT(PUT_RECORD) | BIT(PROCESS) | BIT(PUT_METRIC) | BIT(TOPICS))
#define FOR_ENGINE                                                                                                         \
	(BIT(CHECK) | BIT(STATUS) | BIT(HISTORY) | BIT(DOCTOR) | BIT(IAM) | BIT(DISCOVER) | BIT(ALARMS) | BIT(ERRORS) |        \
	 BIT(REPLAY) | BIT(AUDIT) | BIT(NOTE) | BIT(REPORT) | FOR_ACTS)

/* arg NULL: a flag; "[X]": a value only as --name=X.
 *  X(name, letter or 0, arg, who takes it, setter, help) */
#define CLI_OPTIONS(X)                                                                                                     \
	X("--config", 0, "FILE", FOR_ALL, set_config, "configuration file; default $XDG_CONFIG_HOME/sluice/config.ini")        \
	X("--profile", 0, "NAME", FOR_ALL, set_profile, "profile of AWS's own configuration files")                            \
	X("--region", 0, "NAME", FOR_ALL, set_region, "AWS region")                                                            \
	X("--endpoint-url", 0, "URL", FOR_ALL, set_endpoint_url, "talk to this endpoint instead of AWS's own")                 \
	X("--demo", 0, "[SCENARIO]", FOR_ALL, set_demo,                                                                        \
	  "run against the embedded AWS: no account, network or configuration; --demo=list names the scenarios")               \
	X("--cache", 0, "FILE", FOR_ALL, set_cache, "history database; default $XDG_CACHE_HOME/sluice/history.db")             \
	X("--mode", 0, "MODE", FOR_ALL, set_mode, "the most this process may do: observe, inspect, operate or admin")          \
	X("--color", 0, "WHEN", FOR_ALL, set_color, "auto, always or never; NO_COLOR is honoured")                             \
	X("--log", 0, "SPEC", FOR_ALL, set_log,                                                                                \
	  "log to $XDG_STATE_HOME/sluice/sluice.log: one level, or system=level,...: http=debug,engine=info")                  \
	X("--help", 'h', NULL, FOR_ALL, set_help, "this help, or the command's")                                               \
	X("--version", 0, NULL, FOR_ALL, set_version, "the version")                                                           \
	X("--check", 0, NULL, FOR_ALL, set_check, "judge once and exit; see `sluice help check`")                              \
	X("--format", 0, "FORMAT", FOR_ENGINE, set_format, "text, json or what else the command names")                       \
	X("--timeout", 't', "SEC", FOR_ENGINE, set_deadline, "give up after so many seconds; default 60, with --format nagios 10")                     \
	X("--alarms", 0, NULL, BIT(CHECK), set_alarms, "judge every CloudWatch alarm")                                         \
	X("--in-alarm-is", 0, "LEVEL", BIT(CHECK), set_in_alarm_is, "warn or crit (default): what an alarm in ALARM is")       \
	X("--dlq-max", 0, "N", BIT(CHECK), set_dlq_max, "dead-letter queues may hold so many visible messages")                \
	X("--ttl-min", 0, "DURATION", BIT(CHECK), set_ttl_min,                                                                 \
	  "what a queue or a stream holds must last so long: CRITICAL when its first-loss clock is nearer, UNKNOWN when it "   \
	  "may be")                                                                                                            \
	X("--metric", 0, "METRIC", BIT(CHECK), set_metric,                                                                     \
	  "judge NAMESPACE/NAME{dim=v}:STAT[@PERIOD]; may be given again")                                                     \
	X("--warning", 'w', "RANGE", BIT(CHECK), set_warning,                                                                  \
	  "WARNING outside RANGE, as in monitoring plugins: 10, 10:, ~:10, 10:20, @10:20")                                     \
	X("--critical", 'c', "RANGE", BIT(CHECK), set_critical, "CRITICAL outside RANGE")                                      \
	X("--mofn", 0, "M/N", BIT(CHECK), set_mofn, "breached when M of the newest N points are")                              \
	X("--window", 0, "DURATION", BIT(CHECK), set_window, "judge the points of so long: 15m, 6h")                           \
	X("--min-samples", 0, "N", BIT(CHECK), set_min_samples, "fewer points than this are UNKNOWN (TOO_FEW)")                \
	X("--no-data", 0, "LEVEL", BIT(CHECK), set_no_data, "ok, warn, crit or unknown (default): what no points at all are")  \
	X("--delay", 0, "auto|SEC", BIT(CHECK), set_delay, "how long a period may take to arrive; default auto")               \
	X("--select", 0, "NAME", BIT(CHECK), set_select, "judge only what has this name (of a check, pipeline, resource or alarm), or with tag:KEY=VALUE what belongs to a "     \
	  "resource that carries this tag; may be given again")                                                                \
	X("--out", 0, "FILE", BIT(CHECK), set_out,                                                                             \
	  "write the result to FILE, whole or not at all, not to standard output; with --format gitlab a FILE.xml is JUnit, "  \
	  "any other is code quality, and --out may be given twice")                                                           \
	X("--verbose", 'v', NULL, BIT(CHECK), set_verbose,                                                                     \
	  "say more: -v all of what is in trouble, -vv of everything, -vvv also every cause, not three")                       \
	X("--reason", 0, "TEXT", BIT(ALARMS), set_reason, "alarms mute: why; kept in the rule and in the audit log")           \
	X("--for", 0, "DURATION", BIT(CHECK) | BIT(ALARMS), set_for,                                                                         \
	  "alarms mute: for so long, 1m to 7d. check: judge once a period for so long: CRITICAL as soon as --fail-limit is passed, OK only when every sample was, else "  \
	  "UNKNOWN; -t is then each poll's")                                                                                   \
	X("--fail-limit", 0, "N", BIT(CHECK), set_fail_limit,                                                                  \
	  "with --for: so many CRITICAL samples of one check are borne; default 0")                                            \
	X("--until-ok", 0, NULL, BIT(CHECK), set_until_ok,                                                                     \
	  "judge once a period and end at the first OK, at the latest after --for, else -t")                                   \
	X("--max-cost", 0, "USD", BIT(CHECK), set_max_cost,                                                                    \
	  "refuse, with the estimate, before polling for more than this")                                                      \
	X("--publish", 0, "NAMESPACE", BIT(CHECK), set_publish,                                                                \
	  "put each result into custom metrics: CheckStatus (0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN) and CheckValue, with "    \
	  "the dimension Check, and ExitStatus; needs --mode operate and --yes")                                               \
	X("--notify", 0, "TOPIC", BIT(CHECK), set_notify,                                                                      \
	  "one message to this SNS topic (its ARN) when what is in trouble has changed since the last; needs --mode operate "  \
	  "and --yes")                                                                                                         \
	X("--warn-is-ok", 0, NULL, BIT(CHECK), set_warn_is_ok, "exit 0 on WARNING")                                            \
	X("--unknown-is", 0, "LEVEL", BIT(CHECK), set_unknown_is, "ok, warn or crit: which exit status an UNKNOWN gives")      \
	X("--since", 0, "TIME", BIT(HISTORY) | BIT(ALARMS) | BIT(ERRORS) | BIT(REPORT), set_since,                             \
	  "first point or moment: a duration before the end (default 24h; errors 1h, alarms history 7d) or an RFC 3339 time")  \
	X("--until", 0, "TIME", BIT(HISTORY) | BIT(REPORT), set_until, "end: an RFC 3339 time or a duration ago; default now") \
	X("--offline", 0, NULL, BIT(HISTORY) | BIT(REPORT), set_offline, "the history file alone, no poll")                    \
	X("--filter-policy", 0, "JSON", BIT(TOPICS), set_filter_policy, "topics subscribe: only messages whose attributes match") \
	X("--dead-letters", 0, "QUEUE", BIT(TOPICS), set_dead_letters,                                                         \
	  "topics subscribe: the ARN of a queue that gets what could not be delivered")                                        \
	X("--subject", 0, "TEXT", BIT(TOPICS), set_subject, "topics publish: up to 99 printable ASCII characters")             \
	X("--test", 0, NULL, BIT(TOPICS), set_test, "topics publish: a test alert that says that it is one")                   \
	X("--adopt", 0, NULL, BIT(ALARMS), set_adopt,                                                                          \
	  "alarms plan, apply: write also alarms that are not this file's, and make them so")                                  \
	X("--yes", 'y', NULL, FOR_ACTS | BIT(CHECK) | BIT(ALARMS) | BIT(REPLAY), set_yes, "do it without being asked; needed where there is no terminal")                \
	X("--dry-run", 0, NULL, FOR_ACTS | BIT(CHECK) | BIT(DISCOVER) | BIT(REPLAY) | BIT(ALARMS), set_dry_run, "say what would be sent, or written, and do not")       \
	X("--through", 0, "FUNCTION[:ALIAS]", BIT(REPLAY), set_through, "invoke this function, or ARN, with the messages")   \
	X("--redrive", 0, NULL, BIT(REPLAY), set_redrive, "send the messages back into the queue they came from")            \
	X("--move-task", 0, NULL, BIT(REPLAY), set_move_task,                                                                \
	  "let SQS itself move them back: for more than one machine can hold; faster step by step up to --rate (default 500), " \
	  "counts are approximate")                                                                                          \
	X("--to", 0, "QUEUE", BIT(REPLAY), set_to, "with --redrive or --move-task: into this queue instead")                 \
	X("--verify", 0, "DURATION", BIT(REPLAY), set_verify,                                                                \
	  "with --redrive: a copy that has not come back for so long is done; default what the queue's redrive policy takes")    \
	X("--limit", 0, "N", BIT(REPLAY), set_limit, "at most N messages")                                                   \
	X("--rate", 0, "N", BIT(REPLAY), set_rate, "at most N messages in any second; default 10")                           \
	X("--where", 0, "TEST", BIT(REPLAY), set_where,                                                                      \
	  "only what is group=FINGERPRINT (of replay groups), source=QUEUE, body~TEXT or attr.NAME=VALUE")                   \
	X("--keys", 0, "FILE", BIT(REPLAY), set_keys, "of s3://BUCKET/PREFIX these keys alone, one a line; - is standard input")  \
	X("--event", 0, "SHAPE", BIT(REPLAY), set_event,                                                                     \
	  "of an s3:// source: object is {bucket, key, timestamp} (default), s3 the notification that S3 would have sent")   \
	X("--lease", 0, "DURATION", BIT(REPLAY), set_lease,                                                                  \
	  "hold a message so long at a time; default 6 times the function's timeout, within 60s and 15m")                    \
	X("--despite", 0, "WHAT", BIT(REPLAY), set_despite,                                                                  \
	  "go on although: loss (the first message is lost before the run is over), alarms, throttles, age; with commas several") \
	X("--watch", 0, "DURATION", BIT(REPLAY), set_watch,                                                                  \
	  "how often alarms, the consumer's throttles, its queue's age and the clock are looked at; default 60s")            \
	X("--unknown", 0, "POLICY", BIT(REPLAY), set_unknown, "hold or resend: what becomes of a message that may have been processed") \
	X("--poison", 0, "POLICY", BIT(REPLAY), set_poison,                                                                  \
	  "leave (default) or again: what failed for good in an earlier run")                                                \
	X("--dedupe", 0, "POLICY", BIT(REPLAY), set_dedupe,                                                                  \
	  "skip (default) or send: what has the business key (idempotency_path) of a message that was replayed well before") \
	X("--copy", 0, NULL, BIT(REPLAY), set_copy, "export without handing over: the run stays here")                       \
	X("--driver-gone", 0, NULL, BIT(REPLAY), set_driver_gone,                                                            \
	  "adopt although the file does not say that nobody drives the run any more")                                       \
	X("--hours", 0, "N", BIT(REPLAY), set_hours, "buy-time of a stream: keep records so long; default 168")             \
	X("--undo", 0, NULL, BIT(REPLAY), set_undo, "buy-time: back to the retention that it found")                         \
	X("--yes-i-mean", 0, "COUNT", BIT(REPLAY), set_yes_i_mean, "do it to exactly so many messages, without being asked") \
	X("--data", 0, "FILE", BIT(PUT_RECORD), set_data, "the records, a line each; - (default) is standard input")           \
	X("--partition-key", 0, "KEY", BIT(PUT_RECORD), set_partition_key,                                                     \
	  "of all records; default each one's user_id, or \"default\" where it has none")                                      \
	X("--rejects", 0, "FILE", BIT(PUT_RECORD), set_rejects,                                                                \
	  "write the records that failed or whose outcome is unknown to FILE, as they came")                                   \
	X("--function", 0, "NAME", BIT(PROCESS), set_function,                                                                 \
	  "name, name:alias or ARN; default process_function of the configuration, or data-processor")                         \
	X("--unit", 0, "UNIT", BIT(PUT_METRIC), set_unit, "CloudWatch's: Count, Percent, Seconds, Bytes/Second ...")           \
	X("--dim", 0, "NAME=VALUE", BIT(PUT_METRIC), set_dim, "a dimension; may be given again")                               \
	X("--stack", 0, "NAME", BIT(DISCOVER), set_stack, "the CloudFormation stack NAME (or its ARN) is the pipeline")        \
	X("--tag", 0, "KEY=VALUE", BIT(DISCOVER), set_tag, "what carries this tag is the pipeline; KEY alone: any value")      \
	X("--write", 0, NULL, BIT(DISCOVER), set_write, "add what is new to the configuration file")                           \
	X("--port", 0, "N", BIT(SIM), set_port, "listen on 127.0.0.1:N; default any free port")                                \
	X("--scenario", 0, "NAME", BIT(SIM), set_scenario, "what happens in the account")                                      \
	X("--speed", 0, "X", BIT(SIM), set_speed, "simulated seconds in a real one; default 1")                                \
	X("--latency", 0, "MS", BIT(SIM), set_latency, "milliseconds added to every answer")                                   \
	X("--fault", 0, "OP=FAULT", BIT(SIM), set_fault,                                                                       \
	  "spoil an operation on purpose: OP=FAULT[:PARAM][,times=N][,after=N][,p=0.5], as in sqs:*=throttle,times=3; "        \
	  "may be given again; `--fault list` names faults and operations")                                                    \
	X("--man", 0, NULL, BIT(HELP), set_man, "print the manual page (roff)")

struct cli_option {
	const char *name;
	char letter;
	const char *arg;
	unsigned takers;
	bool (*set)(struct cli *c, const char *value, struct err *e); /* says why in e->text; where is filled by the caller */
	const char *help;
};

extern const struct cli_option cli_options[];
extern const unsigned cli_noptions;
extern const struct cli_command cli_commands[CMD_COUNT];

/* What the options of commands fill in, in the engine's own request types where there are any. */
struct cli_args {
	struct check_request check;
	struct check_metric *metrics;
	const char **select;
	unsigned cmetrics, cselect;
	const char *warning, *critical;            /* defaults of every --metric */
	bool warn_is_ok, until_ok, fail_limit_said, max_cost_said;
	int64_t for_s;
	unsigned fail_limit;
	double max_usd;
	enum verdict_status unknown_is;            /* VERDICT_UNKNOWN: not given */
	const char *out[2];
	unsigned nout, verbose;
	const char *reason;
	const char *since, *until;                 /* checked when parsed, resolved when run */
	const char *stack, *tag;
	bool write;
	bool offline, man, help, version;
	bool yes, dry_run, adopt, test;
	const char *filter_policy, *dead_letters, *subject;
	const char *publish, *notify;
	struct replay_request replay;
	const char *keys_file;                     /* NULL: none */
	bool count_said;
	unsigned count;
	const char *data, *partition_key, *rejects; /* data NULL: standard input */
	const char *function, *unit;
	const char **dims;
	unsigned ndims, cdims;
	const char *const *scenarios, *const *scenario_help;
};

int cmd_check(const struct cli *c, struct engine *g);
int cmd_status(const struct cli *c, struct engine *g);
int cmd_history(const struct cli *c, struct engine *g);
int cmd_doctor(const struct cli *c, struct engine *g);
int cmd_topics(const struct cli *c, struct engine *g);
int cmd_alarms(const struct cli *c, struct engine *g);
int cmd_errors(const struct cli *c, struct engine *g);
int cmd_discover(const struct cli *c, struct engine *g);
int cmd_iam(const struct cli *c, struct engine *g);
int cmd_put_record(const struct cli *c, struct engine *g);
int cmd_process(const struct cli *c, struct engine *g);
int cmd_put_metric(const struct cli *c, struct engine *g);
int cmd_replay(const struct cli *c, struct engine *g);
int cmd_audit(const struct cli *c, struct engine *g);
int cmd_report(const struct cli *c, struct engine *g);
int cmd_note(const struct cli *c, struct engine *g);
int cmd_help(const struct cli *c, struct engine *g);

/* ---- shared by the commands */
/* act.c: asks the engine for an act, with what the command line says of consent; a person at the terminal is asked where the gate wants
 * it, and then the engine once more. Never NULL. */
struct result *cli_act(const struct cli *c, struct engine *g, struct request *rq);
/* The exit status of a command that acted: 128 + n when signal n ended the act early, which is told like any other outcome. */
int cli_act_status(int status);
/* The line of an act that failed; one that may have been done all the same says so. Returns the exit status. */
int cli_act_failed(const struct cli *c, const struct err *e);
/* The whole of a command that is one act: done, told in the form that was asked for, or told why not; its exit status. */
struct out;
typedef void cli_act_printer(struct out *o, const struct cli *c, const struct result *r);
int cli_act_print(const struct cli *c, struct engine *g, struct request *rq, cli_act_printer *json, cli_act_printer *text);
/* A duration (before `end`) or an RFC 3339 time, as --since and --until take; false when it is neither. */
bool cli_time(const char *text, int64_t end, int64_t *t);
bool cli_is_json(const struct cli *c);
/* "sluice: TEXT" on stderr, one write, visible characters only. */
void cli_say(const char *text);
void cli_say_err(const struct err *e);
void cli_note(const char *about, const char *text); /* "sluice: note: ABOUT: TEXT" */
/* Has this text been through the filter (or needs it none)? */
bool cli_is_visible(struct span s);
/* Up to `most` lines for n causes, the last saying how many more there are; line() appends visible characters only. */
#define CAUSES 3
void cli_say_causes(unsigned n, unsigned most, void (*line)(const void *ctx, unsigned i, struct buf *out), const void *ctx);
/* The candidate nearest to word, or NULL when none is near; candidates end with NULL. */
const char *cli_near(const char *word, const char *const *candidates);
/* Does the blank-separated list hold the word? */
bool cli_listed(const char *list, const char *word);
/* verbs.c: a command's first operand is one of these (the first when there is none); later: those that only a later version has; NULL. */
struct cli_verb {
	const char *name, *wants; /* wants: what its operands are, when it needs some; NULL */
	int least, most;          /* operands behind its name */
	int (*run)(const struct cli *c, struct engine *g);
};
int cli_verbs(const struct cli *c, struct engine *g, const struct cli_verb *verbs, unsigned n, const char *later);

/* help.c, man.c: both append to b */
void cli_help(struct buf *b, const struct cli_command *cmd);   /* NULL: the overview */
void cli_man(struct buf *b);
int cli_print(const struct cli *c, struct buf *b);             /* to standard output; clears b */
/* doctor without an engine: what can be said, and why there is none. */
int cmd_doctor_without(const struct cli *c, const struct err *why);

#endif
