"""replay export and adopt: a colleague on another host finishes a run; nobody goes on with it twice, nothing is lost or forgotten."""

import json
import os
import shutil
import sqlite3
import stat

import pytest
from fakeaws import Answers, FakeAws
from program import Sluice
from replaykit import OPERATE, Pipe
from simtools import sim, world  # noqa: F401 (fixtures)


@pytest.fixture
def colleague(tmp_path):
    """The same program in another home: another host, as far as ledger, audit and lock go."""
    return Sluice(tmp_path / "colleague")


def half_done(sim, sluice, rng, n=12):
    """A run of n of which one is UNKNOWN and the rest waits: it was paused by -t after an answer was lost."""
    pipe = Pipe.make(sim, rng, batch=1)
    sent = pipe.fill(n)
    sim.spoil("lambda:Invoke=lost,times=1")
    ran = sluice("replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *OPERATE, "--yes-i-mean", n, "--limit", n,
                 "--rate", "1", "-t", "1", "--format", "json", env=pipe.peer.env())
    sim.heal()
    told = ran.json
    assert told["state"] == "PAUSED" and told["unknown"] == 1 and told["pending"] > 0, ran
    return pipe, sent, told


def test_a_colleague_finishes_it(sim, sluice, colleague, rng, tmp_path):
    pipe, sent, told = half_done(sim, sluice, rng)
    file, env = tmp_path / "run.replay", pipe.peer.env()
    out = sluice("replay", "export", told["run"], file, "--format", "json", env=env)
    assert out.status == 0 and out.json["state"] == "HANDED" and len(out.json["sha256"]) == 64 and out.json["file"] == str(file), out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and os.listdir(tmp_path).count("run.replay") == 1
    assert not [f for f in os.listdir(tmp_path) if f.startswith("run.replay-")]  # one file
    for word in ("resume", "stop"):  # not here any more, by accident
        ran = sluice("replay", word, told["run"], *OPERATE, env=env)
        assert ran.status != 0 and ("handed over" in ran.err or "HANDED" in ran.err), ran
    got = colleague("replay", "adopt", file, *OPERATE, "--format", "json", env=env)
    assert got.status == 0 and got.json["state"] == "PAUSED" and got.json["fence"] == 1, got
    assert got.json["sha256"] == out.json["sha256"] and got.json["manifest_sha256"] == told["manifest_sha256"]
    assert got.json["states"] == told["states"] and got.json["unknown"] == 1
    again = colleague("replay", "resume", *OPERATE, "--rate", "500", "--unknown", "resend", "--format", "json", env=env)
    assert again.status == 0 and again.json["verified"] == 12 and again.json["duplicates"] == 1 and again.json["unaccounted"] == 0, again
    assert set(pipe.deliveries()) == set(sent) and pipe.counts() == (0, 0)
    lines = [json.loads(line) for line in sluice("audit", "--format", "json", env=env).out.splitlines()]
    assert [line for line in lines if line["event.action"] == "replay:Export" and line["sluice.run"] == told["run"]]
    assert colleague("audit", "verify", env=env).status == 0
    # twice is refused: it is there already; and what it became of cannot be taken back with the old file
    assert colleague("replay", "adopt", file, *OPERATE, env=env).status == 3


def test_what_a_copy_and_a_dead_host_say(sim, sluice, colleague, rng, tmp_path):
    """A copy says that the run may be driven still; somebody has to know better."""
    pipe, sent, told = half_done(sim, sluice, rng, 6)
    env, copy = pipe.peer.env(), tmp_path / "copy.replay"
    assert sluice("replay", "export", told["run"], copy, "--copy", env=env).status == 0
    assert sluice("replay", "show", told["run"], "--format", "json", env=env).json["state"] == "PAUSED"
    ran = colleague("replay", "adopt", copy, *OPERATE, env=env)
    assert ran.status == 3 and "may drive it still" in ran.err and "--driver-gone" in ran.err, ran
    # the ledger itself of a host that is dead will do, too
    ledger = tmp_path / "ledger-of-the-dead.db"
    shutil.copy(sluice.home / ".local/state/sluice/ledger.db", ledger)
    os.chmod(ledger, 0o600)
    got = colleague("replay", "adopt", ledger, told["run"], "--driver-gone", *OPERATE, "--format", "json", env=env)
    assert got.status == 0 and got.json["fence"] == 1 and got.json["unknown"] == 1, got


def test_taken_back(sim, sluice, colleague, rng, tmp_path):
    """Who handed it over takes it back with the file, as long as nobody else had it; from a colleague with the colleague's file."""
    pipe, sent, told = half_done(sim, sluice, rng, 6)
    env, one, two = pipe.peer.env(), tmp_path / "1.replay", tmp_path / "2.replay"
    assert sluice("replay", "export", one, env=env).status == 0
    assert sluice("replay", "adopt", one, *OPERATE, "--format", "json", env=env).json["fence"] == 1
    assert sluice("replay", "export", two, env=env).status == 0
    assert colleague("replay", "adopt", two, *OPERATE, "--format", "json", env=env).json["fence"] == 2
    assert sluice("replay", "adopt", one, *OPERATE, env=env).status == 3  # older than what is here
    three = tmp_path / "3.replay"
    assert colleague("replay", "export", three, env=env).status == 0
    assert sluice("replay", "adopt", three, *OPERATE, "--format", "json", env=env).json["fence"] == 3
    again = sluice("replay", "resume", *OPERATE, "--rate", "500", "--unknown", "resend", "--format", "json", env=env)
    assert again.status == 0 and again.json["verified"] == 6, again


class Elsewhere(Answers):
    """The same credentials, another account."""

    def caller(self, body):
        return super().caller(body).replace("123456789012", "999999999999")


EDITS = ["UPDATE item SET state = 'VERIFIED' WHERE seq = 2", "DELETE FROM item WHERE seq = 3", "UPDATE run SET account = '999999999999'",
         "UPDATE run SET handed = 1, fence = 9", "DELETE FROM item_event WHERE n = 2"]


def test_refusals(sim, sluice, colleague, rng, tmp_path):
    """What was edited, another account's or region's, no such file, another program's file, one that is there already."""
    pipe, sent, told = half_done(sim, sluice, rng, 3)
    env, file, text = pipe.peer.env(), tmp_path / "run.replay", tmp_path / "text"
    text.write_text("no ledger")
    text.chmod(0o600)
    assert colleague("replay", "adopt", tmp_path / "none", *OPERATE, env=env).status == 2
    assert colleague("replay", "adopt", text, *OPERATE, env=env).status == 1
    assert sluice("replay", "export", told["run"], text, env=env).status == 2 and text.read_text() == "no ledger"
    assert sluice("replay", "export", told["run"], file, env=env).status == 0
    assert colleague("replay", "adopt", file, env=env).status == 3  # not without --mode operate
    ran = colleague("replay", "adopt", file, *OPERATE, "--region", "us-west-2", env=env)
    assert ran.status == 2 and "of region" in ran.err, ran
    with FakeAws(answers=Elsewhere()) as aws:
        ran = colleague("replay", "adopt", file, *OPERATE, "--region", pipe.peer.region, env=aws.env())
        assert ran.status == 2 and "of account 123456789012, these credentials are of 999999999999" in ran.err, ran
    whole = file.read_bytes()
    for sql in EDITS:
        file.write_bytes(whole)
        with sqlite3.connect(file) as db:
            db.execute(sql)
        db.close()
        ran = colleague("replay", "adopt", file, *OPERATE, env=env)
        assert ran.status == 1 and ("not acted on" in ran.err or "not those" in ran.err), (sql, ran)
    assert colleague("replay", "list", env=env).out == ""
