/* What Lambda's files share: sim_lambda.c (functions, Invoke, the table), sim_lam_mapping.c and sim_lam_release.c (versions, aliases,
 * concurrency, asynchronous invocations). */
#ifndef SIM_SIM_LAM_H
#define SIM_SIM_LAM_H

#include "sim/sim_req.h"
#include "sim/world.h"

/* The function that a request means, and the version. Named as NAME, NAME:QUALIFIER or an ARN, with or without ?Qualifier=. */
struct lam_target {
	struct sim_function *fn;
	char qualifier[130]; /* as it was said; "" = not at all */
	unsigned version;    /* 0 = $LATEST */
};
bool lam_target(struct world *w, const struct sim_req *rq, struct lam_target *t, struct sim_fail *f);
bool lam_find(struct world *w, const char *text, struct lam_target *t, struct sim_fail *f);
void lam_split_name(const char *text, char *name, size_t size, char *qualifier, size_t qsize);
void lam_arn(const struct world *w, const char *name, const char *qualifier, char *out, size_t size); /* qualifier may be NULL */
bool lam_marker(const struct sim_req *rq, const char *op, char *last, size_t size, bool *any, struct sim_fail *f);
/* FunctionConfiguration, without the states */
void lam_tell(const struct world *w, struct wr *o, const struct lam_target *t);
void lam_tell_states(struct wr *o, bool pending);

#define LAM_HANDLER(name) bool name(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
LAM_HANDLER(lam_list_mappings);
LAM_HANDLER(lam_get_mapping);
LAM_HANDLER(lam_create_mapping);
LAM_HANDLER(lam_update_mapping);
LAM_HANDLER(lam_list_versions);
LAM_HANDLER(lam_publish_version);
LAM_HANDLER(lam_list_aliases);
LAM_HANDLER(lam_get_alias);
LAM_HANDLER(lam_create_alias);
LAM_HANDLER(lam_update_alias);
LAM_HANDLER(lam_delete_alias);
LAM_HANDLER(lam_update_code);
LAM_HANDLER(lam_get_concurrency);
LAM_HANDLER(lam_put_concurrency);
LAM_HANDLER(lam_delete_concurrency);
LAM_HANDLER(lam_get_async);
LAM_HANDLER(lam_list_async);
LAM_HANDLER(lam_put_async);

#endif
