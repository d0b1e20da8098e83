"""The console and its terminal: given back whole however the program ends, refused in one line where there is none, never given a
byte that came from outside, usable while the network is not."""

import contextlib
import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import struct
import termios
import time

import pytest
from console import Console
from fakeaws import FakeAws, silent
from program import LONG, SANITIZER, SLOWER, binary, clean_env
from test_outlets import Hostile, leaks

FATAL = [getattr(signal, "SIG" + n) for n in "HUP INT QUIT ILL TRAP ABRT BUS FPE USR1 SEGV USR2 PIPE ALRM TERM XCPU XFSZ VTALRM PROF POLL SYS".split()]
FATAL.append(16)  # STKFLT, which Python does not name


class Terminal(Console):
    """The console on an xterm, whose state before and after can be compared."""

    def __init__(self, home, *args, env=None, **size):
        super().__init__(home, *args, env={"TERM": "xterm-256color", **(env or {})}, **{"columns": 80, "lines": 24, **size})

    def __enter__(self):
        super().__enter__()
        self.before = self.modes()
        return self

    def modes(self):
        return termios.tcgetattr(self.fd)

    def drain(self, seconds=0.3):
        """All that comes until nothing has come for a while."""
        while select.select([self.fd], [], [], seconds)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return
            if not data:
                return
            self.raw += data

    def resize(self, columns, lines):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def is_whole(self):
        """Out of the alternate screen, the cursor shown, no attribute and no keypad mode left on."""
        def last(on, off):
            return self.raw.rfind(off) > self.raw.rfind(on) or on not in self.raw
        attributes = re.findall(rb"\x1b\[([\d;]*)m", self.raw)
        return (last(b"\x1b[?1049h", b"\x1b[?1049l") and last(b"\x1b[?25l", b"\x1b[?25h") and last(b"\x1b[?1h", b"\x1b[?1l")
                and (not attributes or attributes[-1] in (b"", b"0", b"39;49")))


# What is typed to get there, each with what then stands on the screen ("": what stood before is enough).
DLQ = (":open orders-load-dlq\r", "visibility")
NUMBER = "the number that it asks for"
SCREENS = {
    "overview": [], "detail": [("\r", "METRICS")], "help": [("?", "HELP")], "filter": [("/abc", "")], "too small": None,
    "pipeline": [("2", "")], "alarms": [("3", "ACTS")], "events": [("5", "EVENTS")], "event": [("5", "EVENTS"), ("\r", "arn:aws:cloudwatch")],
    "errors": [("jj\r", ""), ("e", "ERRORS")], "past": [("t02:00\r", "PAST")], "prompt of the past": [("t", "back to")], "command": [(":", "")],
    "palette": [("\x10", "")], "frozen": [("Z", "FROZEN")], "first contact": None,
    "stream": [("g\r", "SHARDS")], "queue": [DLQ], "replay": [DLQ, ("4", "GROUPS")], "writes": [DLQ, ("4", "GROUPS"), ("x", "WRITES  a letter")],
    "lease": [("W", "WRITES 1")], "confirm": [DLQ, ("4", "GROUPS"), ("W", "WRITES 1"), ("xr", "type the number")],
    "run": [DLQ, ("4", "GROUPS"), ("W", "WRITES 1"), ("xr", "type the number"), (NUMBER, "BREAKER")],
}


def scenario_of(screen):
    return "poison-shard" if screen in ("confirm", "run") else "calm"


def go_to(t, screen):
    """There, by its keys."""
    for keys, says in SCREENS[screen] or ():
        if keys is NUMBER:  # the queue grows while the keys before were slow
            keys = re.findall(r"replay (\d+) messages", t.text.replace(",", ""))[-1] + "\r"
        t.type(keys)
        t.wait(lambda c, says=says: says.encode() in c.raw) if says else t.settle(quiet=0.05)


@pytest.mark.parametrize("screen", SCREENS)
def test_fatal_signal_leaves_the_terminal_whole(tmp_path, screen):
    """Every screen meets every signal in the long run; one of them, another one from screen to screen, in the short one."""
    at = list(SCREENS).index(screen)
    for n, sig in enumerate(FATAL if LONG else [FATAL[at % len(FATAL)]]):
        check_signal(tmp_path / str(n), sig, screen)


@pytest.mark.parametrize("sig", FATAL, ids=str)
def test_every_fatal_signal(tmp_path, sig):
    check_signal(tmp_path, sig, "overview")


def check_signal(home, sig, screen):
    home.mkdir(exist_ok=True)
    first = screen == "first contact"
    with contextlib.ExitStack() as stack:
        env = stack.enter_context(FakeAws()).env() if first else {"SLUICE_SPEED": "10"} if screen in ("confirm", "run") else {}
        t = stack.enter_context(Terminal(home, *([] if first else [f"--demo={scenario_of(screen)}"]), env=env, first=first))
        t.wait("FIRST CONTACT" if first else "q quit", *([] if first else ["orders-enrich"]))
        if screen == "too small":
            t.resize(20, 5)
        go_to(t, screen)
        t.drain(0.1)
        assert t.modes() != t.before
        os.kill(t.pid, sig)
        assert t.end() == -sig
        t.drain(0.1)
        assert t.modes() == t.before and t.is_whole()
        assert re.search(rb"sluice: ended by SIG[A-Z12]+\r\n$", t.raw), t.raw[-200:]


@pytest.mark.parametrize("when", ["starting", "ending"])
def test_signal_at_any_moment(tmp_path, rng, when):
    """Before the first frame, while it is drawn, while the terminal is given back."""
    signals = [signal.SIGTERM, signal.SIGHUP]
    if not SANITIZER:  # a sanitizer has a handler of its own for it
        signals.append(signal.SIGSEGV)
    for _ in range(40 if LONG else 12):
        with Terminal(tmp_path, "--demo=empty") as t:
            t.started()
            if when == "ending":
                t.wait("q quit").type("q")
            time.sleep(rng.random() * (0.01 if when == "ending" else 0.15))
            with contextlib.suppress(ProcessLookupError):
                os.kill(t.pid, rng.choice(signals))
            status = t.end()
            t.drain(0.05)
            assert status == 0 or -status in signals
            assert t.modes() == t.before and t.is_whole(), t.raw[-200:]


def test_quit_leaves_it_whole(tmp_path):
    with Terminal(tmp_path, "--demo=empty") as t:
        t.wait("q quit").type("q")
        assert t.end() == 0
        t.drain(0.1)
        assert t.modes() == t.before and t.is_whole() and b"sluice:" not in t.raw.split(b"\x1b[?1049l")[-1]


def test_interrupt_is_a_key(tmp_path):
    with Terminal(tmp_path, "--demo=empty") as t:
        t.wait("q quit").type("\x03")
        t.drain()
        assert t.status is None and b"again quits" in t.raw
        t.type("\x03")
        assert t.end() == 0


# ---- hang-up

@pytest.mark.parametrize("ignored", [False, True], ids=["default", "ignored"])
def test_hang_up_ends_it(tmp_path, ignored):
    old = signal.signal(signal.SIGHUP, signal.SIG_IGN) if ignored else None
    try:
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(binary(), [binary(), "--demo=empty"], clean_env(tmp_path))
    finally:
        if ignored:
            signal.signal(signal.SIGHUP, old)
    end = time.monotonic() + 10 * SLOWER
    seen = b""
    while b"quit" not in seen and time.monotonic() < end:
        seen += os.read(fd, 65536)
    os.close(fd)
    closed = time.monotonic()
    while not (done := os.waitpid(pid, os.WNOHANG))[0]:
        if time.monotonic() - closed > 2 * SLOWER:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            pytest.fail("still running two seconds after its terminal had gone")
        time.sleep(0.01)
    assert os.waitstatus_to_exitcode(done[1]) == (1 if ignored else -signal.SIGHUP)


# ---- no terminal

@pytest.mark.parametrize("term,says", [
    ("", "names no terminal"), ("nonsense", "'nonsense' is unknown here"), ("dumb", "'dumb' cannot place its cursor"),
    ("x\x1b[31my", "'x<U+001B>[31my' is unknown here"), ("unknown", "unknown"),
])
def test_unusable_terminal_is_one_line(tmp_path, term, says):
    with Terminal(tmp_path, "--demo=empty", env={"TERM": term}) as t:
        assert t.end() == 2
        t.drain(0.1)
        assert t.modes() == t.before
    line = t.raw.decode()
    assert line.startswith("sluice: TERM: ") and says in line and "set TERM" in line and line.count("\n") == 1 and "\x1b" not in line


def test_no_terminal_is_one_line(sluice):
    ran = sluice()
    assert ran.status == 2 and ran.out == "" and ran.err.startswith("sluice: terminal") and ran.err.count("\n") == 1


# What people sit at; the short run asks these each time, and of the others another sample each time.
USUAL = ("xterm xterm-256color linux vt100 vt220 ansi screen screen-256color tmux tmux-256color rxvt rxvt-unicode-256color alacritty foot "
         "xterm-kitty konsole-256color putty putty-256color st-256color vte-256color gnome-256color iterm2 nsterm mintty wezterm cygwin dumb").split()


def starts(t):
    """Until it has ended by its script or refused its terminal; whether it ran."""
    status = t.end(seconds=20)
    t.drain(0.02)
    assert t.modes() == t.before, t.env["TERM"]
    assert status == 0 or (status == 2 and t.raw.startswith(b"sluice: TERM: ") and t.raw.count(b"\n") == 1), (t.env["TERM"], status, t.raw[-200:])
    return status == 0


def test_every_terminal_starts_or_says_why_not(tmp_path, rng):
    """Every entry of this machine's terminfo (all of them only in the long run)."""
    entries = sorted({p.name for d in ("/lib/terminfo", "/usr/share/terminfo", "/etc/terminfo") for p in pathlib.Path(d).glob("*/*")})
    assert entries
    if not LONG:
        others = [e for e in entries if e not in USUAL]
        entries = [e for e in USUAL if e in entries] + rng.sample(others, min(150, len(others)))
    script = tmp_path / "script"
    script.write_text("wait text quit\nquit\n")
    started = 0
    for at in range(0, len(entries), 8):
        with contextlib.ExitStack() as stack:  # some at a time: starting is mostly waiting
            for t in [stack.enter_context(Terminal(tmp_path / str(i), "--demo=empty", env={"TERM": e, "SLUICE_SCRIPT": str(script)}, emulate=False))
                      for i, e in enumerate(entries[at:at + 8])]:
                started += starts(t)
    print(f"{started} of {len(entries)} terminals started, the rest were refused in one line")
    assert started >= len(entries) * 0.8


# ---- sizes

def test_sizes(tmp_path, rng):
    """From one cell to a wall, while keys come and data flows."""
    with Terminal(tmp_path, "--demo=poison-shard") as t:
        t.wait("orders-enrich")
        for i in range(2000 if LONG else 250):
            big = rng.random() < 0.5
            t.resize(rng.randint(1, 500 if big else 45), rng.randint(1, 200 if big else 14))
            if i % 7 == 0:
                t.type(rng.choice(["j", "\r", "?", "n", "V", "/a\x1b", "\t", "G", "\x1b"]))
            t.drain(0.001)
            assert os.waitpid(t.pid, os.WNOHANG)[0] == 0, f"it died: {t.raw[-500:]}"
        t.screen.resize(24, 80)
        t.resize(80, 24)
        t.drain()
        t.type("\x03\x03")
        assert t.end() == 0


def test_too_small_says_so(tmp_path):
    with Console(tmp_path, "--demo=empty", columns=39, lines=24) as c:
        c.wait("sluice: 80x24 wanted, 40x12 needed")
        assert [line for line in c.lines if line] == ["sluice: 80x24 wanted, 40x12 needed"]
        fcntl.ioctl(c.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 40, 0, 0))
        c.screen.resize(12, 40)
        c.wait("q quit")
        c.type("q")
        assert c.end() == 0


# ---- suspend

def test_stopped_and_continued_unasked(tmp_path):
    """SIGSTOP gives no warning; whoever has the terminal meanwhile changes its modes and its size."""
    with Console(tmp_path, "--demo=empty", columns=80, lines=24) as c:
        c.wait("q quit")
        modes = termios.tcgetattr(c.fd)
        os.kill(c.pid, signal.SIGSTOP)
        os.waitpid(c.pid, os.WUNTRACED)
        cooked = termios.tcgetattr(c.fd)
        cooked[3] |= termios.ECHO | termios.ICANON
        termios.tcsetattr(c.fd, termios.TCSANOW, cooked)
        fcntl.ioctl(c.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        c.screen.resize(30, 100)
        c.screen.erase_in_display(2)
        os.kill(c.pid, signal.SIGCONT)
        c.wait(lambda c: "q quit" in c.lines[29] and c.lines[0].startswith("sluice"))
        assert termios.tcgetattr(c.fd) == modes
        c.type("q")
        assert c.end() == 0


def test_ctrl_z_stops_under_a_shell(tmp_path):
    shell = ["/bin/sh", "-ic", f"set -m; '{binary()}' --demo=empty; echo STOPPED $?; fg; echo ENDED $?"]
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(shell[0], shell, clean_env(tmp_path, {"TERM": "xterm-256color", "PS1": "$ "}))
    raw, end, sent = b"", time.monotonic() + 20 * SLOWER, []

    def once(when, keys):
        if when in raw and keys not in sent and not select.select([fd], [], [], 0.3)[0]:
            sent.append(keys)
            os.write(fd, keys)
    with contextlib.suppress(OSError):
        while time.monotonic() < end and b"ENDED" not in raw:
            if select.select([fd], [], [], 0.05)[0]:
                raw += os.read(fd, 65536)
            once(b"quit", b"\x1a")
            once(b"STOPPED", b"q")
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(fd)
    stopped = raw.find(b"STOPPED")
    assert stopped > 0 and b"ENDED 0" in raw, raw[-400:]
    assert raw.rfind(b"\x1b[?1049l", 0, stopped) > raw.rfind(b"\x1b[?1049h", 0, stopped)  # whole while the shell has it
    assert raw.find(b"\x1b[?1049h", stopped) > 0  # and taken again


# ---- what may reach it

# The sequences of TERM=xterm-256color that curses uses here; anything else came from somewhere else.
OURS = re.compile(rb"\x1b\[\?(?:1|7|12|25|1049)(?:;\d+)*[hl]|\x1b\[(?:22|23);0;0t|\x1b\[4l|\x1b\[[\d;]*[ABCDGHJKLMPSTX@bdmr]|\x1b\(B|\x1b[=>78M]")


def strip(raw):
    return OURS.sub(b"", raw)


@pytest.mark.parametrize("lang", ["C.UTF-8", "C"])
def test_hostile_text_stays_text(tmp_path, lang):
    """Every field hostile, every page of every list seen: only curses' own sequences and visible text reach the terminal."""
    with FakeAws(answers=Hostile()) as aws, Terminal(tmp_path, columns=200, lines=60, env=aws.env(LANG=lang)) as t:
        t.wait(lambda c: b"worst first" in c.raw, seconds=60)
        t.drain(0.5)
        for keys in ["\x1b[6~"] * 8 + ["\t"] + ["\x1b[6~"] * 30 + ["\t", "g", "\r", "j", "j", "q", "n", "\r", "q", "?", "q", "s", "V", "/x", "\x1b"]:
            t.type(keys)
            t.drain(0.05)
        t.type("\x03\x03")
        assert t.end() == 0
        t.drain(0.1)
    text = strip(t.raw)
    assert b"<U+001B>" in text
    bare = text.decode("ascii" if lang == "C" else "utf-8")  # raises on a stray byte
    assert not leaks(bare, extra="\r\n\b"), leaks(bare, extra="\r\n\b")[:10]


# ---- colour

def colors(raw):
    return re.findall(rb"\x1b\[[\d;]*\b(?:3[0-7]|38;[25];[\d;]+|9[0-7])m", raw)


@pytest.mark.parametrize("args,env,colored", [
    ([], {}, True), ([], {"NO_COLOR": "1"}, False), ([], {"NO_COLOR": ""}, True), (["--color", "never"], {}, False),
    (["--color", "always"], {"NO_COLOR": "1"}, True), ([], {"TERM": "vt220"}, False),
])
def test_color(tmp_path, args, env, colored):
    with Terminal(tmp_path, "--demo=poison-shard", *args, env=env) as t:
        t.wait(lambda c: b"error rate" in c.raw)
        t.drain()
        assert bool(colors(t.raw)) == colored
        assert b"!!" in t.raw  # the mark says it anyhow


# ---- what it costs and what it waits for

def test_nothing_new_writes_nothing_but_the_clock(tmp_path):
    with Terminal(tmp_path, "--demo=calm") as t:
        t.wait("orders-enrich")
        t.drain(0.5)
        seen = len(t.raw)
        end = time.monotonic() + 3
        while time.monotonic() < end:
            t.pump(0.1)
        wrote = len(t.raw) - seen
        t.type("q")
        assert t.end() == 0
    assert 0 < wrote <= 50 * 4, f"{wrote} bytes in three seconds"


def test_keys_work_while_the_network_hangs(tmp_path):
    """The first frame and every key are answered although AWS says nothing at all."""
    with FakeAws(faults={"*": silent}) as aws, Console(tmp_path, env=aws.env()) as c:
        started = time.monotonic()
        c.wait("asking AWS...", "q quit")
        c.type("?").wait("HELP")
        c.type("q").wait("STAGES")
        assert time.monotonic() - started < 5 * SLOWER
        c.type("q")
        assert c.end(seconds=5) == 0


def test_first_frame_comes_from_the_history_and_says_so(tmp_path):
    """What was known stands there at once, each value of it marked as old; nothing is ok until AWS has answered."""
    with FakeAws() as aws:
        with Console(tmp_path, env=aws.env()) as c:
            c.wait("orders-dlq", lambda c: re.search(r"\bok ?5\b", c.lines[0]))
            c.type("q")
            assert c.end() == 0
        aws.faults = {"*": silent}
        with Console(tmp_path, env=aws.env(), columns=120) as c:
            c.wait("orders-dlq", "q quit")
            rows = [line for line in c.lines if re.match(r".{4}(orders-dlq|billing) +sqs", line)]
            assert len(rows) == 2 and all(re.search(r" ~\d+ ", row) for row in rows), c.text
            assert "LIVE" not in c.lines[0] and not re.search(r"\bok ?[1-9]", c.lines[0]), c.text
            c.type("\r").wait("METRICS")
            c.type("qq")
            assert c.end(seconds=5) == 0
