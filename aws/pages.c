#include "aws/pages.h"

#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

/* The anchor moves on at powers of two, so a circle of any length is met. */
static void move_anchor(struct pages *p, const char *token)
{
	if (p->n < 2 * p->anchor_at)
		return;
	free(p->anchor);
	p->anchor = xstrdup(token);
	p->anchor_at = p->n;
}

bool pages_next(struct pages *p, const struct op *op, struct page *in, struct page *out, struct err *e)
{
	p->n++;
	if (p->n >= PAGES_MAX)
		return err_set(e, ERR_LIMIT, op->iam, "more than %d pages", PAGES_MAX);
	if (p->bytes > PAGES_BYTES_MAX)
		return err_set(e, ERR_LIMIT, op->iam, "more than %u MiB in %u pages", PAGES_BYTES_MAX >> 20, p->n);
	if (p->anchor && strcmp(p->anchor, out->token) == 0)
		return err_set(e, ERR_BADREPLY, op->iam, "the service gave the same page token twice");
	move_anchor(p, out->token);
	free(in->token);
	in->token = out->token;
	out->token = NULL;
	return true;
}

void pages_clear(struct pages *p)
{
	free(p->anchor);
	*p = (struct pages){ 0 };
}
