/* Keys that live: the turn that fetches them, files that change, keys that the service refuses. */
#include "aws/cred/cred.h"
#include "aws_home.h"
#include "core/clock.h"
#include "core/hash.h"

#include <utime.h>

static struct account *account_of(const char *profile)
{
	struct err e = { 0 };
	struct account *a = account_load(&(struct account_in){ .region = "eu-west-1", .profile = profile }, &e);
	assert_int_equal(e.code, ERR_OK);
	return a;
}

static void is_ready(const struct cred *c, const char *access_key, uint64_t generation)
{
	struct sign_keys k;
	uint64_t g;
	assert_int_equal(cred_keys(c, &k, &g, NULL), CRED_READY);
	assert_string_equal(k.access_key, access_key);
	assert_int_equal(g, generation);
}

static void is_not(const struct cred *c, enum cred_state state, enum err_code code, const char *part)
{
	struct sign_keys k;
	uint64_t g;
	struct err e;
	assert_int_equal(cred_keys(c, &k, &g, &e), state);
	assert_int_equal(e.code, code);
	assert_true(!part || strstr(e.text, part));
}

static void put_keys(const char *access_key)
{
	char text[200];
	snprintf(text, sizeof text, "[default]\naws_access_key_id = %s\naws_secret_access_key = s\n", access_key);
	put_file("credentials", text);
}

/* Turns until the files have been looked at again. */
static void turn_for(struct cred *c, int64_t ms)
{
	for (int64_t end = clock_mono_ms() + ms; clock_mono_ms() < end;) {
		cred_turn(c);
		usleep(20000);
	}
}

static void test_first_turn_fetches(void **state)
{
	(void)state;
	put_keys("AKIDONE");
	struct account *a = account_of(NULL);
	struct cred *c = cred_new(a);
	is_not(c, CRED_FETCHING, ERR_OK, NULL);
	assert_in_range(cred_turn(c), 1, 10000);
	is_ready(c, "AKIDONE", 1);
	struct cred_info i;
	cred_look(c, &i);
	assert_string_equal(i.access_key, "****"); /* too short to show a part of it */
	assert_string_equal(i.where, "~/.aws/credentials [default]");
	assert_int_equal(i.expires, 0);
	cred_free(c);
	cred_free(NULL);
	account_free(a);
}

static void test_a_refused_set_is_read_again(void **state)
{
	(void)state;
	struct err why = { 0 };
	err_set(&why, ERR_AUTH, "sqs:ListQueues", "ExpiredToken");
	put_keys("AKIDOLD");
	struct account *a = account_of(NULL);
	struct cred *c = cred_new(a);
	cred_turn(c);
	put_keys("AKIDNEW"); /* somebody has renewed them */
	assert_true(cred_refused(c, 1, &why));
	is_not(c, CRED_FETCHING, ERR_OK, NULL); /* the old set is not used again */
	cred_turn(c);
	is_ready(c, "AKIDNEW", 2);
	assert_true(cred_refused(c, 1, &why)); /* a call signed with the old set is late: the new one serves */
	is_ready(c, "AKIDNEW", 2);
	cred_free(c);
	account_free(a);
}

static void test_the_same_set_again_is_no_hope(void **state)
{
	(void)state;
	struct err why = { 0 };
	err_set(&why, ERR_AUTH, "sqs:ListQueues", "UnrecognizedClientException");
	put_keys("AKIDBAD");
	struct account *a = account_of(NULL);
	struct cred *c = cred_new(a);
	cred_turn(c);
	assert_true(cred_refused(c, 1, &why));
	cred_turn(c);
	is_ready(c, "AKIDBAD", 1);              /* AWS's own word is what the caller gets, ... */
	assert_false(cred_refused(c, 1, &why)); /* ... once: nothing is fetched for ever */
	put_keys("AKIDGOOD1");
	turn_for(c, 2600); /* looked at every two seconds while they fail */
	is_ready(c, "AKIDGOOD1", 2);
	cred_free(c);
	account_free(a);
}

static void test_nothing_there_then_something(void **state)
{
	(void)state;
	struct account *a = account_of(NULL);
	struct cred *c = cred_new(a);
	assert_in_range(cred_turn(c), 1, 2000);
	is_not(c, CRED_FAILED, ERR_NOCRED, "AWS_ACCESS_KEY_ID is not set");
	put_keys("AKIDLATE");
	turn_for(c, 2600);
	is_ready(c, "AKIDLATE", 1);
	cred_free(c);
	account_free(a);
}

static void test_expired_keys_are_not_used(void **state)
{
	(void)state;
	env_keys();
	setenv("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z", 1);
	struct account *a = account_of(NULL);
	struct cred *c = cred_new(a);
	cred_turn(c);
	is_not(c, CRED_FAILED, ERR_AUTH, "expired");
	cred_free(c);
	account_free(a);
}

static unsigned asked;

static bool ask(void *ctx, const char *serial, char code[16])
{
	asked++;
	snprintf(code, 16, "%s", (const char *)ctx);
	assert_string_equal(serial, "arn:aws:iam::1:mfa/me");
	return true;
}

static void test_a_code_is_wanted(void **state)
{
	(void)state;
	put_file("config",
	         "[profile r]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=base\nmfa_serial=arn:aws:iam::1:mfa/me\n"
	         "[profile base]\naws_access_key_id=K\naws_secret_access_key=S\n");
	setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1", 1); /* nobody there */
	struct account *a = account_of("r");
	struct cred *c = cred_new(a);
	cred_turn(c);
	is_not(c, CRED_WANTS_CODE, ERR_NOCRED, "arn:aws:iam::1:mfa/me"); /* and nothing is sent */
	static char typed[] = "123456";
	cred_on_ask(c, ask, typed);
	cred_turn(c);
	assert_int_equal(asked, 1);
	is_not(c, CRED_FAILED, ERR_CONNECT, NULL);
	cred_free(c);
	account_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_first_turn_fetches),
		TEST(test_a_refused_set_is_read_again),
		TEST(test_the_same_set_again_is_no_hope),
		TEST(test_nothing_there_then_something),
		TEST(test_expired_keys_are_not_used),
		TEST(test_a_code_is_wanted),
	};
	struct err e = { 0 };
	return hash_init() && http_global_init(&e) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
