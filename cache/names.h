/* Which series there are. Two kinds of id: what the caller holds (valid until cache_close, whatever happens to the file), and
 * the file's own. They are equal unless the file was replaced by another one under us. */
#ifndef CACHE_NAMES_H
#define CACHE_NAMES_H

#include "cache/db.h"

#include <stdbool.h>
#include <stdint.h>

struct name {
	uint64_t hash;
	const char *target; /* shared between names */
	char *metric;
	uint32_t step;
	uint32_t id;   /* the caller's */
	uint32_t file; /* the file's; 0: not known there (a reader's only) */
	bool stored;   /* false: goes into the file with the next commit */
};

struct names {
	struct name *v;
	uint32_t n, cap;
	uint32_t *by_id; /* index + 1 of the caller's id */
	uint32_t nids;
	uint32_t *slots; /* open addressing by hash: index + 1 */
	uint32_t nslots;
	char **targets;
	unsigned ntargets, captargets;
	uint32_t last;     /* the file's largest id, what is not stored yet included */
	uint32_t unstored; /* how many */
	bool differ;       /* some name's two ids are not the same */
};

void names_clear(struct names *ns);
/* The caller's id; 0 when a reader's file does not have it, or on failure. */
int names_find(struct names *ns, struct db *d, bool write, const char *target, const char *metric, uint32_t step,
               uint32_t *id);
bool names_adopt(struct names *ns, struct db *d, uint32_t id); /* an id of an earlier opening of the same file */
static inline bool names_known(const struct names *ns, uint32_t id)
{
	return id < ns->nids && ns->by_id[id];
}
/* The file's id for the caller's; 0 when there is none. A reader looks again for what was not there. */
uint32_t names_file(struct names *ns, struct db *d, uint32_t id);
/* Writes new names within the caller's transaction; names_stored says that it was committed. SQLITE_CONSTRAINT: somebody
 * else has written names meanwhile. */
int names_store(struct names *ns, struct db *d);
void names_stored(struct names *ns);
int names_rebind(struct names *ns, struct db *d,
                 bool write); /* the file behind d is another one now, or was read anew */

#endif
