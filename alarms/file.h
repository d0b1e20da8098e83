/* The alarm file, pure: {"version":1,"owner":"...","defaults":{...},"alarms":[BODY...]}, each BODY exactly what PutMetricAlarm,
 * PutCompositeAlarm or PutLogAlarm takes; or what `aws cloudwatch describe-alarms` prints, or a list of bodies, or one. */
#ifndef ALARMS_FILE_H
#define ALARMS_FILE_H

#include "alarms/form.h"

#define ALARM_FILE_OWNER "sluice" /* of a file that names none */
#define ALARM_NAME_MOST 255       /* characters */

struct alarm_tag { const char *key, *value; };

struct wish { /* an alarm as the file wants it */
	const char *name;
	enum form_kind kind;
	const struct json *body;   /* with the defaults, without what is not the API's; no Tags */
	struct form form;
	bool tagged;               /* the file says which tags it has */
	const struct alarm_tag *tags;
	unsigned ntags;
	const char *note;          /* its "//"; NULL */
};
struct alarm_file {
	struct arena mem;
	const char *owner;
	struct wish *v;            /* as they stand in the file */
	unsigned n, cap;
	struct json **docs;        /* what the bodies are in */
	unsigned ndocs, cdocs;
};
/* where: the file's name, for e. False: nothing of it can be used, and e says which alarm and which member. alarm_file_clear it either way. */
bool alarm_file_read(struct alarm_file *f, struct span text, const char *where, struct err *e);
void alarm_file_clear(struct alarm_file *f);
const struct wish *alarm_file_find(const struct alarm_file *f, const char *name);

/* What CloudWatch would refuse, as far as its documentation tells beforehand. */
bool wish_valid(const struct wish *w, struct err *e);

/* A live alarm's body as it belongs into a file: what only AWS sets is left out, everything else stays as it came. */
void alarm_file_body(struct json_out *o, const struct json *live, const struct alarm_tag *tags, unsigned ntags);

#endif
