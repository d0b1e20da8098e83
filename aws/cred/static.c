/* Keys as they stand in the environment or a file. */
#include "aws/cred/cred.h"

bool cred_from_static(struct fetch *f, const struct cred_source *s, struct keys *out, struct err *e)
{
	(void)f, (void)e;
	keys_copy(out, &s->keys);
	return true;
}
