#include "tui/news.h"

#include <stddef.h>
#include <string.h>

static const struct row *row_before(const struct snapshot *s, uint32_t hint, uint64_t id)
{
	if (hint < s->nrows && s->rows[hint].id == id)
		return &s->rows[hint];
	for (uint32_t i = 0; i < s->nrows; i++)
		if (s->rows[i].id == id)
			return &s->rows[i];
	return NULL;
}

/* The worst stand first: those in ALARM are the beginning of the list. */
static const struct alarm *alarm_before(const struct snapshot *s, const char *name)
{
	for (unsigned i = 0; i < s->nalarms && s->alarms[i].state == ALARM_STATE_ALARM; i++)
		if (strcmp(s->alarms[i].name, name) == 0)
			return &s->alarms[i];
	return NULL;
}

unsigned news_alarms(const struct snapshot *before, const struct snapshot *after, const char **who)
{
	unsigned n = 0;
	*who = NULL;
	if (!before || !after || before->phase != PHASE_LIVE || after->phase != PHASE_LIVE || !before->settled)
		return 0;
	for (unsigned i = 0; before->alarms_current && after->alarms_current && i < after->nalarms; i++) {
		const struct alarm *a = &after->alarms[i];
		if (a->state != ALARM_STATE_ALARM)
			break;
		if (!alarm_before(before, a->name) && n++ == 0)
			*who = a->name;
	}
	for (uint32_t i = 0; i < after->nrows && after->count[HEALTH_ALARM]; i++) {
		const struct row *r = &after->rows[i], *was;
		if (r->health != HEALTH_ALARM)
			continue;
		was = row_before(before, i, r->id);
		if ((!was || was->health != HEALTH_ALARM) && n++ == 0)
			*who = r->name;
	}
	return n;
}
