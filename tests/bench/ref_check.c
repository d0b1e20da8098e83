/* Reference: the least program that asks DescribeAlarms over TLS with libcurl and a hashed CA directory, curl's own signing.
 *   ref_check URL [CALLS]      CALLS > 1: so many, one after another on the kept connection. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t keep(char *p, size_t size, size_t n, void *ctx)
{
	FILE *f = ctx;
	return fwrite(p, size, n, f);
}

static void set_up(CURL *c, const char *url, struct curl_slist *headers, FILE *body)
{
	const char *dir = getenv("SSL_CERT_DIR");
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(c, CURLOPT_CAPATH, dir != NULL ? dir : "/etc/ssl/certs");
	curl_easy_setopt(c, CURLOPT_AWS_SIGV4, "aws:amz:eu-west-1:monitoring");
	curl_easy_setopt(c, CURLOPT_USERPWD, "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, "{}");
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, body);
}

int main(int argc, char **argv)
{
	char *text = NULL;
	size_t n = 0;
	int calls = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 1, bad = argc < 2;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	CURL *c = curl_easy_init();
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/x-amz-json-1.0");
	headers = curl_slist_append(headers, "X-Amz-Target: GraniteServiceVersion20100801.DescribeAlarms");
	for (int i = 0; i < calls && !bad; i++) {
		FILE *body = open_memstream(&text, &n);
		set_up(c, argv[1], headers, body);
		bad = curl_easy_perform(c) != CURLE_OK;
		fclose(body);
		bad = bad || strstr(text, "\"StateValue\": \"OK\"") == NULL;
		free(text);
	}
	curl_slist_free_all(headers);
	curl_easy_cleanup(c);
	curl_global_cleanup();
	puts(bad ? "UNKNOWN" : "OK");
	return bad ? 3 : 0;
}
