#include "tui/match.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define EACH 16
#define BESIDE 12 /* the letter before matched too */
#define BEGINS 14 /* it begins a word */
#define FIRST 10  /* it begins the text */
#define GAP_MOST 24

static int lower(char c)
{
	return tolower((unsigned char)c);
}

static bool begins_word(const char *text, size_t i)
{
	return i == 0 || !isalnum((unsigned char)text[i - 1]) ||
	       (isupper((unsigned char)text[i]) && islower((unsigned char)text[i - 1]));
}

/* Where the first match ends, or -1. */
static ptrdiff_t find_end(const char *word, size_t n, const char *text)
{
	size_t k = 0;
	for (size_t i = 0; text[i]; i++)
		if (lower(text[i]) == lower(word[k]) && ++k == n)
			return (ptrdiff_t)i;
	return -1;
}

/* The whole word as it stands, at its best place: better than any scattered match. */
static int score_whole(const char *word, size_t n, const char *text)
{
	int best = -1;
	for (size_t i = 0; text[i]; i++) {
		size_t k = 0;
		while (k < n && text[i + k] && lower(text[i + k]) == lower(word[k]))
			k++;
		if (k < n)
			continue;
		int score = (int)n * EACH + (int)(n - 1) * BESIDE + (begins_word(text, i) ? BEGINS : 0) + (i == 0 ? FIRST : 0);
		best = score > best ? score : best;
	}
	return best;
}

/* From the end of the first match backwards: the shortest stretch that ends there. */
static int score_scattered(const char *word, size_t n, const char *text)
{
	ptrdiff_t i = find_end(word, n, text);
	int score = 0, gap = 0;
	size_t last = 0, k = n;
	if (i < 0)
		return -1;
	for (; i >= 0 && k > 0; i--) {
		if (lower(text[i]) != lower(word[k - 1])) {
			gap++;
			continue;
		}
		score += EACH + (k < n && last == (size_t)i + 1 ? BESIDE : 0) + (begins_word(text, (size_t)i) ? BEGINS : 0);
		last = (size_t)i;
		k--;
	}
	score += last == 0 ? FIRST : 0;
	score -= gap < GAP_MOST ? gap : GAP_MOST;
	return score > 0 ? score : 0;
}

int match_score(const char *pattern, const char *text)
{
	int sum = 0;
	size_t length = strlen(text);
	for (const char *p = pattern; *(p += strspn(p, " "));) {
		size_t n = strcspn(p, " ");
		int whole = score_whole(p, n, text), scattered = whole < 0 ? score_scattered(p, n, text) : -1;
		int best = whole > scattered ? whole : scattered;
		if (best < 0)
			return -1;
		sum += best;
		p += n;
	}
	if (sum == 0)
		return 0;
	int less = length < 200 ? (int)length / 4 : 50;
	return sum > less ? sum - less : 1;
}
