/* core/hash.c against published vectors, and the contexts that it keeps for each thread. */
#include "core/hash.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
	(void)state;
	return hash_init() && hash_init() ? 0 : -1;
}

static void assert_hex(const uint8_t *p, size_t n, const char *want)
{
	char hex[2 * HASH_SHA256 + 1];
	hash_hex(p, n, hex);
	assert_string_equal(hex, want);
}

static const struct {
	const char *text, *sha256, *sha1, *md5;
} digests[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	  "da39a3ee5e6b4b0d3255bfef95601890afd80709", "d41d8cd98f00b204e9800998ecf8427e" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	  "a9993e364706816aba3e25717850c26c9cd0d89d", "900150983cd24fb0d6963f7d28e17f72" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
	  "8215ef0796a20bcaaae116d3876c664a" },
};

static void published_digests(void **state)
{
	(void)state;
	uint8_t out[HASH_SHA256];
	for (size_t i = 0; i < sizeof digests / sizeof *digests; i++) {
		size_t n = strlen(digests[i].text);
		hash_sha256(digests[i].text, n, out);
		assert_hex(out, HASH_SHA256, digests[i].sha256);
		hash_sha1(digests[i].text, n, out);
		assert_hex(out, HASH_SHA1, digests[i].sha1);
		hash_md5(digests[i].text, n, out);
		assert_hex(out, HASH_MD5, digests[i].md5);
	}
	hash_sha256(NULL, 0, out);
	assert_hex(out, HASH_SHA256, digests[0].sha256);
}

static void million_letters(void **state)
{
	(void)state;
	uint8_t out[HASH_SHA256];
	char *text = malloc(1000000);
	assert_non_null(text);
	memset(text, 'a', 1000000);
	hash_sha256(text, 1000000, out);
	assert_hex(out, HASH_SHA256, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(text);
}

/* RFC 4231, cases 1 to 4, 6 and 7: short, long and longer than a block. */
static void published_hmacs(void **state)
{
	(void)state;
	char key[131], text[50];
	uint8_t out[HASH_SHA256];
	memset(key, 0x0b, 20);
	hash_hmac_sha256(key, 20, "Hi There", 8, out);
	assert_hex(out, HASH_SHA256, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	hash_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out);
	assert_hex(out, HASH_SHA256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	memset(text, 0xdd, sizeof text);
	hash_hmac_sha256(key, 20, text, sizeof text, out);
	assert_hex(out, HASH_SHA256, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
	hash_hmac_sha256(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First", 54, out);
	assert_hex(out, HASH_SHA256, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	for (unsigned i = 0; i < 25; i++)
		key[i] = (char)(i + 1);
	memset(text, 0xcd, sizeof text);
	hash_hmac_sha256(key, 25, text, sizeof text, out);
	assert_hex(out, HASH_SHA256, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
}

/* No key, and keys on both sides of a block; by Python's hmac. */
static void hmac_key_lengths(void **state)
{
	(void)state;
	char key[65];
	uint8_t out[HASH_SHA256];
	memset(key, 0x0b, sizeof key);
	hash_hmac_sha256(NULL, 0, NULL, 0, out);
	assert_hex(out, HASH_SHA256, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
	hash_hmac_sha256(key, 64, "Hi There", 8, out);
	assert_hex(out, HASH_SHA256, "21cd586aeca0579d99a1c938127c92525a371f807bc5ba6eb78bc825bd4f2be3");
	hash_hmac_sha256(key, 65, "Hi There", 8, out);
	assert_hex(out, HASH_SHA256, "727b82fba264393c5d67fd6d6ad783e9019a1fa6a857fccb70f5852f04be5d5d");
}

/* A signing key of AWS, derived in four steps; out may be the key itself. */
static void chained_hmacs(void **state)
{
	(void)state;
	static const char *const steps[] = { "20260102", "eu-west-1", "monitoring", "aws4_request" };
	char key[64] = "AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
	size_t n = strlen(key);
	for (unsigned i = 0; i < 4; i++, n = HASH_SHA256)
		hash_hmac_sha256(key, n, steps[i], strlen(steps[i]), (uint8_t *)key);
	assert_hex((uint8_t *)key, HASH_SHA256, "eca7de8df886b871f54448a6b08ca184da83be4d037386c6a99d75e7d72e2b8b");
}

/* RFC 4648 */
static const char *const pairs[][2] = { { "", "" },
	                                    { "f", "Zg==" },
	                                    { "fo", "Zm8=" },
	                                    { "foo", "Zm9v" },
	                                    { "foob", "Zm9vYg==" },
	                                    { "fooba", "Zm9vYmE=" },
	                                    { "foobar", "Zm9vYmFy" } };

static void published_base64(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 100);
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		buf_reset(&b);
		assert_true(hash_base64(&b, pairs[i][0], strlen(pairs[i][0])));
		assert_true(span_eq(buf_span(&b), pairs[i][1]));
		buf_reset(&b);
		assert_true(hash_unbase64(&b, span_of(pairs[i][1])));
		assert_true(span_eq(buf_span(&b), pairs[i][0]));
	}
	buf_clear(&b);
}

static void base64_of_random_bytes_and_back(void **state)
{
	(void)state;
	struct buf text, back;
	buf_init(&text, 1000);
	buf_init(&back, 1000);
	for (size_t n = 0; n < 300; n++) {
		uint8_t bytes[300];
		assert_true(hash_random(bytes, n));
		buf_reset(&text);
		buf_reset(&back);
		assert_true(hash_base64(&text, bytes, n));
		assert_int_equal(text.n, (n + 2) / 3 * 4);
		assert_true(hash_unbase64(&back, buf_span(&text)));
		assert_int_equal(back.n, n);
		assert_memory_equal(back.p ? back.p : "", bytes, n);
	}
	buf_clear(&text);
	buf_clear(&back);
}

/* Each value has one text and every other text is refused, which leaves what was in the buf before. */
static void bad_base64(void **state)
{
	(void)state;
	static const char *const bad[] = { "Z",      "Zg",       "Zg=",  "Zg===",   "Zh==",     "Zm9=",     "Zm+=",
		                               "Zo==",   "=",        "====", "Z===",    "Zg==Zg==", "Zm8=Zm9v", "Zm 9v",
		                               "Zm9v\n", "Zm9v====", "Zm-_", "Zm9\xff", "Z=g=",     "Zm9v*" };
	struct buf b;
	buf_init(&b, 100);
	buf_adds(&b, "kept");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_false(hash_unbase64(&b, span_of(bad[i])));
		assert_string_equal(b.p, "kept");
	}
	assert_false(hash_unbase64(&b, (struct span){ "Zm9v\0", 5 }));
	assert_false(hash_unbase64(&b, (struct span){ "Zm\0v", 4 }));
	buf_clear(&b);
}

static void full_buffers_stay_as_they_were(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 10);
	buf_adds(&b, "1234");
	assert_false(hash_base64(&b, "abcdef", 6));
	assert_string_equal(b.p, "1234");
	assert_true(buf_full(&b));
	buf_clear(&b);
	buf_init(&b, 5);
	buf_adds(&b, "1");
	assert_false(hash_unbase64(&b, SPAN("Zm9vYmFy")));
	assert_string_equal(b.p, "1");
	buf_clear(&b);
}

static void comparing_and_wiping(void **state)
{
	(void)state;
	char a[] = "secret", b[] = "secreT";
	assert_false(hash_same(a, b, 6));
	assert_true(hash_same(a, b, 5));
	assert_true(hash_same(NULL, NULL, 0));
	hash_wipe(a, 6);
	assert_memory_equal(a, "\0\0\0\0\0\0", 6);
}

static void random_bytes_differ(void **state)
{
	(void)state;
	uint8_t a[16] = { 0 }, b[16] = { 0 };
	assert_true(hash_random(a, sizeof a));
	assert_true(hash_random(b, sizeof b));
	assert_memory_not_equal(a, b, sizeof a);
}

static void *hash_much(void *failed)
{
	uint8_t out[HASH_SHA256];
	char hex[2 * HASH_SHA256 + 1];
	for (unsigned i = 0; i < 3000; i++) {
		size_t k = i % 3;
		hash_sha256(digests[k].text, strlen(digests[k].text), out);
		hash_hex(out, HASH_SHA256, hex);
		*(bool *)failed |= strcmp(hex, digests[k].sha256) != 0;
		hash_md5(digests[k].text, strlen(digests[k].text), out);
		hash_hex(out, HASH_MD5, hex);
		*(bool *)failed |= strcmp(hex, digests[k].md5) != 0;
	}
	return NULL;
}

static void threads_do_not_share_contexts(void **state)
{
	(void)state;
	pthread_t t[4];
	bool failed[4] = { false };
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, hash_much, &failed[i]), 0);
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
		assert_false(failed[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_digests),
		cmocka_unit_test(million_letters),
		cmocka_unit_test(published_hmacs),
		cmocka_unit_test(hmac_key_lengths),
		cmocka_unit_test(chained_hmacs),
		cmocka_unit_test(published_base64),
		cmocka_unit_test(base64_of_random_bytes_and_back),
		cmocka_unit_test(bad_base64),
		cmocka_unit_test(full_buffers_stay_as_they_were),
		cmocka_unit_test(comparing_and_wiping),
		cmocka_unit_test(random_bytes_differ),
		cmocka_unit_test(threads_do_not_share_contexts),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
