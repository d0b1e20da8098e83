"""Runs sluice as a user would: a home of its own, no setting of the machine's leaking in."""

import dataclasses
import json
import os
import pathlib
import signal
import subprocess

# Whoever runs the tests may ignore signals (nohup does, and a shell for what it starts in the background); what the tests start
# must not inherit that.
for _signal in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
    if signal.getsignal(_signal) == signal.SIG_IGN:
        signal.signal(_signal, signal.default_int_handler if _signal == signal.SIGINT else signal.SIG_DFL)

ROOT = pathlib.Path(__file__).resolve().parents[2]
LONG = bool(os.environ.get("SLUICE_LONG"))
SANITIZER = os.environ.get("SLUICE_SANITIZER", "")
SLOWER = {"": 1, "asan": 3, "tsan": 5}[SANITIZER]  # how much longer a run may take


def binary():
    return os.environ.get("SLUICE") or str(ROOT / "build" / "sluice")


def clean_env(home, more=None):
    keep = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")}
    home = pathlib.Path(home)
    env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **keep, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"),
           "XDG_CACHE_HOME": str(home / ".cache"), "XDG_STATE_HOME": str(home / ".local/state"), "TERM": "xterm-256color",
           "AWS_EC2_METADATA_DISABLED": "true"}  # a test must not ask the machine's own metadata service
    env.update(more or {})
    return env


@dataclasses.dataclass
class Ran:
    argv: list
    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return f"$ {' '.join(self.argv)}\n[{self.status}]\n{self.out[-3000:]}\n--- stderr\n{self.err[-3000:]}"


class Sluice:
    """Call it with the arguments; sanitizer reports fail the run whatever its exit status."""

    def __init__(self, home):
        self.home = pathlib.Path(home)
        self.home.mkdir(parents=True, exist_ok=True)

    def __call__(self, *args, env=None, timeout=60, stdin=None):
        argv = [binary(), *map(str, args)]
        p = subprocess.run(argv, env=clean_env(self.home, env), input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
                           capture_output=True, timeout=timeout * SLOWER, cwd=self.home)
        ran = Ran(argv, p.returncode, p.stdout.decode("utf-8", "surrogateescape"), p.stderr.decode("utf-8", "surrogateescape"))
        assert p.returncode != 99 and "Sanitizer" not in ran.err, str(ran)
        return ran

    def config(self, text):
        path = self.home / "config.ini"
        path.write_text(text)
        return str(path)


def plain(text):
    """No byte of it could move a cursor or hide a letter: what every outlet owes a terminal."""
    return all(c in "\n\t" or (c.isprintable()) for c in text)
