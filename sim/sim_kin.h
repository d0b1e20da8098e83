/* What Kinesis's files share: sim_kinesis.c (streams, shards, the table) and sim_kin_data.c (records). */
#ifndef SIM_SIM_KIN_H
#define SIM_SIM_KIN_H

#include "sim/sim_req.h"
#include "sim/sim_stream.h"

struct sim_stream *kin_stream(struct world *w, const struct sim_req *rq, struct sim_fail *f); /* NULL: f says why */
bool kin_shard(const struct sim_req *rq, struct sim_stream *s, const char *key, struct sim_shard **sh,
               struct sim_fail *f);

bool kin_put_record(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool kin_put_records(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool kin_get_iterator(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool kin_get_records(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);

#endif
