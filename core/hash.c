#include "core/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define HASH_BLOCK 64 /* of SHA-256, which HMAC pads its key to */

enum algorithm { SHA256_MD, MD5_MD, SHA1_MD, ALGORITHMS };

static const char *const names[ALGORITHMS] = { "SHA2-256", "MD5", "SHA1" };
static EVP_MD *fetched[ALGORITHMS];

/* One context an algorithm and thread: making one costs more than hashing a short text. */
static _Thread_local EVP_MD_CTX *contexts[ALGORITHMS];
static pthread_key_t leaving;

static void thread_ends(void *own)
{
	EVP_MD_CTX **ctx = own;
	for (unsigned i = 0; i < ALGORITHMS; i++) {
		EVP_MD_CTX_free(ctx[i]);
		ctx[i] = NULL;
	}
}

bool hash_init(void)
{
	if (fetched[0])
		return true;
	/* The random generator is woken here as well: OpenSSL 3.0 does not survive running out of memory inside its start-up. */
	if (!OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL) || RAND_status() != 1)
		return false;
	if (pthread_key_create(&leaving, thread_ends) != 0)
		return false;
	for (unsigned i = ALGORITHMS; i-- > 0;)
		if (!(fetched[i] = EVP_MD_fetch(NULL, names[i], NULL)))
			return false;
	return true;
}

/* A digest that failed must never be taken for one: abort, whose handler restores the terminal. */
static void must(int done)
{
	if (done != 1)
		abort();
}

static EVP_MD_CTX *start(enum algorithm a)
{
	EVP_MD_CTX *ctx = contexts[a];
	if (ctx) {
		must(EVP_DigestInit_ex(ctx, NULL, NULL));
		return ctx;
	}
	must(fetched[a] != NULL || hash_init());
	contexts[a] = ctx = EVP_MD_CTX_new();
	must(ctx && pthread_setspecific(leaving, contexts) == 0);
	must(EVP_DigestInit_ex(ctx, fetched[a], NULL));
	return ctx;
}

static void digest(enum algorithm a, const void *p, size_t n, uint8_t *out)
{
	EVP_MD_CTX *ctx = start(a);
	must(EVP_DigestUpdate(ctx, p, n));
	must(EVP_DigestFinal_ex(ctx, out, NULL));
}

void hash_sha256(const void *p, size_t n, uint8_t out[HASH_SHA256])
{
	digest(SHA256_MD, p, n, out);
}

void hash_md5(const void *p, size_t n, uint8_t out[HASH_MD5])
{
	digest(MD5_MD, p, n, out);
}

void hash_sha1(const void *p, size_t n, uint8_t out[HASH_SHA1])
{
	digest(SHA1_MD, p, n, out);
}

/* RFC 2104 by hand over the kept context: EVP_MAC copies contexts and costs several times as much on short texts. */
void hash_hmac_sha256(const void *key, size_t nkey, const void *p, size_t n, uint8_t out[HASH_SHA256])
{
	uint8_t pad[HASH_BLOCK] = { 0 }, inner[HASH_SHA256];
	if (nkey > sizeof pad)
		hash_sha256(key, nkey, pad);
	else if (nkey)
		memcpy(pad, key, nkey);
	for (size_t i = 0; i < sizeof pad; i++)
		pad[i] ^= 0x36;
	EVP_MD_CTX *ctx = start(SHA256_MD);
	must(EVP_DigestUpdate(ctx, pad, sizeof pad));
	must(EVP_DigestUpdate(ctx, p, n));
	must(EVP_DigestFinal_ex(ctx, inner, NULL));
	for (size_t i = 0; i < sizeof pad; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	ctx = start(SHA256_MD);
	must(EVP_DigestUpdate(ctx, pad, sizeof pad));
	must(EVP_DigestUpdate(ctx, inner, sizeof inner));
	must(EVP_DigestFinal_ex(ctx, out, NULL));
	hash_wipe(pad, sizeof pad);
	hash_wipe(inner, sizeof inner);
}

void hash_hex(const uint8_t *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = '\0';
}

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool hash_base64(struct buf *out, const void *p, size_t n)
{
	const uint8_t *s = p;
	size_t before = out->n;
	for (size_t i = 0; i < n; i += 3) {
		size_t have = n - i < 3 ? n - i : 3;
		uint32_t v = (uint32_t)s[i] << 16;
		if (have > 1)
			v |= (uint32_t)s[i + 1] << 8;
		if (have > 2)
			v |= s[i + 2];
		char q[4] = { base64[v >> 18], base64[v >> 12 & 63], have > 1 ? base64[v >> 6 & 63] : '=',
			          have > 2 ? base64[v & 63] : '=' };
		if (!buf_add(out, q, sizeof q)) {
			out->n = before;
			if (out->p)
				out->p[before] = '\0';
			return false;
		}
	}
	return true;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters, the last `pad` of them '='. The bits that padding cuts off must be zero, so that each value has one text. */
static bool unbase64_quad(const char *s, unsigned pad, struct buf *out)
{
	uint32_t v = 0;
	for (unsigned i = 0; i < 4; i++) {
		int d = i < 4 - pad ? base64_value(s[i]) : 0;
		if (d < 0)
			return false;
		v = v << 6 | (uint32_t)d;
	}
	if (v & ((1u << 8 * pad) - 1))
		return false;
	char b[3] = { (char)(v >> 16), (char)(v >> 8), (char)v };
	return buf_add(out, b, 3 - pad);
}

bool hash_unbase64(struct buf *out, struct span in)
{
	size_t before = out->n;
	bool ok = in.n % 4 == 0;
	for (size_t i = 0; ok && i < in.n; i += 4) {
		const char *s = in.p + i;
		unsigned pad = 0;
		if (i + 4 == in.n && s[3] == '=')
			pad = s[2] == '=' ? 2 : 1;
		ok = unbase64_quad(s, pad, out);
	}
	if (!ok) {
		out->n = before;
		if (out->p)
			out->p[before] = '\0';
	}
	return ok;
}

bool hash_same(const void *a, const void *b, size_t n)
{
	return n == 0 || CRYPTO_memcmp(a, b, n) == 0;
}

bool hash_random(void *p, size_t n)
{
	return RAND_bytes_ex(NULL, p, n, 0) == 1;
}

void hash_wipe(void *p, size_t n)
{
	OPENSSL_cleanse(p, n);
}
