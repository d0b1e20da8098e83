"""Reliability lines K1, K3-K5 and K9: what other users of the machine, a crash or a debugger can get at. K2 is in test_c_canary.py."""

import concurrent.futures
import contextlib
import os
import pathlib
import pty
import re
import resource
import shutil
import signal
import stat
import subprocess
import time

import pytest
from asuser import NOBODY, OTHER, WHY_NOT, AsUser, plain_binary
from console import Console
from fakeaws import FakeAws
from program import SLOWER, binary, clean_env
from traced import NO_STRACE, QUIET_ASAN, STRACE, at_exit, calls_of, can_attach, memory_hits, strace

KEY, SECRET = "AKIASLUICEHOST000001", "hostSecret/hostSecret+hostSecret+hostSec"
TOKEN = "IQoJhostToken" + "hostTokenhostToken/+" * 20
PROFILE = f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\naws_session_token = {TOKEN}\n"


def skip_unless(figure, id, what, attempted, **needed):
    why = "; ".join(w for w, there in needed.items() if not there)
    if why:
        figure(id, what, attempted=attempted, skipped=attempted, why=why)
        pytest.skip(why)


def aws_env(aws, **more):
    return {"AWS_ENDPOINT_URL": aws.url, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, **more}


# ---- K1

WRITES = "openat,open,creat,openat2,mkdir,mkdirat,mknod,mknodat,chmod,fchmod,fchmodat,fchmodat2,link,linkat,symlink,symlinkat,socket,bind"
MASKS = [0o000, 0o022, 0o077]


def wrong_creations(log, top):
    """Everything made below `top` with other rights than its owner's alone, and rights that were put right only afterwards."""
    wrong, made = [], 0
    for call, args, result in calls_of(log):
        if call.startswith("open") and "O_CREAT" in args and not result.startswith("-1"):
            made += str(top) in args
            if args.rsplit(", ", 1)[-1] not in ("0600", "000"):
                wrong.append(f"{call}({args})")
        elif call.startswith("mkdir") and not result.startswith("-1"):
            made += str(top) in args
            if not args.endswith(", 0700"):
                wrong.append(f"{call}({args})")
        elif call in ("creat", "mknod", "mknodat", "link", "linkat", "symlink", "symlinkat") or "chmod" in call:
            wrong.append(f"{call}({args})")
        elif call == "bind" and "sin_port=htons(0)" not in args and "AF_NETLINK" not in args:
            wrong.append(f"{call}({args})")
    return wrong, made


def everything_made(user, aws, mask, log):
    """All that sluice ever writes: history with its companions, log, result file, set-aside history, the demo's folder."""
    env = aws_env(aws, TMPDIR=str(user.folder(user.top / "tmp")), **QUIET_ASAN)
    seen, n = {}, 0

    def look(top):
        for folder, folders, files in os.walk(top):
            for name in folders + files:
                with contextlib.suppress(OSError):
                    path = pathlib.Path(folder, name)
                    seen[path] = path.lstat()

    def run(*args):
        nonlocal n
        n += 1
        p = subprocess.Popen([*strace(f"{log}.{n}", WRITES, "nobody"), user.copy, *args], env=user.env(None, env), cwd=user.home,
                             umask=mask, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while p.poll() is None:  # what goes again before the end is seen as well
            look(user.home)
            look(user.top / "tmp")
            time.sleep(0.002)
        err = p.stderr.read()
        p.stderr.close()
        assert p.returncode in (0, 1, 2, 3) and b"Sanitizer" not in err and b"strace" not in err, err
    run("status", "--log", "debug")
    run("--check", "--format", "json", "--out", "result.json")
    history = user.home / ".cache/sluice/history.db"
    with open(history, "r+b") as f:
        f.seek(100)
        f.write(b"damaged" * 2000)
    run("status", "--log", "debug")
    run("history", "-", "AWS/SQS/NumberOfMessagesSent{QueueName=orders}:Sum", "--since", "10m", "--format", "csv")
    run("--demo", "status")
    look(user.home)
    return seen, n


def test_modes_of_everything_made(tmp_path, figure):
    """K1: whatever the umask, private from the first moment."""
    skip_unless(figure, "K1", "modes of everything made", len(MASKS), **{WHY_NOT: os.geteuid() == 0, NO_STRACE: STRACE})
    wrong, files, made, kinds = [], 0, 0, set()
    for mask in MASKS:
        with AsUser() as user, FakeAws() as aws:
            log = tmp_path / f"trace-{mask:o}"
            seen, runs = everything_made(user, aws, mask, log)
            for path, st in seen.items():
                right = 0o700 if stat.S_ISDIR(st.st_mode) else 0o600
                if stat.S_IMODE(st.st_mode) != right or st.st_uid != NOBODY:
                    wrong.append(f"umask {mask:03o}: {path}: {stat.S_IMODE(st.st_mode):04o}")
            files += len(seen)
            kinds |= {re.sub(r"(?<=-demo-)\w{6}$|(?<=corrupt-)[^-]*|(?<=json.)\w{6}$", "*", p.name) for p in seen}
            for i in range(1, runs + 1):
                bad, n = wrong_creations(f"{log}.{i}", user.top)
                # It lives for a moment: on a busy machine strace alone may have seen it.
                kinds |= {"result.json.*"} if re.search(r"/result\.json\.\w{6}\"", pathlib.Path(f"{log}.{i}").read_text(errors="replace")) else set()
                wrong += [f"umask {mask:03o}: {b}" for b in bad]
                made += n
    wanted = {"history.db", "history.db-wal", "history.db-shm", "history.db.lock", "sluice.log", "result.json", "result.json.*", "sluice", "sluice-demo-*",
              "history.db.corrupt-*"}
    missing = wanted - kinds
    figure("K1", "modes of everything made, umask 000, 022, 077", attempted=files, passed=files - len(wrong) if not missing else 0, reached=made,
           note=f"{files} files and folders seen while they were there, {made} creations in strace's log, {len(wrong)} wrong, no chmod afterwards: "
           + " ".join(sorted(kinds)))
    assert not wrong, "\n".join(wrong[:20])
    assert not missing, missing


FOLDERS = {  # the state of an existing folder of ours -> is it used?
    "ours 0700": (0o700, NOBODY, True), "ours 0755": (0o755, NOBODY, True), "ours 0770": (0o770, NOBODY, False),
    "ours 0777": (0o777, NOBODY, False), "ours 1777": (0o1777, NOBODY, False), "another's 0755": (0o755, OTHER, False),
    "another's 0777": (0o777, OTHER, False), "root's 0777": (0o777, 0, False)}


def try_folder(name):
    mode, owner, used = FOLDERS[name]
    wrong = []
    with AsUser() as user, FakeAws() as aws:
        for folder in (user.home / ".cache", user.home / ".local", user.home / ".local/state"):
            user.folder(folder)
        for folder in (user.home / ".cache/sluice", user.home / ".local/state/sluice"):
            user.folder(folder, mode)
            os.chown(folder, owner, owner)
        with_cache = user("status", env=aws_env(aws))
        inside = list((user.home / ".cache/sluice").iterdir())
        if with_cache.status != 0 or bool(inside) != used or ("note: history: " in with_cache.err) == used:
            wrong.append(f"{name}: cache {inside} {with_cache}")
        wrong += [f"{name}: {p}" for p in inside if stat.S_IMODE(p.stat().st_mode) != 0o600]
        with_log = user("status", "--log", "debug", env=aws_env(aws))
        log = list((user.home / ".local/state/sluice").iterdir())
        if (with_log.status == 0) != used or bool(log) != used:
            wrong.append(f"{name}: state {log} {with_log}")
        wrong += [f"{name}: {p}" for p in log if stat.S_IMODE(p.stat().st_mode) != 0o600]
    return wrong


def test_folders_with_wrong_modes(figure):
    """K1: folders that were there before, the cache's and the state's."""
    skip_unless(figure, "K1", "existing folders with wrong modes or owners", len(FOLDERS), **{WHY_NOT: os.geteuid() == 0})
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(try_folder, FOLDERS))
    figure("K1", "existing folders with wrong modes or owners", attempted=2 * len(FOLDERS), passed=2 * len(FOLDERS) - sum(map(len, results)),
           reached=2 * len(FOLDERS), note="history left out with a note, log refused; 0700 and 0755 of ours used with files of 0600")
    assert not any(results), "\n".join(sum(results, []))


# ---- K3

def alone(user, pid):
    """What a process of the same user gets at: (ptrace, memory, environment)."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(user.gid)
        os.setuid(user.uid)
        os.write(theirs, b"".join(b"1" if got else b"0" for got in (can_attach(pid), readable(pid, "mem"), readable(pid, "environ"))))
        os._exit(0)
    os.close(theirs)
    os.waitpid(child, 0)
    got = os.read(ours, 3)
    os.close(ours)
    assert len(got) == 3
    return [c == ord("1") for c in got]


def readable(pid, name):
    try:
        with open(f"/proc/{pid}/{name}", "rb", 0):
            return True
    except OSError:
        return False


class Running:
    """The console as another user, on a terminal of ours."""

    def __init__(self, user, env):
        self.master, slave = pty.openpty()
        os.fchown(slave, user.uid, user.gid)
        self.process = user.popen(env=env, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                  before=(), preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2))
        os.close(slave)
        self.pid = self.process.pid

    def wait(self, text, seconds=20):
        os.set_blocking(self.master, False)
        got, end = b"", time.monotonic() + seconds * SLOWER
        while text not in got and time.monotonic() < end:
            try:
                got += os.read(self.master, 65536)
            except BlockingIOError:
                time.sleep(0.02)
        assert text in got, got[-500:]
        return self

    def close(self):
        os.close(self.master)
        if self.process.poll() is None and self.process.returncode is None:
            self.process.kill()
            self.process.wait()


def raise_limit(pid):
    try:
        resource.prlimit(pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
        return True
    except PermissionError:
        return False


def dumped(pid):
    """Sends SIGABRT; did the kernel write a core? (It says so in the status, wherever the core went.)"""
    os.kill(pid, signal.SIGABRT)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGABRT, os.WCOREDUMP(status)


def test_no_core_and_no_debugger(figure):
    """K3: limits raised before and while it runs, a debugger of the same user. Beside it, sleep: what is not kept from it proves nothing."""
    program = plain_binary()
    skip_unless(figure, "K3", "core files and debuggers of the same user", 6, **{WHY_NOT: os.geteuid() == 0,
                "the program as shipped is not built beside the sanitizer's": program})
    outcome, reached = {}, 0
    with AsUser(program) as user, FakeAws() as aws:
        control = subprocess.Popen(["sleep", "60"], user=user.uid, group=user.gid, extra_groups=[], cwd=user.home,
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2))
        running = Running(user, aws_env(aws))
        try:
            running.wait(b"enrich")
            for what, there, here in zip(("ptrace", "/proc/PID/mem", "/proc/PID/environ"), alone(user, control.pid), alone(user, running.pid)):
                outcome[what] = not here
                reached += there
            if shutil.which("gcore"):
                def gcore(pid):
                    out = user.top / f"gcore{pid}"
                    subprocess.run(["gcore", "-o", str(out), str(pid)], user=user.uid, group=user.gid, extra_groups=[], cwd=user.home,
                                   env=user.env(), capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
                    return any(user.top.glob(f"gcore{pid}*"))
                user.top.chmod(0o777)
                reached += gcore(control.pid)
                outcome["gcore"] = not gcore(running.pid)
            # however it came to be: the limits are up now, in a process that has put them down
            raised = raise_limit(running.pid)
            aborted, core = dumped(running.pid)
            running.process.returncode = -signal.SIGABRT
            _, there = dumped(control.pid)
            control.returncode = -signal.SIGABRT
            if raised:
                outcome["SIGABRT, limit raised while it runs"] = aborted and not core
                reached += there
        finally:
            running.close()
            if control.returncode is None:
                control.kill()
                control.wait()
        second = Running(user, aws_env(aws))
        try:
            second.wait(b"enrich")
            limit = re.search(r"^Max core file size +(\S+) +(\S+)", pathlib.Path(f"/proc/{second.pid}/limits").read_text(), re.M).groups()
            aborted, core = dumped(second.pid)
            second.process.returncode = -signal.SIGABRT
            outcome["SIGABRT, limit raised before"] = aborted and not core and limit == ("0", "0")
            reached += there
        finally:
            second.close()
    skipped = 6 - len(outcome)
    figure("K3", "core files and debuggers of the same user", attempted=6, passed=sum(outcome.values()), reached=reached, skipped=skipped,
           why="; ".join(([] if raised else ["nobody here may raise the limit of a running process"]) +
                         ([] if shutil.which("gcore") else ["gcore is not installed"])), note="each beside a sleep of the same user, where it succeeds when counted as reached: " + ", ".join(outcome))
    assert all(outcome.values()), outcome


def test_keys_in_its_own_memory(tmp_path, figure):
    """K3: how often keys stand in the process's memory, at a quiet moment and at its end."""
    program = plain_binary()
    what = "secret key, token in own memory: 1-2 while needed, 0 at end"
    skip_unless(figure, "K3", what, 4, **{WHY_NOT: os.geteuid() == 0,
                "the program as shipped is not built beside the sanitizer's": program})
    # Requests as they went over the wire, which libcurl alone puts together: its buffers, most of them freed long ago.
    secret, token, sent = SECRET.encode(), TOKEN.encode(), b"\r\nX-Amz-Security-Token: " + TOKEN.encode() + b"\r\n"
    needles = [secret, token, sent]
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    credentials = home / ".aws" / "credentials"
    credentials.write_text(PROFILE)
    credentials.chmod(0o600)
    counted = {}
    with FakeAws() as aws:
        env = clean_env(home, {"AWS_ENDPOINT_URL": aws.url, "AWS_REGION": "eu-west-1"})
        status = at_exit([str(program), "status", "--log", "debug"], env, lambda pid: counted.update(end=memory_hits(pid, needles)),
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=home)
        master, slave = pty.openpty()
        p = subprocess.Popen([str(program)], env=env, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, cwd=home)
        os.close(slave)
        os.set_blocking(master, False)
        got, end = b"", time.monotonic() + 20
        while b"enrich" not in got and time.monotonic() < end:
            try:
                got += os.read(master, 65536)
            except BlockingIOError:
                time.sleep(0.05)
        time.sleep(0.5)  # the round is over: nothing is signed or sent
        os.kill(p.pid, signal.SIGSTOP)
        counted["quiet"] = memory_hits(p.pid, needles)
        control = memory_hits(os.getpid(), [SECRET.encode()])[SECRET.encode()]
        p.kill()
        p.wait()
        os.close(master)
    quiet, end = counted["quiet"], counted["end"]
    own = {"secret key": (quiet[secret], end[secret]), "session token": (quiet[token] - quiet[sent], end[token] - end[sent])}
    right = sum((a in (1, 2)) + (b == 0) for a, b in own.values())  # where they came from, and the set in use
    asked = b"enrich" in got and sum(aws.calls.values()) > 10
    figure("K3", what, attempted=4, passed=right, reached=4 if control > 0 and asked else 0,
           note="at a quiet moment and at the end: " + "; ".join(f"{k} {a} and {b}" for k, (a, b) in own.items())
           + f"; beside them {quiet[sent]} and {end[sent]} whole requests of libcurl's with the token in them")
    assert status == 0 and right == 4 and asked, counted



# ---- K4

PRECIOUS = b"precious\n" * 10


class Plant:
    """One thing planted where sluice would write. Afterwards the victim must be as it was."""

    def __init__(self, user, kind, at, owner):
        self.user, self.at = user, at
        self.victim = user.file(user.home / "victim", PRECIOUS, 0o644)
        if kind == "symlink":
            at.symlink_to(self.victim)
        elif kind == "hard link":
            os.link(self.victim, at)
        elif kind == "folder link":
            user.file(user.folder(user.home / "elsewhere") / "kept", PRECIOUS)
            at.symlink_to(user.home / "elsewhere")
        else:
            os.mkfifo(at, 0o666)
            at.chmod(0o666)
        if kind != "hard link":
            os.chown(at, owner, owner, follow_symlinks=False)
        self.before = self.state()

    def state(self):
        st = self.victim.stat()
        other = self.user.home / "elsewhere"
        return (self.victim.read_bytes(), st.st_mtime_ns, st.st_mode, st.st_uid, sorted(p.name for p in other.iterdir()) if other.exists() else [],
                stat.S_IFMT(self.at.lstat().st_mode))

    def harmed(self, replaced=False):
        now = self.state()
        return now[:5] != self.before[:5] or (not replaced and now[5] != self.before[5])


def plant_history(kind, name, owner=OTHER):
    """The history is left out, with a note; the answer comes all the same."""
    with AsUser() as user, FakeAws() as aws:
        user.folder(user.home / ".cache")
        if kind != "folder link":
            user.folder(user.home / ".cache/sluice")
        plant = Plant(user, kind, user.home / ".cache" / name, owner)
        ran = user("status", env=aws_env(aws), timeout=15)
        right = ran.status == 0 and "note: history: " in ran.err and not plant.harmed()
    return "" if right else f"{kind} at {name}: {ran}"


def plant_log(kind, name, owner=OTHER):
    with AsUser() as user, FakeAws() as aws:
        for folder in (user.home / ".local", user.home / ".local/state"):
            user.folder(folder)
        if kind != "folder link":
            user.folder(user.home / ".local/state/sluice")
        plant = Plant(user, kind, user.home / ".local/state" / name, owner)
        ran = user("status", "--log", "debug", env=aws_env(aws), timeout=15)
        right = ran.status == 1 and ran.err.count("\n") == 1 and not plant.harmed() and not aws.calls
    return "" if right else f"{kind} at {name}: {ran}"


def plant_out(kind, owner=OTHER):
    """In a folder like /tmp. A hard link is a name like another: the result takes it over, what it named stays."""
    with AsUser() as user, FakeAws() as aws:
        shared = user.top / "shared"
        shared.mkdir()
        shared.chmod(0o1777)
        plant = Plant(user, kind, shared / "result.json", owner)
        ran = user("--check", "--format", "json", "--out", plant.at, env=aws_env(aws), timeout=15)
        if kind == "hard link":
            st = plant.at.stat()
            right = ran.status == 0 and not plant.harmed(replaced=True) and st.st_nlink == 1 and st.st_size > 100
        else:
            right = ran.status == 3 and ran.err.count("\n") == 1 and not plant.harmed()
        right = right and [p.name for p in shared.iterdir()] == ["result.json"]
    return "" if right else f"{kind} at --out: {ran}"


def plant_tmp(kind, owner=OTHER):
    """The demo's folder has a name that nobody can guess; what can be planted is the way to it."""
    with AsUser() as user:
        tmp = user.top / "tmp"
        if kind == "folder link":
            plant = Plant(user, kind, tmp, owner)
            ran = user("--demo", "status", env={"TMPDIR": str(tmp)}, timeout=20)
            right = ran.status == 1 and ran.err.count("\n") == 1 and not plant.harmed()
        else:
            tmp.mkdir()
            tmp.chmod(0o777)
            ran = user("--demo", "status", env={"TMPDIR": str(tmp)}, timeout=20)
            right = ran.status == 1 and ran.err.count("\n") == 1 and not list(tmp.iterdir())
    return "" if right else f"{kind} at TMPDIR: {ran}"


PLANTS = [
    *((plant_history, kind, name) for kind in ("symlink", "hard link", "pipe") for name in
      ("sluice/history.db", "sluice/history.db-wal", "sluice/history.db.lock")),
    (plant_history, "symlink", "sluice/history.db-shm"), (plant_history, "symlink", "sluice/history.db-journal"),
    (plant_history, "folder link", "sluice"), (plant_history, "symlink", "sluice/history.db", NOBODY),
    *((plant_log, kind, "sluice/sluice.log") for kind in ("symlink", "hard link", "pipe")), (plant_log, "folder link", "sluice"),
    (plant_log, "symlink", "sluice/sluice.log", NOBODY), *((plant_out, kind) for kind in ("symlink", "hard link", "pipe")),
    (plant_tmp, "folder link"), (plant_tmp, "open folder")]


def test_planted_names(figure):
    """K4."""
    what = "links and pipes planted where sluice writes"
    skip_unless(figure, "K4", what, len(PLANTS), **{WHY_NOT: os.geteuid() == 0})
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        wrong = [w for w in pool.map(lambda p: p[0](*p[1:]), PLANTS) if w]
    figure("K4", what, attempted=len(PLANTS), passed=len(PLANTS) - len(wrong), reached=len(PLANTS),
           note="as another user: history and its companions, lock, log, --out, TMPDIR; no victim followed, cut or changed, no hang")
    assert not wrong, "\n".join(wrong)


# ---- K5

# struct vfs_cap_data, version 2, effective, CAP_NET_BIND_SERVICE permitted
FILE_CAPABILITY = (0x02000001).to_bytes(4, "little") + (1 << 10).to_bytes(4, "little") + bytes(12)


def test_raised_rights_are_refused(figure):
    """K5: a set-user-ID, a set-group-ID copy and one with a file capability."""
    program = plain_binary()
    what = "copies with set-user-ID, set-group-ID, capabilities: refused"
    skip_unless(figure, "K5", what, 3, **{WHY_NOT: os.geteuid() == 0, "the program as shipped is not built beside the sanitizer's": program})
    right, reached = 0, 0
    with AsUser(program) as user:
        for kind in ("plain", "set-user-ID", "set-group-ID", "capability"):
            os.chmod(user.copy, {"set-user-ID": 0o4755, "set-group-ID": 0o2755}.get(kind, 0o755))
            if kind == "capability":
                os.setxattr(user.copy, "security.capability", FILE_CAPABILITY)
            ran = user("--version")
            if kind == "plain":
                assert ran.status == 0, str(ran)
                continue
            reached += ran.status == 3
            right += ran.status == 3 and ran.out == "" and ran.err.count("\n") == 1 and "set-user-ID or with file capabilities" in ran.err
    figure("K5", what, attempted=3, passed=right, reached=reached)
    assert right == 3


# ---- K9

SCRIPTS = {
    "status": ["status", "--log", "debug"], "json": ["status", "--format", "json"], "check": ["--check", "--format", "json", "--out", "check.json"],
    "doctor": ["doctor"], "history": ["history", "-", "AWS/SQS/NumberOfMessagesSent{QueueName=orders}:Sum", "--since", "10m"],
    "help": ["--help"], "manual": ["help", "--man"], "version": ["--version"], "demo": ["--demo", "status"], "demo check": ["--demo=denied", "--check"],
    "usage": ["--nonsense"]}


def execs(log):
    """All but the first, which is strace's own."""
    return [f"{c}({a})" for c, a, r in calls_of(log) if c in ("execve", "execveat")][1:]


def test_nothing_is_started(tmp_path, figure):
    """K9: every command, and the console with its screens, under strace."""
    what = "programs started by commands and the console"
    skip_unless(figure, "K9", what, len(SCRIPTS) + 2, **{NO_STRACE: STRACE})
    started, right, traced_calls = [], 0, 0
    home = tmp_path / "home"
    home.mkdir()

    def count(name):
        nonlocal right, traced_calls
        found = execs(tmp_path / name)
        traced_calls += len(calls_of(tmp_path / name)) > 0
        right += not found
        started.extend(found)
    with FakeAws() as aws:
        env = aws_env(aws, EDITOR="/bin/false", PAGER="/bin/false", BROWSER="/bin/false", **QUIET_ASAN)
        for name, args in SCRIPTS.items():
            ran = subprocess.run([*strace(tmp_path / name, "execve,execveat"), binary(), *args], env=clean_env(home, env), cwd=home,
                                 capture_output=True, stdin=subprocess.DEVNULL, timeout=60 * SLOWER)
            assert ran.returncode in (0, 1, 2, 3), (name, ran)
            count(name)
        for name, args in (("console", []), ("demo console", ["--demo"])):
            c = Console(home, *args, env=env)
            c.argv = [*strace(tmp_path / name, "execve,execveat"), *c.argv]
            with c:
                c.wait("enrich", seconds=30)
                for key in ("?", "\x1b", "\r", "\x1b", "a", "\x1b", "/x", "\x1b", "s", "q"):
                    c.type(key)
                    c.settle()
                if c.status is None:
                    c.end()
            count(name)
    attempted = len(SCRIPTS) + 2
    figure("K9", what, attempted=attempted, passed=right, reached=traced_calls, note=f"{len(started)} programs started; the demo's two children are forked only")
    assert not started, started
    assert right == traced_calls == attempted
