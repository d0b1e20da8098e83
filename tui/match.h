/* How well what was typed matches a text. Pure. */
#ifndef TUI_MATCH_H
#define TUI_MATCH_H

/* The words of the pattern must each be found in the text with their letters in order, in any case, gaps allowed. -1: they are not.
 * More is better: beginnings of words, letters beside each other and short texts win. An empty pattern matches everything with 0. */
int match_score(const char *pattern, const char *text);

#endif
