/* --check as a JUnit report, as CI servers read them (Jenkins' schema): CRITICAL is a failure, UNKNOWN an error, SKIPPED is
 * skipped, a WARNING passes and says so in its output. One batched poll serves all cases, so its time is shared among them. */
#include "cli/check.h"

#include "core/clock.h"

#include <string.h>

static const char *xml_char(char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&apos;";
	default: return NULL;
	}
}

static void attribute(struct buf *b, const char *name, const char *any)
{
	buf_addf(b, " %s=\"", name);
	check_escape(b, any ? any : "", xml_char);
	buf_addc(b, '"');
}

static void property(struct buf *b, const char *name, const char *any)
{
	if (!any || !*any)
		return;
	buf_addf(b, "<property name=\"%s\"", name);
	attribute(b, "value", any);
	buf_adds(b, "/>\n");
}

/* <failure message="..." type="...">details</failure> */
static void outcome(struct buf *b, const char *element, const struct verdict *v)
{
	struct buf details;
	buf_init(&details, 65536);
	verdict_details(v, &details);
	buf_addf(b, "<%s message=\"", element);
	check_escape_reason(b, v, xml_char);
	buf_addc(b, '"');
	if (strcmp(element, "skipped") == 0) {
		buf_adds(b, "/>");
	} else {
		buf_addf(b, " type=\"%s\">", v->code ? v->code : verdict_name(v->status));
		check_escape_visible(b, buf_span(&details), xml_char);
		buf_addf(b, "</%s>", element);
	}
	buf_clear(&details);
}

static void testcase(struct buf *b, const struct verdict *v, double seconds)
{
	const char *group = v->pipeline ? v->pipeline : v->kind ? v->kind : "sluice";
	buf_adds(b, "<testcase");
	attribute(b, "name", v->name);
	attribute(b, "classname", group);
	buf_addf(b, " time=\"%.3f\">", seconds);
	switch (v->status) {
	case VERDICT_CRITICAL: outcome(b, "failure", v); break;
	case VERDICT_UNKNOWN: outcome(b, "error", v); break;
	case VERDICT_SKIPPED: outcome(b, "skipped", v); break;
	case VERDICT_WARNING:
		buf_adds(b, "<system-out>WARNING ");
		check_escape_reason(b, v, xml_char);
		buf_adds(b, "</system-out>");
		break;
	case VERDICT_OK: break;
	}
	buf_adds(b, "</testcase>\n");
}

static unsigned count(const struct check_view *v, enum verdict_status status)
{
	unsigned n = 0;
	for (unsigned i = 0; i < check_rows(v); i++)
		n += check_row(v, i)->status == status;
	return n;
}

void check_junit(struct out *o, const struct check_view *v)
{
	struct buf *b = &o->b;
	char now[CLOCK_RFC3339_SIZE];
	unsigned rows = check_rows(v), failures = count(v, VERDICT_CRITICAL), errors = count(v, VERDICT_UNKNOWN);
	double seconds = (double)v->took_ms / 1000;
	clock_rfc3339(clock_wall(), now);
	now[strcspn(now, "Z")] = '\0'; /* the schema's times have no zone; it is UTC */
	buf_addf(b,
	         "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	         "<testsuites name=\"sluice --check\" tests=\"%u\" failures=\"%u\" errors=\"%u\" time=\"%.3f\">\n"
	         "<testsuite name=\"sluice\" tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\" time=\"%.3f\" "
	         "timestamp=\"%s\">\n<properties>\n",
	         rows, failures, errors, seconds, rows, failures, errors, count(v, VERDICT_SKIPPED), seconds, now);
	property(b, "status", verdict_name(v->status));
	property(b, "account", v->result->target.account);
	property(b, "region", v->result->target.region);
	property(b, "defaults", v->result->defaults ? CHECK_DEFAULTS : NULL);
	buf_adds(b, "</properties>\n");
	for (unsigned i = 0; i < rows; i++) {
		testcase(b, check_row(v, i), seconds / rows);
		out_own(o, "");
	}
	buf_adds(b, "<system-out>");
	check_counts(v, b);
	buf_adds(b, "; ");
	check_cost(v->result, b);
	out_own(o, "</system-out>\n</testsuite>\n</testsuites>\n");
}
