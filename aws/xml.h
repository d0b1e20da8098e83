/* The only user of expat: SAX to (path, value). Documents with a DTD are refused (no entity of anybody's is ever expanded),
 * elements deeper than XML_DEPTH as well. Namespace prefixes are dropped from names. */
#ifndef AWS_XML_H
#define AWS_XML_H

#include "core/buf.h"
#include "core/err.h"

#include <stdbool.h>

#define XML_DEPTH 32

/* Called at each element's end, so a container comes after what it holds. path: "ErrorResponse/Error/Code"; value: the
 * element's own text, empty for one that holds elements. Both are borrowed for the call. False stops the reading. */
typedef bool xml_value(void *ctx, const char *path, struct span value);

/* False and BADREPLY when the text is not XML as accepted here; what came before the fault was already handed over. */
bool xml_read(struct span text, xml_value *f, void *ctx, struct err *e);

#endif
