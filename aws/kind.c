#include "aws/kind.h"

#include <string.h>

const struct kind *const kinds[] = {
#define X(id) &kind_##id,
	KINDS(X)
#undef X
};
const unsigned nkinds = sizeof kinds / sizeof *kinds;

const struct kind *kind_find(const char *id)
{
	for (unsigned i = 0; id && i < nkinds; i++)
		if (strcmp(kinds[i]->info.id, id) == 0)
			return kinds[i];
	return NULL;
}

/* Passes n fields of an ARN; NULL when it has fewer. */
static const char *skip_fields(const char *arn, unsigned n)
{
	while (arn && n--) {
		arn = strchr(arn, ':');
		arn += arn != NULL;
	}
	return arn;
}

/* arn:PARTITION:SERVICE:REGION:ACCOUNT:PREFIX NAME - what follows must be a name and no path below one. */
const struct kind *kind_of_arn(const char *arn, const char **name)
{
	const char *service = arn && strncmp(arn, "arn:", 4) == 0 ? skip_fields(arn, 2) : NULL;
	const char *rest = skip_fields(service, 3);
	for (unsigned i = 0; rest && i < nkinds; i++) {
		size_t n = strlen(kinds[i]->arn_service), prefix = strlen(kinds[i]->arn_prefix);
		if (strncmp(service, kinds[i]->arn_service, n) != 0 || service[n] != ':')
			continue;
		if (strncmp(rest, kinds[i]->arn_prefix, prefix) != 0 || !rest[prefix] || strpbrk(rest + prefix, ":/"))
			return NULL;
		if (name)
			*name = rest + prefix;
		return kinds[i];
	}
	return NULL;
}
