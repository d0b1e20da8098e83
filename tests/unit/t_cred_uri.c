/* What stands in a URI, and which addresses keys may be asked of in the clear. */
#include "aws/http/uri.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum verdict { BAD, NAME, TRUSTED, FOREIGN };

static enum verdict verdict_of(const char *text)
{
	struct uri u;
	struct sockaddr_storage a;
	const char *why = NULL;
	if (!uri_parse(text, &u, &why)) {
		assert_non_null(why);
		return BAD;
	}
	if (!uri_address(&u, &a))
		return NAME;
	return uri_address_trusted((struct sockaddr *)&a) ? TRUSTED : FOREIGN;
}

static void test_hosts(void **state)
{
	(void)state;
	static const struct {
		const char *host;
		enum verdict is;
	} all[] = {
		{ "localhost", NAME },
		{ "LocalHost", NAME },
		{ "a", NAME },
		{ "a-b_c.d9", NAME },
		{ "xn--lcalhost-n4a", NAME },
		{ "127.0.0.1.test", NAME },
		{ "1a", NAME },
		{ "0xg", NAME },
		{ "127.0.0.1e", NAME },
		{ "127.0.0.1", TRUSTED },
		{ "127.255.255.255", TRUSTED },
		{ "127.0.0.0", TRUSTED },
		{ "169.254.170.2", TRUSTED },
		{ "169.254.170.23", TRUSTED },
		{ "[::1]", TRUSTED },
		{ "[0:0::0:1]", TRUSTED },
		{ "[fd00:ec2::23]", TRUSTED },
		{ "[FD00:EC2:0::0:23]", TRUSTED },
		{ "126.0.0.1", FOREIGN },
		{ "128.0.0.1", FOREIGN },
		{ "0.0.0.0", FOREIGN },
		{ "169.254.169.254", FOREIGN },
		{ "169.254.170.0", FOREIGN },
		{ "169.254.170.24", FOREIGN },
		{ "10.1.2.3", FOREIGN },
		{ "255.255.255.255", FOREIGN },
		{ "[::]", FOREIGN },
		{ "[::2]", FOREIGN },
		{ "[::ffff:127.0.0.1]", FOREIGN },
		{ "[::ffff:7f00:1]", FOREIGN },
		{ "[::127.0.0.1]", FOREIGN },
		{ "[::ffff:169.254.170.2]", FOREIGN },
		{ "[fd00:ec2::24]", FOREIGN },
		{ "[fd00:ec2::254]", FOREIGN },
		{ "[fe80::1]", FOREIGN },
		{ "[64:ff9b::127.0.0.1]", FOREIGN },
		{ "", BAD },
		{ "127.1", BAD },
		{ "127.0.1", BAD },
		{ "2130706433", BAD },
		{ "0177.0.0.1", BAD },
		{ "127.0.0.01", BAD },
		{ "0x7f.0.0.1", BAD },
		{ "0x7f000001", BAD },
		{ "127.0.0.0x1", BAD },
		{ "127.0.0.1.1", BAD },
		{ "127.0.0.256", BAD },
		{ "0x", BAD },
		{ "a.1", BAD },
		{ "a.0x1f", BAD },
		{ "localhost.", BAD },
		{ "127.0.0.1.", BAD },
		{ ".a", BAD },
		{ "a..b", BAD },
		{ ".", BAD },
		{ "u@localhost", BAD },
		{ "u:p@127.0.0.1", BAD },
		{ "@", BAD },
		{ "%6cocalhost", BAD },
		{ "local host", BAD },
		{ "localhost\\x", BAD },
		{ "l\xc3\xb6"
		  "calhost",
		  BAD },
		{ "a\nb", BAD },
		{ "[::1%25lo]", BAD },
		{ "[::1%1]", BAD },
		{ "[::1", BAD },
		{ "::1", BAD },
		{ "[]", BAD },
		{ "[127.0.0.1]", BAD },
		{ "[::1]a", BAD },
		{ "[::g]", BAD },
		{ "[1:2:3:4:5:6:7:8:9]", BAD },
		{ "a!b", BAD },
		{ "a,b", BAD },
		{ "a;b", BAD },
		{ "a=b", BAD },
		{ "*", BAD },
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		char text[160];
		static const char *const around[][2] = {
			{ "http://", "" }, { "https://", "/" }, { "http://", ":8080/c?x=@" }, { "HTTPS://", "?x" }
		};
		for (size_t k = 0; k < sizeof around / sizeof *around; k++) {
			snprintf(text, sizeof text, "%s%s%s", around[k][0], all[i].host, around[k][1]);
			if (verdict_of(text) != all[i].is)
				fail_msg("%s: %d instead of %d", text, (int)verdict_of(text), (int)all[i].is);
		}
	}
}

static void test_other_parts(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"x",
		"/x",
		"//a/x",
		"http",
		"http:",
		"http:/a",
		"http:a",
		"http://",
		"http:///x",
		"http://?x",
		"ftp://a",
		"file:///x",
		"httpx://a",
		"http://a#",
		"http://a/x#y",
		"http://a/x y",
		"http://a/\t",
		"http://a/\x7f",
		"http://a:/x",
		"http://a:0",
		"http://a:65536",
		"http://a:080",
		"http://a:8x",
		"http://a:-1",
		"http://a:80:80",
		"http://a:999999999999",
		"http://[::1]:",
		"http://a/\"",
		"http://a/<",
		"http://a/{",
		"http://a/|",
		"http://a/^",
		"http://a/`",
		" http://a",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (verdict_of(bad[i]) != BAD)
			fail_msg("\"%s\" was taken", bad[i]);
	static const char part[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; /* 63 */
	static const struct {
		const char *before, *behind;
		enum verdict is;
	} long_ones[] = { { "", "", NAME }, { "a", "", BAD }, { "a.", ".b", NAME } };
	char text[400];
	for (size_t i = 0; i < sizeof long_ones / sizeof *long_ones; i++) {
		snprintf(text, sizeof text, "http://%s%s%s", long_ones[i].before, part, long_ones[i].behind);
		assert_int_equal(verdict_of(text), long_ones[i].is);
	}
	snprintf(text, sizeof text, "http://%s.%s.%s.%s", part, part, part, part);
	assert_int_equal(verdict_of(text), BAD);
	text[7 + 253] = '\0';
	assert_int_equal(verdict_of(text), NAME);
}

static void test_what_is_found(void **state)
{
	(void)state;
	struct uri u;
	const char *why;
	assert_true(uri_parse("HTTPS://Helper.Test:8443/a/b?c=d", &u, &why));
	assert_true(u.tls && u.port == 8443 && u.port_given && !u.address);
	assert_string_equal(u.host, "helper.test");
	assert_string_equal(u.path, "/a/b?c=d");
	assert_true(uri_parse("http://[0:0:0:0:0:0:0:1]?q", &u, &why));
	assert_true(!u.tls && u.port == 80 && !u.port_given && u.address && u.v6);
	assert_string_equal(u.host, "::1");
	assert_string_equal(u.path, "?q");
	assert_true(uri_parse("https://a", &u, &why));
	assert_true(u.port == 443);
	assert_string_equal(u.path, "");
	struct sockaddr other = { .sa_family = AF_UNIX };
	assert_false(uri_address_trusted(&other));
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_other_parts),
		cmocka_unit_test(test_what_is_found),
	};
	return cmocka_run_group_tests(all, NULL, NULL);
}
