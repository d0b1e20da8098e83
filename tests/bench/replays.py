"""R1: a replay with its ledger on against the same sender with the ledger taken out (ref_replay.c), every call 20 ms, on the embedded AWS.

The rate is measured at the peer: from the first call that carries messages out (after the canary) to the last delete. The least number of
requests is that of full batches: receive, carry, delete."""

import json
import math
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

from measure import BUILD, ROOT, SLUICE, line

sys.path.insert(0, str(ROOT / "tests" / "peers"))
os.environ.setdefault("SLUICE", SLUICE)
from program import clean_env  # noqa: E402
from replaykit import OPERATE, Pipe  # noqa: E402
from simtools import Sim  # noqa: E402

# Of copies at most 500 are unverified at any time: fewer, so that what is measured is the sending and not the waiting.
MESSAGES, LATENCY_MS, ROUNDS, BATCH = {"invoke": 1000, "redrive": 490}, 20, 5, 10
CARRY = {"invoke": "lambda:Invoke", "redrive": "sqs:SendMessageBatch"}
MOVING = ("sqs:ReceiveMessage", "lambda:Invoke", "sqs:SendMessageBatch", "sqs:DeleteMessageBatch", "sqs:ChangeMessageVisibilityBatch")


def watch(sim, p, carry):
    """(calls, seconds from the canary's end to the last delete, messages a second in between)"""
    first = last = None
    seen, before = 0, dict(sim.report()["calls"])
    while p.poll() is None:
        calls, now = sim.report()["calls"], time.monotonic()
        if calls.get(carry, 0) - before.get(carry, 0) >= 2 and first is None:
            first = now
        if calls.get("sqs:DeleteMessageBatch", 0) > seen:
            seen, last = calls["sqs:DeleteMessageBatch"], now
        time.sleep(0.01)
    after = sim.report()["calls"]
    return {op: after.get(op, 0) - before.get(op, 0) for op in after}, last - first


def one(sim, top, binary, mode, n):
    home = pathlib.Path(tempfile.mkdtemp(dir=top))
    pipe = Pipe.make(sim, random.Random(), batch=BATCH)
    pipe.fill(n)
    how = ("--through", pipe.function) if mode == "invoke" else ("--redrive", "--verify", "1s")
    (home / ".local/state/sluice").mkdir(parents=True, mode=0o700)  # the lock's, for the one that has no ledger
    out = open(home / "out", "w+")
    p = subprocess.Popen([binary, "replay", "start", f"sqs:{pipe.dlq_name}", *how, *OPERATE, "--yes-i-mean", str(n), "--limit", str(n), "--rate", "1000",
                          "--format", "json"], env=clean_env(home, pipe.peer.env()), stdout=out, stderr=subprocess.DEVNULL)
    calls, seconds = watch(sim, p, CARRY[mode])
    out.seek(0)
    told = json.load(out)
    out.close()
    if p.returncode or told["verified"] != n:
        raise SystemExit(f"{binary} {mode}: {p.returncode} {told['state']} {told['verified']}")
    return n / seconds, sum(calls.get(op, 0) for op in MOVING)


def bench_replay():
    with tempfile.TemporaryDirectory() as top, Sim.start("empty", home=top, latency=LATENCY_MS) as sim:
        for mode, what in (("invoke", "through Lambda"), ("redrive", "by redrive")):
            ours, bare, requests, n = [], [], 0, MESSAGES[mode]
            least = 3 * math.ceil(n / BATCH)
            for _ in range(ROUNDS):
                rate, requests = one(sim, top, SLUICE, mode, n)
                ours.append(rate)
                bare.append(one(sim, top, str(BUILD / "bench/ref_replay"), mode, n)[0])
            a, b = statistics.median(ours), statistics.median(bare)
            line("R1", f"replay {what}, {LATENCY_MS} ms a call: against no ledger", f"{a:.0f} msg/s", f"{b:.0f} msg/s", f"{a / b:.2f}x", ">= 0.90x",
                 a >= 0.9 * b)
            line("R1", "requests for it against the least", f"{requests}", f"{least}", f"{requests / least:.2f}x", "<= 1.50x", requests <= 1.5 * least)
            if mode == "redrive":
                line("R1", "messages a second by redrive", f"{a:.0f} msg/s", "", "", ">= 500", a >= 500)


if __name__ == "__main__":
    bench_replay()
