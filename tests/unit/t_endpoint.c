/* Endpoints: the pattern, the partitions, the exceptions. The peer tests compare all of them with AWS's own rule sets. */
#include "aws/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct service service_of(const char *prefix)
{
	return (struct service){ .id = prefix, .host = prefix };
}

static void is(const struct endpoint_in *in, const char *prefix, const char *url)
{
	struct service s = service_of(prefix);
	struct buf out;
	struct err e = { 0 };
	buf_init(&out, 256);
	if (!endpoint_url(in, &s, &out, &e))
		fail_msg("%s %s: %s", prefix, in->region, e.text);
	assert_string_equal(out.p, url);
	buf_clear(&out);
}

static void refused(const struct endpoint_in *in, const char *prefix, enum err_code code, const char *text)
{
	struct service s = service_of(prefix);
	struct buf out;
	struct err e = { 0 };
	buf_init(&out, 256);
	buf_adds(&out, "before");
	assert_false(endpoint_url(in, &s, &out, &e));
	assert_int_equal(e.code, code);
	assert_string_equal(e.where, prefix);
	if (!strstr(e.text, text))
		fail_msg("%s", e.text);
	assert_string_equal(out.p, "before"); /* nothing half-made */
	assert_false(endpoint_url(in, &s, &out, NULL));
	buf_clear(&out);
}

static void test_pattern(void **state)
{
	(void)state;
	is(&(struct endpoint_in){ .region = "eu-west-1" }, "monitoring", "https://monitoring.eu-west-1.amazonaws.com");
	is(&(struct endpoint_in){ .region = "eu-west-1", .fips = true }, "sqs", "https://sqs-fips.eu-west-1.amazonaws.com");
	is(&(struct endpoint_in){ .region = "eu-west-1", .dualstack = true }, "sqs", "https://sqs.eu-west-1.api.aws");
	is(&(struct endpoint_in){ .region = "us-east-2", .fips = true, .dualstack = true }, "kinesis",
	   "https://kinesis-fips.us-east-2.api.aws");
	is(&(struct endpoint_in){ .region = "cn-north-1", .dualstack = true }, "lambda",
	   "https://lambda.cn-north-1.api.amazonwebservices.com.cn");
}

static void test_partitions(void **state)
{
	(void)state;
	static const struct {
		const char *region, *partition, *suffix, *dualstack;
	} cases[] = {
		{ "eu-west-1", "aws", "amazonaws.com", "api.aws" },
		{ "mx-central-1", "aws", "amazonaws.com", "api.aws" },
		{ "cn-northwest-1", "aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn" },
		{ "us-gov-west-1", "aws-us-gov", "amazonaws.com", "api.aws" },
		{ "eusc-de-east-1", "aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu" },
		{ "us-iso-east-1", "aws-iso", "c2s.ic.gov", "api.aws.ic.gov" },
		{ "us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud" },
		{ "eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk" },
		{ "us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov" },
		{ "aws-cn-global", "aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn" },
		{ "aws-iso-b-global", "aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud" },
		/* what only looks like one */
		{ "us-gov-west", "aws", "amazonaws.com", "api.aws" },
		{ "cn-north-1a", "aws", "amazonaws.com", "api.aws" },
		{ "cn--1", "aws", "amazonaws.com", "api.aws" },
		{ "cn", "aws", "amazonaws.com", "api.aws" },
		{ "eusc-fr-west-1", "aws", "amazonaws.com", "api.aws" },
		{ "us-iso-1", "aws", "amazonaws.com", "api.aws" },
		{ "here", "aws", "amazonaws.com", "api.aws" },
		{ "", "aws", "amazonaws.com", "api.aws" },
		{ NULL, "aws", "amazonaws.com", "api.aws" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char partition[16], suffix[32];
		endpoint_partition(cases[i].region, partition, suffix);
		assert_string_equal(partition, cases[i].partition);
		assert_string_equal(suffix, cases[i].suffix);
		assert_string_equal(partition_of(cases[i].region)->dualstack, cases[i].dualstack);
	}
}

static void test_govcloud(void **state)
{
	(void)state;
	static const char *const bare[] = {
		"monitoring",     "sqs",    "kinesis", "sns",  "logs",      "elasticmapreduce", "redshift", "dynamodb",
		"cloudformation", "events", "sts",     "oidc", "portal.sso"
	};
	static const char *const marked[] = { "lambda",        "glue",  "xray",    "apigateway", "firehose",
		                                  "redshift-data", "pipes", "airflow", "tagging" };
	struct endpoint_in in = { .region = "us-gov-west-1", .fips = true };
	char url[128];
	for (size_t i = 0; i < sizeof bare / sizeof *bare; i++) {
		snprintf(url, sizeof url, "https://%s.us-gov-west-1.amazonaws.com", bare[i]);
		is(&in, bare[i], url);
	}
	for (size_t i = 0; i < sizeof marked / sizeof *marked; i++) {
		snprintf(url, sizeof url, "https://%s-fips.us-gov-west-1.amazonaws.com", marked[i]);
		is(&in, marked[i], url);
	}
	is(&in, "states", "https://states.us-gov-west-1.amazonaws.com");
	in.dualstack = true;
	is(&in, "monitoring", "https://monitoring.us-gov-west-1.api.aws");
	is(&in, "events", "https://events.us-gov-west-1.api.aws");
	is(&in, "sqs", "https://sqs-fips.us-gov-west-1.api.aws");
	is(&in, "states", "https://states-fips.us-gov-west-1.api.aws");
	in.fips = false;
	is(&in, "states", "https://states-fips.us-gov-west-1.api.aws");
	is(&in, "events", "https://events.us-gov-west-1.api.aws");
	is(&(struct endpoint_in){ .region = "us-gov-east-1", .fips = true }, "states",
	   "https://states-fips.us-gov-east-1.amazonaws.com");
}

static void test_s3(void **state)
{
	(void)state;
	is(&(struct endpoint_in){ .region = "eu-west-1" }, "s3", "https://s3.eu-west-1.amazonaws.com");
	is(&(struct endpoint_in){ .region = "eu-west-1", .fips = true }, "s3", "https://s3-fips.eu-west-1.amazonaws.com");
	is(&(struct endpoint_in){ .region = "cn-north-1", .dualstack = true }, "s3",
	   "https://s3.dualstack.cn-north-1.amazonaws.com.cn");
	is(&(struct endpoint_in){ .region = "eu-west-1", .fips = true, .dualstack = true }, "s3",
	   "https://s3-fips.dualstack.eu-west-1.amazonaws.com");
	refused(&(struct endpoint_in){ .region = "cn-north-1", .fips = true }, "s3", ERR_CONF,
	        "there are no FIPS endpoints for it in cn-north-1 (aws-cn)");
}

static void signs(const struct endpoint_in *in, const char *prefix, const char *region)
{
	struct service s = service_of(prefix);
	assert_string_equal(endpoint_signing_region(in, &s), region);
}

static void test_sts(void **state)
{
	(void)state;
	struct endpoint_in in = { .region = "eu-west-1" };
	is(&in, "sts", "https://sts.eu-west-1.amazonaws.com");
	signs(&in, "sts", "eu-west-1");
	in.sts_legacy = true;
	is(&in, "sts", "https://sts.amazonaws.com");
	signs(&in, "sts", "us-east-1");
	is(&in, "sqs", "https://sqs.eu-west-1.amazonaws.com"); /* the others never */
	signs(&in, "sqs", "eu-west-1");
	in.fips = true;
	is(&in, "sts", "https://sts-fips.eu-west-1.amazonaws.com");
	signs(&in, "sts", "eu-west-1");
	in.fips = false;
	in.custom = "http://127.0.0.1:1";
	is(&in, "sts", "http://127.0.0.1:1");
	signs(&in, "sts", "eu-west-1");
	in.custom = NULL;
	in.region = "eu-south-1"; /* younger than the global endpoint's list */
	is(&in, "sts", "https://sts.eu-south-1.amazonaws.com");
	signs(&in, "sts", "eu-south-1");
	in = (struct endpoint_in){ .region = "aws-global" };
	is(&in, "sts", "https://sts.amazonaws.com");
	signs(&in, "sts", "us-east-1");
}

static void test_custom(void **state)
{
	(void)state;
	struct endpoint_in in = { .region = "eu-west-1", .custom = "https://localhost:4566" };
	is(&in, "sqs", "https://localhost:4566");
	in.region = NULL; /* nothing of it is needed */
	is(&in, "sqs", "https://localhost:4566");
	struct service sqs = service_of("sqs");
	assert_null(endpoint_signing_region(&in, &sqs));
	in.fips = true;
	refused(&in, "sqs", ERR_CONF, "FIPS endpoints are asked for and a custom endpoint is set");
	in.dualstack = true;
	refused(&in, "sqs", ERR_CONF, "FIPS and dual-stack endpoints are asked for");
	in.fips = false;
	refused(&in, "sqs", ERR_CONF, "dual-stack endpoints are asked for");
}

static void test_host_prefix(void **state)
{
	(void)state;
	struct endpoint_in in = { .region = "eu-west-1", .host_prefix = "api." };
	is(&in, "airflow", "https://api.airflow.eu-west-1.amazonaws.com");
	in.keep_host = true;
	is(&in, "airflow", "https://airflow.eu-west-1.amazonaws.com");
	in.custom = "http://localhost:4566";
	is(&in, "airflow", "http://localhost:4566");
	in.keep_host = false;
	is(&in, "airflow", "http://api.localhost:4566");
	in.custom = "http://127.0.0.1:4566";
	is(&in, "airflow", "http://127.0.0.1:4566");
	in.custom = "http://[::1]:4566";
	is(&in, "airflow", "http://[::1]:4566");
	in.custom = "http://10.example.com";
	is(&in, "airflow", "http://api.10.example.com");
}

static void test_regions(void **state)
{
	(void)state;
	static const char *const bad[] = { "",          "-eu-west-1",       "eu-west-1-",
		                               "eu.west.1", "eu-west-1/",       "evil.example.com/",
		                               "a@b",       "eu west 1",        "eu-west-1\n",
		                               "eu_west",   "\xc3\xa9u-west-1", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	assert_true(endpoint_region_valid("eu-west-1"));
	assert_true(endpoint_region_valid("us-isob-east-1"));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_false(endpoint_region_valid(bad[i]));
		refused(&(struct endpoint_in){ .region = bad[i] }, "sqs", ERR_USAGE, "is not a region's name");
	}
	refused(&(struct endpoint_in){ .region = NULL }, "sqs", ERR_USAGE, "no region");
}

static void test_full(void **state)
{
	(void)state;
	struct service sqs = service_of("sqs");
	struct buf out;
	struct err e = { 0 };
	buf_init(&out, 20);
	assert_false(endpoint_url(&(struct endpoint_in){ .region = "eu-west-1" }, &sqs, &out, &e));
	assert_int_equal(e.code, ERR_INTERNAL);
	assert_int_equal(out.n, 0);
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pattern), cmocka_unit_test(test_partitions),  cmocka_unit_test(test_govcloud),
		cmocka_unit_test(test_s3),      cmocka_unit_test(test_sts),         cmocka_unit_test(test_custom),
		cmocka_unit_test(test_regions), cmocka_unit_test(test_host_prefix), cmocka_unit_test(test_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
