/* AWS's own cases of roles in profiles (github.com/smithy-lang/smithy-rs, assume-role-tests.json): what the chain comes to. */
#include "aws/cred/chain.h"
#include "aws_home.h"
#include "core/hash.h"
#include "core/ini.h"
#include "core/json.h"

static struct json *the_cases(void)
{
	static const char *const below[] = { "data/", "" };
	const char *shared = getenv("SLUICE_SHARED");
	struct json *doc = NULL;
	for (unsigned i = 0; i < 2 && !doc; i++) {
		char path[300];
		struct buf text;
		snprintf(path, sizeof path, "%s/%saws-config/assume-role-tests.json", shared ? shared : "../shared", below[i]);
		if (ini_read_file(path, &text, NULL))
			doc = json_parse(buf_span(&text), NULL);
		buf_clear(&text);
	}
	return doc;
}

/* Every section of the case, in the config file. */
static void put_sections(FILE *f, const struct json *sections, const char *type)
{
	for (const struct json *s = json_first(sections); s; s = json_next(s)) {
		fprintf(f, "[%s %s]\n", type, json_key(s));
		for (const struct json *m = json_first(s); m; m = json_next(m))
			fprintf(f, "%s = %s\n", json_key(m), json_str(m));
	}
}

/* A chain in words, the keys' source first: what the plan and the case are both turned into. */
static void add(struct buf *b, const char *key, const char *value)
{
	if (value)
		buf_addf(b, " %s=%s", key, value);
}

static void words_of_source(struct buf *b, const struct cred_source *s)
{
	if (!s)
		return;
	words_of_source(b, s->base);
	switch (s->from) {
	case CRED_STATIC:
		buf_adds(b, "| AccessKey");
		add(b, "access_key_id", s->keys.access_key);
		add(b, "secret_access_key", s->keys.secret_key);
		add(b, "session_token", s->keys.session_token);
		add(b, "account_id", s->keys.account);
		return;
	case CRED_IMDS: buf_adds(b, "| NamedSource Ec2InstanceMetadata"); return;
	case CRED_ROLE: buf_adds(b, "| AssumeRole"); break;
	case CRED_WEB: buf_adds(b, "| WebIdentityToken"); break;
	case CRED_SSO: buf_adds(b, "| Sso"); break;
	default: buf_adds(b, "| another"); break;
	}
	add(b, "role_arn", s->role_arn);
	add(b, "role_session_name", s->session_name);
	add(b, "external_id", s->external_id);
	add(b, "mfa_serial", s->mfa_serial);
	add(b, "web_identity_token_file", s->from == CRED_WEB ? s->file : NULL);
	add(b, "sso_session", s->sso_session);
	add(b, "sso_region", s->sso_region);
	add(b, "sso_start_url", s->sso_start_url);
	add(b, "sso_account_id", s->sso_account);
	add(b, "sso_role_name", s->sso_role);
}

static void words_of_case(struct buf *b, const struct json *chain)
{
	static const char *const order[] = {
		"access_key_id",  "secret_access_key", "session_token",
		"account_id",     "role_arn",          "role_session_name",
		"external_id",    "mfa_serial",        "web_identity_token_file",
		"sso_session",    "sso_region",        "sso_start_url",
		"sso_account_id", "sso_role_name",
	};
	for (const struct json *link = json_first(chain); link; link = json_next(link)) {
		const struct json *what = json_first(link);
		buf_addf(b, "| %s", json_key(what));
		if (json_str(what))
			buf_addf(b, " %s", json_str(what));
		unsigned said = 0, known = 0;
		for (const struct json *m = json_is_object(what) ? json_first(what) : NULL; m; m = json_next(m))
			said++;
		for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
			add(b, order[i], json_get_str(what, order[i]));
			known += json_get_str(what, order[i]) != NULL;
		}
		assert_int_equal(said, known); /* no fact of the case is left out of the comparison */
	}
}

static bool run_case(const struct json *c)
{
	const struct json *input = json_get(c, "input"), *chain = json_get(json_get(c, "output"), "ProfileChain");
	const char *error = json_get_str(json_get(c, "output"), "Error");
	char path[128];
	snprintf(path, sizeof path, "%s/.aws/config", home);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	put_sections(f, json_get(input, "profiles"), "profile");
	put_sections(f, json_get(input, "sso_sessions"), "sso-session");
	fclose(f);
	struct buf ours, theirs;
	buf_init(&ours, 4096);
	buf_init(&theirs, 4096);
	words_of_case(&theirs, chain);
	/* The instance is the end of every chain; it counts only where the case names it. */
	setenv("AWS_EC2_METADATA_DISABLED", theirs.p && strstr(theirs.p, "NamedSource") ? "false" : "true", 1);
	struct err e = { 0 };
	struct cred_source *s = chain_plan(json_get_str(input, "selected_profile"), true, &e);
	words_of_source(&ours, s);
	bool right = error ? !s && e.code != ERR_OK && e.text[0] : s && strcmp(ours.p, theirs.p) == 0;
	if (!right)
		print_message("%s:\n  wanted %s\n  got    %s%s\n", json_get_str(c, "docs"), error ? error : theirs.p,
		              ours.p ? ours.p : "", e.text);
	cred_source_free(s);
	buf_clear(&ours);
	buf_clear(&theirs);
	return right;
}

static void test_cases_of_aws(void **state)
{
	(void)state;
	struct json *doc = the_cases();
	unsigned passed = 0, n = 0;
	if (!doc) {
		print_message("SKIP: AWS's cases of roles are not at hand\n");
		skip();
	}
	for (const struct json *c = json_first(doc); c; c = json_next(c), n++)
		passed += run_case(c);
	json_free(doc);
	print_message("%u of %u cases of roles as AWS's SDKs have them\n", passed, n);
	assert_int_equal(n, 28);
	assert_int_equal(passed, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_cases_of_aws) };
	return hash_init() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
