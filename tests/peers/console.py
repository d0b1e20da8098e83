"""sluice on a pseudo terminal, its screen read back through an independent terminal emulator (pyte)."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

import pyte
from program import SLOWER, binary, clean_env


class Console:
    """with Console(home, "--demo", columns=120, lines=40) as c: c.wait("orders"); c.type("q"); c.text"""

    def __init__(self, home, *args, columns=120, lines=40, env=None):
        self.argv = [binary(), *map(str, args)]
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.size = struct.pack("HHHH", lines, columns, 0, 0)
        self.env = clean_env(home, env)
        self.raw = b""
        self.status = None

    def __enter__(self):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(1, termios.TIOCSWINSZ, self.size)
            os.execve(self.argv[0], self.argv, self.env)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, self.size)
        return self

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
        self.stream.feed(data)
        return bool(data)

    @property
    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self):
        return "\n".join(self.lines)

    def wait(self, *wanted, seconds=15):
        """Until a condition holds: a text on the screen, or a function of the console."""
        end = time.monotonic() + seconds * SLOWER
        def met(w):
            return w(self) if callable(w) else w in self.text
        while time.monotonic() < end:
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
                return self.status
        raise AssertionError(f"still running after {seconds} s:\n{self.text}")

    def column(self, row_text, heading):
        """The cell below a heading, in the row that shows row_text: the word that lies under any of the heading's letters."""
        rows = [y for y, line in enumerate(self.lines) if row_text in line]
        heads = [(y, line) for y, line in enumerate(self.lines) if heading in line.split()]
        assert rows and heads, f"no {row_text!r} or no column {heading!r}:\n{self.text}"
        y = rows[0]
        head = [line for hy, line in heads if hy < y][-1]
        start = head.index(heading)
        end = start + len(heading)
        line = self.screen.display[y]
        # Numbers are set flush with their heading's right end, texts with its left.
        a, b = start, end
        while a > 0 and line[a - 1] != " ":
            a -= 1
        while b < len(line) and line[b] != " ":
            b += 1
        return line[a:b].strip()
