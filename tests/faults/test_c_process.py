"""Reliability line C8: a credential_process on a bad day. It is given a time, a size and no terminal; nothing that it started stays."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import pty
import select
import signal
import subprocess
import time
import uuid

from console import Console
from fakeaws import FakeAws
from program import SLOWER, Sluice, binary, clean_env, plain

LIMIT = 3  # seconds, by -t
KEYS = json.dumps({"Version": 1, "AccessKeyId": "ASIAPRINTED000000001", "SecretAccessKey": "printed/HUSH", "SessionToken": "printed+HUSH"})
MARK = "SLUICE_TEST_CHILD"


def alive(mark):
    """Processes that inherited our mark, zombies apart: they are only names."""
    found = []
    for p in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (p / "environ").read_bytes().split(b"\0") and (p / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                found.append(f"{p.name} {(p / 'cmdline').read_bytes()}")
        except OSError:
            pass
    return found


def gone(mark, seconds=3):
    """What is still there; a kill that has just come may take a moment. A test that fails leaves nothing behind either."""
    end = time.monotonic() + seconds * SLOWER
    while (left := alive(mark)) and time.monotonic() < end:
        time.sleep(0.05)
    for one in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(one.split()[0]), signal.SIGKILL)
    return left


class Case:
    def __init__(self, name, script, command="@HOME@/keys", status=(2,), said=(), hidden=(), mode=0o700, config_mode=0o600, log=False):
        self.name, self.script, self.command, self.status, self.said, self.hidden = name, script, command, status, said, hidden
        self.mode, self.config_mode, self.log = mode, config_mode, log

    def lay(self, home):
        aws = home / ".aws"
        aws.mkdir(parents=True)
        program = home / "keys"
        program.write_text(f"#!/bin/sh\necho ran >> '{home}/ran'\n{self.script}\n")
        program.chmod(self.mode)
        (aws / "config").write_text(f"[default]\nregion = eu-west-1\ncredential_process = {self.command}\n".replace("@HOME@", str(home)))
        (aws / "config").chmod(self.config_mode)

    def reached(self, home):
        return (home / "ran").exists() or self.mode & 0o100 == 0 or self.config_mode & 0o022 or "keys" not in self.command or self.command == "keys"

    def run(self, home, aws):
        """Nothing when all is right, else what is wrong."""
        self.lay(home)
        mark = uuid.uuid4().hex
        begun = time.monotonic()
        args = ["--log", "debug"] if self.log else []
        ran = Sluice(home)("status", "-t", LIMIT, *args, env={"AWS_ENDPOINT_URL": aws.url, MARK: mark}, timeout=30)
        took = time.monotonic() - begun
        wrong = []
        if took > LIMIT + 1.5 * SLOWER:
            wrong.append(f"took {took:.1f} s")
        left = gone(mark)
        if left:
            wrong.append(f"left behind: {left}")
        if ran.status not in self.status:
            wrong.append(f"exit {ran.status}")
        if ran.status and len(ran.err.splitlines()) != 1:
            wrong.append("not one line")
        wrong += [f"does not say {s!r}" for s in self.said if s not in ran.err]
        shown = ran.out + ran.err + ((home / ".local/state/sluice/sluice.log").read_text(errors="replace") if self.log else "")
        wrong += [f"shows {s!r}" for s in ("HUSH", *self.hidden) if s in shown]
        if not plain(ran.err) or len(ran.err) > 1200:
            wrong.append("control characters, or no end")
        return [f"{self.name}: {w}\n{ran}" for w in wrong]


GOOD = f"echo '{KEYS}'"
CASES = [
    Case("hangs", "sleep 600", status=(1,), said=["did not end in time", "/keys"]),
    Case("hangs and minds no signal", "trap '' TERM INT HUP PIPE QUIT\nwhile :; do sleep 1; done", status=(1,), said=["did not end in time"]),
    Case("exits 1", f"{GOOD}\necho 'log in first: run ops-login' >&2\nexit 1", said=["failed with status 1: log in first: run ops-login"]),
    Case("10 MiB of output", "head -c 10485760 /dev/zero | tr '\\0' x", said=["more than 64 KiB"]),
    Case("endless output", "yes HUSH", said=["more than 64 KiB"]),
    Case("bad JSON", "echo '{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"HUSH\"'", said=["printed no JSON"]),
    Case("no JSON object", "echo '[\"HUSH\"]'", said=["printed no JSON"]),
    Case("nothing at all", "exit 0", said=["printed no JSON"]),
    Case("another Version", "echo '{\"Version\":2,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"HUSH\"}'", said=["Version"]),
    Case("half of the keys", "echo '{\"Version\":1,\"AccessKeyId\":\"A\"}'", said=["no secret key"]),
    Case("keys with a line break", "printf '%s' '{\"Version\":1,\"AccessKeyId\":\"A\\nX-Evil: 1\",\"SecretAccessKey\":\"HUSH\"}'", said=["no key has"]),
    Case("forks what outlives it", f"(sleep 600) &\n{GOOD}", status=(0,)),
    Case("forks what holds its output", f"(trap '' TERM; sleep 600; echo) &\nsleep 600 >/dev/null &\n{GOOD}", status=(0,)),
    Case("a tree that hangs", "(sh -c '(sleep 600 & sleep 601) & wait' & wait) &\nwait", status=(1,), said=["did not end in time"]),
    Case("closes its output and sleeps", f"{GOOD}\nexec >&- 2>&-\nsleep 600", status=(1,), said=["did not end in time"]),
    Case("killed by a signal", f"{GOOD}\nkill -SEGV $$", said=["signal 11"]),
    Case("endless complaints with escapes", "i=0; while [ $i -lt 4000 ]; do printf '\\033]0;owned\\007\\033[2J\\033[31m%0100d\\r\\b\\302\\233' $i >&2; i=$((i+1)); done\n"
         "exit 3", said=["status 3", "<U+001B>"]),
    Case("not executable", GOOD, mode=0o600, said=["cannot be started: Permission denied"]),
    Case("a shell's signs", GOOD, command="@HOME@/keys > @HOME@/out; false && $(touch @HOME@/x)", status=(0,)),  # no shell: words like others
    Case("not there", GOOD, command="@HOME@/absent", said=["/absent", "cannot be started: No such file"]),
    Case("relative path", GOOD, command="./keys", status=(0,)),  # where sluice stands, as AWS's tools do
    Case("not by the folder we stand in", GOOD, command="keys", said=["cannot be started"]),
    Case("secrets among its complaints", f"echo 'access HUSH' >&2\n{GOOD}", status=(0,), log=True),
    Case("secrets in its output only", f"echo '{KEYS}'; echo 'no more than this' >&2; exit 9", said=["status 9: no more than this"], log=True),
    Case("secrets among its words", "exit 1", command="@HOME@/keys --password hunter2-HUSH", said=["/keys"], log=True),
    Case("a file that others may write", GOOD, config_mode=0o666, said=["others may write it"]),
]


def test_processes(tmp_path, figure):
    """C8: each case in its time, told in one plain line, nothing left running."""
    with FakeAws() as aws, concurrent.futures.ThreadPoolExecutor(4) as pool:
        homes = [tmp_path / f"{i}" for i in range(len(CASES))]
        wrong = list(pool.map(lambda c, h: c.run(h, aws), CASES, homes))
    reached = sum(bool(c.reached(h)) for c, h in zip(CASES, homes))
    figure("C8", "credential_process misbehaves", attempted=len(CASES), passed=sum(not w for w in wrong), reached=reached,
           note=f"{sum('left behind' in w for one in wrong for w in one)} orphans; the limit was -t {LIMIT}")
    assert not sum(wrong, []), "\n".join(sum(wrong, []))


def on_terminal(home, env, seconds):
    """Everything that came out of a terminal of its own, on which sluice runs."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(home)
        os.execve(binary(), [binary(), "status", "-t", str(LIMIT)], clean_env(home, env))
    out, end = b"", time.monotonic() + seconds * SLOWER
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.2)[0]:
            try:
                data = os.read(fd, 65536)
            except OSError:
                break
            if not data:
                break
            out += data
    os.close(fd)
    _, status = os.waitpid(pid, 0)
    return out.decode(errors="replace"), os.waitstatus_to_exitcode(status)


def test_terminal_out_of_reach(tmp_path, figure):
    """C8: /dev/tty cannot be opened and standard input holds nothing: no prompt, no spoof, no stolen keystroke."""
    home = tmp_path
    Case("tty", "(echo SPOOF > /dev/tty) 2>/dev/null && echo open >> ran\n(read x < /dev/tty) 2>/dev/null && echo read >> ran\n"
                f"test -t 0 && echo terminal >> ran\nread x && echo stdin >> ran\n{GOOD}").lay(home)
    with FakeAws() as aws:
        out, status = on_terminal(home, {"AWS_ENDPOINT_URL": aws.url}, 20)
    ran = (home / "ran").read_text()
    good = status == 0 and "SPOOF" not in out and ran == "ran\n" and "orders" in out
    figure("C8", "credential_process reaches for the terminal", attempted=1, passed=int(good), reached=int("ran" in ran))
    assert good, f"{ran}\n[{status}]\n{out}"


def test_ended_with_us(tmp_path, figure):
    """C8: whoever ends sluice while it waits ends what it waits for."""
    signals = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL]
    passed, reached, wrong = 0, 0, []
    with FakeAws() as aws:
        for i, number in enumerate(signals):
            home, mark = tmp_path / f"{i}", uuid.uuid4().hex
            Case("hang", "exec sleep 600").lay(home)
            p = subprocess.Popen([binary(), "status"], env=clean_env(home, {"AWS_ENDPOINT_URL": aws.url, MARK: mark}), cwd=home, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))
            end = time.monotonic() + 10 * SLOWER
            while not any("sleep" in a for a in alive(mark)) and time.monotonic() < end:
                time.sleep(0.05)
            reached += any("sleep" in a for a in alive(mark))
            p.send_signal(number)
            p.wait(10 * SLOWER)
            left = gone(mark)
            passed += not left
            wrong += [f"{number.name}: {left}"] if left else []
        home, mark = tmp_path / "console", uuid.uuid4().hex  # the console fetches on a thread; leaving it must not wait
        Case("hang", "exec sleep 600").lay(home)
        with Console(home, env={"AWS_ENDPOINT_URL": aws.url, MARK: mark}) as c:
            end = time.monotonic() + 10 * SLOWER
            while not any("sleep" in a for a in alive(mark)) and time.monotonic() < end:
                c.pump()
            reached += any("sleep" in a for a in alive(mark))
            begun = time.monotonic()
            status = c.type("q").end()
            took = time.monotonic() - begun
        left = gone(mark)
        right = status == 0 and took < 2 * SLOWER and not left
        passed += right
        wrong += [] if right else [f"console: exit {status} after {took:.1f} s, {left}"]
    figure("C8", "sluice is ended while it waits for the process", attempted=len(signals) + 1, passed=passed, reached=reached)
    assert not wrong and reached == len(signals) + 1, wrong
