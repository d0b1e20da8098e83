"""The same kills as in test_replay_kill.py while objects of a bucket are replayed, with the lock in a bucket as its guard. The function is the
witness: each object arrives, none more often than intents in the ledger cover it, and the bucket is as it was."""

import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import time

import pytest
from test_replay_kill import GO, MESSAGES, STRACE, WORKERS, Home, part_of, system_calls

from program import LONG, binary, clean_env
from simtools import Sim

POINTS = int(os.environ.get("SLUICE_OBJECT_POINTS", "2000" if LONG else "15"))
LOCKS = "locks-of-all"


class ObjectHome(Home):
    def __init__(self, top, sim, rng, name):
        self.home = pathlib.Path(top) / name
        (self.home / ".config/sluice").mkdir(parents=True)
        (self.home / ".config/sluice/config.ini").write_text(f'[target "t"]\nlock_bucket = {LOCKS}\n')
        self.sim, self.s3 = sim, sim.client("s3")
        self.bucket = self.function = f"b{rng.randrange(1 << 40):x}"
        self.s3.create_bucket(Bucket=self.bucket)
        sim.client("lambda").create_function(FunctionName=self.function, Runtime="python3.11", Role="arn:aws:iam::123456789012:role/r",
                                             Handler="h.h", Code={"ZipFile": b"code"}, Timeout=5)
        self.env = clean_env(self.home, sim.peer.env())
        self.sent = {f"s3://{self.bucket}/in/{i} ä": None for i in range(MESSAGES)}
        for message in self.sent:
            self.s3.put_object(Bucket=self.bucket, Key=message.split("/", 3)[3], Body=b"x")

    def argv(self, what):
        if what == "start":
            return [binary(), "replay", "start", f"s3://{self.bucket}/in/", "--through", self.function, "--yes-i-mean", str(MESSAGES), *GO]
        return [binary(), "replay", "resume", "--unknown", "resend", *GO]

    def deliveries(self):
        n = {}
        for e in self.sim.control("GET", path="/_sluice/invocations")[1]["invocations"]:
            if e["function"] == self.function:
                message = "s3://{bucket}/{key}".format(**json.loads(e["payload"]))
                n[message] = n.get(message, 0) + 1
        return n


def check(home):
    shown = json.loads(subprocess.run([binary(), "replay", "show", "--format", "json"], env=home.env, capture_output=True, text=True,
                                      timeout=60).stdout)
    assert (shown["state"], shown["selected"], shown["verified"]) == ("DONE", MESSAGES, MESSAGES), shown
    assert shown["unaccounted"] == shown["unknown"] == shown["gone"] == shown["pending"] == 0
    times, intents = home.deliveries(), home.intents()
    assert set(times) == set(home.sent), "lost: not every object was processed"
    unrecorded = {m: (n, intents.get(m)) for m, n in times.items() if n > intents.get(m, 0)}
    assert not unrecorded, f"processed more often than the ledger knows: {unrecorded}"
    twice = {m for m, n in times.items() if n > 1}
    named = {i["message_id"] for i in shown["items"] if i["possible_duplicate"]}
    assert twice <= named, f"processed twice and not named: {twice - named}"
    assert home.s3.list_objects_v2(Bucket=home.bucket)["KeyCount"] == MESSAGES
    audit = subprocess.run([binary(), "audit", "verify"], env=home.env, capture_output=True, text=True, timeout=60)
    assert audit.returncode == 0, audit.stderr
    return len(twice), len(named)


def one_point(sim, top, number, rng, start, resume):
    home = ObjectHome(top, sim, rng, f"p{number}")
    dead = home.killed("start", *start)
    state, items = home.copy()
    again = dead and number % 3 == 0 and state is not None and home.killed("resume", *rng.choice(resume))
    home.finish()
    twice, named = check(home)
    shutil.rmtree(home.home)
    return dead, again, part_of(state, items), twice, named


@pytest.mark.skipif(not STRACE, reason="strace is not installed")
def test_object_kill():
    seed = os.environ.get("SLUICE_SEED", str(time.time_ns() % 1000000) if LONG else "1")
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory() as top, Sim.start("empty", home=top) as sim:
        sim.client("s3").create_bucket(Bucket=LOCKS)
        first = ObjectHome(top, sim, random.Random(f"{seed} first"), "first")
        start = system_calls(first, "start", f"{top}/start.log")
        check(first)
        second = ObjectHome(top, sim, random.Random(f"{seed} second"), "second")
        while not second.killed("start", *start[len(start) // 2]):
            pass
        resume = system_calls(second, "resume", f"{top}/resume.log")
        offset = random.Random(seed).random()
        at = [start[int((i + offset) * len(start) / POINTS) % len(start)] for i in range(POINTS)]
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            jobs = [pool.submit(one_point, sim, top, i, random.Random(f"{seed} {i}"), at[i], resume) for i in range(POINTS)]
            results = [j.result() for j in jobs]
    parts = {part: sum(r[0] for r in results if r[2] == part) for part in {r[2] for r in results}}
    dead = sum(r[0] for r in results)
    print(f"{POINTS} points of {len(start)} system calls, {dead} killed, {sum(r[1] for r in results)} of these once more while they resumed; "
          f"{parts}; 0 lost, 0 unrecorded, {sum(r[3] for r in results)} processed twice, {sum(r[4] for r in results)} named as possible "
          "duplicates")
    assert dead >= POINTS * 0.7, "the kills hardly struck"
    assert parts.get("amid"), f"no kill struck while objects were replayed: {parts}"
