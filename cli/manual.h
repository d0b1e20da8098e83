/* Private to cli/: what help and the man page say beside the option, command and configuration tables. */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include "cli/args.h"

#define MANUAL_WHAT "terminal console and command line for operating AWS data pipelines"

/*  X(usage, what it does) */
#define MANUAL_USAGES(X)                                                                 \
	X("sluice [OPTIONS]", "open the console (needs a terminal)")                         \
	X("sluice --check [OPTIONS]", "one-shot check for CI, cron and monitoring")          \
	X("sluice COMMAND [OPTIONS]", "everything the console can do, scriptable")

/*  X(status, meaning) */
#define MANUAL_EXITS(X)                                                                  \
	X("0", "done; under --check: OK")                                                    \
	X("1", "the operation failed or left something undone; under --check: WARNING")      \
	X("2", "unusable arguments or configuration; under --check: CRITICAL")               \
	X("3", "refused: mode, grant or confirmation missing; under --check: UNKNOWN, or unusable arguments")                     \
	X("70", "out of memory")                                                             \
	X("128+n", "ended by signal n; 141 also when the reader of standard output has gone")

/*  X(variable, meaning) */
#define MANUAL_VARIABLES(X)                                                              \
	X("AWS_PROFILE, AWS_REGION, AWS_DEFAULT_REGION", "as in the AWS CLI; --profile and --region win") \
	X("AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN", "credentials")      \
	X("AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE", "where AWS's own files are")       \
	X("AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_<SERVICE>", "other endpoints than AWS's own; --endpoint-url wins") \
	X("AWS_CA_BUNDLE, SSL_CERT_FILE, SSL_CERT_DIR", "the trust store")                   \
	X("HTTPS_PROXY, http_proxy, ALL_PROXY, NO_PROXY", "proxies, as curl understands them; lower case wins, HTTP_PROXY is not read") \
	X("NO_COLOR", "any value: no colour, unless --color says otherwise")                 \
	X("XDG_CONFIG_HOME, XDG_CACHE_HOME, XDG_STATE_HOME", "where configuration, history and log are") \
	X("GITHUB_STEP_SUMMARY", "with --check --format github: the file that gets the whole table") \
	X("SLUICE_NOW", "an RFC 3339 time at which the wall clock stands still (for tests); --for then waits for nothing")

/*  X(file, what it holds) */
#define MANUAL_FILES(X)                                                                  \
	X("$XDG_CONFIG_HOME/sluice/config.ini", "configuration; else ~/.config/sluice/config.ini") \
	X("$XDG_CACHE_HOME/sluice/history.db", "history (SQLite); else ~/.cache/sluice/history.db") \
	X("$XDG_STATE_HOME/sluice/told-*", "with --check --notify: what was told last") \
	X("$XDG_STATE_HOME/sluice/sluice.log", "log, with --log; else ~/.local/state/sluice/sluice.log")

/*  X(command, why) */
#define MANUAL_EXAMPLES(X)                                                               \
	X("sluice --demo", "the console on an embedded AWS; nothing else is needed")         \
	X("sluice --check --alarms --dlq-max 0", "a gate for a deployment")                  \
	X("sluice --check --ttl-min 24h", "nothing may be a day or less from being lost")    \
	X("sluice --check --notify arn:aws:sns:eu-west-1:123456789012:oncall --mode operate --yes", "one message when what is in trouble has changed") \
	X("sluice --check --metric 'Orders/Errors{Stage=load}:Sum' -w 5 -c 20 --mofn 3/5", "a metric of your own") \
	X("sluice --check --for 10m --fail-limit 1 --format junit --out sluice.xml", "ten minutes after a deployment") \
	X("sluice --check --until-ok --for 10m", "wait for the first OK")                    \
	X("sluice status --format json", "the overview for a script")                        \
	X("sluice history orders-dlq visible --since 6h --format csv", "six hours of one metric") \
	X("sluice put-record orders --data orders.jsonl --rejects left.jsonl --mode operate --yes", "ingest, and keep what did not go in")

/* "-c, --critical RANGE", "--demo[=SCENARIO]" */
void manual_option(const struct cli_option *o, struct buf *b);
/* Belongs to this command alone (or to a few), so it is listed there and not among the common ones. */
static inline bool manual_own(const struct cli_option *o)
{
	return o->takers != FOR_ALL;
}

#endif
