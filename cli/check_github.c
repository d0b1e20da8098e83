/* --check as GitHub Actions reads it: workflow commands that become annotations, of which a step may show ten of a kind, and the
 * whole table as Markdown at the end of the file $GITHUB_STEP_SUMMARY, which may hold 1 MiB a step. */
#include "cli/args.h"
#include "cli/check.h"

#include "core/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANNOTATIONS 9
#define SUMMARY_MOST 1000000
#define SUMMARY_TAIL 1000

/* ---- annotations */

/* As @actions/core escapes a command's message, and, more of it, its properties. */
static const char *message_char(char c)
{
	switch (c) {
	case '%': return "%25";
	case '\r': return "%0D";
	case '\n': return "%0A";
	default: return NULL;
	}
}

static const char *property_char(char c)
{
	switch (c) {
	case ':': return "%3A";
	case ',': return "%2C";
	default: return message_char(c);
	}
}

void check_github_guard(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '[' && i >= 2 && s.p[i - 1] == '#' && s.p[i - 2] == '#')
			buf_adds(out, "<U+005B>");
		else
			buf_addc(out, s.p[i]);
}

static const char *level(const struct verdict *v)
{
	return v->status == VERDICT_WARNING ? "warning" : "error";
}

static void annotate(struct out *o, const struct verdict *v)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	buf_addf(&b, "::%s title=", level(v));
	check_escape(&b, v->name, property_char);
	buf_addf(&b, "::%s ", verdict_name(v->status));
	check_escape(&b, v->name, message_char);
	buf_adds(&b, ": ");
	check_escape_reason(&b, v, message_char);
	check_github_guard(&o->b, buf_span(&b));
	out_own(o, "\n");
	buf_clear(&b);
}

static void annotations(struct out *o, const struct check_view *v)
{
	unsigned troubles = 0;
	while (troubles < check_rows(v) && check_is_trouble(check_row(v, troubles)))
		troubles++;
	for (unsigned i = 0; i < troubles && i < ANNOTATIONS; i++)
		annotate(o, check_row(v, i));
	if (troubles > ANNOTATIONS)
		out_ownf(o, "::%s title=sluice::and %u more, see the summary of this step\n", level(check_row(v, ANNOTATIONS)),
		         troubles - ANNOTATIONS);
}

/* ---- the step's summary */

/* Every character that could be Markdown or HTML, a link or a mention, becomes itself and nothing more. */
static const char *markdown_char(char c)
{
	static char entity[8];
	unsigned char u = (unsigned char)c;
	bool plain = u >= 0x80 || (u >= '0' && u <= '9') || (u >= 'A' && u <= 'Z') || (u >= 'a' && u <= 'z') || c == ' ' ||
	             c == '-' || c == '%';
	if (plain)
		return NULL;
	snprintf(entity, sizeof entity, "&#%u;", u);
	return entity;
}

static void table_row(struct buf *b, const struct verdict *v)
{
	char value[32];
	text_exact(v->value, value);
	buf_addf(b, "| %s | ", verdict_name(v->status));
	check_escape(b, v->name, markdown_char);
	buf_adds(b, " | ");
	check_escape(b, value, markdown_char);
	buf_adds(b, *value && v->unit ? " " : "");
	buf_adds(b, *value && v->unit ? v->unit : "");
	buf_adds(b, " | ");
	check_escape_reason(b, v, markdown_char);
	buf_adds(b, " |\n");
}

static void summary_text(struct buf *b, const struct check_view *v, size_t most)
{
	struct buf row;
	unsigned left_out = 0;
	buf_init(&row, 1 << 20);
	buf_adds(b, "\n### sluice --check: ");
	buf_addf(b, "%s\n\n", verdict_name(v->status));
	buf_adds(b, "| status | check | value | reason |\n| --- | --- | --- | --- |\n");
	for (unsigned i = 0; i < check_rows(v); i++) {
		buf_reset(&row);
		table_row(&row, check_row(v, i));
		if (left_out || b->n + row.n + SUMMARY_TAIL > most)
			left_out++;
		else
			buf_addspan(b, buf_span(&row));
	}
	buf_adds(b, "\n");
	if (left_out)
		buf_addf(b, "and %u more, for which a summary has no room\n\n", left_out);
	check_counts(v, b);
	buf_adds(b, "; ");
	check_cost(v->result, b);
	buf_adds(b, v->result->defaults ? "\n\n" CHECK_DEFAULTS "\n" : "\n");
	buf_clear(&row);
}

static void write_summary(const char *path, const struct check_view *v)
{
	struct buf b;
	struct stat st;
	buf_init(&b, SUMMARY_MOST);
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	bool ok = fd >= 0 && fstat(fd, &st) == 0;
	size_t had = ok && S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t)st.st_size : 0;
	if (ok && had + 4 * SUMMARY_TAIL < SUMMARY_MOST) {
		summary_text(&b, v, SUMMARY_MOST - had);
		for (size_t done = 0; ok && done < b.n;) {
			ssize_t n = write(fd, b.p + done, b.n - done);
			ok = n > 0 || (n < 0 && errno == EINTR);
			done += n > 0 ? (size_t)n : 0;
		}
	} else if (ok) {
		cli_note("GITHUB_STEP_SUMMARY", "it is full: a step may write 1 MiB");
	}
	if (!ok)
		cli_note("GITHUB_STEP_SUMMARY", strerror(errno));
	if (fd >= 0)
		close(fd);
	buf_clear(&b);
}

void check_github(struct out *o, const struct check_view *v)
{
	const char *path = getenv("GITHUB_STEP_SUMMARY");
	annotations(o, v);
	check_summary(o, v);
	if (path && *path)
		write_summary(path, v);
}
