/* Private to cli/: how an event is written wherever one is. */
#ifndef CLI_EVENTS_H
#define CLI_EVENTS_H

#include "core/json.h"
#include "core/model/event.h"

void out_event(struct json_out *j, const struct event *v); /* one object */

#endif
