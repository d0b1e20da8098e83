/* --check as GitLab reads it. A merge request shows two kinds of report: JUnit (artifacts:reports:junit) and code quality
 * (artifacts:reports:codequality, JSON). The name given to --out chooses: *.xml is JUnit, anything else code quality; --out may be
 * given twice, so that one poll makes both. Standard output is code quality. */
#include "cli/args.h"
#include "cli/check.h"

#include "core/hash.h"
#include "core/json.h"

#include <string.h>

/* A finding must stand in a file of the repository; this one each project with a pipeline has. */
#define PLACE ".gitlab-ci.yml"

static const char *severity(enum verdict_status s)
{
	return s == VERDICT_CRITICAL ? "critical" : s == VERDICT_UNKNOWN ? "major" : "minor";
}

/* The same as long as the same check is in trouble: GitLab tells new findings from old ones by it. */
static void fingerprint(const struct verdict *v, char out[2 * HASH_SHA256 + 1])
{
	struct buf b;
	uint8_t digest[HASH_SHA256];
	const char *const parts[] = { v->pipeline, v->kind, v->resource, v->name };
	buf_init(&b, 1 << 20);
	for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++)
		buf_add(&b, parts[i] ? parts[i] : "", parts[i] ? strlen(parts[i]) + 1 : 1);
	hash_sha256(b.p, b.n, digest);
	hash_hex(digest, sizeof digest, out);
	buf_clear(&b);
}

static void finding(struct json_out *j, const struct verdict *v)
{
	char id[2 * HASH_SHA256 + 1];
	struct buf b;
	buf_init(&b, 65536);
	buf_addf(&b, "%s ", verdict_name(v->status));
	buf_adds(&b, v->name);
	buf_adds(&b, ": ");
	verdict_reason(v, &b);
	fingerprint(v, id);
	json_out_object(j, NULL);
	json_out_str(j, "type", "issue");
	json_out_str(j, "description", b.p);
	json_out_str(j, "check_name", v->name);
	json_out_str(j, "fingerprint", id);
	json_out_str(j, "severity", severity(v->status));
	json_out_object(j, "location");
	json_out_str(j, "path", PLACE);
	json_out_object(j, "lines");
	json_out_int(j, "begin", 1);
	json_out_object_end(j);
	json_out_object_end(j);
	json_out_object_end(j);
	buf_clear(&b);
}

static bool named_xml(const char *file)
{
	size_t n = file ? strlen(file) : 0;
	return n >= 4 && strcmp(file + n - 4, ".xml") == 0;
}

void check_gitlab(struct out *o, const struct check_view *v)
{
	struct json_out j;
	if (named_xml(v->file)) {
		check_junit(o, v);
		return;
	}
	json_out_init(&j, &o->b);
	json_out_array(&j, NULL);
	for (unsigned i = 0; i < check_rows(v); i++)
		if (check_is_trouble(check_row(v, i)))
			finding(&j, check_row(v, i));
	json_out_array_end(&j);
	out_own(o, "\n");
	struct buf cost; /* the report has no place for it */
	buf_init(&cost, 400);
	check_cost(v->result, &cost);
	cli_note("cost", cost.p);
	if (v->result->defaults)
		cli_note("checks", CHECK_DEFAULTS);
	buf_clear(&cost);
}
