/* Private to core/conf*.c: the option table's rows, and how a value's text becomes a member. */
#ifndef CORE_CONF_SET_H
#define CORE_CONF_SET_H

#include "core/conf.h"

/* What a value may be, as errors and the manual say it. */
#define ACCEPTS_TEXT "text"
#define ACCEPTS_REGION "a region such as eu-west-1"
#define ACCEPTS_URL "http:// or https:// and a host, without user or password"
#define ACCEPTS_FLAG "yes or no"
#define ACCEPTS_GRANT "observe, inspect, operate or admin"
#define ACCEPTS_AMOUNT "a plain number"
#define ACCEPTS_COUNT "a whole number"
#define ACCEPTS_DURATION "a duration such as 90s, 15m, 6h, 3d or 2w"
#define ACCEPTS_SIZE "a size such as 64M or 1G"
#define ACCEPTS_TARGET "the name of a [target]"
#define ACCEPTS_RESOURCE "KIND:NAME or an ARN"
#define ACCEPTS_METRIC "NAMESPACE/NAME{Dimension=value}:STATISTIC"
#define ACCEPTS_STAGE "PIPELINE/NAME of a [stage]"
#define ACCEPTS_MEASURE                                                                                                \
	"a role (in, out, error, latency, backlog, age), a kind's key, or NAMESPACE/NAME{Dimension=value}:STATISTIC"
#define ACCEPTS_RANGE "a range such as 10, 10:, ~:10, 10:20 or @10:20"
#define ACCEPTS_MOFN "M/N, M of the newest N points"
#define ACCEPTS_NO_DATA "ok, warn, crit or unknown"
#define ACCEPTS_ALARM_IS "warn or crit"
#define ACCEPTS_UNKNOWN_IS "ok, warn or crit"
#define ACCEPTS_DELAY "auto or a duration such as 90s"
#define ACCEPTS_BUCKET "the name of an S3 bucket"
#define ACCEPTS_TAG "KEY=VALUE, or KEY alone for any value"

#define CONF_TYPES(X)                                                                                                  \
	X(TEXT)                                                                                                            \
	X(REGION)                                                                                                          \
	X(BUCKET)                                                                                                          \
	X(URL)                                                                                                             \
	X(FLAG)                                                                                                            \
	X(GRANT)                                                                                                           \
	X(AMOUNT)                                                                                                          \
	X(COUNT)                                                                                                           \
	X(DURATION)                                                                                                        \
	X(SIZE)                                                                                                            \
	X(TARGET)                                                                                                          \
	X(RESOURCE)                                                                                                        \
	X(METRIC)                                                                                                          \
	X(STAGE)                                                                                                           \
	X(MEASURE)                                                                                                         \
	X(RANGE)                                                                                                           \
	X(MOFN)                                                                                                            \
	X(NO_DATA)                                                                                                         \
	X(ALARM_IS)                                                                                                        \
	X(UNKNOWN_IS)                                                                                                      \
	X(DELAY)                                                                                                           \
	X(TAG)

enum conf_type {
#define X(type) CONF_##type,
	CONF_TYPES(X)
#undef X
	    CONF_TYPE_COUNT
};

struct conf_row {
	enum conf_type type;
	size_t offset;   /* of the member in its section's struct */
	double min, max; /* of a number, of a duration's seconds, of a text's bytes */
};

struct conf_setting {
	const struct conf *conf; /* whose sections are known already: references are looked up there */
	const char *text;
	char why[224];
};

/* Reads s->text into the member of `section`; what was there is released. False fills s->why. */
bool conf_set(const struct conf_row *row, void *section, struct conf_setting *s);

#endif
