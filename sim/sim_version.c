#include "sim/sim_version.h"

#include "core/mem.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sim_version *version_find(const struct sim_function *fn, unsigned number)
{
	for (unsigned i = 0; i < fn->nversions; i++)
		if (fn->versions[i].number == number)
			return &fn->versions[i];
	return NULL;
}

static char *fresh_id(struct world *w)
{
	char id[37];
	world_uuid(w, id);
	return xstrdup(id);
}

struct sim_version *version_publish(struct world *w, struct sim_function *fn, const char *description)
{
	unsigned number = fn->nversions ? fn->versions[fn->nversions - 1].number + 1 : 1;
	MEM_GROW(fn->versions, fn->nversions, fn->capversions);
	struct sim_version *v = &fn->versions[fn->nversions++];
	*v = (struct sim_version){ .number = number,
		                       .description = xstrdup(description),
		                       .sha256 = xstrdup(fn->sha256),
		                       .revision = fresh_id(w),
		                       .modified_ms = w->now_ms };
	return v;
}

static unsigned alias_place(const struct sim_function *fn, const char *name)
{
	unsigned i = 0;
	while (i < fn->naliases && strcmp(fn->aliases[i].name, name) < 0)
		i++;
	return i;
}

struct sim_alias *alias_find(const struct sim_function *fn, const char *name)
{
	unsigned i = alias_place(fn, name);
	return i < fn->naliases && strcmp(fn->aliases[i].name, name) == 0 ? &fn->aliases[i] : NULL;
}

struct sim_alias *alias_set(struct world *w, struct sim_function *fn, const char *name, unsigned version)
{
	struct sim_alias *a = alias_find(fn, name);
	if (!a) {
		struct sim_alias made = { .name = xstrdup(name), .description = xstrdup("") };
		unsigned at = alias_place(fn, name);
		WORLD_INSERT(fn->aliases, fn->naliases, fn->capaliases, at, made);
		a = &fn->aliases[at];
	}
	free(a->revision);
	a->revision = fresh_id(w);
	a->version = version;
	return a;
}

static void alias_clear(struct sim_alias *a)
{
	free(a->name);
	free(a->description);
	free(a->revision);
}

bool alias_delete(struct sim_function *fn, const char *name)
{
	struct sim_alias *a = alias_find(fn, name);
	if (!a)
		return false;
	unsigned at = (unsigned)(a - fn->aliases);
	alias_clear(a);
	WORLD_REMOVE(fn->aliases, fn->naliases, at);
	return true;
}

bool version_of(const struct sim_function *fn, const char *qualifier, unsigned *number)
{
	char *end;
	*number = 0;
	if (!qualifier || !*qualifier || strcmp(qualifier, SIM_LATEST) == 0)
		return true;
	const struct sim_alias *a = alias_find(fn, qualifier);
	if (a) {
		*number = a->version;
		return true;
	}
	unsigned long n = strtoul(qualifier, &end, 10);
	if (*end || !version_find(fn, (unsigned)n))
		return false;
	*number = (unsigned)n;
	return true;
}

unsigned version_running(const struct sim_function *fn, const char *qualifier)
{
	unsigned number;
	if (version_of(fn, qualifier, &number) && number)
		return number;
	return fn->nversions ? fn->versions[fn->nversions - 1].number : 0;
}

void version_text(unsigned number, char out[16])
{
	if (number)
		snprintf(out, 16, "%u", number);
	else
		snprintf(out, 16, "%s", SIM_LATEST);
}

void versions_free(struct sim_function *fn)
{
	for (unsigned i = 0; i < fn->nversions; i++) {
		free(fn->versions[i].description);
		free(fn->versions[i].sha256);
		free(fn->versions[i].revision);
	}
	for (unsigned i = 0; i < fn->naliases; i++)
		alias_clear(&fn->aliases[i]);
	free(fn->versions);
	free(fn->aliases);
}
