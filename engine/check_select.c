/* --select: which results of a check count. A name is compared; of a tag AWS is asked who carries it, in the same round. */
#include "core/mem.h"
#include "engine/inside.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define TAG "tag:"

unsigned select_begin(struct engine *g, const struct check_request *rq, struct group **tags)
{
	unsigned needs = 0;
	for (unsigned i = 0; i < rq->nselect; i++) {
		const char *text = rq->select[i];
		tags[i] = NULL;
		if (strncmp(text, TAG, strlen(TAG)) != 0)
			continue;
		tags[i] = group_new(g, text, NULL, text + strlen(TAG), UINT_MAX);
		needs = NEED_LIST; /* members are asked for where lists are */
	}
	return needs;
}

static bool selected(const struct verdict *v, const char *name, const struct group *tag)
{
	if (tag) {
		const struct kind *k = v->kind && v->resource ? kind_find(v->kind) : NULL;
		return k && group_has(tag, k, v->resource);
	}
	return strcmp(v->name, name) == 0 || (v->pipeline && strcmp(v->pipeline, name) == 0) ||
	       (v->resource && strcmp(v->resource, name) == 0);
}

/* What was selected and is not there is no success; nor is a tag of which it is not known who carries it. */
static void add_missing(struct engine *g, const char *name, const struct group *tag, struct verdicts *vs)
{
	struct verdict *v = verdicts_add(vs, g, NULL, name);
	if (tag && tag->err.code != ERR_OK)
		verdict_err(v, &tag->err);
	else if (tag && !tag->known)
		verdict_set(v, VERDICT_UNKNOWN, "TIMEOUT", "it is not known yet what carries this tag");
	else if (tag && !tag->n)
		verdict_set(v, VERDICT_UNKNOWN, "BAD_CONFIG", "nothing that sluice watches carries this tag in %s",
		            g->target.region);
	else
		verdict_set(v, VERDICT_UNKNOWN, "BAD_CONFIG",
		            tag ? "nothing that carries this tag is judged" : "nothing of this name is judged");
}

void select_apply(struct engine *g, const struct check_request *rq, struct group *const *tags, struct verdicts *vs)
{
	unsigned keep = 0, had = vs->n;
	bool *hit = xcalloc(rq->nselect, sizeof *hit);
	for (unsigned i = 0; rq->nselect && i < had; i++) {
		bool take = strncmp(vs->v[i].name, "discover/", 9) == 0; /* what could not be read may hold what was selected */
		for (unsigned s = 0; s < rq->nselect; s++)
			if (selected(&vs->v[i], rq->select[s], tags[s]))
				take = hit[s] = true;
		if (take)
			vs->v[keep++] = vs->v[i];
		else
			verdict_clear(&vs->v[i]);
	}
	vs->n = rq->nselect ? keep : had;
	for (unsigned s = 0; s < rq->nselect; s++) {
		if (!hit[s] || (tags[s] && (tags[s]->err.code != ERR_OK || !tags[s]->known)))
			add_missing(g, rq->select[s], tags[s], vs);
		if (tags[s])
			group_drop(g, tags[s]);
	}
	free(hit);
}
