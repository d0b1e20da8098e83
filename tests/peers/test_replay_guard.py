"""Two consoles, one source: the lock in a bucket, what it is worth, and a holder that was stopped and wakes late."""

import base64
import contextlib
import hashlib
import json
import signal
import subprocess
import time

import pytest
from program import Sluice, binary, clean_env
from replaykit import INSPECT, OPERATE, Pipe, python_function
from simtools import Sim
from test_replay_s3 import Store

SPEED = 4  # of all clocks


@pytest.fixture
def hosts(tmp_path):
    """Two machines: their state folders are their own, their locks in one bucket."""
    def make(name, bucket):
        s = Sluice(tmp_path / name)
        folder = s.home / ".config" / "sluice"
        folder.mkdir(parents=True)
        (folder / "config.ini").write_text(f'[target "t"]\nlock_bucket = {bucket}\nlock_lease = 10s\n')
        return s
    return make


def lock_of(store, arn, bucket="locks-of-ours"):
    got = store.s3.get_object(Bucket=bucket, Key="locks/" + hashlib.sha256(arn.encode()).hexdigest())
    return json.loads(got["Body"].read())


def locks(peer, name="locks-of-ours"):
    peer.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": peer.region})
    return name


def run(host, store, source, n, *more, env=None):
    return host("replay", "start", source, "--through", store.function, *OPERATE, "--yes-i-mean", n, "--rate", "500", "--format", "json",
                *more, env={**store.peer.env(), **(env or {})})


@pytest.fixture(params=["sim", "moto", "ministack"])
def bucket_peer(request):
    peer = request.getfixturevalue(request.param)
    return peer.peer if request.param == "sim" else peer


def test_the_lock_is_taken_left_and_counted(bucket_peer, hosts, rng):
    """Whatever S3 it is: made, left as free, and its fence counts every driver. Nothing is there to be invoked, so nothing is."""
    store = Store(bucket_peer, rng)
    if bucket_peer.name == "moto":
        with contextlib.suppress(bucket_peer.client("iam").exceptions.EntityAlreadyExistsException):
            bucket_peer.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")
    if bucket_peer.name == "sim":
        store.add_function(store.function)
    else:
        python_function(bucket_peer, store.function, "def h(e, c):\n    return None\n", "123456789012")
    name = f"locks-{rng.randrange(1 << 40):x}"
    host, other = hosts("one", locks(bucket_peer, name)), hosts("two", name)
    arn = f"arn:aws:s3:::{store.bucket}/none/"
    for fence, h in enumerate((host, other, host), 1):
        ran = run(h, store, f"s3://{store.bucket}/none/", 0)
        assert ran.status == 0 and f"guard: an object in s3://{name}/locks/" in ran.err, ran
        said = lock_of(store, arn, name)
        assert said["released"] is True and said["fence"] == fence and said["run"] == ran.json["run"], said
    lines = [json.loads(line) for line in host("audit", "--format", "json").out.splitlines()]
    assert sum(line["event.action"] == "s3:PutObject" for line in lines) == 4


@pytest.fixture
def sim(tmp_path):
    """One a test: a fast clock that is read by several processes drifts apart with time."""
    with Sim.start("empty", home=tmp_path, env={"SLUICE_SPEED": str(SPEED)}) as s:
        locks(s.peer)
        yield s
        assert s.stop() == (0, "")


def contexts(sim, run_id):
    told = sim.control("GET", path="/_sluice/invocations")[1]["invocations"]
    return sum(run_id in base64.b64decode(e["client_context"]).decode() for e in told if e["client_context"])


def begin(host, store, source, n, *more):
    p = subprocess.Popen([binary(), "replay", "start", source, "--through", store.function, *OPERATE, "--yes-i-mean", str(n), *more],
                         env=clean_env(host.home, {**store.peer.env(), "SLUICE_SPEED": str(SPEED)}), stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    return p, p.stdout.readline().strip()


def wait_for(what, p, seconds=30):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end and p.poll() is None
        time.sleep(0.05)


def test_a_stopped_holder_that_wakes_late_does_nothing_more(sim, hosts, rng):
    """SIGSTOP while it invokes; another host is refused until the lease is over, then runs all of it; the first, woken, sends nothing, says
    that it lost its lock, and stays paused."""
    fast = {"SLUICE_SPEED": str(SPEED)}
    store = Store(sim.peer, rng, sim)
    one, two = hosts("one", "locks-of-ours"), hosts("two", "locks-of-ours")
    store.put(*(f"k{i:02}" for i in range(40)))
    source, arn = f"s3://{store.bucket}/", f"arn:aws:s3:::{store.bucket}/"
    p, first = begin(one, store, source, 40, "--rate", "1")
    try:
        wait_for(lambda: contexts(sim, first) >= 3, p)
        early = run(two, store, source, 40, env=fast)
        assert early.status == 3 and "replays it already" in early.err and early.out == "", early
        p.send_signal(signal.SIGSTOP)
        sent, tries = contexts(sim, first), 0
        while (late := run(two, store, source, 40, env=fast)).status == 3:
            tries += 1
            assert tries < 60, late
            time.sleep(0.2)
        assert tries and late.status == 0 and late.json["verified"] == 40, late
        assert lock_of(store, arn)["fence"] == 2
        p.send_signal(signal.SIGCONT)
        out, err = p.communicate(timeout=30)
    finally:
        p.kill()
    assert p.returncode == 1 and "lock" in err and "lost" in err, err
    assert contexts(sim, first) <= sent + 1, "it went on"  # what was on its way when it was stopped
    shown = one("replay", "show", first, "--format", "json", env=fast).json
    assert shown["state"] == "PAUSED" and shown["unaccounted"] == 0 and lock_of(store, arn)["fence"] == 2


def test_a_lock_that_is_kept(sim, hosts, rng):
    """A run that lasts longer than a lease renews it, and nobody gets in between; killed, it is gone on with at once on its own host."""
    fast = {"SLUICE_SPEED": str(SPEED)}
    store = Store(sim.peer, rng, sim)
    one, two = hosts("one", "locks-of-ours"), hosts("two", "locks-of-ours")
    store.put(*(f"k{i:02}" for i in range(30)))
    arn = f"arn:aws:s3:::{store.bucket}/"
    p, first = begin(one, store, f"s3://{store.bucket}/", 30, "--rate", "0.5")
    wait_for(lambda: lock_of(store, arn)["renewals"] >= 4, p)
    assert run(two, store, f"s3://{store.bucket}/", 30, env=fast).status == 3
    p.kill()
    p.communicate()
    assert run(two, store, f"s3://{store.bucket}/", 30, env=fast).status == 3
    again = one("replay", "resume", first, *OPERATE, "--rate", "500", "--unknown", "resend", "--format", "json",
                env={**store.peer.env(), **fast})
    assert again.status == 0 and again.json["verified"] == 30 and lock_of(store, arn)["fence"] == 2, again
    assert sum(store.seen().values()) <= 30 + again.json["duplicates"]


@pytest.mark.parametrize("fault", ["lost", "half", "status:503"])
def test_answers_about_the_lock_are_lost(sim, hosts, rng, fault):
    store = Store(sim.peer, rng, sim)
    store.put("a", "b")
    sim.spoil(f"s3:PutObject={fault},times=1")
    ran = run(hosts("one", "locks-of-ours"), store, f"s3://{store.bucket}/", 2)
    assert ran.status == 0 and store.seen() == {"a": 1, "b": 1}, ran


def test_what_is_no_lock_refuses(sim, hosts, rng):
    store = Store(sim.peer, rng, sim)
    store.put("a")
    host = hosts("one", "locks-of-ours")
    key = "locks/" + hashlib.sha256(f"arn:aws:s3:::{store.bucket}/".encode()).hexdigest()
    for body in (b"", b"[]", b"{}", b'{"owner":"x"}', b"\xff" * 5000):
        store.s3.put_object(Bucket="locks-of-ours", Key=key, Body=body)
        ran = run(host, store, f"s3://{store.bucket}/", 1)
        assert ran.status in (1, 3) and ran.out == "" and len(ran.err.splitlines()) <= 2, ran
        plan = host("replay", "plan", f"s3://{store.bucket}/", *INSPECT, env=store.peer.env())
        assert plan.status in (1, 3), plan
    missing = run(hosts("two", "no-such-bucket-here"), store, f"s3://{store.bucket}/", 1)
    assert missing.status == 1 and "NoSuchBucket" in missing.err and store.events() == [], missing


def test_a_queue_and_a_plan(sim, hosts, rng):
    """The same for a queue; a plan looks at the lock and leaves it as it is."""
    pipe = Pipe.make(sim, rng, batch=1)
    pipe.fill(3)
    host, env = hosts("one", "locks-of-ours"), pipe.peer.env()
    arn = pipe.arn(pipe.dlq)
    plan = host("replay", "plan", f"sqs:{pipe.dlq_name}", *INSPECT, "--format", "json", env=env)
    assert plan.status == 0 and plan.json["guard"].startswith("an object in"), plan
    keys = [o["Key"] for o in pipe.peer.client("s3").list_objects_v2(Bucket="locks-of-ours").get("Contents", [])]
    assert "locks/" + hashlib.sha256(arn.encode()).hexdigest() not in keys
    ran = host("replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *OPERATE, "--yes-i-mean", "3", "--format", "json", env=env)
    assert ran.status == 0 and pipe.counts() == (0, 0), ran
