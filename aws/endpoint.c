#include "aws/endpoint.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- partitions */

/* regions: what stands before "-WORD-DIGITS" in the names of the partition's regions. */
static const struct {
	struct partition p;
	const char *regions;
} partitions[] = {
	{ { "aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn" }, "cn" },
	{ { "aws-us-gov", "amazonaws.com", "api.aws" }, "us-gov" },
	{ { "aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu" }, "eusc-de" },
	{ { "aws-iso", "c2s.ic.gov", "api.aws.ic.gov" }, "us-iso" },
	{ { "aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud" }, "us-isob" },
	{ { "aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk" }, "eu-isoe" },
	{ { "aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov" }, "us-isof" },
};
/* Whatever matches nothing is of this one: no list of its regions is needed. */
static const struct partition ordinary = { "aws", "amazonaws.com", "api.aws" };

/* HEAD-WORD-DIGITS, or NAME-global, the partition's region that is nowhere. */
static bool lies_in(const char *region, const struct partition *p, const char *head)
{
	size_t n = strlen(head), name = strlen(p->name);
	if (strncmp(region, p->name, name) == 0 && strcmp(region + name, "-global") == 0)
		return true;
	if (strncmp(region, head, n) != 0 || region[n] != '-')
		return false;
	const char *word = region + n + 1, *s = word;
	while (isalnum((unsigned char)*s) || *s == '_')
		s++;
	if (s == word || *s != '-')
		return false;
	size_t digits = strspn(s + 1, "0123456789");
	return digits && s[1 + digits] == '\0';
}

const struct partition *partition_of(const char *region)
{
	for (size_t i = 0; region && i < sizeof partitions / sizeof *partitions; i++)
		if (lies_in(region, &partitions[i].p, partitions[i].regions))
			return &partitions[i].p;
	return &ordinary;
}

void endpoint_partition(const char *region, char partition[16], char suffix[32])
{
	const struct partition *p = partition_of(region);
	snprintf(partition, 16, "%s", p->name);
	snprintf(suffix, 32, "%s", p->suffix);
}

bool endpoint_region_valid(const char *region)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	size_t n = strlen(region);
	return n && n <= 39 && strspn(region, allowed) == n && region[0] != '-' && region[n - 1] != '-';
}

/* ---- exceptions */

enum variant { PLAIN = 1, FIPS = 2, DUAL = 4, BOTH = 8 };

#define R "{region}"
#define SUFFIX ".{suffix}" /* the partition's, of the variant asked for */
#define SINGLE ".{single}" /* the partition's for IPv4 alone, whatever was asked for */

struct exception {
	const char *prefix;    /* struct service's host */
	const char *partition; /* NULL: all */
	const char *region;    /* NULL: all */
	unsigned variants;
	const char *host;    /* NULL: there is none */
	const char *signing; /* NULL: the region itself */
};

/* In order, the first that fits. GovCloud's ordinary hosts are FIPS endpoints as they are; some rule sets say so of its two
 * regions, most of the whole partition. */
static const struct exception exceptions[] = {
	{ "monitoring", "aws-us-gov", NULL, FIPS | BOTH, "monitoring." R SUFFIX, NULL },
	{ "events", "aws-us-gov", NULL, BOTH, "events." R SUFFIX, NULL },
	{ "events", "aws-us-gov", "us-gov-east-1", FIPS, "events." R SUFFIX, NULL },
	{ "events", "aws-us-gov", "us-gov-west-1", FIPS, "events." R SUFFIX, NULL },
	{ "sns", "aws-us-gov", "us-gov-east-1", FIPS, "sns." R SUFFIX, NULL },
	{ "sns", "aws-us-gov", "us-gov-west-1", FIPS, "sns." R SUFFIX, NULL },
	{ "logs", "aws-us-gov", "us-gov-east-1", FIPS, "logs." R SUFFIX, NULL },
	{ "logs", "aws-us-gov", "us-gov-west-1", FIPS, "logs." R SUFFIX, NULL },
	{ "sqs", "aws-us-gov", NULL, FIPS, "sqs." R SUFFIX, NULL },
	{ "kinesis", "aws-us-gov", NULL, FIPS, "kinesis." R SUFFIX, NULL },
	{ "elasticmapreduce", "aws-us-gov", NULL, FIPS, "elasticmapreduce." R SUFFIX, NULL },
	{ "redshift", "aws-us-gov", NULL, FIPS, "redshift." R SUFFIX, NULL },
	{ "dynamodb", "aws-us-gov", NULL, FIPS, "dynamodb." R SUFFIX, NULL },
	{ "cloudformation", "aws-us-gov", NULL, FIPS, "cloudformation." R SUFFIX, NULL },
	{ "sts", "aws-us-gov", NULL, FIPS, "sts." R SUFFIX, NULL },
	{ "oidc", "aws-us-gov", NULL, FIPS, "oidc." R SUFFIX, NULL },
	{ "portal.sso", "aws-us-gov", NULL, FIPS, "portal.sso." R SUFFIX, NULL },
	{ "states", "aws-us-gov", "us-gov-west-1", FIPS, "states." R SUFFIX, NULL },
	{ "states", "aws-us-gov", NULL, DUAL, "states-fips." R SUFFIX, NULL },
	{ "sts", "aws", "aws-global", PLAIN, "sts" SUFFIX, "us-east-1" },
	{ "s3", "aws-cn", NULL, FIPS | BOTH, NULL, NULL },
	{ "s3", "aws", "aws-global", PLAIN, "s3" SUFFIX, "us-east-1" },
	{ "s3", "aws", "aws-global", FIPS, "s3-fips.us-east-1" SUFFIX, "us-east-1" },
	{ "s3", "aws", "aws-global", DUAL, "s3.dualstack.us-east-1" SINGLE, "us-east-1" },
	{ "s3", "aws", "aws-global", BOTH, "s3-fips.dualstack.us-east-1" SINGLE, "us-east-1" },
	{ "s3", NULL, NULL, DUAL, "s3.dualstack." R SINGLE, NULL },
	{ "s3", NULL, NULL, BOTH, "s3-fips.dualstack." R SINGLE, NULL },
};

static const struct exception sts_global = { .host = "sts" SUFFIX, .signing = "us-east-1" };
static const char *const sts_global_regions[] = {
	"ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "aws-global", "ca-central-1",
	"eu-central-1",   "eu-north-1", "eu-west-1",      "eu-west-2",      "eu-west-3",  "sa-east-1",
	"us-east-1",      "us-east-2",  "us-west-1",      "us-west-2",
};

static bool is_sts_global(const char *region)
{
	for (size_t i = 0; i < sizeof sts_global_regions / sizeof *sts_global_regions; i++)
		if (strcmp(region, sts_global_regions[i]) == 0)
			return true;
	return false;
}

static const struct exception *find_exception(const struct endpoint_in *in, const char *prefix)
{
	unsigned variant = in->fips ? in->dualstack ? BOTH : FIPS : in->dualstack ? DUAL : PLAIN;
	const char *partition = partition_of(in->region)->name;
	if (in->sts_legacy && variant == PLAIN && strcmp(prefix, "sts") == 0 && is_sts_global(in->region))
		return &sts_global;
	for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
		const struct exception *x = &exceptions[i];
		if (x->variants & variant && strcmp(x->prefix, prefix) == 0 &&
		    (!x->partition || strcmp(x->partition, partition) == 0) &&
		    (!x->region || strcmp(x->region, in->region) == 0))
			return x;
	}
	return NULL;
}

/* ---- */

/* The template with its {names} filled in. */
static bool fill(struct buf *out, const char *template, const struct endpoint_in *in, const char *prefix)
{
	const struct partition *p = partition_of(in->region);
	const struct {
		const char *name, *value;
	} names[] = {
		{ "{prefix}", prefix },
		{ R, in->region },
		{ "{suffix}", in->dualstack ? p->dualstack : p->suffix },
		{ "{single}", p->suffix },
	};
	for (;;) {
		size_t n = strcspn(template, "{"), i = 0;
		if (!buf_add(out, template, n))
			return false;
		template += n;
		if (!*template)
			return true;
		while (i < sizeof names / sizeof *names && strncmp(template, names[i].name, strlen(names[i].name)) != 0)
			i++;
		if (i == sizeof names / sizeof *names || !buf_adds(out, names[i].value))
			return false;
		template += strlen(names[i].name);
	}
}

static bool is_address(const char *host)
{
	return *host == '[' || host[strspn(host, "0123456789.")] == '\0' || host[strspn(host, "0123456789.")] == ':';
}

static bool custom_url(const struct endpoint_in *in, const char *prefix, struct buf *out)
{
	const char *host = strstr(in->custom, "://");
	if (!*prefix || !host || is_address(host + 3))
		return buf_adds(out, in->custom);
	host += 3;
	return buf_add(out, in->custom, (size_t)(host - in->custom)) && buf_adds(out, prefix) && buf_adds(out, host);
}

static const char *wish(const struct endpoint_in *in)
{
	return in->fips ? in->dualstack ? "FIPS and dual-stack" : "FIPS" : "dual-stack";
}

static bool aws_url(const struct endpoint_in *in, const struct exception *x, const char *front, const char *prefix,
                    struct buf *out)
{
	const char *usual = in->fips ? "{prefix}-fips." R SUFFIX : "{prefix}." R SUFFIX;
	return buf_adds(out, "https://") && buf_adds(out, front) && fill(out, x ? x->host : usual, in, prefix);
}

/* False with the reason to refuse; x gets what find_exception() gave. */
static bool allowed(const struct endpoint_in *in, const struct service *s, const struct exception **x, struct err *e)
{
	*x = NULL;
	if (in->custom && (in->fips || in->dualstack))
		return err_set(e, ERR_CONF, s->id, "%s endpoints are asked for and a custom endpoint is set: only one can be",
		               wish(in));
	if (in->custom)
		return true;
	if (!in->region)
		return err_set(e, ERR_USAGE, s->id, "no region is set, so there is no endpoint");
	if (!endpoint_region_valid(in->region))
		return err_set(e, ERR_USAGE, s->id, "\"%s\" is not a region's name, such as eu-west-1", in->region);
	*x = find_exception(in, s->host);
	if (*x && !(*x)->host)
		return err_set(e, ERR_CONF, s->id, "there are no %s endpoints for it in %s (%s)", wish(in), in->region,
		               partition_of(in->region)->name);
	return true;
}

bool endpoint_url(const struct endpoint_in *in, const struct service *s, struct buf *out, struct err *e)
{
	const char *front = in->host_prefix && !in->keep_host ? in->host_prefix : "";
	const struct exception *x;
	size_t before = out->n;
	if (!allowed(in, s, &x, e))
		return false;
	if (in->custom ? custom_url(in, front, out) : aws_url(in, x, front, s->host, out))
		return true;
	out->n = before; /* nothing half-made */
	if (out->p)
		out->p[before] = '\0';
	return err_set(e, ERR_INTERNAL, s->id, "the endpoint's name does not fit");
}

const char *endpoint_signing_region(const struct endpoint_in *in, const struct service *s)
{
	const struct exception *x = in->custom || !in->region ? NULL : find_exception(in, s->host);
	return x && x->signing ? x->signing : in->region;
}
