/* For tests: what the chain of credentials comes to in this environment, fetched once, as one line of JSON. The secret is shown
 * only as its SHA-256. `cred_cli plan` fetches nothing and says where it would; `imds`: where EC2's metadata service is;
 * `region`: the region that it names. */
#include "aws/cred/cred.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_keys(struct json_out *o, const struct keys *k)
{
	uint8_t sum[HASH_SHA256];
	char hex[2 * HASH_SHA256 + 1];
	hash_sha256(k->secret_key, strlen(k->secret_key), sum);
	hash_hex(sum, sizeof sum, hex);
	json_out_str(o, "access_key", k->access_key);
	json_out_str(o, "secret_sha256", hex);
	json_out_str(o, "session_token", k->session_token);
	json_out_str(o, "account", k->account);
	json_out_int(o, "lives_s", k->expires ? k->expires - clock_wall() : -1);
}

static void put_err(struct json_out *o, const struct err *e)
{
	json_out_str(o, "error", err_name(e->code));
	json_out_str(o, "where", e->where);
	json_out_str(o, "text", e->text);
}

static bool credentials(struct fetch *f, struct json_out *o, struct err *e)
{
	const struct account *a = f->account;
	struct keys k = { 0 };
	struct cred_source *s = chain_plan(a->profile.value ? a->profile.value : "default", a->profile_asked, e);
	bool ok = s && cred_fetch(f, s, &k, e);
	if (s)
		json_out_str(o, "from", cred_from_name(s->from));
	if (ok)
		put_keys(o, &k);
	keys_clear(&k);
	cred_source_free(s);
	return ok;
}

static bool plan(struct fetch *f, struct json_out *o, struct err *e)
{
	const struct account *a = f->account;
	struct cred_source *s = chain_plan(a->profile.value ? a->profile.value : "default", a->profile_asked, e);
	if (!s)
		return false;
	json_out_str(o, "from", cred_from_name(s->from));
	json_out_str(o, "uri", s->uri);
	json_out_bool(o, "relative", s->relative);
	cred_source_free(s);
	return true;
}

static bool imds(struct fetch *f, struct json_out *o, struct err *e)
{
	const struct account *a = f->account;
	char *endpoint = chain_imds_endpoint(a->profile.value ? a->profile.value : "default", e);
	json_out_str(o, "endpoint", endpoint);
	free(endpoint);
	return endpoint;
}

static bool region(struct fetch *f, struct json_out *o, struct err *e)
{
	char name[40];
	char *endpoint = chain_imds_endpoint("default", e);
	bool ok = endpoint && cred_imds_region(f, endpoint, name, e);
	if (ok)
		json_out_str(o, "region", name);
	free(endpoint);
	return ok;
}

static bool answer(const char *what, struct fetch *f, struct json_out *o, struct err *e)
{
	if (strcmp(what, "plan") == 0)
		return plan(f, o, e);
	if (strcmp(what, "imds") == 0)
		return imds(f, o, e);
	return strcmp(what, "region") == 0 ? region(f, o, e) : credentials(f, o, e);
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	struct buf b;
	struct json_out o;
	if (!clock_init() || !hash_init() || !http_global_init(&e))
		return 1;
	struct account *a = account_load(&(struct account_in){ .profile = NULL }, NULL);
	struct fetch f = { .account = a, .deadline_ms = clock_mono_ms() + 30000 };
	buf_init(&b, 1u << 20);
	json_out_init(&o, &b);
	json_out_object(&o, NULL);
	int64_t begun = clock_mono_ms();
	if (!answer(argc > 1 ? argv[1] : "", &f, &o, &e))
		put_err(&o, &e);
	json_out_int(&o, "ms", clock_mono_ms() - begun);
	json_out_object_end(&o);
	puts(b.p);
	fetch_end(&f);
	account_free(a);
	buf_clear(&b);
	return 0;
}
