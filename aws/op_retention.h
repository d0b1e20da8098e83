/* How long a queue or a stream keeps what it holds: SetQueueAttributes (JSON 1.0), Increase- and DecreaseStreamRetentionPeriod (JSON 1.1). What is
 * older than a lowered retention is gone at once. */
#ifndef AWS_OP_RETENTION_H
#define AWS_OP_RETENTION_H

#include "aws/op.h"

#include <stdint.h>

#define QUEUE_RETENTION_MOST 1209600 /* seconds: 14 days. A change takes up to 15 minutes to act */
struct queue_retention_in { const char *url; int64_t seconds; };
extern const struct op op_set_queue_retention; /* out: none */

#define STREAM_RETENTION_MOST 8760 /* hours */
struct stream_retention_in { const char *stream; unsigned hours; };
extern const struct op op_increase_retention, op_decrease_retention; /* out: none */

#endif
