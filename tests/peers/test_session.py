"""What a session goes through on every screen: stopped and continued at another size, cut to a cell and blown up to a wall, hung up,
started without streams, in other people's locales."""

import fcntl
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import termios
import time

import pyte
import pytest
from console import Console
from program import LONG, SLOWER, binary, clean_env
from test_terminal import SCREENS, Terminal, go_to, scenario_of

PLACES = [s for s in SCREENS if SCREENS[s] is not None]
QUICK = [s for s in PLACES if s not in ("confirm", "run")]


# ---- J3: stopped and continued, on each screen, at another size

def fresh(c):
    """What a whole repaint shows."""
    c.type("\x0c")
    c.settle()
    return [re.sub(r"\d\d:\d\d:\d\dZ.*", "", line) for line in c.lines]


def stop_and_go(c, size):
    """Stopped; whoever has the terminal meanwhile changes its modes and its size and writes on it; continued."""
    os.kill(c.pid, signal.SIGSTOP)
    _, status = os.waitpid(c.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    c.pump(0)  # what it wrote before it stopped
    cooked = termios.tcgetattr(c.fd)
    cooked[3] |= termios.ECHO | termios.ICANON
    termios.tcsetattr(c.fd, termios.TCSANOW, cooked)
    fcntl.ioctl(c.fd, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    c.screen.resize(size[1], size[0])
    c.screen.erase_in_display(2)
    c.screen.draw("someone else's words")
    os.kill(c.pid, signal.SIGCONT)


@pytest.mark.parametrize("screen", PLACES if LONG else ["overview", "errors", "past", "palette", "writes"])
def test_stopped_resized_continued(tmp_path, screen):
    """Without warning (Ctrl-Z is test_terminal.py's): the screen is whole again, at the new size, and takes keys."""
    with Console(tmp_path, f"--demo={scenario_of(screen)}", columns=80, lines=24, env={"SLUICE_NOW": "2026-11-23T03:14:42Z"} if screen in QUICK else {}) as c:
        c.wait("q quit", "orders-enrich")
        modes = termios.tcgetattr(c.fd)
        go_to(c, screen)
        c.settle()
        for size in ((100, 30), (41, 13), (80, 24)) if LONG else [(100, 30)]:
            stop_and_go(c, size)
            c.wait(lambda c: "someone else" not in c.text and "123456789012" in c.lines[0])
            assert termios.tcgetattr(c.fd) == modes
            shown = [re.sub(r"\d\d:\d\d:\d\dZ.*", "", line) for line in c.lines]
            if screen in QUICK and screen not in ("writes", "lease"):  # any key takes the menu and the note away
                assert shown == fresh(c), "a repaint shows something else"
        c.type("\x03\x03")
        assert c.end() == 0


# ---- J4: the terminal goes

class Hung:
    """A console on a terminal that is then closed; signals blocked or ignored as the caller wants."""

    def __init__(self, home, hup, *args):
        old = signal.signal(signal.SIGHUP, signal.SIG_IGN) if hup == "ignored" else None
        try:
            self.pid, self.fd = pty.fork()
            if self.pid == 0:
                if hup == "blocked":
                    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
                os.execve(binary(), [binary(), *args], clean_env(home))
        finally:
            if old is not None:
                signal.signal(signal.SIGHUP, old)

    def until(self, wanted, seconds=15):
        seen, end = b"", time.monotonic() + seconds * SLOWER
        while wanted not in seen and time.monotonic() < end:
            seen += os.read(self.fd, 65536)
        assert wanted in seen, seen[-300:]

    def ended(self, seconds=2):
        """(how, after how long, seconds of processor meanwhile)"""
        began = time.monotonic()
        while not (done := os.wait4(self.pid, os.WNOHANG))[0]:
            if time.monotonic() - began > seconds * SLOWER:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                pytest.fail(f"still running {seconds} seconds after its terminal had gone")
            time.sleep(0.01)
        return os.waitstatus_to_exitcode(done[1])


@pytest.mark.parametrize("keys,says", [("", b"quit"), ("?", b"HELP"), (":", b"quit"), ("x", b"letter")], ids=["overview", "help", "prompt", "writes"])
@pytest.mark.parametrize("hup", ["default", "ignored", "blocked"])
def test_hang_up(tmp_path, hup, keys, says):
    if not LONG and keys not in ("", "x"):
        pytest.skip("the long run hangs up on all of them")
    h = Hung(tmp_path, hup, "--demo=calm")
    h.until(b"quit")
    if keys:
        os.write(h.fd, keys.encode())
        if says != b"quit":
            h.until(says)
    os.close(h.fd)
    assert h.ended() == (-signal.SIGHUP if hup == "default" else 1)


# ---- J5: no streams

@pytest.mark.parametrize("closed", ["", "0", "1", "2", "01", "02", "12", "012"])
def test_console_without_streams(tmp_path, closed):
    """It needs a terminal at both ends; without one it is a line (where there is somewhere to write it) and status 2, never a loop."""
    closing = " ".join({"0": "<&-", "1": ">&-", "2": "2>&-"}[c] for c in closed) or "</dev/null >/dev/full"
    ran = subprocess.run(["sh", "-c", f'"$@" {closing}', "sh", binary(), "--demo=calm"], env=clean_env(tmp_path), stdin=subprocess.DEVNULL, capture_output=True, timeout=20 * SLOWER)
    assert ran.returncode == 2, ran
    assert ran.stdout == b"" and (b"terminal" in ran.stderr and ran.stderr.count(b"\n") == 1 if "2" not in closed else ran.stderr == b""), ran


# ---- J7: sizes

@pytest.mark.parametrize("screen", [s for s in QUICK if s != "writes"] if LONG else ["overview", "stream", "replay", "help"])
def test_every_small_size(tmp_path, rng, screen):
    """1 x 1 to 40 x 12, every one of them in the long run; then the screen is whole again at the size it had."""
    sizes = [(x, y) for x in range(1, 41) for y in range(1, 13)]
    with Console(tmp_path, f"--demo={scenario_of(screen)}", columns=80, lines=24, emulate=True, env={"SLUICE_NOW": "2026-11-23T03:14:42Z"}) as c:
        c.wait("q quit", "orders-enrich")
        go_to(c, screen)
        c.settle()
        before = fresh(c)
        c.emulate = False
        for x, y in sizes if LONG else rng.sample(sizes, 40):
            fcntl.ioctl(c.fd, termios.TIOCSWINSZ, struct.pack("HHHH", y, x, 0, 0))
            c.pump(0.02)
            assert os.waitpid(c.pid, os.WNOHANG)[0] == 0, f"it died at {x}x{y}: {c.raw[-300:]}"
        fcntl.ioctl(c.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        c.settle()
        c.emulate, c.screen, c.stream = True, (s := pyte.Screen(80, 24)), pyte.ByteStream(s)
        assert fresh(c) == before
        c.type("\x03\x03")
        assert c.end() == 0


@pytest.mark.skipif(not LONG, reason="100,000 of them belong to the long run; test_terminal.py has a sample")
def test_a_hundred_thousand_sizes(tmp_path, rng):
    with Terminal(tmp_path, "--demo=poison-shard", emulate=False) as t:
        t.wait(lambda c: b"orders-enrich" in c.raw)
        for i in range(100_000):
            big = rng.random() < 0.1
            t.resize(rng.randint(1, 500 if big else 120), rng.randint(1, 200 if big else 40))
            if i % 50 == 0:
                t.type(rng.choice(["j", "\r", "?", "n", "V", "/a\x1b", "\t", "G", "\x1b", "3", "5", "4", "1"]))
            t.pump(0.0005)
            if i % 100 == 0:
                t.raw = t.raw[-1000:]
                assert os.waitpid(t.pid, os.WNOHANG)[0] == 0, f"it died: {t.raw[-500:]}"
        t.type("\x03\x03")
        assert t.end() == 0


# ---- J8: locales

LOCALES = {"C": None, "C.UTF-8": None, "de_DE.UTF-8": ("de_DE", "UTF-8"), "tr_TR.UTF-8": ("tr_TR", "UTF-8"), "ja_JP.EUC-JP": ("ja_JP", "EUC-JP"), "ar_EG.UTF-8": ("ar_EG", "UTF-8"),
           "xx_YY.UTF-8": None}


def made(home, name):
    """Other people's locales, made here: none need be installed."""
    if LOCALES[name]:
        if not shutil.which("localedef") or not os.path.isdir("/usr/share/i18n/locales"):
            pytest.skip("localedef and its sources are not installed")
        subprocess.run(["localedef", "--no-archive", "-i", LOCALES[name][0], "-f", LOCALES[name][1], str(home / name)], capture_output=True, timeout=100)
        assert (home / name / "LC_NUMERIC").exists(), name
    return str(home)


@pytest.mark.parametrize("name", LOCALES if LONG else ["de_DE.UTF-8", "xx_YY.UTF-8"])
def test_locale(tmp_path, name):
    """Numbers as in C, words as always; ASCII where the locale is not UTF-8 or is not there."""
    script, locales = tmp_path / "script", made(tmp_path, name)
    script.write_text(f"wait settled\nsave {tmp_path}/a\nkey n Enter\nwait settled\nsave {tmp_path}/b\nquit\n")

    def look(lang):
        with Console(tmp_path, "--demo=poison-shard", columns=120, lines=40,
                     env={"LANG": lang, "LC_ALL": lang, "LOCPATH": locales, "SLUICE_SCRIPT": str(script), "SLUICE_NOW": "2026-11-23T03:14:42Z", "TERM": "vt220"}) as c:
            assert c.end(seconds=60) == 0, c.raw[-300:]
        return (tmp_path / "a").read_bytes() + (tmp_path / "b").read_bytes()
    utf8 = name.endswith("UTF-8") and name != "xx_YY.UTF-8"
    seen = look(name)
    assert seen.isascii() != utf8
    assert seen == look("C.UTF-8" if utf8 else "C")
    ran = subprocess.run([binary(), "--demo=poison-shard", "status", "--format", "json"], capture_output=True, timeout=60,
                         env=clean_env(tmp_path, {"LC_ALL": name, "LOCPATH": locales, "SLUICE_NOW": "2026-11-23T03:14:42Z"}))
    assert ran.returncode == 0 and not re.search(rb"\d,\d", re.sub(rb'"[^"]*"', b"", ran.stdout)), "a decimal comma"
