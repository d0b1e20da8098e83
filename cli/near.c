/* What the writer of an unknown word may have meant. */
#include "cli/args.h"

#include <string.h>

#define LONGEST 32

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;
	return m < c ? m : c;
}

/* Edits (insert, drop, change, swap of neighbours) from a to b; far longer words are simply far. */
static unsigned distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	unsigned d[LONGEST + 1][LONGEST + 1];
	if (na > LONGEST || nb > LONGEST)
		return LONGEST;
	for (size_t i = 0; i <= na; i++)
		d[i][0] = (unsigned)i;
	for (size_t j = 0; j <= nb; j++)
		d[0][j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++)
		for (size_t j = 1; j <= nb; j++) {
			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
			if (swapped && d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	return d[na][nb];
}

static size_t letters(const char *s)
{
	return strlen(s + strspn(s, "-"));
}

/* Near: a third of the letters may be wrong, or the word is the candidate's beginning. */
const char *cli_near(const char *word, const char *const *candidates)
{
	const char *best = NULL;
	unsigned least = LONGEST;
	size_t n = strlen(word);
	for (; *candidates; candidates++) {
		unsigned d = letters(word) >= 3 && strncmp(*candidates, word, n) == 0 ? 1 : distance(word, *candidates);
		if (d < least) {
			least = d;
			best = *candidates;
		}
	}
	return best && least <= (letters(best) + 2) / 3 && least < letters(word) ? best : NULL;
}

bool cli_listed(const char *list, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = list; p && *p; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");
		if (len == n && memcmp(p, word, n) == 0)
			return true;
		p += len;
	}
	return false;
}
