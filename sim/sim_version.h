/* Versions and aliases of a function. A version's code never changes; $LATEST is what the newest version was made of, or
 * newer. Texts are the function's own. */
#ifndef SIM_SIM_VERSION_H
#define SIM_SIM_VERSION_H

#include <stdbool.h>
#include <stdint.h>

struct sim_function;
struct world;

#define SIM_LATEST "$LATEST"

struct sim_version {
	unsigned number;
	char *description, *sha256, *revision;
	int64_t modified_ms;
};
struct sim_alias {
	char *name;
	unsigned version; /* 0 = $LATEST */
	char *description, *revision;
};

/* From $LATEST; the pointer holds until the next one. */
struct sim_version *version_publish(struct world *w, struct sim_function *fn, const char *description);
struct sim_version *version_find(const struct sim_function *fn, unsigned number); /* NULL: none such */
struct sim_alias *alias_find(const struct sim_function *fn, const char *name);
struct sim_alias *alias_set(struct world *w, struct sim_function *fn, const char *name, unsigned version); /* makes it, or moves it */
bool alias_delete(struct sim_function *fn, const char *name);
/* What a qualifier (NULL = none) means: 0 for $LATEST, else the number. False: no such version or alias. */
bool version_of(const struct sim_function *fn, const char *qualifier, unsigned *number);
/* Whose code runs: $LATEST counts as the newest version, 0 where none was ever published. */
unsigned version_running(const struct sim_function *fn, const char *qualifier);
void version_text(unsigned number, char out[16]);
void versions_free(struct sim_function *fn);

#endif
