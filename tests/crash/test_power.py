"""The current goes at the n-th sync of a replay, and the disk fails at its n-th write: the witness and the oracle of test_replay_kill.py.

A preloaded SQLite VFS (power_shim.c) is the disk of the ledger and the audit log: it forgets, reorders and tears what was not synced, or
fails as a disk does: EIO, no space, half a write. What t_power.c shows of the files alone is shown here of the whole program: after each,
the resume loses nothing, does nothing twice that it does not name, and a full disk is one clear line. SLUICE_POWER_POINTS sets how many
points of each kind (default 9; all with SLUICE_LONG)."""

import concurrent.futures
import os
import random
import shutil
import signal
import subprocess
import tempfile

import pytest
from test_replay_kill import BUILD, Home, check, part_of
from program import LONG
from simtools import Sim

SHIM = BUILD / "tools" / "power_shim.so"
POINTS = int(os.environ.get("SLUICE_POWER_POINTS", "0" if LONG else "9"))  # 0: every one
BOTH = (False, True) if LONG else (False,)
DAMAGES = 10 if LONG else 1
KINDS = (("I/O error",), ("no space left", "I/O error"), ("no space left", "I/O error"))  # a sync that fails has no other word


def with_power(home, what, how):
    """(process, [acts, syncs, hits] or None when it did not end by itself)"""
    log = home.home / "power.log"
    log.unlink(missing_ok=True)
    home.env.update(LD_PRELOAD=str(SHIM), SLUICE_POWER=how, SLUICE_POWER_LOG=str(log))
    p = subprocess.run(home.argv(what), env=home.env, capture_output=True, text=True, timeout=120)
    for name in ("LD_PRELOAD", "SLUICE_POWER", "SLUICE_POWER_LOG"):
        del home.env[name]
    return p, [int(n) for n in log.read_text().split()] if log.exists() else None


def finish(home):
    home.finish()
    env = home.env
    shown = subprocess.run([*home.argv("start")[:1], "replay", "show", "--format", "json"], env=env, capture_output=True, text=True, timeout=60)
    twice, named = check(home, shown.stdout)
    audit = subprocess.run([*home.argv("start")[:1], "audit", "verify"], env=env, capture_output=True, text=True, timeout=60)
    assert audit.returncode == 0, audit.stderr
    shutil.rmtree(home.home)
    return twice, named


def lose_one(sim, top, rng, number, at, redrive):
    """How many syncs a run has depends on how many answers come together: one that was over before its moment is followed by one that is not."""
    home = Home(top, sim, rng, f"l{number}", redrive)
    p, _ = with_power(home, "start", f"lose={at},seed={number}")
    dead = p.returncode == -signal.SIGKILL
    part = part_of(*home.copy())
    ended = finish(home)
    return (dead, part, *ended) if dead or at < 4 else lose_one(sim, top, rng, number, at * 3 // 4, redrive)


def fail_one(sim, top, rng, number, at, kind, redrive):
    """It says so, in one line that names the file; what was sent is known to the ledger; when the disk is well again it is finished."""
    home = Home(top, sim, rng, f"f{number}-{at}-{kind}", redrive)
    p, log = with_power(home, "start", f"fail={at},kind={kind}" + (",for_good" if number % 2 else ""))
    assert log, (p.returncode, p.stderr)
    told = [line for line in p.stderr.splitlines() if ".db: " in line]
    stopped = p.returncode != 0
    if stopped:
        assert p.returncode == 1 and len(told) == 1 and any(k in told[0] for k in KINDS[kind]), (at, kind, p.returncode, p.stderr)
    sent, known = {} if redrive else home.deliveries(), home.intents() if home.copy()[0] else {}
    assert all(n <= known.get(m, 0) for m, n in sent.items()), "sent, and no intent on the disk"
    return log[2] > 0, stopped, *finish(home)


def spread(total, rng):
    if not POINTS or POINTS >= total:
        return list(range(1, total + 1))
    shift = rng.random()
    return [1 + int((i + shift) * total / POINTS) % total for i in range(POINTS)]


def measured(sim, top, rng, redrive):
    p, log = with_power(Home(top, sim, rng, "first", redrive), "start", "seed=0")
    assert p.returncode == 0 and log[0] > log[1] > 20, p.stderr
    return log


@pytest.mark.parametrize("redrive", BOTH)
def test_the_current_goes(redrive):
    rng, results = random.Random(os.environ.get("SLUICE_SEED", "1")), []
    with tempfile.TemporaryDirectory() as top, Sim.start("empty", home=top, speed=200) as sim:
        _, syncs, _ = measured(sim, top, rng, redrive)
        jobs = [(at, rng.randrange(1 << 30)) for at in spread(syncs, rng) for _ in range(DAMAGES)]
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            running = [pool.submit(lose_one, sim, top, random.Random(seed), seed, at, redrive) for at, seed in jobs]
            results = [j.result() for j in running]
    dead, parts = sum(r[0] for r in results), {}
    for d, part, *_ in results:
        parts[part] = parts.get(part, 0) + d
    print(f"{len(jobs)} losses of power at {syncs} syncs, {dead} struck; {parts}; 0 lost, 0 unrecorded, {sum(r[2] for r in results)} processed "
          f"twice, {sum(r[3] for r in results)} named as possible duplicates")
    assert dead >= len(jobs) * 0.9, "the current hardly went"
    assert sum(n > 0 for n in parts.values()) >= 2, parts


@pytest.mark.parametrize("redrive", BOTH)
def test_the_disk_fails(redrive):
    rng = random.Random(os.environ.get("SLUICE_SEED", "2"))
    with tempfile.TemporaryDirectory() as top, Sim.start("empty", home=top, speed=200) as sim:
        acts, _, _ = measured(sim, top, rng, redrive)
        jobs = [(i + k, at, (i + k) % 3) for i, at in enumerate(spread(acts, rng)) for k in (range(0, 3) if LONG else (0,))]
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            running = [pool.submit(fail_one, sim, top, random.Random(f"f{i} {at} {kind}"), i, at, kind, redrive) for i, at, kind in jobs]
            results = [j.result() for j in running]
    hit, stopped = sum(r[0] for r in results), sum(r[1] for r in results)
    print(f"{len(jobs)} failures of the disk at {acts} writes, truncations and syncs, {hit} reached, {stopped} stopped the run; 0 acts without "
          f"their intent, 0 lost, {sum(r[2] for r in results)} processed twice, {sum(r[3] for r in results)} named")
    # How many there are depends on what came together: the last ones are not always reached.
    assert hit >= len(jobs) * 0.7 and stopped >= hit * 0.5
