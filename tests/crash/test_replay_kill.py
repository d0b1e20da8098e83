"""Kill -9 at the n-th system call of a replay, and at one of the resume after it: nothing is lost, nothing is done that the ledger does not
know, and nothing is processed twice but what the ledger names as sent again.

The embedded AWS is the witness: its function keeps every event that it was given, so that deliveries are counted there and not by the
program under test; its clock is fast, so that what a killed process has hidden in the queue comes back soon. A program that does
nothing fails here: all messages must arrive, the queue must end empty, and the kills must have struck in every part of the run.
SLUICE_POINTS sets how many points (default 258, with those of the files beside it 300; 10,000 with SLUICE_LONG), SLUICE_SEED which (the long run chooses others each time).
test_redrive_kill.py does the same back to the queue."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))

from program import LONG, SLOWER, binary, clean_env  # noqa: E402
from replaykit import Pipe  # noqa: E402
from simtools import Sim  # noqa: E402

BUILD = pathlib.Path(os.environ.get("SLUICE_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build"))
STRACE = shutil.which("strace")
MESSAGES = 20
POINTS = int(os.environ.get("SLUICE_POINTS", "10000" if LONG else "258"))
WORKERS = 3
GO = ("--mode", "operate", "--rate", "1000")


class Home:
    """One replay's own home, pipe and command lines. Back to the queue, the queue is the witness: each copy in it is a delivery."""

    def __init__(self, top, sim, rng, name, redrive=False):
        self.redrive = redrive
        self.home = pathlib.Path(top) / name
        self.home.mkdir()
        self.pipe = Pipe.make(sim, rng, batch=4)
        self.env = clean_env(self.home, self.pipe.peer.env())
        self.sent = self.pipe.fill(MESSAGES)

    @property
    def ledger(self):
        return self.home / ".local/state/sluice/ledger.db"

    def argv(self, what):
        if what == "start":
            where = ("--redrive", "--verify", "1s") if self.redrive else ("--through", self.pipe.function)
            return [binary(), "replay", "start", f"sqs:{self.pipe.dlq_name}", *where, "--yes-i-mean", str(MESSAGES), "--limit", str(MESSAGES),
                    *GO]
        return [binary(), "replay", "resume", "--unknown", "resend", *GO]

    def run(self, what, before=()):
        p = subprocess.run([*before, *self.argv(what)], env=self.env, capture_output=True, text=True, timeout=120 * SLOWER)
        assert "Sanitizer" not in p.stderr and p.returncode != 99, p.stderr
        return p

    def killed(self, what, call, n):
        """True when it died of it; False when it was over before that call."""
        inject = [STRACE, "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={n}"]
        return self.run(what, inject).returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)

    def copy(self):
        """The ledger as the killed process left it, looked at in a copy: the recovery is for sluice to make."""
        with tempfile.TemporaryDirectory() as top:
            if not self.ledger.exists():
                return None, {}
            shutil.copytree(self.ledger.parent, f"{top}/copy")
            with contextlib.closing(sqlite3.connect(f"{top}/copy/ledger.db")) as db:
                if not db.execute("PRAGMA user_version").fetchone()[0]:
                    return None, {}
                assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
                run = db.execute("SELECT state FROM run").fetchone()
                return run and run[0], dict(db.execute("SELECT state, count(*) FROM item GROUP BY state"))

    def intents(self):
        """{message id: how often its intent was written}"""
        with contextlib.closing(sqlite3.connect(self.ledger)) as db:
            return dict(db.execute("SELECT msg_id, count(*) FROM item_event e JOIN item i ON i.run_id = e.run_id AND i.seq = e.seq "
                                   "WHERE to_state = 'INTENT' GROUP BY msg_id"))

    def deliveries(self):
        """{message id: how often it arrived}"""
        if not self.redrive:
            return self.pipe.deliveries()
        sqs, bodies, times = self.pipe.peer.client("sqs"), {b: m for m, b in self.sent.items()}, {}
        while got := sqs.receive_message(QueueUrl=self.pipe.source, MaxNumberOfMessages=10, VisibilityTimeout=43200).get("Messages"):
            for m in got:
                times[bodies[m["Body"]]] = times.get(bodies[m["Body"]], 0) + 1
        return times

    def finish(self):
        """Resumes, or starts where nothing had been begun, until it says that all is done."""
        for _ in range(4):
            p = self.run("resume" if self.copy()[0] else "start")
            if p.returncode == 0:
                return p
        raise AssertionError(f"{p.returncode} {p.stdout} {p.stderr}")


def system_calls(home, what, log):
    """[(call, which one of its kind)] of an undisturbed run, from the first look at its own files on."""
    p = home.run(what, [STRACE, "-f", "-qq", "-o", log])
    assert p.returncode == 0, p.stderr
    count, calls, begun = {}, [], False
    for line in pathlib.Path(log).read_text(errors="replace").splitlines():
        m = re.match(r"\d+\s+(\w+)\(", line)
        if not m:
            continue
        name = m.group(1)
        count[name] = count.get(name, 0) + 1
        begun = begun or "audit.db" in line
        if begun and name not in ("exit_group", "exit"):
            calls.append((name, count[name]))
    return calls


def part_of(state, items):
    done = items.get("VERIFIED", 0)
    if state is None:
        return "before the run was written"
    if state == "FREEZING":
        return "while it was frozen"
    return "before the first was done" if done == 0 else "amid" if done < MESSAGES else "after the last was done"


def check(home, told):
    times, shown = home.deliveries(), json.loads(told)
    assert (shown["state"], shown["selected"], shown["verified"]) == ("DONE", MESSAGES, MESSAGES), shown
    assert shown["unaccounted"] == shown["unknown"] == shown["gone"] == shown["pending"] == 0
    assert set(times) == set(home.sent), "lost: not every message was processed"
    assert home.pipe.counts() == (0, 0), "the queue is not empty"
    intents = home.intents()
    unrecorded = {m: (n, intents.get(m)) for m, n in times.items() if n > intents.get(m, 0)}
    assert not unrecorded, f"processed more often than the ledger knows: {unrecorded}"
    twice = {m for m, n in times.items() if n > 1}
    named = {i["message_id"] for i in shown["items"] if i["possible_duplicate"]}
    assert twice <= named, f"processed twice and not named: {twice - named}"
    return len(twice), len(named)


def one_point(sim, top, number, rng, start, resume, redrive):
    home = Home(top, sim, rng, f"p{number}", redrive)
    dead = home.killed("start", *start)
    part = part_of(*home.copy())
    again = dead and number % 3 == 0 and home.copy()[0] is not None and home.killed("resume", *rng.choice(resume))
    home.finish()
    shown = subprocess.run([binary(), "replay", "show", "--format", "json"], env=home.env, capture_output=True, text=True, timeout=60)
    twice, named = check(home, shown.stdout)
    audit = subprocess.run([binary(), "audit", "verify"], env=home.env, capture_output=True, text=True, timeout=60)
    assert audit.returncode == 0, audit.stderr
    shutil.rmtree(home.home)
    return dead, again, part, twice, named


@pytest.mark.skipif(not STRACE, reason="strace is not installed")
def test_replay_kill():
    kill_at_points(POINTS, redrive=False)


def kill_at_points(points, redrive):
    seed = os.environ.get("SLUICE_SEED", str(time.time_ns() % 1000000) if LONG else "1")
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory() as top, Sim.start("empty", home=top, speed=200) as sim:
        first = Home(top, sim, random.Random(f"{seed} first"), "first", redrive)
        start = system_calls(first, "start", f"{top}/start.log")
        second = Home(top, sim, random.Random(f"{seed} second"), "second", redrive)
        while not second.killed("start", *start[len(start) // 2]):
            pass
        resume = system_calls(second, "resume", f"{top}/resume.log")
        choose = random.Random(seed)
        offset = choose.random()
        at = [start[int((i + offset) * len(start) / points) % len(start)] for i in range(points)]
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            jobs = [pool.submit(one_point, sim, top, i, random.Random(f"{seed} {i}"), at[i], resume, redrive) for i in range(points)]
            results = [j.result() for j in jobs]
    parts = {}
    for dead, _, part, _, _ in results:
        parts[part] = parts.get(part, 0) + dead
    dead, again = sum(r[0] for r in results), sum(r[1] for r in results)
    print(f"{points} points of {len(start)} system calls, {dead} killed, {again} of these once more while they resumed; {parts}; "
          f"0 lost, 0 unrecorded, {sum(r[3] for r in results)} processed twice, {sum(r[4] for r in results)} named as possible duplicates")
    assert dead >= points * 0.8, "the kills hardly struck"
    if redrive:
        return
    for part in ("while it was frozen", "before the first was done", "amid"):
        assert parts.get(part, 0) >= points // 40, f"no kill struck {part}: {parts}"
