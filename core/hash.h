/* Digests and encodings over OpenSSL's libcrypto; algorithms are fetched once (hash_init) and then shared by all threads. */
#ifndef CORE_HASH_H
#define CORE_HASH_H

#include "core/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_SHA256 32
#define HASH_MD5 16
#define HASH_SHA1 20

bool hash_init(void);   /* before threads and before the terminal is touched; false when libcrypto cannot serve */
void hash_sha256(const void *p, size_t n, uint8_t out[HASH_SHA256]);
void hash_md5(const void *p, size_t n, uint8_t out[HASH_MD5]);
void hash_sha1(const void *p, size_t n, uint8_t out[HASH_SHA1]);
void hash_hmac_sha256(const void *key, size_t nkey, const void *p, size_t n, uint8_t out[HASH_SHA256]);
void hash_hex(const uint8_t *p, size_t n, char *out);                    /* 2n+1 bytes, lower case */
bool hash_base64(struct buf *out, const void *p, size_t n);              /* standard alphabet, padded */
bool hash_unbase64(struct buf *out, struct span in);                     /* strict; false on anything else */
bool hash_same(const void *a, const void *b, size_t n);                  /* constant time */
bool hash_random(void *p, size_t n);
void hash_wipe(void *p, size_t n);                                       /* not optimised away */

#endif
