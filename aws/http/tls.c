#include "aws/http/tls.h"

#include "core/mem.h"

#include <dirent.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYSTEM_CERTS "/etc/ssl/certs"

/* ---- the trust store */

/* Does the directory hold certificates named by hash (1a2b3c4d.0), as OpenSSL looks them up one by one? */
static bool hashed(const char *path)
{
	DIR *d = opendir(path);
	bool found = false;
	for (struct dirent *f; d && !found && (f = readdir(d));)
		found = strspn(f->d_name, "0123456789abcdef") == 8 && f->d_name[8] == '.' && f->d_name[9] >= '0' &&
		        f->d_name[9] <= '9';
	if (d)
		closedir(d);
	return found;
}

static char *env_copy(const char *name)
{
	const char *v = getenv(name);
	return v && *v ? xstrdup(v) : NULL;
}

/* Parsing a bundle of 144 certificates is three quarters of a short run: it is read only when somebody named one, or when
 * there is no hashed directory. */
void tls_trust_choose(struct tls_trust *t, const char *ca_bundle)
{
	*t = (struct tls_trust){ 0 };
	if (ca_bundle) {
		t->file = xstrdup(ca_bundle);
		return;
	}
	t->file = env_copy("SSL_CERT_FILE");
	t->dir = env_copy("SSL_CERT_DIR");
	if (!t->file && !t->dir && hashed(SYSTEM_CERTS))
		t->dir = xstrdup(SYSTEM_CERTS);
}

void tls_trust_clear(struct tls_trust *t)
{
	free(t->file);
	free(t->dir);
	*t = (struct tls_trust){ 0 };
}

/* ---- stricter than curl */

/* Curl falls back to the subject's common name, which RFC 9525 forbids. */
static int check(int good, X509_STORE_CTX *store)
{
	X509 *cert = X509_STORE_CTX_get_current_cert(store);
	if (!good || X509_STORE_CTX_get_error_depth(store) != 0 || !cert ||
	    X509_get_ext_by_NID(cert, NID_subject_alt_name, -1) >= 0)
		return good;
	X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
	return 0;
}

static CURLcode on_context(CURL *c, void *context, void *ctx)
{
	(void)c, (void)ctx;
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, check);
	return CURLE_OK;
}

void tls_set_up(CURL *c, const struct tls_trust *t)
{
	const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2); /* of a proxy spoken to by https:// */
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	if (curl->ssl_version && strncmp(curl->ssl_version, "OpenSSL/", 8) == 0)
		curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, on_context);
	if (t->file || t->dir) { /* NULL matters: it keeps curl from loading its built-in bundle beside the directory */
		curl_easy_setopt(c, CURLOPT_CAINFO, t->file);
		curl_easy_setopt(c, CURLOPT_CAPATH, t->dir);
		curl_easy_setopt(c, CURLOPT_PROXY_CAINFO, t->file);
		curl_easy_setopt(c, CURLOPT_PROXY_CAPATH, t->dir);
	}
}

/* ---- in words */

static const char *trust_name(const struct tls_trust *t)
{
	return t->file ? t->file : t->dir ? t->dir : "curl's own";
}

/* What OpenSSL found wrong with the chain. */
static void say_chain(long verdict, const struct tls_trust *t, char *out, size_t size)
{
	switch (verdict) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		snprintf(out, size, "the server's certificate, or one above it, has expired");
		return;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		snprintf(out, size, "the server's certificate, or one above it, is not valid yet");
		return;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		snprintf(out, size, "the server's certificate is self-signed and not in the trust store %s", trust_name(t));
		return;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		snprintf(out, size,
		         "nobody in the trust store %s has signed the server's certificate, or the server leaves out a part of "
		         "its chain",
		         trust_name(t));
		return;
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		snprintf(out, size, "the server's certificate is not signed by the authority that it names");
		return;
	case X509_V_ERR_INVALID_CA:
	case X509_V_ERR_PATH_LENGTH_EXCEEDED:
	case X509_V_ERR_PERMITTED_VIOLATION:
	case X509_V_ERR_EXCLUDED_VIOLATION:
		snprintf(out, size, "the server's certificate is signed by one that may not do that (%s)",
		         X509_verify_cert_error_string(verdict));
		return;
	case X509_V_ERR_INVALID_PURPOSE: snprintf(out, size, "the server's certificate is not made for a server"); return;
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
		snprintf(out, size, "the key of the server's certificate, or of one above it, is too short");
		return;
	case X509_V_ERR_CA_MD_TOO_WEAK:
		snprintf(out, size, "the server's certificate, or one above it, is signed with a broken hash (SHA-1, MD5)");
		return;
	case X509_V_ERR_HOSTNAME_MISMATCH:
		snprintf(out, size, "the server's certificate says no host that it is for (subjectAltName)");
		return;
	default: snprintf(out, size, "the server's certificate: %s", X509_verify_cert_error_string(verdict));
	}
}

/* "... does not match target host name 'x'": the name. */
static void say_host(const char *text, char *out, size_t size)
{
	const char *host = strstr(text, "host name '");
	host = host ? host + 11 : "";
	size_t n = strcspn(host, "'");
	if (n)
		snprintf(out, size, "the server's certificate is for another host than %.*s", (int)n, host);
	else
		snprintf(out, size, "%s", text);
}

/* What the two ends could not agree about; "...:SSL routines::unsupported protocol". */
static void say_handshake(const char *text, char *out, size_t size)
{
	static const struct {
		const char *mark, *words;
	} known[] = {
		{ "protocol version", "the server speaks no TLS of version 1.2 or later" },
		{ "unsupported protocol", "the server speaks no TLS of version 1.2 or later" },
		{ "wrong version number", "the server does not speak TLS on this port" },
		{ "packet length too long", "the server does not speak TLS on this port" },
		{ "certificate required", "the server demands a client certificate, and sluice has none" },
		{ "asn1 encoding routines", "the server's certificate is not signed by the authority that it names" },
		{ "bad length", "the line broke" }, /* what OpenSSL says of writing on behind an alert */
		{ "handshake failure",
		  "the server refuses the TLS handshake: no cipher in common, or it demands a client certificate" },
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (!strstr(text, known[i].mark))
			continue;
		snprintf(out, size, "%s", known[i].words);
		return;
	}
	const char *reason = strstr(text, "::");
	snprintf(out, size, "TLS: %s", reason ? reason + 2 : text);
}

static bool line_broke(const char *text)
{
	return strstr(text, "unexpected eof") || strstr(text, "SSL_ERROR_SYSCALL") || strstr(text, "Recv failure") ||
	       strstr(text, "Send failure") || strstr(text, "reset by peer");
}

enum err_code tls_failure(CURL *c, CURLcode rc, const char *text, const struct tls_trust *t, char *out, size_t size)
{
	long verdict = X509_V_OK;
	curl_easy_getinfo(c, CURLINFO_SSL_VERIFYRESULT, &verdict);
	switch (rc) {
	case CURLE_SSL_CACERT_BADFILE:
		snprintf(out, size, "the trust store %s holds no certificate that can be read", trust_name(t));
		return ERR_TLS;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
		if (line_broke(text)) {
			snprintf(out, size, "the line broke in the TLS handshake");
			return ERR_CONNECT;
		}
		if (verdict != X509_V_OK && verdict != X509_V_ERR_UNSPECIFIED) /* the latter: it did not come to that */
			say_chain(verdict, t, out, size);
		else if (rc == CURLE_PEER_FAILED_VERIFICATION)
			say_host(text, out, size);
		else
			say_handshake(text, out, size);
		return ERR_TLS;
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		if (strstr(text, "unexpected eof")) {
			snprintf(out, size, "the answer was cut: the line ended without TLS's goodbye");
			return ERR_BADREPLY;
		}
		if (!strstr(text, "SSL routines::") && !strstr(text, "Provider routines::"))
			return ERR_OK;
		say_handshake(text, out, size);
		return strstr(text, "certificate required") ? ERR_TLS : ERR_CONNECT;
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_ENGINE_NOTFOUND:
	case CURLE_SSL_ENGINE_INITFAILED:
	case CURLE_USE_SSL_FAILED: snprintf(out, size, "%s", text); return ERR_TLS;
	default: return ERR_OK;
	}
}
