/* SQS's operations on messages, and move tasks (sim_sqs_move.c); sim_sqs.c has the queues and the table. */
#ifndef SIM_SIM_SQS_MSG_H
#define SIM_SIM_SQS_MSG_H

#include "sim/sim_queue.h"
#include "sim/sim_req.h"

void sqs_queue_url(const struct sim_req *rq, const char *name, char *out, size_t size); /* as this client reaches it */
struct sim_queue *sqs_queue(struct world *w, const struct sim_req *rq, struct sim_fail *f);

bool sqs_send_message(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool sqs_send_batch(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool sqs_receive(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool sqs_delete(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool sqs_delete_batch(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool sqs_change_visibility(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool sqs_change_visibility_batch(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);

bool sqs_start_move(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool sqs_list_moves(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool sqs_cancel_move(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);

#endif
