/* One INI reader for sluice's own file and AWS's. A pull reader: each call gives the next section header or key, borrowed
 * from the text. Rules that differ are flags. Both: `key = value`, comments from '#' or ';' at the start of a line or after a
 * blank, LF or CRLF, a leading byte order mark is skipped, a NUL byte or a line over 64 KiB is refused. */
#ifndef CORE_INI_H
#define CORE_INI_H

#include "core/buf.h"
#include "core/err.h"

enum ini_flag {
	/* AWS's own parser cases decide: an indented line belongs to the key above it. Below a key without a value it is a nested
	 * "sub = value"; else it goes on with the value: INI_SUBKEY with an empty key and the whole line as value, which the
	 * caller joins with a newline. Bytes are taken as they are. Without the flag, indenting means nothing, a value may hold
	 * "double quotes" that shield ; and #, and a line must be UTF-8 without control characters. */
	INI_AWS = 1,
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
/* file_read (core/file.h) of at most 1 MiB, as FILE_ANY and as FILE_SETTINGS. */
bool ini_read_file(const char *path, struct buf *out, struct err *e);
bool ini_read_own_file(const char *path, struct buf *out, struct err *e);

#endif
