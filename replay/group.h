/* Why a message failed, as far as it says itself: messages of one cause have one fingerprint. Pure. */
#ifndef REPLAY_GROUP_H
#define REPLAY_GROUP_H

#include "core/model/message.h"

#define FP_LEN 13
#define CAUSE_LEN 200

/* In this order: an on-failure record's error and first stack frame; error attributes of Lambda's and EventBridge's dead-letter queues; the
 * shape of a JSON body, or that it is none; each with the queue it came from. cause is in words, raw. */
void group_of_message(const struct message *m, char fp[FP_LEN], char cause[CAUSE_LEN]);

#endif
