/* What goes wrong on purpose, one operation at a time: the bad days of an AWS that no emulator has. A row of FAULTS is a
 * fault; a switch (struct fault_on) is a row that was switched on for an operation, with its limits and its count. The
 * count is of times that the fault was really reached: a test whose fault has 0 hits has shown nothing. The server's
 * thread owns it all. */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct sim_fail;
struct sim_req;
struct world;

/* CLOCK: while the signature is checked. BEFORE: the request is good, nothing was done yet. INSIDE: the operation's own
 * handler asks (fault_inside). AFTER: the work is done, the answer is ready. */
enum fault_when { AT_CLOCK, AT_BEFORE, AT_INSIDE, AT_AFTER };

/* PASS: it cannot be done to this one, and does not count. REFUSE: f says why. ANSWER: the answer is made, or changed. */
enum fault_done { FAULT_PASS, FAULT_REFUSE, FAULT_ANSWER };

#define FAULT_TRAP "/_sluice/trap" /* where redirects lead */
#define FAULT_1E9 INT64_C(1000000000)
#define FAULT_16MIB INT64_C(16777216)
#define FAULT_PAGES                                                                                                        \
	"cloudwatch:ListMetrics cloudwatch:DescribeAlarms cloudwatch:DescribeAlarmHistory cloudwatch:GetMetricData "           \
	"sqs:ListQueues lambda:ListFunctions lambda:ListEventSourceMappings lambda:ListVersionsByFunction lambda:ListAliases " \
	"cloudtrail:LookupEvents logs:FilterLogEvents logs:DescribeLogGroups sns:ListTopics sns:ListSubscriptions"
#define FAULT_BATCHES "sqs:SendMessageBatch sqs:DeleteMessageBatch sqs:ChangeMessageVisibilityBatch"
#define FAULT_HANDLES                                                                                                      \
	"sqs:DeleteMessage sqs:ChangeMessageVisibility sqs:DeleteMessageBatch sqs:ChangeMessageVisibilityBatch"
#define FAULT_DATA "cloudwatch:GetMetricData"
#define FAULT_WEB "sts:AssumeRoleWithWebIdentity"
#define FAULT_ISSUERS "sts:AssumeRole " FAULT_WEB " sso:* oidc:* imds:GetCredentials container:*"
#define FAULT_AWS "cloudformation:* cloudtrail:* cloudwatch:* kinesis:* lambda:* logs:* sns:* sqs:* sts:* tagging:*"

/* Parameter: its name ("" = none) with default, least and most; or words with | between, then the value is the word's place.
 *  X(ID, name, operations, when, parameter, default, least, most, function, help) */
#define FAULTS(X)                                                                                                          \
	X(DENIED, "denied", FAULT_AWS, AT_BEFORE, "identity|explicit|scp|boundary|session", 0, 0, 0, fault_denied,             \
	  "AccessDenied in AWS's words, by the kind of policy that says so")                                                   \
	X(EXPIRED_TOKEN, "expired-token", "*", AT_BEFORE, "", 0, 0, 0, fault_expired,                                          \
	  "the session token has expired: ExpiredToken, or what stands for it")                                                \
	X(REVOKED, "revoked", FAULT_AWS, AT_BEFORE, "", 0, 0, 0, fault_revoked,                                                \
	  "temporary keys that signed this are expired from now on")                                                           \
	X(LIFETIME, "lifetime", FAULT_ISSUERS, AT_INSIDE, "SECONDS", 60, 1, 86400, NULL,                                       \
	  "the keys or the token given last so long")                                                                          \
	X(BAD_WEB_TOKEN, "bad-web-token", FAULT_WEB, AT_INSIDE, "", 0, 0, 0, NULL, "InvalidIdentityToken")                     \
	X(IDP_DOWN, "idp-down", FAULT_WEB, AT_INSIDE, "", 0, 0, 0, NULL, "IDPCommunicationError: may be tried again")          \
	X(IMDS_V1, "imds-v1", "imds:*", AT_INSIDE, "", 0, 0, 0, NULL,                                                          \
	  "an instance of old: no tokens (404), and none are asked for")                                                       \
	X(UNKNOWN_KEY, "unknown-key", FAULT_AWS, AT_BEFORE, "", 0, 0, 0, fault_unknown_key,                                    \
	  "the access key is not known")                                                                                       \
	X(CLOCK, "clock", FAULT_AWS, AT_CLOCK, "SECONDS", 3600, -FAULT_1E9, FAULT_1E9, NULL,                                   \
	  "the service's clock is so far ahead: signatures out of its time fail, Date says what it thinks")                    \
	X(SKEWED, "skewed", FAULT_AWS, AT_CLOCK, "SECONDS", 3600, -FAULT_1E9, FAULT_1E9, NULL,                                 \
	  "the same, refused with the code RequestTimeTooSkewed")                                                              \
	X(THROTTLE, "throttle", FAULT_AWS " sso:*", AT_BEFORE, FAULT_REASONS, 0, 0, 0, fault_throttle,                         \
	  "too many requests, in the operation's own way; the reason is told by lambda")                                       \
	X(LIMIT_EXCEEDED, "limit-exceeded", "cloudwatch:*", AT_BEFORE, "", 0, 0, 0, fault_limit,                               \
	  "a quota of the account is used up")                                                                                 \
	X(SPREAD, "spread", FAULT_DATA, AT_INSIDE, "POINTS", 10, 1, 100800, NULL,                                              \
	  "at most so many points in an answer: the rest follows by NextToken")                                                \
	X(PARTIAL_DATA, "partial-data", FAULT_DATA, AT_INSIDE, "EVERY", 1, 1, 500, NULL,                                       \
	  "half of every nth result, PartialData, and no more to come")                                                        \
	X(INTERNAL_ERROR, "internal-error", FAULT_DATA, AT_INSIDE, "EVERY", 1, 1, 500, NULL,                                   \
	  "StatusCode InternalError in every nth result, which is empty")                                                      \
	X(FORBIDDEN, "forbidden", FAULT_DATA, AT_INSIDE, "EVERY", 1, 1, 500, NULL,                                             \
	  "StatusCode Forbidden in every nth result, which is empty")                                                          \
	X(MAX_METRICS, "max-metrics", FAULT_DATA, AT_INSIDE, "", 0, 0, 0, NULL,                                                \
	  "a message beside the results: MaxMetricsExceeded")                                                                  \
	X(LATE, "late", FAULT_DATA " cloudwatch:GetMetricStatistics", AT_INSIDE, "MINUTES", 3, 1, 20160, NULL,                 \
	  "the newest points are not there yet")                                                                               \
	X(HOLES, "holes", FAULT_DATA " cloudwatch:GetMetricStatistics", AT_INSIDE, "EVERY", 3, 1, 1000, NULL,                  \
	  "every nth period is not there yet: it is filled in when this ends")                                                 \
	X(STRAGGLING, "straggling", FAULT_DATA " cloudwatch:GetMetricStatistics", AT_INSIDE, "MINUTES", 3, 1, 60, NULL,         \
	  "each metric's newest points come late, by up to so long: each by a time of its own")                                 \
	X(REVISED, "revised", FAULT_DATA " cloudwatch:GetMetricStatistics", AT_INSIDE, "MINUTES", 3, 1, 60, NULL,               \
	  "sums and counts are too small at first, and grow for so long to what they are")                                     \
	X(OVER_LIMIT, "over-limit", "sqs:ReceiveMessage", AT_BEFORE, "", 0, 0, 0, fault_over_limit,                            \
	  "OverLimit: 120,000 messages are in flight")                                                                         \
	X(BATCH_SENDER, "batch-sender-fault", FAULT_BATCHES, AT_INSIDE, "MASK", 0x2aa, 1, 0x3ff, NULL,                         \
	  "entries fail for good, as the bits say (1: the first)")                                                             \
	X(BATCH_SERVICE, "batch-service-fault", FAULT_BATCHES, AT_INSIDE, "MASK", 0x2aa, 1, 0x3ff, NULL,                       \
	  "entries fail with SenderFault false, as the bits say")                                                              \
	X(DUPLICATE, "duplicate", "sqs:ReceiveMessage", AT_INSIDE, "", 0, 0, 0, NULL,                                          \
	  "what is received stays visible: it comes again")                                                                    \
	X(WRONG_MD5, "wrong-md5", "sqs:ReceiveMessage sqs:SendMessage sqs:SendMessageBatch", AT_INSIDE, "", 0, 0, 0, NULL,     \
	  "the digest of the body is not its digest")                                                                          \
	X(EXPIRED_HANDLE, "expired-handle", FAULT_HANDLES, AT_INSIDE, "", 0, 0, 0, NULL,                                       \
	  "the receipt handle has expired; in a batch each entry is asked")                                                    \
	X(LAGGING, "lagging-counts", "sqs:GetQueueAttributes", AT_INSIDE, "SECONDS", 60, 1, 86400, NULL,                       \
	  "the approximate counts are so old")                                                                                 \
	X(MOVE_FAILS, "move-fails", "sqs:StartMessageMoveTask", AT_INSIDE, "MESSAGES", 0, 0, FAULT_1E9, NULL,                  \
	  "the task becomes FAILED after so many messages")                                                                    \
	X(SLOW_CANCEL, "slow-cancel", "sqs:CancelMessageMoveTask", AT_INSIDE, "SECONDS", 30, 0, 86400, NULL,                   \
	  "the task stays CANCELLING for so long")                                                                             \
	X(READ_LIMITS, "read-limits", "kinesis:GetRecords", AT_INSIDE, "", 0, 0, 0, NULL,                                      \
	  "5 reads and 2 MiB a second a shard, as AWS has it; more is refused, and counted")                                   \
	X(EXPIRED_ITERATOR, "expired-iterator", "kinesis:GetRecords", AT_BEFORE, "", 0, 0, 0, fault_iterator,                  \
	  "the iterator has expired")                                                                                          \
	X(EXPIRED_PAGE, "expired-next-token", "kinesis:ListStreams kinesis:ListShards", AT_BEFORE, "", 0, 0, 0, fault_page,    \
	  "the NextToken has expired")                                                                                         \
	X(FAILED_RECORDS, "failed-records", "kinesis:PutRecords", AT_INSIDE, "EVERY", 2, 1, 500, NULL,                         \
	  "every nth record fails, with one and the other code by turns")                                                      \
	X(TRIMMED, "trimmed", "kinesis:GetRecords", AT_INSIDE, "RECORDS", 1, 1, FAULT_1E9, NULL,                               \
	  "the shard's oldest records go before it is read")                                                                   \
	X(BEHIND, "behind", "kinesis:GetRecords", AT_INSIDE, "MS", 60000, 1, FAULT_1E9, NULL,                                  \
	  "no records, yet MillisBehindLatest says that there are")                                                            \
	X(LOOKUP_RATE, "lookup-rate", "cloudtrail:LookupEvents", AT_BEFORE, "A_SECOND", 2, 1, 8, fault_lookup_rate,            \
	  "as AWS has it: more reads a second are throttled")                                                                  \
	X(TOO_LARGE, "too-large", "lambda:Invoke", AT_BEFORE, "", 0, 0, 0, fault_too_large, "RequestTooLargeException, 413")   \
	X(PENDING, "pending", "lambda:Invoke lambda:GetFunction lambda:GetFunctionConfiguration", AT_INSIDE,                   \
	  "", 0, 0, 0, NULL,                                                                                                   \
	  "the function is Pending: an Invoke is a ResourceConflictException")                                                 \
	X(HANDLED, "handled", "lambda:Invoke", AT_INSIDE, "", 0, 0, 0, NULL,                                                   \
	  "the function failed, and said so: FunctionError Handled")                                                           \
	X(UNHANDLED, "unhandled", "lambda:Invoke", AT_INSIDE, "", 0, 0, 0, NULL,                                               \
	  "the function fell over: FunctionError Unhandled")                                                                   \
	X(TIMED_OUT, "timed-out", "lambda:Invoke", AT_INSIDE, "", 0, 0, 0, NULL,                                               \
	  "the function took longer than it may: FunctionError Unhandled")                                                     \
	X(EMPTY_PAGE, "empty-page", FAULT_PAGES, AT_INSIDE, "", 0, 0, 0, NULL, "nothing but a token for what there is")        \
	X(ENDLESS_PAGES, "endless-pages", FAULT_PAGES, AT_INSIDE, "", 0, 0, 0, NULL,                                           \
	  "the last page has a token too, for the first: it never ends")                                                       \
	X(STATUS, "status", "*", AT_BEFORE, "STATUS", 500, 400, 599, fault_status,                                             \
	  "HTTP status: 500 and 503 as the service words them, others as a load balancer's page")                              \
	X(HTML, "html", "*", AT_BEFORE, "STATUS", 503, 200, 599, fault_html, "a proxy's page in place of the answer")          \
	X(EMPTY, "empty", "*", AT_BEFORE, "STATUS", 200, 200, 599, fault_empty, "an answer without a body")                    \
	X(BIG, "big", "*", AT_BEFORE, "BYTES", 1048576, 0, FAULT_16MIB, fault_big, "so many letters in place of the answer")   \
	X(REDIRECT, "redirect", "*", AT_BEFORE, "STATUS", 302, 300, 399, fault_redirect,                                       \
	  "elsewhere: to a place that counts who follows (\"trapped\")")                                                       \
	X(RESET, "reset", "*", AT_BEFORE, "", 0, 0, 0, fault_reset, "the connection is reset, nothing was done")               \
	X(LOST, "lost", "*", AT_AFTER, "", 0, 0, 0, fault_line, "the work is done, the connection closed without a word")      \
	X(HALF, "half", "*", AT_AFTER, "BYTES", -1, -1, FAULT_16MIB, fault_line,                                               \
	  "so much of the body (-1: half of it), then the connection is closed")                                               \
	X(LENGTH, "length", "*", AT_AFTER, "BYTES", 100, -FAULT_16MIB, FAULT_16MIB, fault_line,                                \
	  "Content-Length says so many more than come; with a minus: fewer")                                                   \
	X(DRIP, "drip", "*", AT_AFTER, "MS", 100, 1, 600000, fault_line, "the body comes byte by byte, one in so long")        \
	X(TRICKLE, "trickle", "*", AT_AFTER, "MS", 100, 1, 600000, fault_line,                                                 \
	  "so does the head, then the connection is closed")                                                                   \
	X(CHUNKED, "chunked", "*", AT_AFTER, "BYTES", 7, 1, FAULT_16MIB, fault_line, "a good answer in chunks of so many")     \
	X(GZIP, "gzip", "*", AT_AFTER, "asked|always", 0, 0, 0, fault_gzip, "a good answer, compressed, to who takes that")    \
	X(CUT, "cut", "*", AT_AFTER, "BYTES", -1, -1, FAULT_16MIB, fault_cut,                                                  \
	  "so much of the body (-1: half of it) as if it were all")                                                            \
	X(DELAY, "delay", "*", AT_AFTER, "MS", 2000, 0, 600000, fault_delay, "the work is done, the answer is slow")           \
	X(SLOW, "slow", "*", AT_AFTER, "MS", 5000, 500, 600000, fault_slow, "the same, each by another time from 500 on")

/* What Lambda says about a 429; the first is said when none is named. */
#define FAULT_REASONS                                                                                                      \
	"ConcurrentInvocationLimitExceeded|FunctionInvocationRateLimitExceeded|"                                               \
	"ReservedFunctionConcurrentInvocationLimitExceeded|ReservedFunctionInvocationRateLimitExceeded|"                       \
	"CallerRateLimitExceeded|ConcurrentSnapshotCreateLimitExceeded"

enum fault_id {
#define X(id, ...) FAULT_##id,
	FAULTS(X)
#undef X
	    FAULT_COUNT
};

struct fault_on;
struct fault {
	const char *name, *where;
	enum fault_when when;
	const char *param;
	int64_t otherwise, least, most;
	enum fault_done (*act)(struct world *w, struct sim_req *rq, const struct fault_on *on, struct sim_fail *f);
	const char *help;
};
extern const struct fault fault_rows[FAULT_COUNT];

struct fault_on {
	enum fault_id id;
	char service[16], op[48]; /* "*": all of them */
	char spec[160];           /* as it was written */
	int64_t param;
	uint64_t times, after;    /* times 0: without end */
	double p;
	uint64_t seed, number;    /* number: which switch this is, counted from the start */
	uint64_t seen, hits;      /* calls that it was asked about; those that it spoiled */
};

#define FAULT_SWITCHES 64
#define FAULT_CALLS 96
struct faults {
	struct fault_on on[FAULT_SWITCHES]; /* in the order they were switched on */
	unsigned n;
	uint64_t number, trapped;
	struct {
		char name[96];
		uint64_t n;
	} call[FAULT_CALLS]; /* operations asked for, each request once, refused or not */
	unsigned ncalls;
};

/* OP=FAULT[:PARAM][,times=N][,after=N][,p=0.5][,seed=N], where OP is `sqs:ReceiveMessage`, `sqs:*` or `*`. */
bool fault_parse(const char *spec, struct fault_on *on, struct err *e);
bool fault_switch(struct faults *fs, const char *spec, struct err *e); /* parses, and switches on */
void fault_clear(struct faults *fs);                                   /* all off, all counts 0 */

/* What the wire asks, once a request. Each goes through the switches in their order and stops at the first that struck,
 * but AFTER takes all of them: a slow answer can be a compressed one too. */
void fault_called(struct world *w, const struct sim_req *rq);
struct fault_on *fault_clock(struct world *w, const struct sim_req *rq); /* not counted yet: it may make no difference */
enum fault_done fault_before(struct world *w, struct sim_req *rq, struct sim_fail *f);
void fault_after(struct world *w, struct sim_req *rq);
/* What handlers ask, at the moment they could do it; NULL: not this time. Counted when it strikes. */
struct fault_on *fault_inside(struct world *w, const struct sim_req *rq, enum fault_id id);
void fault_missed(struct fault_on *on); /* there was nothing to spoil after all: it does not count */

void fault_word(const struct fault *row, int64_t place, char *out, size_t size); /* of a parameter of words */
const char *fault_service(const char *service); /* as IAM and the specs call it: monitoring is cloudwatch */
void fault_list(struct buf *out);                         /* for people: a line or two a fault */
void fault_report(const struct faults *fs, struct buf *out); /* JSON: the switches and their counts */

/* The rows' functions (fault_acts.c) */
#define FAULT_ACT(act) enum fault_done act(struct world *w, struct sim_req *rq, const struct fault_on *on, struct sim_fail *f)
FAULT_ACT(fault_denied);
FAULT_ACT(fault_expired);
FAULT_ACT(fault_revoked);
FAULT_ACT(fault_unknown_key);
FAULT_ACT(fault_throttle);
FAULT_ACT(fault_iterator);
FAULT_ACT(fault_page);
FAULT_ACT(fault_too_large);
FAULT_ACT(fault_limit);
FAULT_ACT(fault_over_limit);
FAULT_ACT(fault_status);
FAULT_ACT(fault_html);
FAULT_ACT(fault_empty);
FAULT_ACT(fault_big);
FAULT_ACT(fault_redirect);
FAULT_ACT(fault_reset);
FAULT_ACT(fault_line);
FAULT_ACT(fault_gzip);
FAULT_ACT(fault_cut);
FAULT_ACT(fault_delay);
FAULT_ACT(fault_slow);
FAULT_ACT(fault_lookup_rate);

/* AccessDenied as IAM words it; kind: the place of the word in the row of `denied`. */
bool fault_deny(const struct world *w, const struct sim_req *rq, int64_t kind, struct sim_fail *f);

#endif
