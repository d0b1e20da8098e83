/* For the peer tests: reads lines `PREFIX REGION FIPS DUALSTACK [LEGACY [CUSTOM [HOST_PREFIX]]]` (0 or 1; - for none) and writes
 * for each its URL and the region to sign for, or `error: ...`. */
#include "aws/endpoint.h"

#include <stdio.h>
#include <string.h>

static const char *given(const char *s)
{
	return s[0] && strcmp(s, "-") != 0 ? s : NULL;
}

int main(void)
{
	char line[512];
	while (fgets(line, sizeof line, stdin)) {
		char prefix[64] = "", region[64] = "", custom[128] = "", front[64] = "";
		int fips = 0, dualstack = 0, legacy = 0;
		if (sscanf(line, "%63s %63s %d %d %d %127s %63s", prefix, region, &fips, &dualstack, &legacy, custom, front) <
		    4) {
			puts("error: four words or more are wanted");
			continue;
		}
		struct service s = { .id = prefix, .host = prefix };
		struct endpoint_in in = { .region = given(region),
			                      .fips = fips,
			                      .dualstack = dualstack,
			                      .sts_legacy = legacy,
			                      .custom = given(custom),
			                      .host_prefix = given(front) };
		struct buf url;
		struct err e = { 0 };
		buf_init(&url, 512);
		if (endpoint_url(&in, &s, &url, &e))
			printf("%s %s\n", url.p, endpoint_signing_region(&in, &s));
		else
			printf("error: %s\n", e.text);
		buf_clear(&url);
	}
	return 0;
}
