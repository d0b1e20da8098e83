/* One INI reader for sluice's own file and AWS's. A pull reader: each call gives the next section header or key, borrowed
 * from the text. Rules that differ are flags. */
#ifndef CORE_INI_H
#define CORE_INI_H

#include "core/buf.h"
#include "core/err.h"

enum ini_flag {
	INI_AWS = 1,       /* AWS: nested "key =" blocks, ':' as well as '=', comments '#' and ';' at line start or after a blank */
};
enum ini_event { INI_END, INI_SECTION, INI_KEY, INI_SUBKEY, INI_BAD };

struct ini {
	const char *p, *end;
	unsigned flags, line;       /* line of the last event, from 1 */
	struct span section;        /* inside the brackets, trimmed */
	struct span key, value;     /* trimmed; of INI_SUBKEY: the nested key (its parent in `parent`) */
	struct span parent;
	const char *why;            /* after INI_BAD; reading may go on at the next line */
};

void ini_init(struct ini *i, struct span text, unsigned flags);
enum ini_event ini_next(struct ini *i);
/* `stage "orders/enrich"` -> type "stage", name "orders/enrich" (quotes optional); name is empty when there is none. */
bool ini_section_split(struct span section, struct span *type, struct span *name);
/* Reads a whole file with a cap (1 MiB); refuses what is not a regular file; follows symlinks. where = path in errors.
 * ERR_NOTFOUND when it is not there. */
bool ini_read_file(const char *path, struct buf *out, struct err *e);

#endif
