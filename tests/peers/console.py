"""sluice on a pseudo terminal, its screen read back through an independent terminal emulator (pyte)."""

import contextlib
import fcntl
import os
import pathlib
import pty
import select
import signal
import struct
import termios
import time

import pyte
from program import SLOWER, binary, clean_env


def answer_first_contact(home):
    """A console on an account that it meets for the first time asks what to watch: everything."""
    path = pathlib.Path(home) / ".config/sluice/config.ini"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text("[watch]\neverything = yes\n")
        path.chmod(0o600)


class Console:
    """with Console(home, "--demo", columns=120, lines=40) as c: c.wait("orders"); c.type("q"); c.text"""

    def __init__(self, home, *args, columns=120, lines=40, env=None, emulate=True, first=False):
        if not first:  # first: what is tested is the first contact itself
            answer_first_contact(home)
        self.argv = [binary(), *map(str, args)]
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.size = struct.pack("HHHH", lines, columns, 0, 0)
        # What pyte knows: the console of Linux. xterm's terminfo entry repeats and scrolls in ways that pyte does not follow.
        self.env = clean_env(home, {"TERM": "linux", **(env or {})})
        self.raw = b""
        self.emulate = emulate  # pyte stumbles over what exotic terminals are sent: then the bytes alone are kept
        self.status = None

    def __enter__(self):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(1, termios.TIOCSWINSZ, self.size)
            os.execve(self.argv[0], self.argv, self.env)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, self.size)
        return self

    def started(self):
        """Until the program runs in the place of the Python that was forked for it."""
        with contextlib.suppress(OSError):  # sluice lets nobody but root look: it is there
            while os.path.basename(os.readlink(f"/proc/{self.pid}/exe")) != os.path.basename(self.argv[0]):
                time.sleep(0.0005)

    def __exit__(self, *exc):
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def pump(self, seconds=0.05):
        """Takes in what the program wrote; False when it has gone."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.raw += data
        if self.emulate:
            self.stream.feed(data)
        return bool(data)

    def settle(self, quiet=0.15, seconds=3):
        """Until the program has nothing more to write for a moment (its clock ticks each second): no half frames."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            before = len(self.raw)
            if not self.pump(min(quiet * SLOWER, 0.5)) or len(self.raw) == before:
                break
        return self

    @property
    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self):
        return "\n".join(line for line in self.lines if line)

    def wait(self, *wanted, seconds=15):
        """Until a condition holds: a text on the screen, or a function of the console."""
        end = time.monotonic() + seconds * SLOWER
        def met(w):
            return w(self) if callable(w) else w in self.text
        while time.monotonic() < end:
            if all(met(w) for w in wanted):
                self.settle()
                if all(met(w) for w in wanted):
                    return self
            if not self.pump():
                break
        assert all(met(w) for w in wanted), f"waited for {wanted}; the screen shows:\n{self.text}"
        return self

    def type(self, keys):
        os.write(self.fd, keys.encode())
        return self

    def end(self, seconds=10):
        """The exit status, once the program has ended by itself."""
        stop = time.monotonic() + seconds * SLOWER
        while time.monotonic() < stop:
            self.pump()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                self.settle(quiet=1, seconds=10)  # the kernel hands over what was written last when it gets round to it
                return self.status
        raise AssertionError(f"still running after {seconds} s:\n{self.text}")

    def cell(self, y, head, heading):
        """What stands in line y under a heading: all that touches any of the heading's columns."""
        a = self.screen.display[head].index(heading)
        b, line = a + len(heading), self.screen.display[y]
        while a > 0 and line[a - 1] != " ":
            a -= 1
        while b < len(line) and line[b] != " ":
            b += 1
        return line[a:b].strip()

    def column(self, name, heading, by):
        """The cell under `heading` in the row that holds the name under `by`."""
        heads = [y for y, line in enumerate(self.lines) if {heading, by} <= set(line.split())]
        assert heads, f"no columns {by!r} and {heading!r}:\n{self.text}"
        rows = [y for y in range(heads[0] + 1, len(self.lines)) if self.cell(y, heads[0], by) == name]
        assert rows, f"no {name!r} under {by!r}:\n{self.text}"
        return self.cell(rows[0], heads[0], heading)
