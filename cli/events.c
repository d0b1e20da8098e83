#include "cli/events.h"

#include <stddef.h>

void out_event(struct json_out *j, const struct event *v)
{
	json_out_object(j, NULL);
	json_out_time(j, "at", v->at);
	json_out_time(j, "at_most", v->at_most);
	json_out_str(j, "kind", event_kind_name(v->kind));
	json_out_str(j, "service", *v->service ? v->service : NULL);
	json_out_str(j, "subject", *v->subject ? v->subject : NULL);
	json_out_str(j, "arn", v->arn);
	json_out_str(j, "text", v->text);
	json_out_str(j, "by", v->by);
	json_out_str(j, "source", v->source);
	json_out_object_end(j);
}
