"""Partial batches (E4): whichever of ten entries fail, only these go again, and each message arrives once and is deleted.

All 1,024 patterns of DeleteMessageBatch and of SendMessageBatch with SLUICE_LONG, a part of them otherwise; each strikes one call.
And a function that really runs, under kill -9."""

import json
import random
import shutil
import signal
import subprocess

import pytest
from program import LONG, SLOWER, binary, clean_env
from replaykit import OPERATE, Pipe
from simtools import Sim
from test_replay import all_of, python_function, queues

AT_ONCE = 60  # patterns a run


@pytest.fixture(scope="module")
def sim(tmp_path_factory):
    with Sim.start("empty", home=tmp_path_factory.mktemp("sim"), speed=10) as s:
        yield s
        assert s.stop() == (0, "")


def masks(share):
    chosen = random.Random(20261128).sample(range(1, 1024), 1023)
    return [chosen[i:i + AT_ONCE] for i in range(0, 1023 if LONG else share, AT_ONCE)]


@pytest.mark.parametrize("some", masks(240), ids=lambda m: f"{m[0]:03x}")
def test_deletes(sim, sluice, rng, some):
    """A service fault is tried again; a sender's fault means that the handle is worth nothing: received again, and then only deleted."""
    pipe = Pipe.make(sim, rng, batch=10)
    n = 10 * AT_ONCE + 31
    sent = pipe.fill(n)
    specs = [f"sqs:DeleteMessageBatch=batch-{'sender' if m % 8 == 0 else 'service'}-fault:{m},times=1" for m in some]
    sim.heal()
    sim.spoil(*specs)
    ran = sluice("replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *OPERATE, "--yes-i-mean", n, "--limit", n, "--rate", "1000",
                 "--lease", "20s", "--format", "json", env=pipe.peer.env(), timeout=120)
    hit = sum(sim.hits().values())
    sim.heal()
    assert ran.status == 0 and (ran.json["verified"], ran.json["unaccounted"]) == (n, 0), ran
    assert hit == len(some) and pipe.counts() == (0, 0) and pipe.deliveries() == {m: 1 for m in sent}


@pytest.mark.parametrize("some", masks(60), ids=lambda m: f"{m[0]:03x}")
def test_sends(sim, sluice, rng, some):
    sqs, source, dlq = queues(sim.peer, rng)
    n = 10 * AT_ONCE + 31
    for first in range(0, n, 10):
        sqs.send_message_batch(QueueUrl=dlq, Entries=[{"Id": str(i), "MessageBody": f"m{i}"} for i in range(first, min(n, first + 10))])
    sim.heal()
    sim.spoil(*[f"sqs:SendMessageBatch=batch-service-fault:{m},times=1" for m in some])
    ran = sluice("replay", "start", f"sqs:{dlq.rsplit('/', 1)[1]}", "--redrive", *OPERATE, "--yes-i-mean", n, "--limit", n, "--rate", "1000",
                 "--verify", "1s", "--format", "json", env=sim.peer.env(), timeout=200)
    hit = sum(sim.hits().values())
    sim.heal()
    assert ran.status == 0 and ran.json["verified"] == n and hit == len(some), ran
    assert sorted(m["Body"] for m in all_of(sqs, source, n + 100)) == sorted(f"m{i}" for i in range(n)) and all_of(sqs, dlq) == []


# ---- MiniStack, killed

HANDLER = """
def h(event, context):
    with open(%r, "a") as f:
        f.write("".join(r["messageId"] + "\\n" for r in event["Records"]))
"""
STRACE = shutil.which("strace")


@pytest.mark.skipif(not STRACE, reason="strace is not installed")
def test_kills_on_an_aws_that_is_not_ours(ministack, tmp_path, rng):
    """Messages come back from a killed process when their time is over: a lease of five seconds."""
    sqs, source, dlq = queues(ministack, rng)
    name, log, points, messages, killed = "f-killed", tmp_path / "log", 20, 6, 0
    python_function(ministack, name, HANDLER % str(log))
    start = [binary(), "replay", "start", f"sqs:{dlq.rsplit('/', 1)[1]}", "--through", name, *OPERATE, "--yes-i-mean", str(messages), "--limit",
             str(messages), "--lease", "5s", "--rate", "1000"]
    resume = [binary(), "replay", "resume", *OPERATE, "--unknown", "resend"]
    for point in range(points):
        home = tmp_path / f"p{point}"
        home.mkdir()
        env = clean_env(home, ministack.env())
        sent = {sqs.send_message(QueueUrl=dlq, MessageBody=f"{point}/{i}")["MessageId"] for i in range(messages)}
        call, n = rng.choice([("fdatasync", rng.randrange(8, 40)), ("sendto", rng.randrange(5, 20)), ("recvfrom", rng.randrange(4, 15))])
        inject = [STRACE, "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={n}"]
        died = subprocess.run(inject + start, env=env, capture_output=True, timeout=100 * SLOWER).returncode
        killed += died in (-signal.SIGKILL, 128 + signal.SIGKILL)
        for _ in range(4):
            begun = subprocess.run([binary(), "replay", "list"], env=env, capture_output=True, text=True).stdout
            p = subprocess.run(resume if begun else start, env=env, capture_output=True, text=True, timeout=100 * SLOWER)
            if p.returncode == 0:
                break
        assert p.returncode == 0, p.stderr
        shown = json.loads(subprocess.run([binary(), "replay", "show", "--format", "json"], env=env, capture_output=True, text=True).stdout)
        times = {m: log.read_text().split().count(m) for m in sent}
        named = {i["message_id"] for i in shown["items"] if i["possible_duplicate"]}
        assert shown["verified"] == messages and min(times.values()) >= 1, "lost"
        assert {m for m, k in times.items() if k > 1} <= named, "processed twice and not named"
        assert all_of(sqs, dlq) == []
    assert killed >= points * 0.7, killed
    print(f"{points} points on MiniStack, {killed} killed: 0 lost")
