/* SigV4 from the service's side: takes a signed request apart and says whether the secret made that signature. Written
 * from AWS's description, on purpose without a line of the client's signer. */
#ifndef SIM_SIM_SIGN_H
#define SIM_SIM_SIGN_H

#include "sim/sim_req.h"

struct sim_sign {
	char akid[64], day[9], region[40], service[32];
	char signature[65];
	struct span signed_headers; /* "content-type;host;x-amz-date", borrowed from the request */
	char date[17];              /* X-Amz-Date */
};

/* Reads the Authorization header; fills rq's akid and service too, so that a failure can be told in the service's way. */
bool sim_sign_read(const struct sim_req *rq, struct sim_sign *s, struct sim_fail *f);
/* The three stages, for the tests. payload: the hex SHA-256 of the body. */
bool sim_sign_canonical(const struct sim_req *rq, const struct sim_sign *s, const char *payload, struct buf *out);
void sim_sign_string_to_sign(const struct sim_sign *s, struct span canonical, struct buf *out);
void sim_sign_signature(const struct sim_sign *s, const char *secret, struct span to_sign, char out[65]);

struct sim_key {
	const char *akid, *secret, *region;
	const char *token; /* of a temporary one; NULL = none may come */
};
/* now[]: seconds, any of which may be the client's clock (a frozen one and the machine's); more than 5 minutes from every
 * one of them is refused (WHY_OUT_OF_TIME). */
bool sim_sign_verify(const struct sim_req *rq, const struct sim_sign *s, const struct sim_key *key, const int64_t *now,
                     unsigned nnow, struct sim_fail *f);

#endif
