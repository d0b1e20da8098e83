"""The peers: three AWS emulators, each started once on a free loopback port and surely ended; and sluice itself."""

import os
import random
import signal
import sys
import urllib.request

import pytest

sys.path.insert(0, os.path.dirname(__file__))

import processes  # noqa: E402
import tls  # noqa: E402
from peer import Peer  # noqa: E402
from program import LONG, SLOWER, Sluice, binary, clean_env  # noqa: E402


def pytest_report_header():
    return f"sluice: {binary()}   SLUICE_SEED={seed()}"


def pytest_configure(config):
    seed()  # before the workers are started: they inherit it


def seed():
    """One seed a run, printed in the header, so that a failure can be had again."""
    if "SLUICE_SEED" not in os.environ:
        os.environ["SLUICE_SEED"] = str(random.SystemRandom().randrange(1 << 32))
    return int(os.environ["SLUICE_SEED"])


@pytest.fixture(autouse=True)
def no_hang():
    """A test that hangs fails; the whole run has a time limit."""
    def give_up(signum, frame):
        raise TimeoutError("this test hangs")
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(240 * SLOWER * (4 if LONG else 1))
    yield
    signal.alarm(0)


@pytest.fixture
def rng(request):
    return random.Random(f"{seed()} {request.node.name}")


@pytest.fixture
def sluice(tmp_path):
    return Sluice(tmp_path / "home")


@pytest.fixture(scope="session")
def logs(tmp_path_factory):
    return tmp_path_factory.mktemp("peers")


@pytest.fixture(scope="session")
def moto(logs):
    """AWS's wire types as AWS types them; takes any credentials."""
    p, url = processes.moto_server(logs, "moto")
    yield Peer("moto", url, "AKIAIOSFODNN7EXAMPLE", "moto-takes-any-secret")
    processes.stop(p)


@pytest.fixture(scope="session")
def moto_auth(logs):
    """The same, verifying every signature after four calls that make the one user it knows."""
    p, url = processes.moto_server(logs, "moto_auth", INITIAL_NO_AUTH_ACTION_COUNT="4")
    try:
        iam = Peer("moto_auth", url, "AKIAIOSFODNN7EXAMPLE", "x").client("iam")
        iam.create_user(UserName="sluice")
        key = iam.create_access_key(UserName="sluice")["AccessKey"]
        everything = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
        iam.put_user_policy(UserName="sluice", PolicyName="all", PolicyDocument=everything)
        iam.create_role(RoleName="lambda", AssumeRolePolicyDocument="{}")
        yield Peer("moto_auth", url, key["AccessKeyId"], key["SecretAccessKey"], verifies=True)
    finally:
        processes.stop(p)


@pytest.fixture(scope="session")
def ministack_process(logs):
    port, log = processes.free_port(), str(logs / "ministack.log")
    env = processes.base_env(logs, BIND_HOST="127.0.0.1", GATEWAY_PORT=str(port), IOT_MTLS_ENABLED="0", LAMBDA_EXECUTOR="local",
                              MINISTACK_IMDS_V2_REQUIRED="1")
    p = processes.start([processes.script("ministack")], env, str(logs), log)
    try:
        processes.wait_ready(p, f"http://127.0.0.1:{port}/_ministack/health", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        processes.stop(p)


@pytest.fixture
def ministack(ministack_process):
    """Functions that really run, alarms that really fire; empty at the start of each test."""
    urllib.request.urlopen(urllib.request.Request(f"{ministack_process}/_ministack/reset", method="POST"), timeout=20).close()
    return Peer("ministack", ministack_process, "AKIAIOSFODNN7EXAMPLE", "ministack-takes-any-secret")


@pytest.fixture(scope="session")
def sim(logs):
    """Ours, with nothing in it: `sluice sim --scenario empty`, accepting one key pair and verifying signatures."""
    port, log = processes.free_port(), str(logs / "sim.log")
    peer = Peer("sim", f"http://127.0.0.1:{port}", "AKIASLUICETEST000001", "the/secret+of+the+simulator+0123456789abc", verifies=True)
    env = clean_env(logs, {"AWS_ACCESS_KEY_ID": peer.access_key, "AWS_SECRET_ACCESS_KEY": peer.secret_key})
    p = processes.start([binary(), "sim", "--port", str(port), "--scenario", "empty"], env, str(logs), log)
    try:
        processes.wait_ready(p, peer.url, log)
        yield peer
    finally:
        processes.stop(p)


@pytest.fixture(scope="session")
def ca(tmp_path_factory):
    """(key, certificate, path of ca.pem) of a certificate authority that nobody else trusts."""
    return tls.make_ca(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls_front(ca, tmp_path):
    """tls_front(peer) gives the same peer behind TLS; keywords make the certificate wrong on purpose."""
    fronts = []

    def front(peer, **certificate):
        fronts.append(tls.TlsFront(tls.make_server(tmp_path, ca, **certificate), int(peer.url.rsplit(":", 1)[1])))
        return peer.at(fronts[-1].url)

    yield front
    for f in fronts:
        f.close()
