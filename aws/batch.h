/* What became of each entry of a batch: SQS's Successful[] and Failed[], Kinesis' record results. A 200 says nothing of the entries,
 * and FailedRecordCount is not trusted. Pure: nothing is sent here; whoever sends asks which to send again. */
#ifndef AWS_BATCH_H
#define AWS_BATCH_H

#include "core/err.h"
#include "core/json.h"

#include <stdbool.h>

enum fate {
	FATE_UNKNOWN, /* the answer does not say, or says both: it may have been done. Not to be repeated unasked unless that is harmless */
	FATE_DONE,
	FATE_RETRY, /* not done, and the service's fault: may go again */
	FATE_FAILED /* not done, and will not be: the request's fault */
};

struct fated {
	enum fate fate;
	struct err err; /* FATE_RETRY, FATE_FAILED and FATE_UNKNOWN: why, by entry */
};

/* SQS *Batch: entries are known by id, in any order. ids: what was sent, distinct. Both fill out[n] and return false, all unknown and
 * the reason in e, when the answer is no such answer. where: the operation, for errors. */
bool batch_read_sqs(const struct json *doc, const char *const *ids, unsigned n, const char *where, struct fated *out, struct err *e);
/* Kinesis PutRecords: Records[] answers by position. */
bool batch_read_kinesis(const struct json *doc, unsigned n, const char *where, struct fated *out, struct err *e);

/* Puts the places of the entries to send again into `again` (room for n): those to retry, and, if a second time does no harm (deletes,
 * FIFO sends with an id of their own), the unknown. Returns how many. */
unsigned batch_again(const struct fated *f, unsigned n, bool harmless, unsigned *again);

#endif
