"""A replay and others: a holder that was stopped and wakes late, somebody who takes its messages, what is deleted under it, another account,
a second process; and the screen after a crash that was one."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import time

import pytest
from console import Console
from program import binary, clean_env
from replaykit import OPERATE, Pipe
from simtools import sim, Sim  # noqa: F401 (fixtures)
from test_replay import begin, start

SPEED = 20


@pytest.fixture
def world(tmp_path_factory):
    """One a test: the queues of all of them would not fit on a screen."""
    with Sim.start("empty", home=tmp_path_factory.mktemp("sim"), speed=SPEED) as s:
        yield s
        assert s.stop() == (0, "")


def until(met, seconds=20):
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_stopped_holder_that_wakes_late(sim, sluice, rng):
    """While it sleeps its lease passes, and somebody takes and deletes what it held. Nobody else may replay the queue meanwhile: the lock is
    its own as long as it lives. Awake, it sends nothing that it does not hold any more, and says what is gone. Its clock is as fast as the
    peer's."""
    pipe = Pipe.make(sim, rng, batch=1)
    sent = pipe.fill(30)
    argv = [binary(), "replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *OPERATE, "--yes-i-mean", "30", "--limit", "30", "--rate", "1",
            "--lease", "60s"]
    env = clean_env(sluice.home, pipe.peer.env(SLUICE_SPEED=str(SPEED)))
    p = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: len(pipe.deliveries()) >= 3)
        for _ in range(5):
            p.send_signal(signal.SIGSTOP)
            time.sleep(0.2)
            before = pipe.deliveries()
            second = sluice("replay", "resume", *OPERATE, env=pipe.peer.env())
            if second.status != 1 or "audit.db: another program keeps it locked" not in second.err:
                break
            p.send_signal(signal.SIGCONT)  # it was stopped while it wrote: then nobody else can even begin, which is as safe
            time.sleep(0.3)
        assert second.status == 3 and f"process {p.pid}" in second.err, second
        taken, sqs = {}, pipe.peer.client("sqs")

        def take():
            for m in sqs.receive_message(QueueUrl=pipe.dlq, MaxNumberOfMessages=10, VisibilityTimeout=600).get("Messages", []):
                taken[m["MessageId"]] = m["ReceiptHandle"]
            return len(taken) >= 8
        until(take, 30)
        for handle in taken.values():
            sqs.delete_message(QueueUrl=pipe.dlq, ReceiptHandle=handle)
        assert pipe.deliveries() == before
    finally:
        p.send_signal(signal.SIGCONT)
    out, err = p.communicate(timeout=90)
    told = sluice("replay", "show", "--format", "json", env=pipe.peer.env()).json
    states = {i["message_id"]: i["state"] for i in told["items"]}
    times = pipe.deliveries()
    assert told["unaccounted"] == 0 and max(times.values()) == 1, (told, err)
    for m in taken:  # one that had been sent when it fell asleep may have been taken before it was deleted
        assert times.get(m, 0) == before.get(m, 0)
        assert states[m] == "GONE" if m not in before else states[m] in ("VERIFIED", "REMOVED"), states[m]
    assert set(times) | set(taken) == set(sent) and told["gone"] == len([m for m in taken if m not in before])


def test_what_others_take_is_gone(sim, sluice, rng):
    """Frozen, and before it is confirmed somebody takes three and deletes them: the others are done, the three are said to be gone."""
    pipe = Pipe.make(sim, rng, batch=5)
    sent = pipe.fill(12)
    sim.spoil("lambda:Invoke=denied")
    start(sluice, pipe, 12, "--limit", "12", status=1)
    sqs, taken = pipe.peer.client("sqs"), []
    while len(taken) < 3:
        got = sqs.receive_message(QueueUrl=pipe.dlq, MaxNumberOfMessages=3 - len(taken)).get("Messages", [])
        taken += [m["MessageId"] for m in got]
        for m in got:
            sqs.delete_message(QueueUrl=pipe.dlq, ReceiptHandle=m["ReceiptHandle"])
    sim.heal()
    ran = sluice("replay", "resume", *OPERATE, "--rate", "500", "--format", "json", env=pipe.peer.env())
    assert ran.status == 1 and (ran.json["verified"], ran.json["gone"], ran.json["unaccounted"]) == (9, 3, 0), ran
    assert {i["message_id"] for i in ran.json["items"] if i["state"] == "GONE"} == set(taken)
    assert pipe.deliveries() == {m: 1 for m in sent if m not in taken}


def test_a_function_deleted_in_mid_run(sim, sluice, rng):
    """The run pauses and says so in one line; with the function there again the rest is done once."""
    pipe = Pipe.make(sim, rng, batch=1, mapping=False)
    sent = pipe.fill(12)
    p, run = begin(sluice, pipe, 12, "--rate", "5")
    lam = pipe.peer.client("lambda")
    lam.delete_function(FunctionName=pipe.function)
    out, err = p.communicate(timeout=30)
    lines = [line for line in err.splitlines() if "PAUSED" in line]
    assert p.returncode == 1 and len(lines) == 1 and "not found" in lines[0].lower(), err
    left = 12 - len(pipe.deliveries())
    assert left > 0 and pipe.counts() == (left, 0)
    lam.create_function(FunctionName=pipe.function, Runtime="python3.11", Role="arn:aws:iam::123456789012:role/r", Handler="h.h", Code={"ZipFile": b"c"},
                        Timeout=5)
    ran = sluice("replay", "resume", run, *OPERATE, "--rate", "500", "--format", "json", env=pipe.peer.env())
    assert ran.status == 0 and ran.json["verified"] == 12 and pipe.deliveries() == {m: 1 for m in sent}, ran


def test_a_queue_deleted_in_mid_run(sim, sluice, rng):
    """Its messages went with it, and that is nobody's success: the run pauses with one line; what was processed is in the ledger."""
    pipe = Pipe.make(sim, rng, batch=1)
    pipe.fill(12)
    p, run = begin(sluice, pipe, 12, "--rate", "5")
    pipe.peer.client("sqs").delete_queue(QueueUrl=pipe.dlq)
    out, err = p.communicate(timeout=60)
    lines = [line for line in err.splitlines() if "PAUSED" in line]
    assert p.returncode == 1 and len(lines) == 1 and "exist" in lines[0], err
    told = sluice("replay", "show", run, "--format", "json", env=pipe.peer.env()).json
    times = pipe.deliveries()
    assert told["unaccounted"] == 0 and max(times.values()) == 1 and told["verified"] < 12, told
    assert set(times) <= {i["message_id"] for i in told["items"] if i["state"] in ("VERIFIED", "ACCEPTED", "REMOVE_LOST", "UNKNOWN")}


def test_another_account(sim, ministack, sluice, rng):
    """A run goes on only where it began: elsewhere it is refused, and nothing is asked of that account but who it is."""
    pipe = Pipe.make(sim, rng)
    pipe.fill(3)
    sim.spoil("lambda:Invoke=denied")
    start(sluice, pipe, 3, "--limit", "3", status=1)
    sim.heal()
    ran = sluice("replay", "resume", *OPERATE, env=ministack.env())
    assert ran.status in (2, 3) and "is of account 123456789012, these credentials are of 000000000000" in ran.err and ran.err.count("\n") == 1, ran
    again = sluice("replay", "resume", *OPERATE, "--rate", "500", "--format", "json", env=pipe.peer.env())
    assert again.status == 0 and again.json["verified"] == 3, (again.json["state"], again.json["reason"], [i["state"] for i in again.json["items"]])


@pytest.mark.parametrize("how", ["cut", "zeroed", "garbage", "wal"])
def test_a_torn_ledger(sim, sluice, rng, how):
    """Cut, zeroed, overwritten: one line, nothing sent, nothing set aside; what the file said before is not guessed."""
    pipe = Pipe.make(sim, rng)
    pipe.fill(6)
    sim.spoil("lambda:Invoke=denied")
    start(sluice, pipe, 6, "--limit", "6", status=1)
    sim.heal()
    ledger = sluice.home / ".local/state/sluice/ledger.db"
    with contextlib.closing(sqlite3.connect(ledger)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = ledger.stat().st_size
    if how == "cut":
        os.truncate(ledger, size // 2)
    elif how == "wal":
        ledger.with_name("ledger.db-wal").write_bytes(b"\x37\x7f\x06\x82" + os.urandom(5000))  # a log that is none is no news
    else:
        with open(ledger, "r+b") as f:
            f.seek(4096 if how == "zeroed" else 100)
            f.write(bytes(4096 * 3) if how == "zeroed" else os.urandom(3000))
    ran = sluice("replay", "resume", *OPERATE, "--format", "json", env=pipe.peer.env())
    if how == "wal":
        assert ran.status == 0 and ran.json["verified"] == 6, ran
        return
    assert ran.status == 1 and ran.err.count("\n") == 1 and "ledger" in ran.err and pipe.events() == [], ran
    assert ledger.stat().st_size == (size // 2 if how == "cut" else size)


def test_the_screen_after_a_crash(sim, sluice, rng, tmp_path):
    """Killed with ten in flight; the console shows the run, what became of them and what there is to decide. Going on holds them."""
    pipe = Pipe.make(sim, rng, batch=10)
    pipe.fill(16)
    sim.spoil("lambda:Invoke=delay:4000,after=2")  # after the canary of one and the five that follow
    home = tmp_path / "crashed"
    home.mkdir()
    argv = [binary(), "replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *OPERATE, "--yes-i-mean", "16", "--limit", "16", "--rate", "500"]
    p = subprocess.Popen(argv, env=clean_env(home, pipe.peer.env()), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    until(lambda: len(pipe.deliveries()) == 16)
    p.kill()
    p.communicate()
    sim.heal()
    with Console(home, env=pipe.peer.env(), columns=120, lines=40) as c:
        c.wait(pipe.dlq_name, seconds=30).type(f":open {pipe.dlq_name}\r").wait("dlq").type("4").wait("GROUPS", "RUNS")
        c.wait("RUNNING").type("\r").wait("AFTER A CRASH", "10 in flight become UNKNOWN, you decide", "16 selected: 6 verified", seconds=20)
        assert "RATE  messages/s" in c.text and "DOWNSTREAM" in c.text
        c.type("W").wait("WRITES").type("xc").wait("REALLY?").type("y").wait("10 UNKNOWN (held)", "0 unaccounted", seconds=40)
        assert sum(pipe.deliveries().values()) == 16
        c.type("q").type("q").type("q")
