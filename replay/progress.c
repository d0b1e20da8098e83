#include "replay/progress.h"

#include <stdio.h>
#include <string.h>

void progress_write(const struct progress *p, char out[PROGRESS_TEXT])
{
	int n = snprintf(out, PROGRESS_TEXT, "%u/%u@%s", p->done, p->gone, p->upto);
	for (unsigned i = 0; i < p->npoison; i++)
		n += snprintf(out + n, PROGRESS_TEXT - (size_t)n, "!%s", p->poison[i]);
}

static bool take(const char **text, char mark, char out[SEQUENCE_MOST + 1])
{
	size_t n = strcspn(*text + 1, "!");
	if (**text != mark || n > SEQUENCE_MOST)
		return false;
	memcpy(out, *text + 1, n);
	out[n] = '\0';
	*text += n + 1;
	return sequence_valid(out);
}

bool progress_read(const char *text, struct progress *p)
{
	int n = 0;
	*p = (struct progress){ .done = 0 };
	if (!text)
		return true;
	if (sscanf(text, "%6u/%6u%n", &p->done, &p->gone, &n) != 2 || p->gone > p->done || p->done == 0)
		return false;
	text += n;
	if (!take(&text, '@', p->upto))
		return false;
	while (*text && p->npoison < PROGRESS_POISON && take(&text, '!', p->poison[p->npoison]))
		p->npoison++;
	return *text == '\0';
}
