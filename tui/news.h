/* What became worse between two pictures. Pure. */
#ifndef TUI_NEWS_H
#define TUI_NEWS_H

#include "core/model/snapshot.h"

/* How many alarms went into ALARM, and stages into alarm, since the picture before; the first one's name in *who. 0 when either picture
 * is not a live one: what was not known before is no news. */
unsigned news_alarms(const struct snapshot *before, const struct snapshot *after, const char **who);

#endif
