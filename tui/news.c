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

static unsigned alarm_news(const struct snapshot *before, const struct snapshot *after, const char **who)
{
	unsigned n = 0;
	for (unsigned i = 0; i < after->nalarms && after->alarms[i].state == ALARM_STATE_ALARM; i++)
		if (!alarm_before(before, after->alarms[i].name) && n++ == 0 && !*who)
			*who = after->alarms[i].name;
	return n;
}

static unsigned row_news(const struct snapshot *before, const struct snapshot *after, const char **who)
{
	unsigned n = 0;
	for (uint32_t i = 0; i < after->nrows && after->count[HEALTH_ALARM]; i++) {
		const struct row *r = &after->rows[i], *was;
		if (r->health != HEALTH_ALARM)
			continue;
		was = row_before(before, i, r->id);
		if ((!was || was->health != HEALTH_ALARM) && n++ == 0 && !*who)
			*who = r->name;
	}
	return n;
}

static bool known(const struct snapshot *s)
{
	return s && s->phase == PHASE_LIVE && s->settled;
}

unsigned news_alarms(const struct snapshot *before, const struct snapshot *after, const char **who)
{
	*who = NULL;
	if (!known(before) || !known(after))
		return 0;
	unsigned n = before->alarms_current && after->alarms_current ? alarm_news(before, after, who) : 0;
	return n + row_news(before, after, who);
}
