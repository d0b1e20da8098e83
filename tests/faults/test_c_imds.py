"""Reliability line C5: EC2's metadata service on a bad day, and what only looks like it."""

import concurrent.futures
import json
import subprocess
import time

import fakeaws
import fakemeta
from fakemeta import FakeMeta, alone, cred_cli, document, tool
from program import SLOWER, clean_env

HTML = "<!doctype html><html><title>Log in</title><h1>Hotel network</h1></html>"
NOTHING = "AWS_ACCESS_KEY_ID is not set"  # the end of the chain says what is not set either
STEPS = ("token", "roles", "keys")


# ---- faults

def always(status, body="", kind="text/plain", **headers):
    def fault(h, n):
        h.plain(status, body, kind, **headers)
        return True
    return fault


def first(times, fault):
    """The fault for so many times, then health."""
    return lambda h, n: fault(h, n) if n < times else None


def slow(seconds):
    def fault(h, n):
        time.sleep(seconds)
        h.plain(*h.well())
        return True
    return fault


def of(fault):
    """One of fakeaws's, which do not say that they answered."""
    def wrapped(h, n):
        fault(h, h.op)
        return True
    return wrapped


def big(h, n):
    h.plain(200, "x" * (1 << 20))
    return True


def endless_slowly(h, n):
    """A byte now and then: no read ever times out."""
    h.head(200, 1000, "text/plain")
    try:
        for _ in range(100):
            h.wfile.write(b"x")
            h.wfile.flush()
            time.sleep(0.1)
    except OSError:
        pass
    h.hang_up()
    return True


def forget_tokens(h, n):
    """The service restarted: the token that it gave is none any more."""
    h.server.owner.tokens.clear()
    h.plain(401, "Unauthorized")
    return True


HANG_UP, SILENT, REDIRECT = of(fakeaws.hang_up), of(fakeaws.silent), always(302, "", Location="http://127.0.0.1:9/elsewhere")


def v1(token):
    """A service that answers anybody who asks without a token, and gives none."""
    def anybody(h, n):
        h.plain(200, fakemeta.ROLE if h.op == "roles" else document())
        return True
    return {"token": token, "roles": anybody, "keys": anybody}


# ---- cases: name, faults, the error or "ok", part of the text

def cases():
    for status in (403, 404, 405):
        yield f"v1 only, token {status}", v1(always(status)), "no credentials", f"(HTTP {status})"
    yield "v1 only, token silent", v1(SILENT), "no credentials", "hop limit >= 2"
    yield "token 400", {"token": always(400)}, "no credentials", "(HTTP 400)"
    yield "token 401", {"token": always(401)}, "bad reply", "(HTTP 401)"
    yield "token 204", {"token": always(204)}, "bad reply", "(HTTP 204)"
    for step in STEPS:
        for what, fault in (("redirect", REDIRECT), ("1 MiB", big), ("HTML", always(200, HTML, "text/html")), ("empty", always(200))):
            yield f"{step}: {what}", {step: fault}, "limit" if what == "1 MiB" and step != "token" else "bad reply", ""
        yield f"{step}: 0.5 s late", {step: slow(0.5)}, "ok", ""
        yield f"{step}: silent", {step: SILENT}, "no credentials" if step == "token" else "timeout", ""
        yield f"{step}: a byte now and then", {step: endless_slowly}, "no credentials" if step == "token" else "timeout", ""
        yield f"{step}: hangs up", {step: HANG_UP}, "no credentials" if step == "token" else "unreachable", ""
        yield f"{step}: hangs up once", {step: first(1, HANG_UP)}, "ok", ""
        for n in (1, 2, 3):
            yield f"{step}: 503 {n} times", {step: first(n, always(503))}, "ok", ""
        yield f"{step}: 500 for ever", {step: always(500)}, "service", "HTTP 500"
    yield "every step 0.8 s late", {s: slow(0.8) for s in STEPS}, "timeout", ""
    yield "every step fails once", {s: first(1, always(503)) for s in STEPS}, "ok", ""
    for step in STEPS[1:]:
        yield f"{step}: 401 once", {step: first(1, always(401))}, "ok", ""
        yield f"{step}: 401 for ever", {step: always(401)}, "no credentials", "HTTP 401"
        yield f"{step}: the token is forgotten", {step: first(1, forget_tokens)}, "ok", ""
        yield f"{step}: 403", {step: always(403)}, "no credentials", "switched off"
        yield f"{step}: 404", {step: always(404)}, "no credentials", "no role" if step == "roles" else "has no credentials"
        yield f"{step}: 418", {step: always(418)}, "bad reply", "418"
    for token in ("a b", "a\nb", "a\r\nX-Injected: 1", "\x07", "t\u00f6ken", "x" * 5000):
        yield f"token is {token[:12]!r}", {"token": always(200, token)}, "bad reply", "gave no token"
    for role in ("a/b", "a%2fb", "..", ".", "a\nb", "a\r\nX: y", "a b", "r\u00f6le", "r" * 65, "a;b", "a?b", "a#b", "a\\b", "\x1b[2J", "a\0b"):
        yield f"role is {role[:8]!r}", {"roles": always(200, role)}, "bad reply", "no role's name"
    yield "role ends in a newline", {"roles": always(200, fakemeta.ROLE + "\n")}, "ok", ""
    yield from documents()


def documents():
    bad = {"not JSON": "{", "garbage": "\x00\xff\xfe{]", "a list": "[1, 2]", "no Token": document(Token=None), "no secret": document(SecretAccessKey=None),
           "no Expiration": document(Expiration=None), "Expiration tomorrow": document(Expiration="tomorrow"), "a number as key": document(AccessKeyId=5),
           "a key twice": document()[:-1] + ', "Token": "other"}', "two documents": document() * 2}
    for what, body in bad.items():
        yield f"keys: {what}", {"keys": always(200, body)}, "bad reply", ""
    yield "keys: a line break in the secret", {"keys": always(200, document(SecretAccessKey="a\nb"))}, "no credentials", "no key has"
    refused = {"Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 cannot assume the role ops-role."}
    yield "keys: Code is not Success", {"keys": always(200, json.dumps(refused))}, "auth", "AssumeRoleUnauthorizedAccess: EC2 cannot"
    yield "keys: Code Failed beside keys", {"keys": always(200, document(Code="Failed"))}, "auth", "Failed"
    yield "keys: at their end", {"keys": always(200, document(lives=60))}, "extended", ""
    yield "keys: an hour past their end", {"keys": always(200, document(lives=-3600))}, "extended", ""
    yield "keys: years past their end", {"keys": always(200, document(lives=-10 * 365 * 86400))}, "extended", ""


def settled(meta):
    """How often a fault answered: one that keeps its client waiting ends only when the service does."""
    for _ in range(40):
        if meta.reached:
            break
        time.sleep(0.05)
    return meta.reached


def run(home, case):
    name, faults, expected, text = case
    with FakeMeta(faults) as meta:
        got = cred_cli(home, meta.env())
        untokened = meta.untokened
        injected = any("X-Injected" in h for _, _, h in meta.seen)
    reached = settled(meta)
    if expected in ("ok", "extended"):
        right = got.get("access_key", "").startswith("ASIAFAKEMETA") and "error" not in got
        lives = got.get("lives_s", 0)
        right = right and (17 * 60 - 5 <= lives <= 25 * 60 if expected == "extended" else 3500 < lives <= 3600)
    else:
        right = got.get("error") == expected and text in got["text"] and "secret/of" not in str(got) and "token+of" not in str(got)
        if set(faults) & {"token"} and expected != "ok" and "late" not in name:
            right = right and NOTHING in got["text"]
    return right and not injected and got["ms"] <= 2000 * SLOWER, reached, untokened, got


def test_metadata_service(tmp_path, figure):
    """C5: each outcome as the table says, in two seconds, and never a question without a token."""
    todo = list(cases())
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda c: run(tmp_path, c), todo))
    wrong = [f"{c[0]}: wanted {c[2]} {c[3]!r}, got {d[3]}" for c, d in zip(todo, done) if not d[0]]
    missed = [c[0] for c, d in zip(todo, done) if not d[1]]
    untokened, slowest = sum(d[2] for d in done), max(d[3]["ms"] for d in done)
    figure("C5", "EC2's metadata service: outcomes of its faults", attempted=len(todo), passed=len(todo) - len(wrong),
           reached=len(todo) - len(missed), note=f"{untokened} questions without a token; the slowest took {slowest} ms")
    assert not wrong, "\n".join(wrong)
    assert not missed and untokened == 0, missed


def off(home, script):
    return subprocess.run(alone(script, tool("cred_cli")), env=clean_env(home, {"AWS_EC2_METADATA_DISABLED": "false", "AWS_REGION": "eu-west-1"}), capture_output=True, timeout=30 * SLOWER)


# Each ends in a network where the address is what the name says; the last is a road on which everything is lost.
NETWORKS = {"no network": ":", "loopback alone": "ip link set lo up", "refused": "ip link set lo up; ip addr add 169.254.169.254/32 dev lo",
            "a black hole": "ip link add d0 type veth peer name d1; ip addr add 169.254.1.1/16 dev d0; ip link set d1 up; ip link set d0 up; "
                            "ip neigh add 169.254.169.254 lladdr 02:00:00:00:00:01 dev d0",
            "unreachable": "ip link set lo up; ip route add unreachable 169.254.169.254/32"}


def test_off_ec2(tmp_path, figure):
    """C5: on a machine that is none of EC2's, the default address costs two seconds at most and the message helps."""
    passed = reached = skipped = 0
    wrong, slowest = [], 0
    for name, script in NETWORKS.items():
        p = off(tmp_path, script)
        if not p.stdout:
            skipped += 1
            continue
        got = json.loads(p.stdout)
        reached += 1
        slowest = max(slowest, got["ms"])
        right = got["error"] == "no credentials" and NOTHING in got["text"] and "does not answer" in got["text"] and got["ms"] <= 2000 * SLOWER
        passed += right
        if not right:
            wrong.append(f"{name}: {got}")
    figure("C5", "off EC2, in networks of the test's own", attempted=len(NETWORKS), passed=passed, reached=reached, skipped=skipped,
           why="this machine lets nobody make a network namespace or a virtual line", note=f"the slowest took {slowest} ms")
    assert not wrong, wrong


def settings():
    """name, faults, more environment, arguments, what must be so."""
    def keys(low, high):
        return lambda got: got.get("access_key") and low <= got["lives_s"] <= high
    silent_twice = {"token": first(2, SILENT)}
    yield "a clock 20 years ahead", {}, {"SLUICE_NOW": "2046-01-02T03:04:05Z"}, (), keys(17 * 60, 25 * 60)
    yield "a clock 10 years behind", {}, {"SLUICE_NOW": "2016-01-02T03:04:05Z"}, (), keys(9 * 365 * 86400, 1 << 40)
    yield "3 attempts, 2 of them silent", silent_twice, {"AWS_METADATA_SERVICE_NUM_ATTEMPTS": "3"}, (), keys(3500, 3600)
    yield "2 seconds of patience", {"keys": slow(1.5)}, {"AWS_METADATA_SERVICE_TIMEOUT": "2"}, (), keys(3500, 3600)
    yield "an endpoint with a slash behind", {}, {"/": "/"}, (), keys(3500, 3600)
    yield "switched off", {}, {"AWS_EC2_METADATA_DISABLED": "TRUE"}, (), lambda got: got["error"] == "no credentials" and NOTHING in got["text"]
    yield "region", {}, {}, ("region",), lambda got: got.get("region") == "eu-north-1"
    yield "region: 401 once", {"region": first(1, forget_tokens)}, {}, ("region",), lambda got: got.get("region") == "eu-north-1"
    for what, body in (("HTML", HTML), ("upper case", "EU-NORTH-1"), ("too long", "e" * 41), ("a path", "../x"), ("empty", "")):
        yield f"region: {what}", {"region": always(200, body)}, {}, ("region",), lambda got: got["error"] == "bad reply"
    yield "region: 404", {"region": always(404)}, {}, ("region",), lambda got: got["error"] == "no credentials"
    yield "region: no token", {"token": always(403)}, {}, ("region",), lambda got: got["error"] == "no credentials"


def test_settings_clock_and_region(tmp_path, figure):
    """C5: what the environment may say about it, a wrong clock, and the region."""
    passed, wrong, untokened, total = 0, [], 0, 0
    for name, faults, more, args, holds in settings():
        total += 1
        with FakeMeta(faults) as meta:
            env = meta.env(**{k: v for k, v in more.items() if k != "/"})
            env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] += more.get("/", "")
            got = cred_cli(tmp_path, env, *args)
            untokened += meta.untokened
            asked = bool(meta.seen) == ("DISABLED" not in str(more))
        right = holds(got) and asked
        passed += bool(right)
        if not right:
            wrong.append(f"{name}: {got}")
    figure("C5", "settings, a wrong clock, the region", attempted=total, passed=passed, reached=total, note=f"{untokened} questions without a token")
    assert not wrong and untokened == 0, wrong


def test_no_proxy_is_asked(tmp_path, figure):
    """C5: keys never pass through a proxy, however the address is written."""
    passed = reached = 0
    proxies = [{n: "@"} for n in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy")] + [{"http_proxy": "@", "no_proxy": ""}]
    hosts = ("127.0.0.1", "[::ffff:127.0.0.1]", "localhost", "LOCALHOST")
    for proxy in proxies:
        for host in hosts:
            with FakeMeta() as meta, FakeMeta() as trap:
                port = meta.url.rsplit(":", 1)[1]
                got = cred_cli(tmp_path, meta.env(AWS_EC2_METADATA_SERVICE_ENDPOINT=f"http://{host}:{port}", **{k: v.replace("@", trap.url) for k, v in proxy.items()}))
                reached += len(meta.seen) == 3
                passed += not trap.seen and "access_key" in got
    total = len(proxies) * len(hosts)
    figure("C5", "a proxy in the environment is not asked for metadata", attempted=total, passed=passed, reached=reached)
    assert passed == reached == total
