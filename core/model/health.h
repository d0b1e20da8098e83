/* How a thing fares. Ordered: the larger is worse, so a roll-up is a maximum. OK is impossible on stale or missing data. */
#ifndef CORE_MODEL_HEALTH_H
#define CORE_MODEL_HEALTH_H

/*  X(ID, name, mark) - the mark is two cells, for people who see no colour */
#define HEALTHS(X)              \
	X(IDLE, "idle", "- ")       \
	X(OK, "ok", "  ")           \
	X(STALE, "stale", "~ ")     \
	X(UNKNOWN, "unknown", "??") \
	X(WARN, "warning", "! ")    \
	X(ALARM, "alarm", "!!")

enum health {
#define X(id, name, mark) HEALTH_##id,
	HEALTHS(X)
#undef X
	HEALTH_COUNT
};

const char *health_name(enum health h);
const char *health_mark(enum health h);

#endif
