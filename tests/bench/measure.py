"""What the lines of `make bench` share: the table, running things and what they cost, the canned AWS, programs on a terminal."""


import collections
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
import urllib.request
import ssl

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "peers"))
import tls  # noqa: E402

BUILD = pathlib.Path(os.environ.get("SLUICE_BUILD", ROOT / "build"))
SLUICE = str(BUILD / "sluice")
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}
FUNCTIONS = 1667  # six metrics each are polled at one minute: 10,000
table, only = [], sys.argv[1:]


def wants(*names):
    return not only or any(n.startswith(o) for n in names for o in only)


def line(name, what, ours, reference, ratio, goal, met):
    """One line of the table; ratio and goal are ready text."""
    table.append((name, what, ours, reference, ratio, goal, "met" if met else "MISSED"))
    print(f"{name:3} {what:52} {ours:>15} {reference:>22} {ratio:>10} {goal:>10} {'met' if met else 'MISSED'}", flush=True)


def compare(name, what, ours, reference, limit, unit="ms", at_least=False):
    """limit: the largest ratio ours / reference allowed (the least reference / ours with at_least)."""
    ratio = reference / ours if at_least else ours / reference
    met = ratio >= limit if at_least else ratio <= limit
    shown = f"1/{1 / ratio:.0f}" if not at_least and ratio < 0.05 else f"{ratio:.2f}x"
    goal = f">= {limit:g}x" if at_least else f"<= 1/{1 / limit:.0f}" if limit < 0.05 else f"<= {limit:.2f}x"
    line(name, what, f"{ours:.4g} {unit}", f"{reference:.4g} {unit}", shown, goal, met)


def left_out(name, why):
    print(f"{name:3} left out: {why}", flush=True)


# ---- what runs and what it cost

def run(argv, env, ok=(0,)):
    """(CPU ms of the process and its children, wall ms); its output in run.out"""
    start = time.perf_counter()
    p = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out = p.stdout.read()
    _, status, use = os.wait4(p.pid, 0)
    wall = (time.perf_counter() - start) * 1e3
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode not in ok:
        raise SystemExit(f"{argv} ended with {p.returncode}:\n{out.decode(errors='replace')[-2000:]}")
    run.out = out.decode(errors="replace")
    return (use.ru_utime + use.ru_stime) * 1e3, wall


def paired(n, *commands):
    """Medians of CPU and wall of each (argv, env), the runs interleaved; the first round warms up and is not counted."""
    taken = [[] for _ in commands]
    for i in range(n + 1):
        for k, (argv, env) in enumerate(commands):
            cost = run(argv, env)
            if i:
                taken[k].append(cost)
    return [tuple(statistics.median(c[j] for c in costs) for j in range(2)) for costs in taken]


class World:
    """The canned server, a home, and trust stores with its certificate among the system's own."""

    def __init__(self, folder):
        self.folder = folder
        ca = tls.make_ca(folder)
        self.pem = tls.make_server(folder, ca)
        self.certs = folder / "certs"
        self.certs.mkdir()
        system = pathlib.Path("/etc/ssl/certs")
        for f in system.iterdir():
            if f.name != "ca-certificates.crt":
                (self.certs / f.name).symlink_to(f.resolve())
        shutil.copy(ca[2], self.certs / "bench.pem")
        name = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", ca[2]], capture_output=True, text=True, check=True).stdout.strip()
        (self.certs / f"{name}.0").symlink_to(self.certs / "bench.pem")
        self.bundle = folder / "bundle.pem"
        self.bundle.write_bytes((system / "ca-certificates.crt").read_bytes() + pathlib.Path(ca[2]).read_bytes())
        self.count = (system / "ca-certificates.crt").read_text().count("BEGIN CERTIFICATE") + 1
        self.context = ssl.create_default_context(cafile=ca[2])
        self.home = folder / "home"
        self.new_home(self.home)
        self.server = subprocess.Popen([sys.executable, str(ROOT / "tests/bench/server.py"), self.pem], stdout=subprocess.PIPE, text=True)
        self.url = f"https://127.0.0.1:{self.server.stdout.readline().strip()}"

    def new_home(self, home):
        """Everything is asked at each poll, whatever it costs: that is the load which the figures are about."""
        path = home / ".config/sluice/config.ini"
        path.parent.mkdir(parents=True, mode=0o700)
        path.write_text("[sluice]\nbudget_usd_per_day = 0\npoll_rest = 1m\n[watch]\neverything = yes\n")
        path.chmod(0o600)

    def env(self, **more):
        return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TERM": "xterm-256color", "HOME": str(self.home), "SSL_CERT_DIR": str(self.certs),
                "AWS_ENDPOINT_URL": self.url, **KEYS, **more}

    def set(self, **state):
        """Changes the server's settings; returns the calls counted since the last time (self.told has their metrics, too)."""
        with urllib.request.urlopen(f"{self.url}/control", data=json.dumps(state).encode(), context=self.context) as r:
            self.told = json.load(r)
        return self.told["calls"]

    def config(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def close(self):
        self.server.kill()
        self.server.wait()


# ---- on a terminal

def on_terminal(argv, env, rows=40, columns=120):
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.execve(argv[0], argv, env)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    return pid, fd


def drain(fd, seconds):
    """Reads what comes for so long; returns the bytes."""
    end, data = time.perf_counter() + seconds, b""
    while (left := end - time.perf_counter()) > 0:
        if select.select([fd], [], [], left)[0]:
            try:
                data += os.read(fd, 65536)
            except OSError:
                break
    return data


def end(pid, fd):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(fd)


def tasks(pid):
    return [f"/proc/{pid}/task/{t}" for t in os.listdir(f"/proc/{pid}/task")]


def memory(pid):
    """(peak, now): resident MB of a process that runs."""
    text = open(f"/proc/{pid}/status").read()
    return tuple(int(re.search(rf"^{name}:\s*(\d+) kB", text, re.M)[1]) / 1024 for name in ("VmHWM", "VmRSS"))


def settle(w, fd, quiet=3, most=60):
    """Reads the terminal until no metric was asked for during so many seconds. Returns what was counted, and whether it became quiet."""
    total, last, start = collections.Counter(), time.perf_counter(), time.perf_counter()
    while (now := time.perf_counter()) - start < most:
        drain(fd, 0.5)
        calls = w.set()
        total.update(calls)
        total.update({k: w.told[k] for k in ("metrics", "percentile_requests")})
        last = now if calls.get("GetMetricData") or not total["GetMetricData"] else last
        if now - last > quiet:
            return total, True
    return total, False


def cpu_ns(pid):
    """Time on a processor of all its threads, to the nanosecond where the kernel tells, else in clock ticks."""
    total = 0
    for t in tasks(pid):
        total += int(open(f"{t}/schedstat").read().split()[0])
    return total


def wakeups(pid):
    return sum(int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", open(f"{t}/status").read(), re.M)[1]) for t in tasks(pid))
