/* A request in its neutral form, what an operation is, and how one fails. The wires (sim_wire.c) turn bytes into this and
 * back; the handlers of sim_<service>.c see nothing else. */
#ifndef SIM_SIM_REQ_H
#define SIM_SIM_REQ_H

#include "core/buf.h"
#include "core/json.h"
#include "sim/sim_reply.h"

#include <stdbool.h>
#include <stdint.h>

struct world;

enum sim_proto { PROTO_JSON, PROTO_QUERY, PROTO_REST };

/* Why an operation failed. X(ID, shape (JSON, rest), legacy code (query, x-amzn-query-error), HTTP status) */
#define SIM_FAILURES(X)                                                                                                \
	X(ACCESS_DENIED, "AccessDeniedException", "AccessDenied", 403)                                                     \
	X(ALREADY_EXISTS, "ResourceInUseException", "ResourceInUse", 400)                                                  \
	X(BAD_SIGNATURE, "InvalidSignatureException", "SignatureDoesNotMatch", 403)                                        \
	X(BUCKET_OWNED, "BucketAlreadyOwnedByYou", "BucketAlreadyOwnedByYou", 409)                                         \
	X(BATCH_IDS, "BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400)                   \
	X(BATCH_TOO_LONG, "BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", 400)                        \
	X(BATCH_TOO_MANY, "TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400)      \
	X(CONFLICT, "ResourceConflictException", "ResourceConflict", 409)                                                  \
	X(EMPTY_BATCH, "EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", 400)                               \
	X(EXPIRED_TOKEN, "ExpiredTokenException", "ExpiredToken", 403)                                                     \
	X(EXPIRED_NEXT_TOKEN, "ExpiredNextTokenException", "ExpiredNextToken", 400)                                        \
	X(EXPIRED_ITERATOR, "ExpiredIteratorException", "ExpiredIterator", 400)                                            \
	X(INCOMPLETE_SIGNATURE, "IncompleteSignatureException", "IncompleteSignature", 403)                                \
	X(FORBIDDEN, "ForbiddenException", "ForbiddenException", 403)                                                      \
	X(IDP_COMMUNICATION, "IDPCommunicationError", "IDPCommunicationError", 400)                                        \
	X(INTERNAL, "InternalServiceFault", "InternalServiceError", 500)                                                   \
	X(INTERNAL_FAILURE, "InternalFailure", "InternalFailure", 500)                                                     \
	X(INTERNAL_KINESIS, "InternalFailureException", "InternalFailureException", 500)                                   \
	X(INTERNAL_SQS, "InternalError", "InternalError", 500)                                                             \
	X(INVALID_ARGUMENT, "InvalidArgumentException", "InvalidArgument", 400)                                            \
	X(INVALID_ARGUMENT_S3, "InvalidArgument", "InvalidArgument", 400)                                                  \
	X(INVALID_ATTRIBUTE, "InvalidAttributeName", "InvalidAttributeName", 400)                                          \
	X(INVALID_ATTRIBUTE_VALUE, "InvalidAttributeValue", "InvalidAttributeValue", 400)                                  \
	X(INVALID_BATCH_ID, "InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", 400)                      \
	X(INVALID_CLIENT, "InvalidClientException", "InvalidClientException", 401)                                         \
	X(INVALID_COMBINATION, "InvalidParameterCombinationException", "InvalidParameterCombination", 400)                 \
	X(INVALID_CONTENT, "InvalidRequestContentException", "InvalidRequestContent", 400)                                 \
	X(INVALID_CONTENTS, "InvalidMessageContents", "InvalidMessageContents", 400)                                       \
	X(INVALID_GRANT, "InvalidGrantException", "InvalidGrantException", 400)                                            \
	X(INVALID_IDENTITY, "InvalidIdentityToken", "InvalidIdentityToken", 400)                                           \
	X(INVALID_LOOKUP, "InvalidLookupAttributesException", "InvalidLookupAttributes", 400)                              \
	X(INVALID_PARAMETER, "InvalidParameterException", "InvalidParameter", 400)                                         \
	X(INVALID_TIME_RANGE, "InvalidTimeRangeException", "InvalidTimeRange", 400)                                        \
	X(INVALID_TRAIL_TOKEN, "InvalidNextTokenException", "InvalidNextToken", 400)                                       \
	X(INVALID_REQUEST, "InvalidRequestException", "InvalidRequestException", 400)                                      \
	X(INVALID_HANDLE, "ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", 404)                                         \
	X(INVALID_TOKEN, "InvalidNextToken", "InvalidNextToken", 400)                                                      \
	X(INVALID_VALUE, "InvalidParameterValueException", "InvalidParameterValue", 400)                                   \
	X(LAMBDA_NOT_FOUND, "ResourceNotFoundException", "ResourceNotFoundException", 404)                                 \
	X(LIMIT_CLOUDWATCH, "LimitExceededFault", "LimitExceeded", 400)                                                    \
	X(LIMIT_EXCEEDED, "LimitExceededException", "LimitExceeded", 400)                                                  \
	X(MISSING, "MissingRequiredParameterException", "MissingParameter", 400)                                           \
	X(MISSING_TOKEN, "MissingAuthenticationTokenException", "MissingAuthenticationToken", 403)                         \
	X(NOT_FOUND, "ResourceNotFound", "ResourceNotFound", 404)                                                          \
	X(NOT_IMPLEMENTED, "NotImplemented", "NotImplemented", 501)                                                        \
	X(NO_SUCH_BUCKET, "NoSuchBucket", "NoSuchBucket", 404)                                                             \
	X(NO_SUCH_KEY, "NoSuchKey", "NoSuchKey", 404)                                                                      \
	X(PRECONDITION, "PreconditionFailed", "PreconditionFailed", 412)                                                   \
	X(NOT_INFLIGHT, "MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", 400)                            \
	X(OUT_OF_TIME, "InvalidSignatureException", "SignatureDoesNotMatch", 403)                                          \
	X(OVER_LIMIT, "OverLimit", "OverLimit", 403)                                                                       \
	X(PROVISIONED, "ProvisionedThroughputExceededException", "ProvisionedThroughputExceeded", 400)                     \
	X(PURGING, "PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress", 403)                             \
	X(QUEUE_EXISTS, "QueueNameExists", "QueueAlreadyExists", 400)                                                      \
	X(QUEUE_NOT_FOUND, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", 400)                            \
	X(REQUEST_TOO_LARGE, "RequestTooLargeException", "RequestTooLargeException", 413)                                  \
	X(REQUEST_THROTTLED, "RequestThrottled", "RequestThrottled", 403)                                                  \
	X(SERVICE, "ServiceException", "ServiceException", 500)                                                            \
	X(SESSION_EXPIRED, "ExpiredTokenException", "ExpiredTokenException", 400)                                          \
	X(SKEWED, "RequestTimeTooSkewed", "RequestTimeTooSkewed", 403)                                                     \
	X(SERIALIZATION, "SerializationException", "MalformedInput", 400)                                                  \
	X(STREAM_NOT_FOUND, "ResourceNotFoundException", "ResourceNotFound", 400)                                          \
	X(THROTTLED, "ThrottlingException", "Throttling", 400)                                                             \
	X(TOO_LARGE, "RequestEntityTooLargeException", "RequestEntityTooLarge", 413)                                       \
	X(TOO_MANY, "TooManyRequestsException", "TooManyRequestsException", 429)                                           \
	X(TOPIC_NOT_FOUND, "NotFoundException", "NotFound", 404)                                                           \
	X(UNAUTHORIZED, "UnauthorizedException", "UnauthorizedException", 401)                                             \
	X(UNSUPPORTED_GRANT, "UnsupportedGrantTypeException", "UnsupportedGrantTypeException", 400)                        \
	X(UNAVAILABLE, "ServiceUnavailable", "ServiceUnavailable", 503)                                                    \
	X(UNKNOWN_KEY, "UnrecognizedClientException", "InvalidClientTokenId", 403)                                         \
	X(UNKNOWN_OPERATION, "UnknownOperationException", "InvalidAction", 400)                                            \
	X(UNSUPPORTED, "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", 400)                         \
	X(VALIDATION, "ValidationException", "ValidationError", 400)

enum sim_why {
#define X(id, shape, legacy, status) WHY_##id,
	SIM_FAILURES(X)
#undef X
	    WHY_COUNT
};

struct sim_fail {
	enum sim_why why;
	char text[512];
	char reason[64]; /* Lambda's word for why it is too many; "" = none */
};
bool sim_fail(struct sim_fail *f, enum sim_why why, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
const char *sim_fail_shape(enum sim_why why);
const char *sim_fail_legacy(enum sim_why why);
int sim_fail_status(enum sim_why why);

#define SIM_HEADERS 80
struct sim_header {
	const char *name, *value;
};

/* What the line does to an answer; n is line_n. */
enum sim_line {
	LINE_WHOLE,
	LINE_RESET,   /* a reset in its place */
	LINE_LOST,    /* the connection is closed in its place */
	LINE_HALF,    /* n bytes of the body (-1: half of it), then closed */
	LINE_LENGTH,  /* Content-Length n too many, or (below 0) too few; then closed */
	LINE_DRIP,    /* byte by byte, n ms apart */
	LINE_TRICKLE, /* so slow is the head too; then closed */
	LINE_CHUNKED, /* in chunks of n bytes */
};

/* The answer, whatever the wire. raw: a body that is not a document (Lambda's Invoke). */
struct sim_answer {
	int status;
	struct buf body;
	const char *type;
	struct {
		char name[48], value[640];
	} extra[6];
	unsigned nextra;
	bool raw;
	int64_t delay_ms; /* how long it is held back */
	enum sim_line line;
	int64_t line_n;
};
void sim_answer_header(struct sim_answer *a, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

struct sim_req {
	/* as it came */
	const char *method, *path, *query; /* path and query raw, still percent-encoded; query without the '?' */
	struct sim_header header[SIM_HEADERS];
	unsigned nheader;
	struct span body;
	/* neutral */
	enum sim_proto proto;
	char service[32], op[64];
	char akid[64]; /* who signed */
	char id[37];   /* x-amzn-RequestId */
	bool json11;
	const struct json *args;   /* an object: members of the operation; rest: the body's */
	const struct json *params; /* rest: the labels of the path and the query string; else NULL */
	struct sim_answer *answer;
	int64_t waited_ms; /* how long this request has been held back already */
	unsigned serves;   /* how often it has been served before: a long poll is, again and again */
	int64_t hold_ms;   /* set by a handler with nothing to say yet: ask it again so much later */
};
bool sim_copy(char *out, size_t size, struct span s); /* false when it is empty or does not fit */
const char *sim_header(const struct sim_req *rq, const char *name); /* the first; NULL when absent */

/* Members of an object. Absent or null leaves *v as it is. JSON is typed strictly, as AWS does; query and rest parameters
 * are all text. False only with f filled. */
bool arg_str(const struct sim_req *rq, const struct json *o, const char *key, const char **v, struct sim_fail *f);
bool arg_need(const struct sim_req *rq, const struct json *o, const char *key, const char **v, struct sim_fail *f);
bool arg_int(const struct sim_req *rq, const struct json *o, const char *key, int64_t lo, int64_t hi, int64_t *v,
             struct sim_fail *f);
bool arg_num(const struct sim_req *rq, const struct json *o, const char *key, double *v, struct sim_fail *f);
bool arg_bool(const struct sim_req *rq, const struct json *o, const char *key, bool *v, struct sim_fail *f);
bool arg_time(const struct sim_req *rq, const struct json *o, const char *key, int64_t *t_ms, struct sim_fail *f);
/* An absent, null or (query) empty list is empty; f when it is something else or longer than max. */
bool arg_list(const struct sim_req *rq, const struct json *o, const char *key, unsigned max, const struct json **v,
              struct sim_fail *f);

/* A node's own value, for elements of lists. */
bool node_str(const struct sim_req *rq, const struct json *n, const char *what, const char **v, struct sim_fail *f);
bool node_num(const struct sim_req *rq, const struct json *n, const char *what, double *v, struct sim_fail *f);

/* Page tokens: opaque to clients, bound to the operation. */
void token_write(struct wr *o, const char *key, const char *op, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
bool token_read(const char *token, const char *op, char *out, size_t size, struct sim_fail *f);

enum sim_effect { SIM_READ, SIM_PEEK, SIM_WRITE };
struct sim_op {
	const char *name;
	enum sim_effect effect;
	bool (*handle)(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
	const char *method, *path; /* rest only: "/2015-03-31/functions/{FunctionName}" */
	int status;                /* rest only; 0 = 200 */
};
/* SQS's query names differ from its JSON names. */
struct sim_rename {
	const char *query, *json;
	bool map;
};

struct sim_service {
	const char *name;    /* as in the credential scope */
	const char *target;  /* X-Amz-Target prefix; NULL = no JSON wire */
	const char *version; /* of the query wire; NULL = none */
	const char *xmlns;
	bool json11, flat;
	bool legacy; /* answers x-amzn-query-error */
	bool objects; /* S3: bodies are what is stored, not JSON, and failures are its XML */
	const char *prefixes; /* of an open service: of its paths, with blanks between */
	/* Not signed, found by its paths; only in an open world (world.h). Says in its own way what went wrong (rq->answer->status is set). NULL: an AWS API. */
	void (*fail)(struct sim_req *rq, const struct sim_fail *f);
	const struct sim_rename *renames;
	unsigned nrenames;
	const struct sim_op *ops;
	unsigned nops;
};
const struct sim_service *sim_service(const char *name); /* NULL when not simulated */
const struct sim_service *const *sim_services(unsigned *n);

#define SIM_UNSIGNED_OP "AssumeRoleWithWebIdentity" /* the one of AWS's own that needs no signature */

extern const struct sim_service sim_sqs, sim_kinesis, sim_lambda, sim_cloudwatch, sim_cloudformation, sim_tagging, sim_sts;
extern const struct sim_service sim_cloudtrail, sim_logs, sim_sns, sim_s3;
void sim_s3_fail(struct sim_req *rq, const struct sim_fail *f);
extern const struct sim_service sim_imds, sim_container, sim_sso, sim_oidc;

#endif
