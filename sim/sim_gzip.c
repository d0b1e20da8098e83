#include "sim/sim_gzip.h"

#define ZLIB_CONST /* next_in only reads */
#include <limits.h>
#include <zlib.h>

#define GZIP_ONLY (16 + MAX_WBITS) /* zlib's way to say: a gzip header, nothing else */

/* Passes what fits into a chunk on to out; true while there is more to come. */
static bool inflate_some(z_stream *z, struct buf *out, int *status)
{
	Bytef chunk[16384];
	z->next_out = chunk;
	z->avail_out = sizeof chunk;
	*status = inflate(z, Z_NO_FLUSH);
	bool kept = buf_add(out, chunk, sizeof chunk - z->avail_out);
	return *status == Z_OK && kept;
}

bool sim_gzip(struct span in, struct buf *out)
{
	z_stream z = { .next_in = (const Bytef *)in.p, .avail_in = (uInt)in.n };
	Bytef chunk[16384];
	int status;
	if (in.n > UINT_MAX ||
	    deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_ONLY, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	bool kept = true;
	do {
		z.next_out = chunk;
		z.avail_out = sizeof chunk;
		status = deflate(&z, Z_FINISH);
		kept = buf_add(out, chunk, sizeof chunk - z.avail_out);
	} while (status == Z_OK && kept);
	deflateEnd(&z);
	return kept && status == Z_STREAM_END;
}

bool sim_gunzip(struct span in, struct buf *out)
{
	z_stream z = { .next_in = (const Bytef *)in.p, .avail_in = (uInt)in.n };
	int status;
	if (in.n > UINT_MAX || inflateInit2(&z, GZIP_ONLY) != Z_OK)
		return false;
	while (inflate_some(&z, out, &status)) {
	}
	bool whole = status == Z_STREAM_END && z.avail_in == 0 && !buf_full(out);
	inflateEnd(&z);
	return whole;
}
