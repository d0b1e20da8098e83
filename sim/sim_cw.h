/* What CloudWatch's files share: sim_cloudwatch.c (the table, PutMetricData, ListMetrics), sim_cw_data.c (datapoints) and
 * sim_cw_alarms.c. */
#ifndef SIM_SIM_CW_H
#define SIM_SIM_CW_H

#include "sim/sim_metrics.h"
#include "sim/sim_req.h"

/* A list of {Name, Value}; the texts are borrowed. Value may be absent only when open is set (then it is NULL). */
bool cw_dims(const struct sim_req *rq, const struct json *o, bool open, struct sim_dim *dims, unsigned *n,
             struct sim_fail *f);
void cw_tell_dims(struct wr *o, const struct sim_dim *dims, unsigned n);

bool cw_get_metric_data(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool cw_get_metric_statistics(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool cw_put_alarm(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool cw_describe_alarms(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool cw_delete_alarms(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool cw_set_alarm_state(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool cw_enable_actions(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool cw_disable_actions(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool cw_put_mute(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool cw_get_mute(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool cw_list_mutes(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool cw_delete_mute(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool cw_alarm_history(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool cw_list_tags(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool cw_tag(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
bool cw_untag(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f);
struct sim_alarm;
bool cw_read_tags(const struct sim_req *rq, struct sim_alarm *a, struct sim_fail *f); /* the request's Tags, added */

#endif
