/* IAM Identity Center: keys of a role for a token (portal), and a new token for a refresh token (OIDC). Neither is signed. */
#ifndef AWS_OP_SSO_H
#define AWS_OP_SSO_H

#include "aws/cred/keys.h"
#include "aws/op.h"

struct get_role_credentials {
	const char *token, *account, *role; /* borrowed; the token is a secret */
};
extern const struct op op_get_role_credentials; /* in: struct get_role_credentials; out: struct keys, empty before */

struct create_token {
	const char *client_id, *client_secret, *refresh_token; /* borrowed */
};
struct created_token {
	char *access_token, *refresh_token; /* owned, wiped by created_token_clear; refresh_token NULL: the old one stays */
	int64_t expires_in;                 /* seconds */
};
void created_token_clear(struct created_token *t);
extern const struct op op_create_token; /* in: struct create_token; out: struct created_token, empty before */

#endif
