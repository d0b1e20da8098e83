/* TLS for aws/http/http.c: whom to trust, what is refused beyond curl's own checks, and why a handshake failed in words that an
 * operator understands. TLS >= 1.2, always verified; a certificate must name its host as subjectAltName (with libcurl's
 * OpenSSL; other backends have checks of their own). */
#ifndef AWS_TLS_H
#define AWS_TLS_H

#include "core/err.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

/* The hashed directory (SSL_CERT_DIR or the system's) where it exists, a bundle only as the fallback or when SSL_CERT_FILE or
 * AWS_CA_BUNDLE names one. Neither: what curl has built in. */
struct tls_trust {
	char *file, *dir;
};
void tls_trust_choose(struct tls_trust *t, const char *ca_bundle); /* ca_bundle: AWS_CA_BUNDLE or the profile's, or NULL */
void tls_trust_clear(struct tls_trust *t);

void tls_set_up(CURL *c, const struct tls_trust *t); /* once a handle */

/* Is this failure TLS's? Then its code and what to say of it; ERR_OK when not. text: curl's own. */
enum err_code tls_failure(CURL *c, CURLcode rc, const char *text, const struct tls_trust *t, char *out, size_t size);

#endif
