/* The text filter as a program, for comparing with another language: text_cli visible|unescape|width.
 * Standard input is records of a 4-byte little-endian length and that many bytes; so is the output, record for record. */
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_MOST (1 << 20)

static bool read_record(char **p, size_t *n)
{
	unsigned char head[4];
	if (fread(head, 1, sizeof head, stdin) != sizeof head)
		return false;
	*n = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
	if (*n > RECORD_MOST)
		return false;
	*p = malloc(*n ? *n : 1); /* exact, so that a sanitizer sees one byte too many */
	return *p && fread(*p, 1, *n, stdin) == *n;
}

static void write_record(struct span s)
{
	for (unsigned shift = 0; shift < 32; shift += 8)
		putchar((int)(s.n >> shift & 0xFF));
	fwrite(s.p, 1, s.n, stdout);
}

int main(int argc, char **argv)
{
	const char *mode = argc == 2 ? argv[1] : "";
	bool visible = strcmp(mode, "visible") == 0, unescape = strcmp(mode, "unescape") == 0;
	if (!visible && !unescape && strcmp(mode, "width") != 0) {
		fputs("usage: text_cli visible|unescape|width\n", stderr);
		return 2;
	}
	char *in = NULL;
	size_t n;
	while (read_record(&in, &n)) {
		struct span s = { in, n };
		struct buf out;
		buf_init(&out, (size_t)16 * RECORD_MOST);
		if (visible)
			text_visible(&out, s);
		else if (unescape)
			text_unescape(&out, s);
		else
			buf_addf(&out, "%u", text_width(s));
		write_record(buf_span(&out));
		buf_clear(&out);
		free(in);
		in = NULL;
	}
	free(in);
	return fflush(stdout) != 0 || ferror(stdout);
}
