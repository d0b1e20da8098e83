"""The terminal is given back however the program itself breaks: by its own hand (abort, a failed assertion, a smashed stack, a heap that does
not add up), by a fault inside curses, by a stack that is used up, by memory that is used up; on the thread of the screen or on another.
break.c, loaded into it, breaks it when a key is read."""

import contextlib
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from fakeaws import FakeAws
from program import LONG, SANITIZER
from test_terminal import Terminal

WAYS = {"abort": "ABRT", "assert": "ABRT", "smashed": "ABRT", "twice": "ABRT", "heap": "ABRT", "null": "SEGV", "curses": "SEGV", "overflow": "SEGV", "starved": None,
        "abort-thread": "ABRT", "null-thread": "SEGV", "overflow-thread": "SEGV"}
pytestmark = pytest.mark.skipif(bool(SANITIZER), reason="a sanitizer has handlers and an allocator of its own")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    cc = shutil.which("cc") or shutil.which("gcc")
    if not cc:
        pytest.skip("no C compiler")
    out = tmp_path_factory.mktemp("break") / "break.so"
    subprocess.run([cc, "-shared", "-fPIC", "-O0", "-fno-stack-protector", "-w", "-o", out, Path(__file__).with_name("break.c"), "-ldl"], check=True)
    return str(out)


CASES = [(way, where) for way in WAYS for where in ("demo", "account") if LONG or where == "demo" or way.endswith("-thread")]


@pytest.mark.parametrize("way,where", CASES)
def test_broken(tmp_path, library, way, where):
    """In the demo another thread is the embedded AWS or the engine, else the engine."""
    with contextlib.ExitStack() as stack:
        demo = where == "demo"
        env = {} if demo else stack.enter_context(FakeAws()).env()
        t = stack.enter_context(Terminal(tmp_path, *(["--demo=calm"] if demo else []), env={**env, "LD_PRELOAD": library, "BREAK": way}))
        t.wait("q quit", "STAGES")
        assert t.modes() != t.before
        t.type("\x1d")
        if way == "starved":
            t.type("?j:")  # what is drawn next wants memory
        status = t.end()
        assert t.modes() == t.before and t.is_whole(), t.raw[-300:]
        left = t.raw.rsplit(b"\x1b[?1049l", 1)[1]
        if WAYS[way]:
            assert status == -getattr(signal, "SIG" + WAYS[way]), status
            assert re.search(rb"sluice: ended by SIG" + WAYS[way].encode() + rb"\r\n$", left), left
        else:
            assert status == 70 and b"sluice: out of memory" in left, (status, left)
