#include "replay/manifest.h"

#include "core/buf.h"
#include "core/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* 26 letters of 5 bits hold 130: the first letter has the upper 3 of the 128. */
void run_id_make(int64_t wall_ms, const uint8_t noise[10], char out[RUN_ID])
{
	uint8_t bytes[16];
	for (unsigned i = 0; i < 6; i++)
		bytes[i] = (uint8_t)((uint64_t)wall_ms >> (8 * (5 - i)));
	memcpy(bytes + 6, noise, 10);
	for (unsigned i = 0; i < 26; i++) {
		unsigned v = 0;
		for (unsigned bit = 0; bit < 5; bit++) {
			int at = (int)(5 * i + bit) - 2;
			unsigned one = at < 0 ? 0 : bytes[at / 8] >> (7 - at % 8) & 1;
			v = v << 1 | one;
		}
		out[i] = letters[v];
	}
	out[26] = '\0';
}

bool run_id_valid(const char *s)
{
	return strlen(s) == RUN_ID - 1 && strspn(s, letters) == RUN_ID - 1;
}

static void hex_of(struct buf *b, char out[SHA_HEX])
{
	uint8_t digest[HASH_SHA256];
	hash_sha256(b->p ? b->p : "", b->n, digest);
	hash_hex(digest, sizeof digest, out);
}

void body_hash(const void *p, size_t n, char out[SHA_HEX])
{
	uint8_t digest[HASH_SHA256];
	hash_sha256(p, n, digest);
	hash_hex(digest, sizeof digest, out);
}

void manifest_hash(const struct replay_item *items, unsigned n, char out[SHA_HEX])
{
	struct buf b;
	buf_init(&b, (size_t)1 << 32);
	for (unsigned i = 0; i < n; i++)
		buf_addf(&b, "%u\t%s\t%" PRId64 "\t%s\t%s\n", items[i].seq, items[i].msg_id, items[i].sent_ms,
		         items[i].body_sha256, items[i].fp ? items[i].fp : "");
	hex_of(&b, out);
	buf_clear(&b);
}

void dedup_id(const char *queue_arn, const char *message_id, unsigned replay_no, char out[DEDUP_ID])
{
	char hex[SHA_HEX];
	struct buf b;
	buf_init(&b, 4096);
	buf_addf(&b, "%s\n%s\n%u", queue_arn, message_id, replay_no);
	hex_of(&b, hex);
	buf_clear(&b);
	snprintf(out, DEDUP_ID, "sl-%.40s", hex);
}
