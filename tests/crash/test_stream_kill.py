"""The same kills as in test_replay_kill.py while a stream's records are replayed: a range of a shard by hand, and pointers in an on-failure
queue. The function is the witness, record by record: none is lost, and none is given to it more often than intents in the ledger cover it."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import tempfile
import time

import pytest
from test_replay_kill import GO, STRACE, WORKERS, Home, system_calls

from program import LONG, binary, clean_env
from simtools import Sim
from streamkit import Stream

RECORDS = 20
POINTS = int(os.environ.get("SLUICE_STREAM_POINTS", "2000" if LONG else "15"))


class StreamHome(Home):
    def __init__(self, top, sim, rng, name, by_hand):
        self.home = pathlib.Path(top) / name
        self.home.mkdir()
        self.by_hand = by_hand
        self.stream = Stream.make(sim, rng, shards=1 if by_hand else 4, batch=4)
        self.env = clean_env(self.home, self.stream.peer.env())
        put = self.stream.put(RECORDS)
        self.source = f"kinesis:{self.stream.name}/{put[0][0]}@{put[0][1]}..{put[-1][1]}"
        if by_hand:
            self.sent = {f"{shard}:{number}": [number] for shard, number, _ in put}
        else:
            self.sent = self.stream.give_up(4)
            self.source = f"failures:{self.stream.queue_name}"

    def argv(self, what):
        if what == "start":
            through = ("--through", self.stream.function) if self.by_hand else ()
            n = str(len(self.sent))
            return [binary(), "replay", "start", self.source, *through, "--yes-i-mean", n, "--limit", n, *GO]
        return [binary(), "replay", "resume", "--unknown", "resend", *GO]

    def covered(self):
        """{sequence number: how many intents have it in their range}"""
        times = {}
        with contextlib.closing(sqlite3.connect(self.ledger)) as db:
            for message, detail in db.execute(
                    "SELECT msg_id, detail FROM item_event e JOIN item i ON i.run_id = e.run_id AND i.seq = e.seq WHERE to_state = 'INTENT'"):
                numbers = self.sent[message]
                if not self.by_hand:
                    first, last = detail.rsplit(", ", 1)[1].split(" to ")
                    numbers = numbers[numbers.index(first):numbers.index(last) + 1]
                for number in numbers:
                    times[number] = times.get(number, 0) + 1
        return times


def check(home):
    shown = json.loads(subprocess.run([binary(), "replay", "show", "--format", "json"], env=home.env, capture_output=True, text=True,
                                      timeout=60).stdout)
    n = len(home.sent)
    assert (shown["state"], shown["selected"], shown["verified"]) == ("DONE", n, n), shown
    assert shown["unaccounted"] == shown["unknown"] == shown["gone"] == shown["pending"] == 0
    given = home.stream.deliveries()
    times = {number: [got for got, _ in given].count(number) for number, _ in given}
    assert sorted(set(given)) == sorted(home.stream.all_records()), "lost, or not byte for byte"
    covered = home.covered()
    unrecorded = {r: (n, covered.get(r)) for r, n in times.items() if n > covered.get(r, 0)}
    assert not unrecorded, f"given to the function more often than the ledger knows: {unrecorded}"
    named = {i["message_id"] for i in shown["items"] if i["possible_duplicate"]}
    twice = {m for m, numbers in home.sent.items() if any(times[r] > 1 for r in numbers)}
    assert twice <= named, f"processed twice and not named: {twice - named}"
    if home.by_hand:
        first_time = list(dict.fromkeys(number for number, _ in given))
        assert first_time == [r for r, _ in home.stream.all_records()], "out of their order"
    else:
        assert home.stream.left() == (0, 0), "the queue is not empty"
    audit = subprocess.run([binary(), "audit", "verify"], env=home.env, capture_output=True, text=True, timeout=60)
    assert audit.returncode == 0, audit.stderr
    return len(twice), len(named)


def one_point(sim, top, number, rng, start, resume, by_hand):
    home = StreamHome(top, sim, rng, f"p{number}", by_hand)
    dead = home.killed("start", *start)
    part = home.copy()
    again = dead and number % 3 == 0 and part[0] is not None and home.killed("resume", *rng.choice(resume))
    home.finish()
    twice, named = check(home)
    shutil.rmtree(home.home)
    return dead, again, part[0], twice, named


@pytest.mark.skipif(not STRACE, reason="strace is not installed")
@pytest.mark.parametrize("by_hand", [True, False])
def test_stream_kill(by_hand):
    seed = os.environ.get("SLUICE_SEED", str(time.time_ns() % 1000000) if LONG else "1")
    points = (POINTS + by_hand) // 2
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory() as top, Sim.start("empty", home=top, speed=200) as sim:
        first = StreamHome(top, sim, random.Random(f"{seed} first"), "first", by_hand)
        start = system_calls(first, "start", f"{top}/start.log")
        check(first)
        second = StreamHome(top, sim, random.Random(f"{seed} second"), "second", by_hand)
        while not second.killed("start", *start[len(start) // 2]):
            pass
        resume = system_calls(second, "resume", f"{top}/resume.log")
        choose = random.Random(seed)
        offset = choose.random()
        at = [start[int((i + offset) * len(start) / points) % len(start)] for i in range(points)]
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            jobs = [pool.submit(one_point, sim, top, i, random.Random(f"{seed} {i}"), at[i], resume, by_hand) for i in range(points)]
            results = [j.result() for j in jobs]
    dead, again = sum(r[0] for r in results), sum(r[1] for r in results)
    states = {s: [r[2] for r in results if r[0]].count(s) for s in {r[2] for r in results}}
    print(f"{'by hand' if by_hand else 'pointers'}: {points} points of {len(start)} system calls, {dead} killed, {again} of these once more "
          f"while they resumed; {states}; 0 lost, 0 unrecorded, {sum(r[3] for r in results)} processed twice, "
          f"{sum(r[4] for r in results)} named as possible duplicates")
    assert dead >= points * 0.7, "the kills hardly struck"
    assert states.get("RUNNING"), f"no kill struck while it ran: {states}"
