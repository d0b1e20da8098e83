#include "aws/classify.h"

#include "aws/call.h"
#include "aws/xml.h"
#include "core/json.h"

#include <stdio.h>
#include <string.h>

/*  X(name on the wire, err code, fault). Both the shape's name and the legacy code of query-compatible services stand here. */
#define AWS_ERRORS(X)                                                                                                  \
	X("Throttling", THROTTLED, THROTTLED)                                                                              \
	X("ThrottlingException", THROTTLED, THROTTLED)                                                                     \
	X("ThrottledException", THROTTLED, THROTTLED)                                                                      \
	X("Throttled", THROTTLED, THROTTLED)                                                                               \
	X("RequestThrottled", THROTTLED, THROTTLED)                                                                        \
	X("RequestThrottledException", THROTTLED, THROTTLED)                                                               \
	X("TooManyRequestsException", THROTTLED, THROTTLED)                                                                \
	X("ProvisionedThroughputExceededException", THROTTLED, THROTTLED)                                                  \
	X("TransactionInProgressException", THROTTLED, THROTTLED)                                                          \
	X("RequestLimitExceeded", THROTTLED, THROTTLED)                                                                    \
	X("BandwidthLimitExceeded", THROTTLED, THROTTLED)                                                                  \
	X("LimitExceededException", THROTTLED, THROTTLED)                                                                  \
	X("SlowDown", THROTTLED, THROTTLED)                                                                                \
	X("PriorRequestNotComplete", THROTTLED, THROTTLED)                                                                 \
	X("EC2ThrottledException", THROTTLED, THROTTLED)                                                                   \
	X("KMSThrottlingException", THROTTLED, THROTTLED)                                                                  \
	X("KmsThrottled", THROTTLED, THROTTLED)                                                                            \
	X("RequestTimeout", TIMEOUT, TRANSIENT)                                                                            \
	X("RequestTimeoutException", TIMEOUT, TRANSIENT)                                                                   \
	X("InternalError", HTTP, TRANSIENT)                                                                                \
	X("InternalFailure", HTTP, TRANSIENT)                                                                              \
	X("InternalFailureException", HTTP, TRANSIENT)                                                                     \
	X("InternalServiceError", HTTP, TRANSIENT)                                                                         \
	X("InternalServiceFault", HTTP, TRANSIENT)                                                                         \
	X("ServiceException", HTTP, TRANSIENT)                                                                             \
	X("ServiceUnavailable", HTTP, TRANSIENT)                                                                           \
	X("ServiceUnavailableException", HTTP, TRANSIENT)                                                                  \
	X("IDPCommunicationError", HTTP, TRANSIENT)                                                                        \
	X("ExpiredToken", AUTH, EXPIRED)                                                                                   \
	X("ExpiredTokenException", AUTH, EXPIRED)                                                                          \
	X("TokenRefreshRequired", AUTH, EXPIRED)                                                                           \
	X("UnrecognizedClientException", AUTH, EXPIRED)                                                                    \
	X("InvalidClientTokenId", AUTH, EXPIRED)                                                                           \
	X("InvalidAccessKeyId", AUTH, EXPIRED)                                                                             \
	X("IncompleteSignature", AUTH, FINAL)                                                                              \
	X("IncompleteSignatureException", AUTH, FINAL)                                                                     \
	X("MissingAuthenticationToken", AUTH, FINAL)                                                                       \
	X("MissingAuthenticationTokenException", AUTH, FINAL)                                                              \
	X("RequestTimeTooSkewed", AUTH, SKEWED)                                                                            \
	X("RequestExpired", AUTH, SKEWED)                                                                                  \
	X("RequestInTheFuture", AUTH, SKEWED)                                                                              \
	X("InvalidSignatureException", AUTH, SKEWED)                                                                       \
	X("SignatureDoesNotMatch", AUTH, SKEWED)                                                                           \
	X("AuthFailure", AUTH, SKEWED)                                                                                     \
	X("AccessDenied", DENIED, FINAL)                                                                                   \
	X("AccessDeniedException", DENIED, FINAL)                                                                          \
	X("AuthorizationError", DENIED, FINAL)                                                                             \
	X("AuthorizationErrorException", DENIED, FINAL)                                                                    \
	X("UnauthorizedOperation", DENIED, FINAL)                                                                          \
	X("NotAuthorized", DENIED, FINAL)                                                                                  \
	X("OptInRequired", DENIED, FINAL)                                                                                  \
	X("KMSAccessDeniedException", DENIED, FINAL)                                                                       \
	X("KmsAccessDenied", DENIED, FINAL)                                                                                \
	X("RegionDisabledException", DENIED, FINAL)                                                                        \
	X("ResourceNotFound", NOTFOUND, FINAL)                                                                             \
	X("ResourceNotFoundException", NOTFOUND, FINAL)                                                                    \
	X("NotFound", NOTFOUND, FINAL)                                                                                     \
	X("NoSuchKey", NOTFOUND, FINAL)                                                                                    \
	X("NoSuchBucket", NOTFOUND, FINAL)                                                                                 \
	X("NoSuchVersion", NOTFOUND, FINAL)                                                                                \
	X("PreconditionFailed", CONFLICT, FINAL)                                                                           \
	X("ConditionalRequestConflict", CONFLICT, FINAL)                                                                   \
	X("NotFoundException", NOTFOUND, FINAL)                                                                            \
	X("QueueDoesNotExist", NOTFOUND, FINAL)                                                                            \
	X("AWS.SimpleQueueService.NonExistentQueue", NOTFOUND, FINAL)                                                      \
	X("ResourceConflict", CONFLICT, FINAL)                                                                             \
	X("ResourceConflictException", CONFLICT, FINAL)                                                                    \
	X("ResourceInUseException", CONFLICT, FINAL)                                                                       \
	X("ConflictException", CONFLICT, FINAL)                                                                            \
	X("ConcurrentModificationException", CONFLICT, FINAL)                                                              \
	X("ExpiredIteratorException", CONFLICT, FINAL)                                                                     \
	X("PurgeQueueInProgress", CONFLICT, FINAL)                                                                         \
	X("AWS.SimpleQueueService.PurgeQueueInProgress", CONFLICT, FINAL)                                                  \
	X("LimitExceeded", LIMIT, FINAL)                                                                                   \
	X("LimitExceededFault", LIMIT, FINAL)                                                                              \
	X("OverLimit", LIMIT, FINAL)                                                                                       \
	X("ServiceQuotaExceededException", LIMIT, FINAL)                                                                   \
	X("RequestTooLargeException", LIMIT, FINAL)                                                                        \
	X("SerializedRequestEntityTooLargeException", LIMIT, FINAL)

static const struct known {
	const char *name;
	enum err_code code;
	enum fault fault;
} known[] = {
#define X(name, code, fault) { name, ERR_##code, FAULT_##fault },
	AWS_ERRORS(X)
#undef X
};

static const struct known *look_up(const char *name)
{
	for (size_t i = 0; *name && i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].name, name) == 0)
			return &known[i];
	return NULL;
}

enum fault classify_name(const char *name, enum err_code *code)
{
	const struct known *k = look_up(name ? name : "");
	*code = k ? k->code : ERR_REFUSED;
	return k ? k->fault : FAULT_FINAL;
}

/* ---- what the answer says of itself; Content-Type is not asked, it lies */

enum body { BODY_EMPTY, BODY_JSON, BODY_XML, BODY_PAGE };

struct told {
	char code[96], legacy[96], message[512], request_id[64];
	enum body body;
};

static void copy(char *out, size_t size, struct span s)
{
	size_t n = s.n < size ? s.n : size - 1;
	if (n)
		memcpy(out, s.p, n);
	out[n] = '\0';
}

/* "com.amazonaws.sqs#QueueDoesNotExist", "Name:http://...", "Name": all are Name. */
static void copy_code(char *out, size_t size, const char *text)
{
	struct span s = { text, text ? strcspn(text, ":;") : 0 };
	const char *hash = s.n ? memrchr(s.p, '#', s.n) : NULL;
	if (hash)
		s = (struct span){ hash + 1, (size_t)(s.p + s.n - hash - 1) };
	copy(out, size, span_trim(s));
}

static void hear_headers(const struct http_res *res, struct told *t)
{
	static const char *const ids[] = { "x-amzn-RequestId", "x-amz-request-id" };
	copy_code(t->code, sizeof t->code, http_res_header(res, "x-amzn-ErrorType"));
	copy_code(t->legacy, sizeof t->legacy, http_res_header(res, "x-amzn-query-error"));
	for (size_t i = 0; i < sizeof ids / sizeof *ids && !t->request_id[0]; i++)
		copy(t->request_id, sizeof t->request_id, span_of(http_res_header(res, ids[i])));
}

static void hear_json(struct span body, struct told *t)
{
	static const char *const codes[] = { "__type", "code", "Code" };
	static const char *const messages[] = { "message", "Message", "errorMessage" };
	struct json *doc = json_parse(body, NULL);
	t->body = json_is_object(doc) ? BODY_JSON : BODY_PAGE;
	for (size_t i = 0; i < sizeof codes / sizeof *codes && !t->code[0]; i++)
		copy_code(t->code, sizeof t->code, json_get_str(doc, codes[i]));
	for (size_t i = 0; i < sizeof messages / sizeof *messages && !t->message[0]; i++)
		copy(t->message, sizeof t->message, span_of(json_get_str(doc, messages[i])));
	json_free(doc);
}

static bool ends_with(const char *path, const char *tail)
{
	size_t n = strlen(path), k = strlen(tail);
	return n >= k && strcmp(path + n - k, tail) == 0;
}

static bool on_element(void *ctx, const char *path, struct span value)
{
	struct told *t = ctx;
	if (ends_with(path, "Error/Code") && !t->code[0]) {
		copy(t->code, sizeof t->code, value);
		t->body = BODY_XML;
	} else if (ends_with(path, "Error/Message") && !t->message[0]) {
		copy(t->message, sizeof t->message, value);
	} else if ((ends_with(path, "/RequestId") || ends_with(path, "/RequestID")) && !t->request_id[0]) {
		copy(t->request_id, sizeof t->request_id, value);
	}
	return true;
}

static void hear(const struct http_res *res, struct told *t)
{
	struct span body = res->body;
	*t = (struct told){ 0 };
	hear_headers(res, t);
	while (body.n && strchr(" \t\r\n", body.p[0]))
		body.p++, body.n--;
	if (body.n == 0)
		return;
	t->body = BODY_PAGE;
	if (body.p[0] == '<')
		xml_read(body, on_element, t, NULL);
	else
		hear_json(body, t);
}

/* ---- what it means */

static struct known by_status(int status, enum body body)
{
	bool page = body == BODY_PAGE; /* a proxy's or a stranger's: it says nothing about AWS */
	if (status == 408)
		return (struct known){ NULL, ERR_TIMEOUT, FAULT_TRANSIENT };
	if (status == 413)
		return (struct known){ NULL, ERR_LIMIT, FAULT_FINAL };
	if (status == 501 || status == 505)
		return (struct known){ NULL, ERR_BADREPLY, FAULT_FINAL };
	if (status >= 500)
		return (struct known){ NULL, ERR_HTTP, FAULT_TRANSIENT };
	if (status < 400 || page)
		return (struct known){ NULL, ERR_BADREPLY, FAULT_FINAL };
	if (status == 401)
		return (struct known){ NULL, ERR_AUTH, FAULT_FINAL };
	if (status == 403)
		return (struct known){ NULL, ERR_DENIED, FAULT_FINAL };
	if (status == 404)
		return (struct known){ NULL, ERR_NOTFOUND, FAULT_FINAL };
	return (struct known){ NULL, ERR_REFUSED, FAULT_FINAL };
}

static struct known judge(int status, const struct told *t)
{
	const struct known *k = look_up(t->code);
	if (!k)
		k = look_up(t->legacy);
	bool crowded = status == 429 || status == 509;
	if (k && (!crowded || k->fault == FAULT_THROTTLED))
		return *k;
	if (crowded)
		return (struct known){ NULL, ERR_THROTTLED, FAULT_CROWDED };
	return by_status(status,
	                 t->code[0] ? BODY_JSON : t->body); /* a code this table does not know is AWS's all the same */
}

/* "User: ARN is not authorized to perform: sqs:ListQueues on resource: ..." names the right that is missing, which is not
 * always the operation's own (a key's, a role's). */
static void denied_action(const struct op *op, const char *message, struct err *e)
{
	static const char mark[] = "not authorized to perform: ",
	                  allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-:*";
	const char *p = strstr(message, mark);
	size_t n = p ? strspn(p += sizeof mark - 1, allowed) : 0;
	if (n && memchr(p, ':', n))
		snprintf(e->action, sizeof e->action, "%.*s", (int)n, p);
	else
		snprintf(e->action, sizeof e->action, "%s", op->iam);
}

/* "... on resource: ARN because no ...": a statement for this one is enough. What is cut would name another. */
static void denied_resource(const char *message, struct err *e)
{
	static const char mark[] = "on resource: ";
	const char *p = strstr(message, mark);
	size_t n = p ? strcspn(p += sizeof mark - 1, " ") : 0;
	bool whole = n && p[n] == ' ' && n < sizeof e->resource && strncmp(p, "arn:", 4) == 0;
	snprintf(e->resource, sizeof e->resource, "%.*s", whole ? (int)n : 0, whole ? p : "");
}

/* Of a query-compatible service's two names both are said, unless the one begins with the other: runbooks and dashboards know the
 * older one. */
static void put_words(const struct op *op, const struct http_res *res, const struct told *t, enum err_code code,
                      struct err *e)
{
	const char *location = http_res_header(res, "Location"), *name = t->code[0] ? t->code : t->legacy;
	bool both = t->legacy[0] && strncmp(name, t->legacy, strlen(t->legacy)) != 0;
	if (*name)
		err_set(e, code, op->iam, "%s%s%s%s%s%s", name, both ? " (" : "", both ? t->legacy : "", both ? ")" : "",
		        t->message[0] ? ": " : "", t->message);
	else if (t->message[0])
		err_set(e, code, op->iam, "HTTP %d: %s", res->status, t->message);
	else if (res->status >= 300 && res->status < 400)
		err_set(e, code, op->iam, "HTTP %d: a redirect to %s is not followed", res->status,
		        location ? location : "nowhere");
	else
		err_set(e, code, op->iam, "HTTP %d with %s", res->status,
		        t->body == BODY_EMPTY  ? "an empty answer"
		        : t->body == BODY_PAGE ? "a page that is not AWS's"
		                               : "no reason given");
}

enum fault classify(const struct op *op, const struct http_res *res, struct err *e)
{
	struct told t;
	hear(res, &t);
	struct known k = judge(res->status, &t);
	*e = (struct err){ 0 };
	put_words(op, res, &t, k.code, e);
	e->http = res->status;
	memcpy(e->request_id, t.request_id, sizeof e->request_id);
	if (k.code == ERR_DENIED && !strstr(t.message, "explicit deny")) { /* else no statement that allows would help */
		denied_action(op, t.message, e);
		denied_resource(t.message, e);
	}
	return k.fault;
}

bool classify_undone(enum fault fault, const struct err *e)
{
	bool final = fault == FAULT_FINAL && e->http >= 400 && e->http < 500 && e->code != ERR_BADREPLY;
	return final || fault == FAULT_THROTTLED || fault == FAULT_SKEWED || fault == FAULT_EXPIRED;
}

void aws_classify(const struct op *op, const struct http_res *res, struct err *e)
{
	classify(op, res, e);
}
