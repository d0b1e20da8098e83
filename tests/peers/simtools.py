"""`sluice sim` as a peer: started on a free port, surely ended, its key pair read from what it prints."""

import json
import os
import signal
import subprocess
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config
from peer import Peer
from processes import _child
from program import SLOWER, binary


class Sim:
    """Sim.start(scenario, speed=60) ... stop(), or as a context manager. now= freezes its clock (RFC 3339); faults= are
    switched on from the start, spoil(...) switches on more, hits() tells how often each was reached."""

    def __init__(self, process, home):
        self.process, self.home = process, home
        self.endpoint = self.region = self.scenario = self.access_key = self.secret_key = None

    @classmethod
    def start(cls, scenario="empty", home="/", access_key=None, secret_key=None, now=None, faults=(), env=None, **options):
        env = {"PATH": "/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8", **(env or {})}
        env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        if access_key:
            env.update(AWS_ACCESS_KEY_ID=access_key, AWS_SECRET_ACCESS_KEY=secret_key)
        if now:
            env["SLUICE_NOW"] = now
        argv = [binary(), "sim", "--scenario", scenario]
        options.setdefault("port", 0)
        for name, value in options.items():
            argv += [f"--{name.replace('_', '-')}", str(value)]
        for fault in faults:
            argv += ["--fault", fault]
        p = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             preexec_fn=_child)
        sim = cls(p, home)
        sim.access_key, sim.secret_key = access_key, secret_key
        try:
            sim._read_announcement()
        except Exception:
            sim.stop()
            raise
        return sim

    def _read_announcement(self):
        for line in self.process.stdout:
            line = line.rstrip("\n")
            word, _, rest = line.partition(" ")
            if word == "listening":
                self.endpoint = rest.removeprefix("on ")
            elif word == "region":
                self.region = rest
            elif word == "scenario":
                self.scenario = rest
            elif line.startswith("AWS_ACCESS_KEY_ID="):
                self.access_key = line.partition("=")[2]
            elif line.startswith("AWS_SECRET_ACCESS_KEY="):
                self.secret_key = line.partition("=")[2]
            elif word == "export":
                return
        raise RuntimeError(f"sluice sim did not start (exit {self.process.wait(10)}): {self.process.stderr.read()[-2000:]}")

    @property
    def port(self):
        return int(self.endpoint.rsplit(":", 1)[1])

    @property
    def peer(self):
        return Peer("sim", self.endpoint, self.access_key, self.secret_key, region=self.region, verifies=True)

    def client(self, service, **kwargs):
        return self.peer.client(service, **kwargs)

    def once(self, service, **more):
        """A client that never tries twice: one call is one request."""
        keys = dict(aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key)
        config = Config(retries={"total_max_attempts": 1}, read_timeout=more.pop("read_timeout", 20), max_pool_connections=1)
        return boto3.client(service, region_name=self.region, endpoint_url=self.endpoint, config=config, **{**keys, **more})

    # ---- faults, over the control path

    def control(self, method, body=None, path="/_sluice/faults", **headers):
        """(status, document)"""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.endpoint + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as r:
                return r.status, json.load(r)
        except urllib.error.HTTPError as e:
            with e:
                return e.code, json.load(e)

    def spoil(self, *faults):
        status, report = self.control("POST", {"faults": list(faults)})
        assert status == 200, report
        return report

    def heal(self):
        assert self.control("DELETE")[0] == 200

    def report(self):
        return self.control("GET")[1]

    def hits(self):
        """{spec: how often it was really reached}"""
        return {f["spec"]: f["hits"] for f in self.report()["faults"]}

    def stop(self):
        """Its exit status and what it said on standard error."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            _, err = self.process.communicate(timeout=10 * SLOWER)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return self.process.returncode, err

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()


# Fixtures for a test file to import

@pytest.fixture(scope="module")
def world(request, tmp_path_factory):
    """A file's own simulator; WORLD in that file says what is not as usual: its scenario, its speed."""
    with Sim.start(home=tmp_path_factory.mktemp("sim"), **getattr(request.module, "WORLD", {})) as s:
        yield s
        assert s.stop() == (0, "")  # nor did a sanitizer find anything


@pytest.fixture
def sim(world):
    """That simulator, with no fault left on it from before and none left behind."""
    world.heal()
    yield world
    world.heal()
