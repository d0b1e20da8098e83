/* Reference: 10,000 metrics by 20 GetMetricData requests of 500 over TLS: one curl multi, curl's own signing, prepared
 * bodies, and a strict scan of the answers. Nothing is kept.
 *   ref_poll URL ROUNDS     prints CPU milliseconds a round (the first, with its handshakes, apart) */
#include "core/buf.h"
#include "core/scan.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define REQUESTS 20
#define QUERIES 500

struct ask {
	CURL *c;
	struct buf body, answer;
};

static double cpu_ms(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static size_t keep(char *p, size_t size, size_t n, void *ctx)
{
	return buf_add(ctx, p, size * n) ? size * n : 0;
}

static void write_body(struct buf *b, int first)
{
	long now = time(NULL) / 60 * 60;
	buf_init(b, 1 << 20);
	buf_addf(b, "{\"StartTime\":%ld,\"EndTime\":%ld,\"MetricDataQueries\":[", now - 300, now);
	for (int i = 0; i < QUERIES; i++)
		buf_addf(b,
		         "%s{\"Id\":\"m%d\",\"MetricStat\":{\"Metric\":{\"Namespace\":\"AWS/"
		         "Lambda\",\"MetricName\":\"Invocations\",\"Dimensions\":"
		         "[{\"Name\":\"FunctionName\",\"Value\":\"function%d\"}]},\"Period\":60,\"Stat\":\"Sum\"}}",
		         i ? "," : "", i, first + i);
	buf_adds(b, "]}");
}

static void set_up(struct ask *a, const char *url, struct curl_slist *headers)
{
	const char *dir = getenv("SSL_CERT_DIR");
	a->c = curl_easy_init();
	curl_easy_setopt(a->c, CURLOPT_URL, url);
	curl_easy_setopt(a->c, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(a->c, CURLOPT_CAPATH, dir != NULL ? dir : "/etc/ssl/certs");
	curl_easy_setopt(a->c, CURLOPT_AWS_SIGV4, "aws:amz:eu-west-1:monitoring");
	curl_easy_setopt(a->c, CURLOPT_USERPWD, "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
	curl_easy_setopt(a->c, CURLOPT_POSTFIELDS, a->body.p);
	curl_easy_setopt(a->c, CURLOPT_POSTFIELDSIZE, (long)a->body.n);
	curl_easy_setopt(a->c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(a->c, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(a->c, CURLOPT_WRITEDATA, &a->answer);
}

static unsigned scan_points(struct span json, double *sum)
{
	struct scan s;
	unsigned n = 0;
	scan_init(&s, json);
	for (enum scan_token t = scan_next(&s); t != SCAN_END; t = scan_next(&s)) {
		if (t == SCAN_ERROR)
			return 0;
		if (t == SCAN_NUMBER) {
			*sum += scan_double(&s);
			n++;
		}
	}
	return n / 2;
}

static unsigned one_round(CURLM *m, struct ask *asks, double *sum)
{
	int running = 1, left;
	unsigned points = 0;
	for (int i = 0; i < REQUESTS; i++) {
		buf_reset(&asks[i].answer);
		curl_multi_add_handle(m, asks[i].c);
	}
	while (running) {
		curl_multi_perform(m, &running);
		if (running)
			curl_multi_poll(m, NULL, 0, 1000, NULL);
		for (CURLMsg *done; (done = curl_multi_info_read(m, &left)) != NULL;)
			curl_multi_remove_handle(m, done->easy_handle);
	}
	for (int i = 0; i < REQUESTS; i++)
		points += scan_points(buf_span(&asks[i].answer), sum);
	return points;
}

int main(int argc, char **argv)
{
	static struct ask asks[REQUESTS];
	double sum = 0;
	unsigned points = 0;
	if (argc < 3)
		return 2;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	CURLM *m = curl_multi_init();
	curl_multi_setopt(m, CURLMOPT_MAX_HOST_CONNECTIONS, 8L);
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/x-amz-json-1.0");
	headers = curl_slist_append(headers, "X-Amz-Target: GraniteServiceVersion20100801.GetMetricData");
	headers = curl_slist_append(headers, "Expect:");
	for (int i = 0; i < REQUESTS; i++) {
		write_body(&asks[i].body, i * QUERIES);
		buf_init(&asks[i].answer, 16 << 20);
		set_up(&asks[i], argv[1], headers);
	}
	for (long round = 0, rounds = strtol(argv[2], NULL, 10); round < rounds; round++) {
		double before = cpu_ms();
		points = one_round(m, asks, &sum);
		printf("%s %.3f\n", round ? "round" : "first", cpu_ms() - before);
	}
	printf("points %u sum %g\n", points, sum);
	return points ? 0 : 1;
}
