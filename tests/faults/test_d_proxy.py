"""Reliability line D8: proxies. Which one is taken, who gets its password, and what is said when it fails."""

import concurrent.futures
import contextlib
import dataclasses
import itertools
import time

import fakeaws
import fakeproxy
import pytest
import tls
from fakeaws import FakeAws
from fakeproxy import FakeProxy
from processes import free_port
from program import SLOWER, Sluice, plain

TOKEN = "the-session-token-of-this-test"
USER, PASSWORD = "px-user", "px/s3cret@word"
LOGIN = "px-user:px%2Fs3cret%40word"
SECRETS = (USER, PASSWORD, "px%2Fs3cret", "s3cret", "cHgtdXNlcjpw")  # the last is the beginning of both in base64
NAMED = "http://***:***@"
HTML = b"<html><body>Please log in to the hotel network</body></html>"


@dataclasses.dataclass
class World:
    """An AWS behind TLS and in the clear, and what it was told in headers."""
    tls: int
    plain: int
    pem: str
    other: int
    near: int
    heard: list


@pytest.fixture
def world(ca, tmp_path):
    heard = []

    def listen(h, op):
        heard.append([(k.lower(), v) for k, v in h.headers.items()])
        h.reply(200, h.good(), "text/xml" if op.startswith("sts:") else "application/x-amz-json-1.0")

    with FakeAws({"*": listen}) as aws:
        port = int(aws.url.rsplit(":", 1)[1])
        front = tls.TlsFront(tls.make_server(tmp_path, ca, host=f"*.{fakeaws.REGION}.amazonaws.com"), port)
        portal = tls.TlsFront(tls.make_server(tmp_path, ca, host="portal.hotel.example"), port)
        near = tls.TlsFront(tls.make_server(tmp_path, ca), port)
        yield World(front.port, port, ca[2], portal.port, near.port, heard)
        for f in (front, portal, near):
            f.close()


@dataclasses.dataclass
class Case:
    name: str
    env: dict                     # {} in values: the proxy's host:port
    through: bool = True          # the proxy is spoken to
    codes: tuple = ()             # of --check's UNKNOWNs; () = all is well
    says: tuple = ()              # parts of what is printed; {} as above
    fault: object = None
    plain: bool = False           # http://aws.invalid, not https://SERVICE.REGION.amazonaws.com
    seconds: int = 20
    args: tuple = ()
    login: tuple = None           # that the proxy must have got


HTTPS = {"HTTPS_PROXY": "http://{}"}
WITH_LOGIN = {"https_proxy": f"http://{LOGIN}@{{}}"}
# 127.0.0.1 in a form that NO_PROXY takes for a name (and that is not known for loopback, which never gets a proxy): whoever goes
# straight arrives at the fake AWS, and no resolver is asked.
STRAIGHT = "0x7f.0.0.1"
NO_SUCH_NAME = "a" * 64 + ".invalid"  # a label has 63 letters at most: no resolver need be asked, either


def way(name, **env):
    return Case(f"taken: {name}", env)


def no_way(name, except_for="", **more):
    return Case(f"not taken: {name}", more.pop("env", {**HTTPS, "NO_PROXY": except_for}), through=False, **more)


def broken(name, fault, codes=("UNREACHABLE",), says=(), **more):
    """A proxy with a login, so that every message has something to hide."""
    return Case(f"broken: {name}", more.pop("env", WITH_LOGIN), codes=codes, says=(NAMED + "{}", "https_proxy", *says), fault=fault, **more)


def plain_broken(name, fault, codes, says=(), **more):
    return Case(f"broken: {name}", {"http_proxy": f"http://{LOGIN}@{{}}"}, codes=codes, says=says, fault=fault, plain=True, **more)


def malformed(name, value, says):
    return Case(f"malformed: {name}", {"https_proxy": value}, through=False, codes=("BAD_CONFIG",), says=("https_proxy", says))


CASES = [
    way("HTTPS_PROXY", **HTTPS),
    way("https_proxy", https_proxy="http://{}"),
    way("ALL_PROXY", ALL_PROXY="http://{}"),
    way("all_proxy", all_proxy="http://{}/"),
    way("without a scheme", https_proxy="{}"),
    way("the lower-case one wins", https_proxy="http://{}", HTTPS_PROXY=f"http://{NO_SUCH_NAME}:1"),
    way("an empty one is not set", https_proxy="", HTTPS_PROXY="http://{}"),
    way("its own before ALL_PROXY", HTTPS_PROXY="http://{}", all_proxy=f"http://{NO_SUCH_NAME}:1"),
    way("NO_PROXY for others", **HTTPS, NO_PROXY="example.com, 10.0.0.0/8,aws.com,onaws.com"),
    Case("taken: http_proxy for http", {"http_proxy": "http://{}"}, plain=True),
    Case("taken: ALL_PROXY for http", {"ALL_PROXY": "http://{}"}, plain=True),
    no_way("HTTP_PROXY for http", env={"HTTP_PROXY": "http://{}"}, plain=True),
    no_way("http_proxy for https", env={"http_proxy": "http://{}", "HTTP_PROXY": "http://{}"}),
    no_way("https_proxy for http", env={"https_proxy": "http://{}"}, plain=True),
    no_way("NO_PROXY=*", "*"),
    no_way("NO_PROXY=the host", STRAIGHT),
    no_way("NO_PROXY=.domain", "x,.0.0.1"),
    no_way("NO_PROXY=domain", "x, 0.0.1 ,y"),
    no_way("no_proxy wins", env={**HTTPS, "no_proxy": STRAIGHT.upper(), "NO_PROXY": "x"}),
    no_way("loopback, whatever is set", env={"https_proxy": "http://{}", "AWS_ENDPOINT_URL": "https://127.0.0.1:NEAR"}),
    Case("login: user and password, CONNECT", WITH_LOGIN, fault=fakeproxy.login(USER, PASSWORD), login=(USER, PASSWORD)),
    Case("login: user alone, CONNECT", {"https_proxy": f"http://{USER}@{{}}"}, fault=fakeproxy.login(USER, ""), login=(USER, "")),
    Case("login: user and password, http", {"http_proxy": f"http://{LOGIN}@{{}}"}, plain=True, fault=fakeproxy.login(USER, PASSWORD),
         login=(USER, PASSWORD)),
    broken("wrong password, CONNECT", fakeproxy.login(USER, "another"), says=("another user and password", "407")),
    plain_broken("wrong password, http", fakeproxy.login(USER, "another"), ("UNREACHABLE",), (NAMED + "{}", "another user and password", "407")),
    Case("broken: no password where one is wanted", HTTPS, codes=("UNREACHABLE",), fault=fakeproxy.login(USER, PASSWORD),
         says=("http://{}", "HTTPS_PROXY", "wants a user and password", "407")),
    broken("CONNECT 403", fakeproxy.answer(403, "Forbidden", HTML), says=("it answered 403",)),
    broken("CONNECT 502", fakeproxy.answer(502, "Bad Gateway", HTML), says=("it answered 502",)),
    broken("CONNECT 503", fakeproxy.answer(503, "Service Unavailable"), says=("it answered 503",)),
    broken("CONNECT 302 to a portal", fakeproxy.answer(302, "Found", HTML, ["Location: http://portal.hotel.invalid/login"]),
           says=("it answered 302",)),
    broken("CONNECT never answered", fakeproxy.raw(b"", hold=True), ("TIMEOUT",), args=("-t", "3"), seconds=10),
    broken("CONNECT never answered, no deadline given", fakeproxy.raw(b"", hold=True), ("TIMEOUT",), seconds=40),
    broken("CONNECT half answered", fakeproxy.raw(b"HTTP/1.1 200 Connection", hold=True), ("TIMEOUT",), args=("-t", "3"), seconds=10),
    broken("CONNECT answered with garbage", fakeproxy.raw(b"\x00\x01\x02 no HTTP \xff\r\n\r\n"), ("UNREACHABLE", "BADREPLY")),
    broken("hangs up on CONNECT", fakeproxy.raw(b"")),
    broken("endless headers", fakeproxy.raw(b"HTTP/1.1 200 OK\r\n" + b"X-Filler: " + b"y" * 4_000_000), ("UNREACHABLE", "ERROR", "BADREPLY")),
    broken("captive portal: HTML in the tunnel", fakeproxy.raw(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")),
    broken("captive portal: its own certificate", "other"),
    plain_broken("captive portal: HTML 200 for http", fakeproxy.answer(200, "OK", HTML), ("BADREPLY",)),
    plain_broken("captive portal: 302 for http", fakeproxy.answer(302, "Found", HTML, ["Location: http://portal.hotel.invalid/login"]),
                 ("BADREPLY", "ERROR")),
    plain_broken("502 with HTML for http", fakeproxy.answer(502, "Bad Gateway", HTML), ("ERROR", "BADREPLY")),
    Case("gone: nobody listens", {"https_proxy": f"http://{LOGIN}@127.0.0.1:DEAD"}, through=False, codes=("UNREACHABLE",),
         says=(NAMED + "127.0.0.1:DEAD", "https_proxy")),
    Case("gone: no such name", {"https_proxy": f"http://{LOGIN}@{NO_SUCH_NAME}:3128"}, through=False, codes=("UNREACHABLE",),
         says=(NAMED + f"{NO_SUCH_NAME}:3128", "https_proxy")),
    malformed("scheme", f"ftp://{LOGIN}@{{}}", "its scheme"),
    malformed("raw @ in the password", f"http://{USER}:px@{PASSWORD.replace('/', '')}@{{}}", "an @ in the user or password"),
    malformed("raw / in the password", f"http://{USER}:{PASSWORD}@{{}}", "a /, ? or #"),
    malformed("port", f"http://{LOGIN}@127.0.0.1:99999", "its port"),
    malformed("encoded NUL, which curl takes for no proxy", f"http://{USER}:s3cret%00@{{}}", "a %00"),
]


def environment(case, world, proxy):
    env = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
           "AWS_SESSION_TOKEN": TOKEN, "AWS_REGION": fakeaws.REGION, "AWS_CA_BUNDLE": world.pem}
    if not case.through and not case.codes:
        env["AWS_ENDPOINT_URL"] = f"http://{STRAIGHT}:{world.plain}" if case.plain else f"https://{STRAIGHT}:{world.near}"
    elif case.plain:
        env["AWS_ENDPOINT_URL"] = "http://aws.invalid:8080"
    dead = str(free_port())
    fill = {"{}": proxy.address, "DEAD": dead, "NEAR": str(world.near)}
    return {**env, **{k: filled(v, fill) for k, v in case.env.items()}}, fill


def filled(text, fill):
    for k, v in fill.items():
        text = text.replace(k, v)
    return text


def leaks(ran, home):
    """The login of the proxy, anywhere in what sluice wrote: to the terminal, into its files."""
    texts = [ran.out, ran.err] + [p.read_bytes().decode("latin-1") for p in home.rglob("*") if p.is_file()]
    return [s for s in SECRETS if any(s in t for t in texts)]


def mistakes(case, ran, proxy, fill, took, home):
    """Everything that is wrong with a run, in words."""
    said = ran.out + ran.err
    if took > case.seconds * SLOWER:
        yield f"took {took:.0f} s"
    if bool(proxy.requests) != case.through:
        yield f"the proxy was spoken to {len(proxy.requests)} times"
    if found := leaks(ran, home):
        yield f"the proxy's login got out: {found}"
    if not plain(said):
        yield "control characters"
    codes = {c["code"] for c in ran.json["checks"] if c["status"] == "UNKNOWN"}
    if case.codes:
        if ran.status != 3 or not codes or not codes <= set(case.codes):
            yield f"exit {ran.status} with {codes or 'no code'}"
    elif ran.status not in (0, 1, 2) or codes:
        yield f"exit {ran.status} with {codes or 'no code'}, and all was well"
    for part in case.says:
        if filled(part, fill) not in said:
            yield f"does not say {filled(part, fill)!r}"


def misdirected(proxy):
    """What a proxy must not be told: for a tunnel, anything but where to."""
    for r in proxy.requests:
        names = {k.lower() for k, _ in r.headers}
        if r.method == "CONNECT" and names & {"authorization", "x-amz-security-token", "x-amz-date", "x-amz-target"}:
            yield f"CONNECT carries {sorted(names)}"
        if r.method == "CONNECT" and not r.target.endswith(".amazonaws.com:443"):
            yield f"CONNECT to {r.target}"
        if r.method != "CONNECT" and not r.target.startswith("http://aws.invalid:8080/"):
            yield f"{r.method} {r.target}"


def run_case(case, world, home):
    fault = None if case.fault == "other" else case.fault
    with FakeProxy(tls=world.other if case.fault == "other" else world.tls, plain=world.plain, fault=fault) as proxy:
        env, fill = environment(case, world, proxy)
        begun = time.monotonic()
        ran = Sluice(home)("--check", *case.args, "--format", "json", env=env)
        took = time.monotonic() - begun
        wrong = list(mistakes(case, ran, proxy, fill, took, Sluice(home).home)) + list(misdirected(proxy))
        if case.login and not all(r.login in (None, case.login) for r in proxy.requests):
            wrong.append(f"the proxy was told {[r.login for r in proxy.requests]}")
        if case.login and not any(r.login == case.login for r in proxy.requests):
            wrong.append("the proxy was told no login")
        return wrong, ran, bool(proxy.requests) if case.through else True


def test_proxies(world, tmp_path, figure):
    """D8: which proxy, whose password, what is said. Reached: the proxy was spoken to, or, where it must not be, was there to be."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda numbered: run_case(numbered[1], world, tmp_path / str(numbered[0])), enumerate(CASES)))
    wrong = [f"{case.name}: {'; '.join(w)}\n{ran}" for case, (w, ran, _) in zip(CASES, results) if w]
    figure("D8", "proxies: chosen, logged in to, excepted, broken, malformed", attempted=len(CASES), passed=len(CASES) - len(wrong),
           reached=sum(r for _, _, r in results))
    told = set(itertools.chain.from_iterable(world.heard))
    assert not [name for name, _ in told if name.startswith("proxy-")], "the service got what was the proxy's"
    assert ("x-amz-security-token", TOKEN) in told
    assert not wrong, f"{len(wrong)} wrong\n" + "\n".join(wrong[:5])


@pytest.mark.parametrize("command", [("status",), ("status", "--format", "json"), ("doctor",), ("history", "orders", "backlog")],
                         ids=" ".join)
def test_no_command_tells_the_login(world, tmp_path, figure, command):
    """D8: the same failures through the other commands."""
    cases = [c for c in CASES if any(s in v for v in c.env.values() for s in SECRETS) and not c.args and c.seconds <= 20]

    def one(numbered):
        i, case = numbered
        with contextlib.ExitStack() as stack:
            fault = None if case.fault == "other" else case.fault
            proxy = stack.enter_context(FakeProxy(tls=world.tls, plain=world.plain, fault=fault))
            env, _ = environment(case, world, proxy)
            ran = Sluice(tmp_path / str(i))(*command, env=env)
            found = leaks(ran, tmp_path / str(i))
            return f"{case.name}: {found}\n{ran}" if found or not plain(ran.out + ran.err) else "", bool(proxy.requests) or not case.through

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(one, enumerate(cases)))
    wrong = [w for w, _ in results if w]
    figure("D8", f"a proxy's login in the output of {' '.join(command)}", attempted=len(cases), passed=len(cases) - len(wrong),
           reached=sum(r for _, r in results))
    assert not wrong, "\n".join(wrong[:3])
