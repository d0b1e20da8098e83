"""Processes looked at from outside: strace's lines, the memory of a process, its state at the moment it ends."""

import contextlib
import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.ptrace.argtypes = [ctypes.c_long] * 4
TRACEME, CONT, ATTACH, DETACH, SETOPTIONS = 0, 7, 16, 17, 0x4200
TRACE_EXIT, KILL_WITH_TRACER, EVENT_EXIT = 0x40, 0x100000, 6

STRACE = shutil.which("strace")
NO_STRACE = "strace is not installed"
QUIET_ASAN = {"ASAN_OPTIONS": "detect_leaks=0:exitcode=99"}  # the leak checker cannot work under another tracer


def strace(log, calls, user=None):
    """What to put before a command: strace itself stays root's, so that it can read a process that is closed to its user."""
    known = ",".join("?" + c for c in calls.split(","))  # an older strace may not know the newest ones
    return [STRACE, "-f", "-qq", "-o", str(log), "-s", "512", "-e", "trace=" + known, "-e", "signal=none", *(["-u", user] if user else [])]


def calls_of(log):
    """(call, arguments, result) of every call; those that another thread interrupted are put together again."""
    begun, found = {}, []
    for line in pathlib.Path(log).read_text(errors="replace").splitlines():
        pid, _, rest = line.partition(" ")
        rest = rest.strip()
        if rest.endswith("<unfinished ...>"):
            begun[pid] = rest.removesuffix("<unfinished ...>")
            continue
        resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", rest)
        if resumed:
            rest = begun.pop(pid, "") + resumed.group(1)
        whole = re.match(r"(\w+)\((.*)\)\s+= (.*)", rest)
        if whole:
            found.append(whole.groups())
    return found


def family(pid):
    """The process and all that it has started, as far as they live."""
    found, todo = [], [pid]
    while todo:
        pid = todo.pop()
        found.append(pid)
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                todo += [int(c) for c in pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split()]
    return found


def memory_hits(pid, needles):
    """How often each needle stands in what the process can write: heap, stacks, data. [stack] holds the environment it was given."""
    hits = dict.fromkeys(needles, 0)
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, modes = line.split()[:2]
            if "rw" not in modes:
                continue
            start, end = (int(x, 16) for x in span.split("-"))
            with contextlib.suppress(OSError, ValueError):
                memory.seek(start)
                block = memory.read(end - start)
                for n in needles:
                    hits[n] += block.count(n)
    return hits


def at_exit(argv, env, look, **more):
    """Runs argv under ptrace and calls look(pid) when it is about to end, its memory still whole. The exit status."""
    p = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, preexec_fn=lambda: _LIBC.ptrace(TRACEME, 0, 0, 0), **more)
    _, status = os.waitpid(p.pid, 0)
    assert os.WIFSTOPPED(status) and os.WSTOPSIG(status) == signal.SIGTRAP
    _LIBC.ptrace(SETOPTIONS, p.pid, 0, TRACE_EXIT | KILL_WITH_TRACER)
    sig, looked = 0, False
    while True:
        _LIBC.ptrace(CONT, p.pid, 0, sig)
        _, status = os.waitpid(p.pid, 0)
        if not os.WIFSTOPPED(status):
            p.returncode = os.waitstatus_to_exitcode(status)
            assert looked
            return p.returncode
        sig = os.WSTOPSIG(status)
        if status >> 16 == EVENT_EXIT:
            look(p.pid)
            sig, looked = 0, True
        elif sig == signal.SIGTRAP:
            sig = 0


def can_attach(pid):
    """Would a debugger of ours get in? To be asked in a process of the user in question."""
    if _LIBC.ptrace(ATTACH, pid, 0, 0) != 0:
        return False
    os.waitpid(pid, 0)
    _LIBC.ptrace(DETACH, pid, 0, 0)
    return True
