#include "replay/bisect.h"

unsigned bisect_next(const struct bisect *b, unsigned most)
{
	unsigned n = b->end - b->at;
	if (b->upto)
		n = (b->upto - b->at + 1) / 2;
	return n < most ? n : most;
}

void bisect_accept(struct bisect *b, unsigned n)
{
	if (n == 0)
		return;
	b->at += n;
	b->tries = 0;
	if (b->at >= b->upto)
		b->upto = 0;
}

bool bisect_fail(struct bisect *b, unsigned n, unsigned tries_most)
{
	b->upto = b->at + n;
	if (n > 1 || ++b->tries < tries_most)
		return false;
	b->at++;
	b->upto = b->tries = 0;
	return true;
}
