"""`sluice sim` as a peer: started on a free port, surely ended, its key pair read from what it prints."""

import os
import signal
import subprocess

from peer import Peer
from processes import _child
from program import SLOWER, binary


class Sim:
    """Sim.start(scenario, speed=60) ... stop(), or as a context manager. now= freezes its clock (RFC 3339)."""

    def __init__(self, process, home):
        self.process, self.home = process, home
        self.endpoint = self.region = self.scenario = self.access_key = self.secret_key = None

    @classmethod
    def start(cls, scenario="empty", home="/", access_key=None, secret_key=None, now=None, **options):
        env = {"PATH": "/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}
        env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        if access_key:
            env.update(AWS_ACCESS_KEY_ID=access_key, AWS_SECRET_ACCESS_KEY=secret_key)
        if now:
            env["SLUICE_NOW"] = now
        argv = [binary(), "sim", "--scenario", scenario]
        options.setdefault("port", 0)
        for name, value in options.items():
            argv += [f"--{name.replace('_', '-')}", str(value)]
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
