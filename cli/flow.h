/* Private to cli/: the three forms of discover. */
#ifndef CLI_FLOW_H
#define CLI_FLOW_H

#include "cli/out.h"
#include "engine/engine.h"

void flow_text(struct out *o, const struct discover_result *r);
void flow_json(struct out *o, const struct discover_result *r);
void flow_dot(struct out *o, const struct discover_result *r);

#endif
