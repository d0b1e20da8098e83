/* Private to cli/: the two forms of status. */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include "cli/out.h"

#include "core/json.h"
#include "core/model/snapshot.h"

/* only NULL: every pipeline */
void status_json(struct out *o, const struct snapshot *s, const struct pipeline *only);
void status_text(struct out *o, const struct snapshot *s, const struct pipeline *only);

void status_json_loss(struct json_out *j, const struct loss *l, int64_t now); /* "loss":{...}, null where no clock runs */

/* The nth operation whose last call failed; NULL past the last. */
const struct api_health *status_problem(const struct snapshot *s, unsigned nth);
unsigned status_problems(const struct snapshot *s);
/* "WHERE: TEXT; HINT", without "sluice: " in front. */
void status_problem_line(const struct api_health *a, char out[1024]);

#endif
