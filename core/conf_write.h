/* Adds sections to sluice's own configuration file. What stands there stays, byte for byte. */
#ifndef CORE_CONF_WRITE_H
#define CORE_CONF_WRITE_H

#include "core/conf.h"
#include "core/model/flow.h"

struct conf_added { unsigned pipelines, stages; };

/* The sections that `have` (never NULL) lacks of these pipelines, appended to out. A resource that is a stage already, of whatever pipeline, is
 * left out, as is what only an edge names, and what has a name that AWS gives to nothing. target: of the new pipelines; NULL: none is said. Pure. */
struct conf_added conf_missing(const struct conf *have, const struct flow_graph *f, const char *target, struct buf *out);
/* The same of a pipeline that is a stack or a tag (the other is NULL): its stages are not written, they follow it. */
struct conf_added conf_missing_group(const struct conf *have, const char *stack, const char *tag, const char *target,
                                     struct buf *out);

/* conf_load, but a file that is not there, named or not, is an empty configuration: it is about to be made. */
struct conf *conf_load_or_none(const char *path, struct err *e);

/* The file with these sections behind what it holds: made (0600, with its folder) when it is not there, else replaced whole or
 * not at all, with the mode it had; a link to it stays a link. Refused: a file that conf_load refuses, and an outcome that conf_parse would refuse. path NULL: the
 * default file. ERR_CONF, ERR_LIMIT, ERR_DISK. */
bool conf_append(const char *path, struct span sections, struct err *e);

#endif
