"""Reliability lines C9 and K2: marked keys, tokens and message bodies are looked for everywhere but on the wire."""

import contextlib
import json
import os
import pathlib
import subprocess
import time

import fakeaws
import pytest
from console import Console
from fakeaws import FakeAws
from program import SLOWER, binary, clean_env
from traced import family

KEY = "AKIACANARYCANARY0001"
SECRET = "canarySecret/canarySecret+canarySecret0x"
TOKEN = "IQoJcanaryToken" + "canaryTokencanaryToken/+" * 20
BODY = "canaryBodycanaryBody"
PROXY = "canaryProxyPassword"
# Any of these alone gives its whole away, or enough of it.
MARKS = [m.encode() for m in (KEY, "canarySecret", "canaryToken", BODY, PROXY)]
PROFILE = f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\naws_session_token = {TOKEN}\n"
IN_ENV = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN}


class Bodies(fakeaws.Answers):
    """Every answer carries a member that nobody asked for, with a message's body in it."""

    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        if name not in fakeaws.Answers.__dict__ or name.startswith("_"):
            return found

        def answer(asked):
            good = found(asked)
            return {**good, "Messages": [{"Body": BODY, "MessageId": "1"}]} if isinstance(good, dict) and name != "get_metric_data" else good
        return answer


def echo(code, status=403):
    """What a service says when a signature does not fit: all that it was sent."""
    def fault(h, op):
        canonical = "".join(f"{k.lower()}:{v}\n" for k, v in h.headers.items())
        fakeaws.error(status, code, f"{KEY} {TOKEN} does not match. The Canonical String should have been {canonical}".replace("\n", " ")
                      .replace('"', "'"))(h, op)
    return fault


def token_first(h, op):
    fakeaws.error(400, "ValidationError", f"{TOKEN}: {SECRET} is not valid")(h, op)


def html_echo(h, op):
    h.reply(502, f"<html><title>{h.headers.get('X-Amz-Security-Token')}</title>{h.headers.get('Authorization')}</html>", "text/html")


def bad_json_echo(h, op):
    h.reply(200, json.dumps({"QueueUrls": TOKEN, "x": SECRET})[:-1], "application/x-amz-json-1.0")


FAULTS = {"fine": None, "denied": fakeaws.denied, "throttled": fakeaws.throttled, "half": fakeaws.half, "html": fakeaws.html500,
          "expired": fakeaws.expired, "echo SignatureDoesNotMatch": echo("SignatureDoesNotMatch"),
          "echo InvalidClientTokenId": echo("InvalidClientTokenId"), "echo 500": echo("InternalFailure", 500), "echo token first": token_first,
          "echo in HTML": html_echo, "echo in bad JSON": bad_json_echo}
COMMANDS = [["status"], ["status", "--format", "json"], ["--check", "--format", "json", "--out", "check.json"], ["doctor"],
            ["doctor", "--format", "json"], ["history", "-", "AWS/SQS/NumberOfMessagesSent{QueueName=orders}:Sum", "--since", "10m"]]
LOG = ["--log", "debug"]


class Watch:
    """Looks at the command lines and environments of a run's processes as long as it lives."""

    def __init__(self):
        self.cmdlines, self.environs = set(), set()
        self.samples = 0

    def look(self, pid):
        for p in family(pid):
            with contextlib.suppress(OSError):
                self.cmdlines.add(pathlib.Path(f"/proc/{p}/cmdline").read_bytes())
                self.environs.add(pathlib.Path(f"/proc/{p}/environ").read_bytes())
                self.samples += 1

    def run(self, argv, env, cwd):
        p = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        end = time.monotonic() + 60 * SLOWER
        os.set_blocking(p.stdout.fileno(), False)
        os.set_blocking(p.stderr.fileno(), False)
        out = {p.stdout: b"", p.stderr: b""}
        while time.monotonic() < end:
            done = p.poll() is not None
            if not done:
                self.look(p.pid)
            for f in out:
                out[f] += f.read() or b""
            if done:
                break
            time.sleep(0.01)
        else:
            p.kill()
            raise TimeoutError(argv)
        p.stdout.close()
        p.stderr.close()
        return p.returncode, out[p.stdout], out[p.stderr]


def marks_in(data):
    return [m.decode() for m in MARKS if m in data]


class Scan:
    def __init__(self, home):
        self.home, self.hits, self.files, self.runs, self.logged = home, [], 0, 0, 0

    def check(self, where, data):
        self.files += 1
        self.hits += [f"{where}: {m}" for m in marks_in(data)]

    def tree(self, given=()):
        """Every file that was left behind, but those the test itself wrote."""
        for path in self.home.rglob("*"):
            if path.is_file() and path not in given:
                data = path.read_bytes()
                self.logged += path.name == "sluice.log" and data.count(b" aws debug ")
                self.check(path.relative_to(self.home), data)


def scanned(home, watch, scan, env, args, given=()):
    status, out, err = watch.run([binary(), *args], clean_env(home, {"TMPDIR": str(home / "tmp"), **env}), home)
    assert b"Sanitizer" not in err and status in (0, 1, 2, 3), (args, status, err)
    scan.runs += 1
    scan.check(f"{args} stdout", out)
    scan.check(f"{args} stderr", err)


def with_profile(home, text=PROFILE):
    (home / ".aws").mkdir()
    path = home / ".aws" / "credentials"
    path.write_text(text)
    path.chmod(0o600)
    return path


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "home"
    (home / "tmp").mkdir(parents=True)
    return home


def test_canaries(home, figure):
    """C9, and K2's processes: good runs and all the ways in which a service can throw back what it was sent."""
    watch, scan, reached = Watch(), Scan(home), 0
    given = {with_profile(home)}
    for name, fault in FAULTS.items():
        with FakeAws({"*": fault} if fault else {}, Bodies()) as aws:
            env = {"AWS_ENDPOINT_URL": aws.url, "AWS_REGION": "eu-west-1"}
            for args in COMMANDS if name in ("fine", "echo SignatureDoesNotMatch") else COMMANDS[1:4]:
                scanned(home, watch, scan, env, [*args, *LOG])
            reached += sum(aws.calls.values()) > 0
    for bad in (PROFILE + SECRET + "\n", PROFILE.replace("aws_session_token =", "aws_session_token"), f"aws_secret_access_key = {SECRET}\n",
                f"[default]\n{SECRET}\n", PROFILE.replace("[default]", f"[default {SECRET}"), f"[default]\naws_secret_access_key = {SECRET}\n",
                PROFILE.replace(SECRET, SECRET + "\xa0"), PROFILE + f"[profile {TOKEN}\n"):
        next(iter(given)).write_text(bad)
        for args in (["status"], ["doctor"]):
            scanned(home, watch, scan, {"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, [*args, *LOG])
        reached += 1
    next(iter(given)).write_text(PROFILE)
    for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        for host in ("127.0.0.1:9", "no-such-host.invalid:3128", "[broken"):
            proxy = {variable: f"http://canary:{PROXY}@{host}", "AWS_ENDPOINT_URL": "https://sluice.invalid", "AWS_REGION": "eu-west-1"}
            scanned(home, watch, scan, proxy, ["doctor", *LOG])
        reached += 1
    scan.tree(given)
    cmdlines = [c for c in watch.cmdlines if marks_in(c)]
    environs = [e for e in watch.environs if marks_in(e.replace(PROXY.encode(), b""))]
    scan.check("command lines", b"\n".join(watch.cmdlines))
    attempted = len(FAULTS) + 8 + 3
    figure("C9", "canary secrets outside the wire: hits", attempted=attempted, passed=attempted if not scan.hits else 0, reached=reached,
           note=f"{len(scan.hits)} hits in {scan.files} outputs and files of {scan.runs} runs ({scan.logged} debug lines of aws/ logged); "
                "no operation reads message bodies yet: their marker rides in members that nobody asked for")
    figure("K2", "keys of a profile in argv and environments: hits", attempted=scan.runs, passed=scan.runs if not cmdlines and not environs
           else 0, reached=scan.runs if watch.samples > scan.runs else 0, note=f"{len(cmdlines) + len(environs)} hits in {watch.samples} looks at "
           "/proc/PID/{cmdline,environ}")
    assert not scan.hits, "\n".join(scan.hits[:20])
    assert not cmdlines and not environs and scan.logged > 20 and reached == attempted and watch.samples > scan.runs


def test_canaries_on_screen_and_in_children(home, figure):
    """K2: the console, and the demo with its two children, whose environment is the one that the user gave to their parent."""
    watch, scan, right, given = Watch(), Scan(home), 0, 0
    with FakeAws({"sqs:ListQueues": echo("SignatureDoesNotMatch")}, Bodies()) as aws, \
            Console(home, *LOG, env={**IN_ENV, "AWS_ENDPOINT_URL": aws.url, "AWS_REGION": "eu-west-1"}) as c:
        c.wait("enrich")
        for key in "?\x1bp\x1ba\x1b":
            c.type(key)
            c.settle()
            watch.look(c.pid)
        c.type("q")
        assert c.end() == 0
        scan.check("the screen", c.raw)
    before = watch.samples
    p = subprocess.Popen([binary(), "--demo", "status"], env=clean_env(home, {**IN_ENV, "TMPDIR": str(home / "tmp")}), cwd=home,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = 1
    while p.poll() is None:
        most = max(most, len(family(p.pid)))
        watch.look(p.pid)
        time.sleep(0.002)
    given = sum(bool(marks_in(e)) for e in watch.environs)
    scan.tree()
    scan.check("command lines", b"\n".join(watch.cmdlines))
    right = 2 if not scan.hits else 0
    figure("K2", "keys of the environment: argv, screen, files: hits", attempted=2, passed=right,
           reached=(before > 0) + (most >= 3), note=f"{len(scan.hits)} hits; {given} environments hold them as given by the user (readable for root "
           "alone: not dumpable); the demo's children are forked and start nothing")
    assert not scan.hits, "\n".join(scan.hits[:20])
    assert most >= 3, "the demo's children were not seen"
