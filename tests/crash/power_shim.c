/* Preloaded into sluice (LD_PRELOAD): its ledger and audit log lie on the disk of power_vfs.h. SLUICE_POWER says what becomes of it:
 *   lose=N,seed=S     at the N-th sync the current goes, and the process with it
 *   fail=N,kind=K     the N-th write, truncation or sync fails; K: 0 EIO, 1 no space, 2 half a write and then no space
 *   fail=N,kind=K,for_good
 * In SLUICE_POWER_LOG stands at the end "ACTS SYNCS HITS". */
#include "../unit/power_vfs.h"

#include <signal.h>

static unsigned lose_at;

static void at_sync(void *ctx)
{
	(void)ctx;
	if (power.syncs != lose_at)
		return;
	power_lose();
	raise(SIGKILL);
}

static unsigned number(const char *text, const char *key)
{
	const char *at = text ? strstr(text, key) : NULL;
	return at ? (unsigned)strtoul(at + strlen(key), NULL, 10) : 0;
}

__attribute__((constructor)) static void begin(void)
{
	const char *how = getenv("SLUICE_POWER");
	if (!how)
		return;
	lose_at = number(how, "lose=");
	power.fail_at = number(how, "fail=");
	power.kind = (enum power_kind)number(how, "kind=");
	power.for_good = strstr(how, "for_good") != NULL;
	power.at_sync = lose_at ? at_sync : NULL;
	power_install(number(how, "seed=") + 1u);
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("SLUICE_POWER_LOG");
	FILE *f = path && power.real ? fopen(path, "we") : NULL;
	if (!f)
		return;
	fprintf(f, "%u %u %u\n", power.acts, power.syncs, power.hits);
	fclose(f);
}
