"""Reliability line C7: keys that end in the middle of a run, and a source of keys that has its own bad hours."""

import concurrent.futures
import json
import subprocess

from fakemeta import tool
from program import LONG, SLOWER, clean_env

ACTS = 200


def refresh_cli(home, *args):
    p = subprocess.run([tool("refresh_cli"), *map(str, args)], env=clean_env(home), capture_output=True, timeout=100 * SLOWER)
    assert p.returncode == 0 and b"Sanitizer" not in p.stderr, (args, p.returncode, p.stderr.decode()[-2000:])
    return [json.loads(line) for line in p.stdout.decode().splitlines()]


def whole(r):
    """Everything that was told as done was done, once."""
    return r["done"] == r["once"] and r["twice"] == 0 and r["odd"] == 0 and not r["stalled"]


def many(home, jobs):
    """[(window, result)] of [(first, last, fails, window, threaded)], four processes side by side."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return [(job[2], job[3], r) for job, rs in zip(jobs, pool.map(lambda j: refresh_cli(home, "runs", *j), jobs)) for r in rs]


def test_keys_end_before_each_request(tmp_path, figure):
    """C7: one refresh, no act repeated or lost, whichever request finds the keys ended; one act at a time and eight, on the caller's
    thread and beside it."""
    shapes = [(1, 0), (8, 1)] + ([(1, 1), (8, 0)] if LONG else [])
    jobs = [(first, first + 24, 0, window, threaded) for first in range(1, ACTS + 1, 25) for window, threaded in shapes]
    done = many(tmp_path, jobs)
    wrong = [r for _, window, r in done if not (whole(r) and r["done"] == ACTS and r["failures"] == 0 and r["fetches"] == 2 and r["refused"] <= window)]
    ks = {r["k"] for _, _, r in done if r["ended"] == 1}
    figure("C7", "keys end before request k of 200", attempted=len(done), passed=len(done) - len(wrong), reached=sum(r["ended"] == 1 for _, _, r in done),
           note=f"k tested {len(ks)}, duplicates {sum(r['twice'] for _, _, r in done)}, stalls {sum(r['stalled'] for _, _, r in done)}, "
                f"refreshes a run {max(r['fetches'] for _, _, r in done) - 1}")
    assert not wrong and len(ks) == ACTS, wrong[:3]


def test_the_refresh_fails(tmp_path, figure):
    """C7: the endpoint fails n times first. Within one visit nobody notices; beyond it callers are told, and it goes on by itself."""
    jobs = [(k, k, fails, 8 if (k + fails) % 2 else 1, fails % 2) for fails in range(1, 8) for k in range(fails, ACTS + 1, 1 if LONG else 25)]
    done = many(tmp_path, jobs)

    def right(fails, window, r):
        unnoticed = r["failures"] == 0 if fails <= 2 else "HTTP 503: Unavailable" in r["last"]
        return whole(r) and r["done"] == ACTS and unnoticed and r["fetches"] == 2 + fails and r["failed_fetches"] == fails and \
            r["refused"] <= window and r["longest_ms"] <= 30000
    wrong = [(fails, r) for fails, window, r in done if not right(fails, window, r)]
    figure("C7", "... and the refresh fails 1 to 7 times", attempted=len(done), passed=len(done) - len(wrong), reached=sum(r["failed_fetches"] == n for n, _, r in done),
           note=f"duplicates {sum(r['twice'] for _, _, r in done)}, stalls {sum(r['stalled'] for _, _, r in done)}, back to work after at most "
                f"{max(r['longest_ms'] for _, _, r in done) / 1000:.0f} s" + ("" if LONG else "; every 25th k (all with SLUICE_LONG)"))
    assert not wrong, wrong[:3]


def test_hours(tmp_path, figure):
    """C7: hours of made time, an act a minute. (life of keys, outage in each hour, hours, minutes that the endpoint knows no others)"""
    hours = 24 if LONG else 6
    cases = {
        "20 minutes": (20, 0, hours, 0), "20 minutes, 12 of outage": (20, 12, hours, 0), "20 minutes, 30 of outage": (20, 30, hours, 0),
        "1 minute": (1, 0, hours, 0), "5 minutes": (5, 0, hours, 0), "an hour": (60, 0, hours, 0), "an hour, 14 of outage": (60, 14, hours, 0),
        "6 hours": (360, 0, hours, 0), "refused early, others 5 minutes later": (60, 0, hours, 5), "refused early, others 30 minutes later": (600, 0, hours, 30),
    }
    wrong, duplicates, stalls, reached = [], 0, 0, 0
    for name, case in cases.items():
        r = refresh_cli(tmp_path, "hours", *case)[0]
        lives, outage, _, stuck = case
        lost = max(0, outage - 12) * hours if lives == 20 else stuck + 1  # acts that cannot be done: nobody has keys for them
        at_most = {True: lost * 1.25, False: 0}[bool(stuck) or outage > 14]
        right = whole(r) and r["done"] + r["failures"] == r["acts"] == hours * 60 and r["failures"] <= at_most
        right = right and (r["generations"] > 1 or lives >= 360) and (r["refused"] == 0 or stuck) and r["refused"] <= 2 * r["failures"] + 1
        reached += (r["failed_fetches"] > 0) == bool(outage) and (r["refused"] > 0) == bool(stuck)
        duplicates, stalls = duplicates + r["twice"], stalls + r["stalled"]
        if not right:
            wrong.append(f"{name}: {r}")
    figure("C7", f"{hours} hours of made time, lives of a minute to 6 hours", attempted=len(cases), passed=len(cases) - len(wrong), reached=reached,
           note=f"duplicates {duplicates}, stalls {stalls}")
    assert not wrong, "\n".join(wrong)
