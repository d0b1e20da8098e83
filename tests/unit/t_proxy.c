/* Which proxy a URL goes through, compared with what the installed libcurl does by itself; masks; what is no proxy. */
#include "aws/http/proxy.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const variables[] = { "https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy",
	                                     "ALL_PROXY",   "no_proxy",    "NO_PROXY",   NULL };

static void forget(void)
{
	for (unsigned i = 0; variables[i]; i++)
		unsetenv(variables[i]);
}

/* "A=1|B=2" */
static void set(const char *settings)
{
	char text[256], *rest = text;
	forget();
	snprintf(text, sizeof text, "%s", settings);
	for (char *one; (one = strsep(&rest, "|"));) {
		char *value = strchr(one, '=');
		if (!value)
			continue;
		*value = '\0';
		setenv(one, value + 1, 1);
	}
}

static int tear_down(void **state)
{
	(void)state;
	forget();
	return 0;
}

/* ---- the oracle: no packet leaves, for the socket that curl asks for is refused once it has said where to */

static char asked[80];

static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	(void)ctx, (void)purpose;
	char text[INET6_ADDRSTRLEN] = "";
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	if (a->family == AF_INET) {
		memcpy(&v4, &a->addr, sizeof v4);
		inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
	} else {
		memcpy(&v6, &a->addr, sizeof v6);
		inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
	}
	snprintf(asked, sizeof asked, "%s", text);
	return CURL_SOCKET_BAD;
}

#define PROXY_1 "127.0.0.91"
#define PROXY_2 "127.0.0.92"
#define SERVICE "127.0.0.2"

/* Whom curl calls: the address it wants a socket for, "" when it gives up before. */
static const char *curl_calls(const char *url)
{
	struct curl_slist *names = NULL;
	static const char *const known[] = {
		"one:3128:" PROXY_1,
		"one:1080:" PROXY_1,
		"one:443:" PROXY_1,
		"one:80:" PROXY_1,
		"two:3128:" PROXY_2,
		"sqs.eu-west-1.amazonaws.com:443:" SERVICE,
		"sqs.eu-west-1.amazonaws.com:80:" SERVICE,
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		names = curl_slist_append(names, known[i]);
	CURL *c = curl_easy_init();
	assert_non_null(c);
	asked[0] = '\0';
	curl_easy_setopt(c, CURLOPT_RESOLVE, names);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, 2000L);
	assert_int_not_equal(curl_easy_perform(c), CURLE_OK);
	curl_easy_cleanup(c);
	curl_slist_free_all(names);
	return asked;
}

static const char *we_call(const struct proxy *p, const char *direct)
{
	struct proxy copy = *p;
	if (!p->url)
		return direct;
	if (!proxy_valid(&copy, NULL))
		return "";
	return strstr(p->url, "two") ? PROXY_2 : PROXY_1;
}

static unsigned compared;

/* As curl does, and for the reason given. */
static void same(const char *settings, const char *url, const char *direct, enum proxy_why why, const char *source)
{
	set(settings);
	struct proxy p = proxy_for(url);
	if (p.why != why || (source ? !p.source || strcmp(p.source, source) != 0 : p.source != NULL))
		fail_msg("%s %s: why %d by %s", settings, url, p.why, p.source);
	assert_true((p.why == PROXY_SET) == (p.url != NULL));
	if (strcmp(curl_calls(url), we_call(&p, direct)) != 0)
		fail_msg("%s %s: curl calls \"%s\", we \"%s\"", settings, url, asked, we_call(&p, direct));
	compared++;
}

#define HTTPS "https://sqs.eu-west-1.amazonaws.com/"
#define HTTP "http://sqs.eu-west-1.amazonaws.com/"

static void test_variables(void **state)
{
	(void)state;
	same("", HTTPS, SERVICE, PROXY_NONE, NULL);
	same("https_proxy=one:3128", HTTPS, SERVICE, PROXY_SET, "https_proxy");
	same("HTTPS_PROXY=one:3128", HTTPS, SERVICE, PROXY_SET, "HTTPS_PROXY");
	same("https_proxy=one:3128", HTTP, SERVICE, PROXY_NONE, NULL);
	same("http_proxy=one:3128", HTTP, SERVICE, PROXY_SET, "http_proxy");
	same("http_proxy=one:3128", HTTPS, SERVICE, PROXY_NONE, NULL);
	same("HTTP_PROXY=one:3128", HTTP, SERVICE, PROXY_NONE, NULL); /* ignored on purpose */
	same("HTTP_PROXY=one:3128", HTTPS, SERVICE, PROXY_NONE, NULL);
	same("all_proxy=one:3128", HTTPS, SERVICE, PROXY_SET, "all_proxy");
	same("ALL_PROXY=one:3128", HTTP, SERVICE, PROXY_SET, "ALL_PROXY");
	same("all_proxy=one:3128|ALL_PROXY=two:3128", HTTPS, SERVICE, PROXY_SET, "all_proxy");
	same("https_proxy=one:3128|HTTPS_PROXY=two:3128", HTTPS, SERVICE, PROXY_SET, "https_proxy");
	same("https_proxy=|HTTPS_PROXY=two:3128", HTTPS, SERVICE, PROXY_SET, "HTTPS_PROXY");
	same("HTTPS_PROXY=two:3128|all_proxy=one:3128", HTTPS, SERVICE, PROXY_SET, "HTTPS_PROXY");
	same("https_proxy=|HTTPS_PROXY=|all_proxy=|ALL_PROXY=", HTTPS, SERVICE, PROXY_NONE, NULL);
	same("no_proxy=|NO_PROXY=amazonaws.com|https_proxy=one:3128", HTTPS, SERVICE, PROXY_EXCEPTED, "NO_PROXY");
	same("no_proxy=x|NO_PROXY=amazonaws.com|https_proxy=one:3128", HTTPS, SERVICE, PROXY_SET, "https_proxy");
	same("no_proxy=amazonaws.com", HTTPS, SERVICE, PROXY_NONE, NULL);
}

static void test_exceptions(void **state)
{
	(void)state;
	static const char *const excepted[] = { "*",
		                                    "amazonaws.com",
		                                    ".amazonaws.com",
		                                    "AMAZONAWS.COM",
		                                    "eu-west-1.amazonaws.com",
		                                    "sqs.eu-west-1.amazonaws.com",
		                                    "sqs.eu-west-1.amazonaws.com.",
		                                    "x,amazonaws.com",
		                                    "x, amazonaws.com",
		                                    "x ,amazonaws.com",
		                                    "x,\tamazonaws.com",
		                                    "amazonaws.com,x",
		                                    ",,amazonaws.com",
		                                    "x,,amazonaws.com",
		                                    "com" };
	static const char *const not_excepted[] = { " *",
		                                        "*,",
		                                        "x,*",
		                                        "*.amazonaws.com",
		                                        "onaws.com",
		                                        "amazonaws",
		                                        "x;amazonaws.com",
		                                        "amazonaws.com:443",
		                                        "https://amazonaws.com",
		                                        "..amazonaws.com",
		                                        ".",
		                                        ",",
		                                        "my.sqs.eu-west-1.amazonaws.com",
		                                        "0.0.0.0/0",
		                                        "127.0.0.2" };
	char settings[128];
	for (size_t i = 0; i < sizeof excepted / sizeof *excepted; i++) {
		snprintf(settings, sizeof settings, "https_proxy=one:3128|no_proxy=%s", excepted[i]);
		same(settings, HTTPS, SERVICE, PROXY_EXCEPTED, "no_proxy");
	}
	for (size_t i = 0; i < sizeof not_excepted / sizeof *not_excepted; i++) {
		snprintf(settings, sizeof settings, "https_proxy=one:3128|no_proxy=%s", not_excepted[i]);
		same(settings, HTTPS, SERVICE, PROXY_SET, "https_proxy");
	}
}

static void test_addresses(void **state)
{
	(void)state;
	static const char *const excepted[] = { "10.1.2.3",   "10.1.2.3/32", "10.1.2.0/24",
		                                    "10.0.0.0/8", "10.1.2.2/31", "x,10.1.2.3" };
	static const char *const not_excepted[] = { "10.1.2.4",  "10.1.3.0/24", "10.1.2.3/33", "10.1.2.0/31",
		                                        "0.0.0.0/0", ".1.2.3",      "3",           "10." };
	char settings[128];
	for (size_t i = 0; i < sizeof excepted / sizeof *excepted; i++) {
		snprintf(settings, sizeof settings, "https_proxy=one:3128|no_proxy=%s", excepted[i]);
		same(settings, "https://10.1.2.3:8443/", "10.1.2.3", PROXY_EXCEPTED, "no_proxy");
	}
	for (size_t i = 0; i < sizeof not_excepted / sizeof *not_excepted; i++) {
		snprintf(settings, sizeof settings, "https_proxy=one:3128|no_proxy=%s", not_excepted[i]);
		same(settings, "https://10.1.2.3/", "10.1.2.3", PROXY_SET, "https_proxy");
	}
	same("https_proxy=one:3128|no_proxy=2001:db8::1", "https://[2001:db8::1]/", "2001:db8::1", PROXY_EXCEPTED,
	     "no_proxy");
	same("https_proxy=one:3128|no_proxy=2001:db8::2", "https://[2001:db8::1]:8443/", "2001:db8::1", PROXY_SET,
	     "https_proxy");
}

/* Where curl's versions do not agree with each other: brackets and blocks of IPv6, lists parted by blanks. */
static void test_ours_alone(void **state)
{
	(void)state;
	static const char *const excepted[] = { "2001:db8::/32", "[2001:db8::1]", "2001:DB8:0::1", "2001:db8::/33",
		                                    "x 2001:db8::1" };
	char settings[128];
	for (size_t i = 0; i < sizeof excepted / sizeof *excepted; i++) {
		snprintf(settings, sizeof settings, "https_proxy=one:3128|no_proxy=%s", excepted[i]);
		set(settings);
		assert_int_equal(proxy_for("https://[2001:db8::1]/").why, PROXY_EXCEPTED);
		assert_int_equal(proxy_for("https://[2001:db9::1]/").why, PROXY_SET);
	}
	set("https_proxy=one:3128|no_proxy=10.1.2.3/0"); /* no mask at all */
	assert_int_equal(proxy_for("https://10.1.2.3/").why, PROXY_EXCEPTED);
	assert_int_equal(proxy_for("https://10.1.2.4/").why, PROXY_SET);
	set("https_proxy=one:3128|no_proxy=x amazonaws.com");
	assert_int_equal(proxy_for(HTTPS).why, PROXY_EXCEPTED);
	set("https_proxy=one:3128|no_proxy=amazonaws.com");
	assert_int_equal(proxy_for("https://sqs.eu-west-1.amazonaws.com.:443/").why, PROXY_EXCEPTED);
	set("https_proxy= |HTTPS_PROXY=two:3128"); /* blank is not set */
	assert_string_equal(proxy_for(HTTPS).source, "HTTPS_PROXY");
}

static void test_never(void **state)
{
	(void)state;
	static const char *const near[] = { "http://127.0.0.1:4566",  "http://127.9.9.9",      "http://localhost:4566/x",
		                                "http://LOCALHOST",       "http://[::1]:1",        "http://aws.localhost:1",
		                                "http://169.254.169.254", "http://169.254.170.2",  "http://169.254.170.23/v1",
		                                "http://[fd00:ec2::254]", "http://[fd00:ec2::23]", "http://[fe80::1]" };
	static const char *const far[] = {
		"http://127.evil.example/",     "http://localhost.evil.example", "http://128.0.0.1",
		"http://169.253.1.1",           "http://[fd00:ec3::254]",        "http://xlocalhost",
		"http://127.0.0.1.evil.example"
	};
	set("all_proxy=one:3128");
	for (size_t i = 0; i < sizeof near / sizeof *near; i++)
		assert_int_equal(proxy_for(near[i]).why, PROXY_NEVER);
	for (size_t i = 0; i < sizeof far / sizeof *far; i++)
		assert_int_equal(proxy_for(far[i]).why, PROXY_SET);
}

/* ---- the proxy's own URL */

static void masked(const char *url, const char *mask)
{
	struct buf out;
	buf_init(&out, 256);
	assert_true(proxy_mask(&out, url));
	assert_string_equal(out.p, mask);
	buf_clear(&out);
}

static void good(const char *url, const char *mask)
{
	char settings[128];
	snprintf(settings, sizeof settings, "https_proxy=%s", url);
	same(settings, HTTPS, SERVICE, PROXY_SET, "https_proxy"); /* curl takes it, too */
	masked(url, mask);
}

static void bad(const char *url, const char *text)
{
	struct err e = { 0 };
	assert_false(proxy_valid(&(struct proxy){ PROXY_SET, url, "https_proxy" }, &e));
	assert_int_equal(e.code, ERR_CONF);
	if (!strstr(e.text, text) || !strstr(e.text, "https_proxy holds no proxy's address") || strstr(e.text, "secret"))
		fail_msg("%s: %s", url, e.text);
	masked(url, "***");
}

static void test_proxy_urls(void **state)
{
	(void)state;
	good("http://one:3128", "http://one:3128");
	good("one:3128", "one:3128");
	good("one", "one");
	good("http://one", "http://one");
	good("http://one:", "http://one");
	good("HTTP://one:3128", "HTTP://one:3128");
	good("socks5h://one:3128", "socks5h://one:3128");
	good("socks4://u@one:3128/", "socks4://***@one:3128");
	good("http://u:secret@one:3128", "http://***:***@one:3128");
	good("u:secret@one:3128", "***:***@one:3128");
	good("http://u:p%40%2Fss@one:3128/secret?secret", "http://***:***@one:3128");
	good("http://:secret@one:3128", "http://***:***@one:3128");
	good("http://@one:3128", "http://***@one:3128");
	masked("https://u:secret@[2001:db8::1]:8443", "https://***:***@[2001:db8::1]:8443");

	bad("", "it names no host");
	bad("http://", "it names no host");
	bad("http:///secret", "it names no host");
	bad("http://u:secret@:3128", "it names no host");
	bad("u:secret@", "it names no host");
	bad("ftp://u:secret@one:3128", "its scheme is none of");
	bad("u:secret://x@one", "its scheme is none of");
	bad("http://u:p@secret@one:3128", "an @ in the user or password");
	bad("http://u:p/secret@one:3128", "a /, ? or #");
	bad("http://u:p?secret@one:3128", "a /, ? or #");
	bad("http://u:p#secret@one:3128", "a /, ? or #");
	bad("http://u:p secret@one:3128", "a blank in the user or password");
	bad("http://u:p%00secret@one:3128", "a %00");
	bad("http://one:99999", "not from 1 to 65535");
	bad("http://one:0", "not from 1 to 65535");
	bad("http://one:99999999999999999999999", "not from 1 to 65535");
	bad("http://one:secret", "its port is not a number");
	bad("http:/one:3128", "its port is missing");
	bad("one:", "its port is missing");
	bad("http://o ne:3128", "a character that host names do not have");
	bad("http://one:3128 ", "its port is not a number");
	bad("http://[secret]:3128", "no IPv6 address");
	bad("http://[::1]x:3128", "something other than a port follows");
	bad("[", "no IPv6 address");
	bad("[:", "its port is missing");
	bad("::1", "it names no host");
	assert_true(proxy_valid(&(struct proxy){ 0 }, NULL)); /* none is fine */
}

static void test_failures(void **state)
{
	(void)state;
	struct proxy p = { PROXY_SET, "http://u:secret@one:3128", "https_proxy" };
	struct err e = { 0 };
	err_set(&e, ERR_TIMEOUT, "http", "nothing came");
	proxy_failed(&p, 0, &e);
	assert_int_equal(e.code, ERR_TIMEOUT);
	assert_string_equal(e.text, "by way of the proxy http://***:***@one:3128 (https_proxy): nothing came");
	proxy_failed(&p, 502, &e);
	assert_int_equal(e.code, ERR_CONNECT);
	assert_string_equal(e.text, "the proxy http://***:***@one:3128 (https_proxy) does not connect: it answered 502");
	proxy_failed(&p, PROXY_WANTS_LOGIN, &e);
	assert_string_equal(
	    e.text, "the proxy http://***:***@one:3128 (https_proxy) wants another user and password: it answered 407");
	p.url = "one";
	proxy_failed(&p, PROXY_WANTS_LOGIN, &e);
	assert_string_equal(e.text, "the proxy one (https_proxy) wants a user and password: it answered 407");
	char name[400] = "http://u:secret@";
	memset(name + strlen(name), 'a', 300);
	p.url = name;
	err_set(&e, ERR_TIMEOUT, "http", "nothing came");
	proxy_failed(&p, 0, &e);
	assert_string_equal(e.text, "by way of the proxy that is set (https_proxy): nothing came");
}

static void test_count(void **state)
{
	(void)state;
	printf("%u decisions compared with libcurl %s\n", compared, curl_version_info(CURLVERSION_NOW)->version);
	assert_true(compared > 70);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_variables),  cmocka_unit_test(test_exceptions), cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_ours_alone), cmocka_unit_test(test_never),      cmocka_unit_test(test_proxy_urls),
		cmocka_unit_test(test_failures),   cmocka_unit_test(test_count),
	};
	curl_global_init(CURL_GLOBAL_DEFAULT);
	int failed = cmocka_run_group_tests(tests, NULL, tear_down);
	curl_global_cleanup();
	return failed;
}
