"""Reliability line C4: which hosts a container's credential URI may name, and the endpoint on a bad day."""

import concurrent.futures
import json
import os
import subprocess

import tls
from fakemeta import FakeMeta, cred_cli, document, tool
from program import SLOWER, clean_env
from test_c_imds import HTML, HANG_UP, REDIRECT, SILENT, always, big, first, settled, slow

# Refused: nothing is asked. Else: where connections go, and nowhere else.
HOSTS = {
    # this machine, as it may be written
    "http://localhost/c": ["127.0.0.1 80", "::1 80"], "http://LOCALHOST:8080/c": ["127.0.0.1 8080", "::1 8080"],
    "http://127.0.0.1/c": ["127.0.0.1 80"], "http://127.0.0.1:65535/c": ["127.0.0.1 65535"], "http://127.255.255.254/c": ["127.255.255.254 80"],
    "http://127.0.0.1": ["127.0.0.1 80"], "http://127.0.0.1?role=a": ["127.0.0.1 80"], "http://127.0.0.1/c?u=http://evil.test/@x": ["127.0.0.1 80"],
    "HTTP://127.0.0.1/c": ["127.0.0.1 80"], "http://[::1]/c": ["::1 80"], "http://[0:0:0:0:0:0:0:1]:99/c": ["::1 99"],
    # AWS's addresses
    "http://169.254.170.2/v2/c": ["169.254.170.2 80"], "http://169.254.170.23/v1/c": ["169.254.170.23 80"],
    "http://[fd00:ec2::23]/v1/c": ["fd00:ec2::23 80"], "http://[FD00:0EC2:0:0:0:0:0:23]/v1/c": ["fd00:ec2::23 80"],
    # their neighbours, and other addresses
    "http://169.254.170.1/c": None, "http://169.254.170.3/c": None, "http://169.254.170.22/c": None, "http://169.254.169.254/latest": None,
    "http://169.254.170.230/c": None, "http://[fd00:ec2::24]/c": None, "http://[fd00:ec2::254]/c": None, "http://[fd00:ec2:1::23]/c": None,
    "http://126.255.255.255/c": None, "http://128.0.0.1/c": None, "http://0.0.0.0/c": None, "http://[::]/c": None, "http://10.0.0.1/c": None,
    "http://192.168.0.1/c": None, "http://8.8.8.8/c": None, "http://255.255.255.255/c": None, "http://[fe80::1]/c": None, "http://[::2]/c": None,
    # IPv4 in IPv6's clothes
    "http://[::ffff:127.0.0.1]/c": None, "http://[::ffff:7f00:1]/c": None, "http://[::127.0.0.1]/c": None, "http://[::ffff:169.254.170.2]/c": None,
    "http://[64:ff9b::7f00:1]/c": None, "http://[2002:7f00:1::]/c": None,
    # numbers that some take for an address
    "http://127.1/c": None, "http://127.0.1/c": None, "http://2130706433/c": None, "http://0x7f000001/c": None, "http://0x7f.0.0.1/c": None,
    "http://0177.0.0.1/c": None, "http://127.0.0.01/c": None, "http://017700000001/c": None, "http://127.0.0.1.1/c": None, "http://127.0.0.256/c": None,
    "http://127.0.0.0x1/c": None, "http://1/c": None, "http://evil.test.0x7f/c": None, "https://2130706433/c": None, "https://127.1/c": None,
    # users, fragments, dots, zones, ports, what is no host
    "http://127.0.0.1@evil.test/c": None, "http://evil.test@127.0.0.1/c": None, "http://user:pw@127.0.0.1/c": None, "https://u@evil.test/c": None,
    "http://127.0.0.1#@evil.test/c": None, "http://127.0.0.1/c#part": None, "https://evil.test/#": None, "http://localhost./c": None,
    "http://127.0.0.1./c": None, "https://evil.test./c": None, "http://[::1%25lo]/c": None, "http://[::1%lo]/c": None, "http://[::1/c": None,
    "http://::1/c": None, "http://[127.0.0.1]/c": None, "http://[::1]x/c": None, "http://[]/c": None, "http:///c": None, "http://:80/c": None, "http://": None,
    "http:/127.0.0.1/c": None, "http:127.0.0.1/c": None, "//127.0.0.1/c": None, "/credentials": None, "credentials": None, "ftp://127.0.0.1/c": None,
    "file:///etc/passwd": None, "unix:///run/x.sock": None, "http+unix://127.0.0.1/c": None, "http://127.0.0.1:/c": None, "http://127.0.0.1:0/c": None,
    "http://127.0.0.1:65536/c": None, "http://127.0.0.1:080/c": None, "http://127.0.0.1:8o/c": None, "http://127.0.0.1:-1/c": None,
    "http://127.0.0.1:80:80/c": None, "http://127.0.0.1\\@evil.test/c": None, "http://127.0.0.1 .evil.test/c": None, "http://127.0.0.1\t/c": None,
    "http://127.0.0.1/a b": None, "http://127.0.0.1/\r\nX: y": None, "http://127%2e0.0.1/c": None, "http://%6cocalhost/c": None,
    "http://\u2460\u2461\u2466.0.0.1/c": None, "http://127\u3002" "0.0.1/c": None, "http://l\u00f6calhost/c": None, " http://127.0.0.1/c": None,
    "http://a..b/c": None, "http://.localhost/c": None, "http://" + "a" * 64 + ".test/c": None, "http://" + "a." * 130 + "test/c": None,
    # by https, whoever shows a certificate for the name
    "https://169.254.169.254/c": ["169.254.169.254 443"], "https://8.8.8.8:8443/c": ["8.8.8.8 8443"], "https://[2001:db8::1]/c": ["2001:db8::1 443"],
}
PUBLIC, MINE = "203.0.113.6", "127.0.0.1"
# URI, what the resolver answers question by question, connections, questions asked at most
NAMES = [
    ("http://helper.test/c", [[MINE]], [f"{MINE} 80"]),
    ("http://helper.test:9911/c", [["127.8.8.8"]], ["127.8.8.8 9911"]),
    ("http://helper.test/c", [["::1"]], ["::1 80"]),
    ("http://helper.test/c", [[MINE, "::1"]], [f"{MINE} 80", "::1 80"]),
    ("http://helper.test/c", [["169.254.170.23", "fd00:ec2::23"]], ["169.254.170.23 80", "fd00:ec2::23 80"]),
    ("http://evil.test/c", [[PUBLIC]], None),
    ("http://evil.test/c", [["169.254.169.254"]], None),
    ("http://evil.test/c", [["10.0.0.1"]], None),
    ("http://evil.test/c", [["::ffff:127.0.0.1"]], None),
    ("http://evil.test/c", [["0.0.0.0"]], None),
    ("http://evil.test/c", [[MINE, PUBLIC]], None),
    ("http://evil.test/c", [[PUBLIC, MINE]], None),
    ("http://evil.test/c", [[MINE, "2001:db8::1"]], None),
    ("http://evil.test/c", [["127.0.0.%d" % i for i in range(1, 17)] + [PUBLIC]], None),
    ("http://evil.test/c", [["127.0.0.%d" % i for i in range(1, 18)]], None),
    ("http://rebinding.test/c", [[MINE], [PUBLIC]], [f"{MINE} 80"]),
    ("http://rebinding.test/c", [[PUBLIC], [MINE]], None),
    ("http://rebinding.test/c", [[MINE], [MINE], [PUBLIC]], [f"{MINE} 80"]),
    ("http://127.0.0.1.evil.test/c", [[PUBLIC]], None),
    ("http://localhost.evil.test/c", [[PUBLIC]], None),
    ("http://169.254.170.2.evil.test/c", [[PUBLIC]], None),
    ("http://metadata_helper/c", [[PUBLIC]], None),
    ("https://anyhost.test/c", [[PUBLIC]], [f"{PUBLIC} 443"]),
    ("https://anyhost.test:8443/c", [[MINE]], [f"{MINE} 8443"]),
]
RELATIVE = {"/v2/credentials/1": ["169.254.170.2 80"], "/credentials?a=1": ["169.254.170.2 80"], "//evil.test/c": ["169.254.170.2 80"],
            "/a/../../c": ["169.254.170.2 80"], "@evil.test/c": None, ".evil.test/c": None, ":8080/c": None, ":80@evil.test/c": None, "3/c": None,
            "#/c": None, "/c#x": None, "v2/credentials": None, "?a=1": ["169.254.170.2 80"], "\\@evil.test/c": None, "/a\r\nX: y": None}


def container_cli(home, lines):
    p = subprocess.run([tool("container_cli")], input="".join(json.dumps(x) + "\n" for x in lines).encode(), env=clean_env(home), capture_output=True, timeout=60 * SLOWER)
    assert p.returncode == 0 and b"Sanitizer" not in p.stderr, p.stderr.decode()
    return [json.loads(x) for x in p.stdout.decode().splitlines()]


def test_hosts(tmp_path, figure):
    """C4: the provider's own verdict, read off the connections that it makes; one question to the resolver a name at most."""
    todo = [({"uri": u}, want, 0) for u, want in HOSTS.items()]
    todo += [({"uri": u, "answers": answers}, want, 1) for u, answers, want in NAMES]
    todo += [({"uri": u, "relative": True}, want, 0) for u, want in RELATIVE.items()]
    got = container_cli(tmp_path, [line for line, _, _ in todo])
    wrong = []
    for (line, want, lookups), g in zip(todo, got, strict=True):
        right = g["connected"] == (want or []) and g["lookups"] == lookups and (want or g["error"] == "configuration")
        if not right:
            wrong.append(f"{line}: wanted {want}, got {g}")
    figure("C4", "hosts of a container's credential URI", attempted=len(todo), passed=len(todo) - len(wrong), reached=len(got),
           note=f"{sum(w is None for _, w, _ in todo)} of them to be refused; {sum(g['lookups'] for g in got)} questions to the resolver")
    assert not wrong, "\n".join(wrong)


def test_resolver_hangs(tmp_path, figure):
    """C4: a resolver that says nothing for 5 s costs two, and what it says then is not used; one of half a second is waited for."""
    late, slow_one = container_cli(tmp_path, [{"uri": "http://helper.test/c", "answers": [[MINE]], "slow_ms": 5000}])[0], \
        container_cli(tmp_path, [{"uri": "http://helper.test/c", "answers": [[MINE]], "slow_ms": 500}])[0]
    passed = (late["connected"] == [] and 1900 <= late["ms"] <= 2500 * SLOWER) + (slow_one["connected"] == [f"{MINE} 80"] and slow_one["ms"] >= 500)
    figure("C4", "a resolver that hangs", attempted=2, passed=passed, reached=late["lookups"] + slow_one["lookups"], note=f"left after {late['ms']} ms")
    assert passed == 2, (late, slow_one)


# ---- the endpoint on a bad day

SAID = json.dumps({"code": "AccessDenied", "message": "the task has no role"})


def outcomes():
    """name, fault, environment, the error or "ok", part of the text, questions asked."""
    yield "well", None, {}, "ok", "", 1
    yield "503 once", first(1, always(503)), {}, "ok", "", 2
    yield "503 twice", first(2, always(503)), {}, "ok", "", 3
    yield "503 for ever", always(503, SAID), {}, "service", "HTTP 503: AccessDenied: the task has no role", 3
    yield "429 for ever", always(429), {}, "throttled", "HTTP 429", 3
    yield "400", always(400, SAID), {}, "no credentials", "AccessDenied: the task has no role", 1
    yield "401", always(401), {}, "auth", "HTTP 401", 1
    yield "403", always(403, SAID), {}, "auth", "AccessDenied", 1
    yield "404", always(404, HTML), {}, "no credentials", "HTTP 404", 1
    yield "redirect", REDIRECT, {}, "bad reply", "HTTP 302", 1
    yield "1 MiB", big, {}, "limit", "", 1
    yield "HTML", always(200, HTML), {}, "bad reply", "", 3
    yield "empty", always(200), {}, "bad reply", "", 3
    yield "garbage once", first(1, always(200, "{")), {}, "ok", "", 2
    yield "hangs up once", first(1, HANG_UP), {}, "ok", "", 2
    yield "hangs up", HANG_UP, {}, "unreachable", "", 3
    yield "silent once", first(1, SILENT), {}, "ok", "", 2
    yield "silent", SILENT, {}, "timeout", "", 3
    yield "1.5 s late", slow(1.5), {}, "ok", "", 1
    yield "an error with 200", always(200, SAID), {}, "auth", "AccessDenied: the task has no role", 3
    yield "no Token", always(200, document(Token=None)), {}, "bad reply", "Token", 3
    yield "a line break in the secret", always(200, document(SecretAccessKey="a\nb")), {}, "no credentials", "no key has", 1


def one(home, case):
    name, fault, more, expected, text, asked = case
    with FakeMeta({"container": fault} if fault else {}) as meta:
        got = cred_cli(home, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": meta.url + "/creds", "AWS_REGION": "eu-west-1", **more})
    reached = settled(meta) if fault else meta.calls.get("container", 0)
    right = got.get("error", "ok") == expected and text in got.get("text", "") and meta.calls.get("container", 0) == asked and "secret/of" not in str(got)
    return right and got["ms"] <= 8500 * SLOWER, got, bool(reached)


def test_endpoint(tmp_path, figure):
    """C4: three attempts a second apart where that can help, one where it cannot; redirects are not followed."""
    todo = list(outcomes())
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda c: one(tmp_path, c), todo))
    wrong = [f"{c[0]}: wanted {c[3:]}, got {d[1]}" for c, d in zip(todo, done) if not d[0]]
    figure("C4", "a container's credential endpoint: outcomes of its faults", attempted=len(todo), passed=len(todo) - len(wrong), reached=sum(d[2] for d in done),
           note=f"the slowest took {max(d[1]['ms'] for d in done)} ms")
    assert not wrong, "\n".join(wrong)


def tokens(folder):
    """name, environment, the Authorization header that arrives, or part of the error's text."""
    def file(name, data):
        (folder / name).write_bytes(data)
        return {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(folder / name)}
    os.mkfifo(folder / "pipe")
    env = {"AWS_CONTAINER_AUTHORIZATION_TOKEN": "from-env"}
    yield "none", {}, None, None
    yield "environment", env, "from-env", None
    yield "a Basic one, with a space", {"AWS_CONTAINER_AUTHORIZATION_TOKEN": "Basic dTpw"}, "Basic dTpw", None
    yield "file", file("t1", b"from-file"), "from-file", None
    yield "the file wins", {**env, **file("t2", b"from-file")}, "from-file", None
    yield "long", file("t3", b"x" * 12000), "x" * 12000, None
    for what, data, why in (("newline behind", b"token\n", "line break"), ("CR LF behind", b"token\r\n", "line break"),
                            ("header smuggled", b"token\r\nX-Injected: 1", "line break"), ("NUL", b"to\0ken", "NUL"),
                            ("control character", b"to\x07ken", "control character"), ("empty", b"", "empty")):
        yield f"file: {what}", file(what.replace(" ", "-"), data), None, why
    yield "environment: header smuggled", {"AWS_CONTAINER_AUTHORIZATION_TOKEN": "t\r\nX-Injected: 1"}, None, "line break"
    for what, path, why in (("absent", "nowhere", "No such file"), ("a folder", ".", "regular file"), ("a pipe", "pipe", "regular file")):
        yield f"file: {what}", {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(folder / path)}, None, why
    big = folder / "big"
    with open(big, "wb") as f:
        f.truncate(1 << 30)
    yield "file: 1 GiB", {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(big)}, None, "larger than"


def test_authorization(tmp_path, figure):
    """C4: the token arrives as it is or nothing is asked; it never shows in an error."""
    todo, wrong = list(tokens(tmp_path)), []
    for name, env, header, error in todo:
        with FakeMeta() as meta:
            got = cred_cli(tmp_path / "home", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": meta.url + "/creds", "AWS_REGION": "eu-west-1", **env})
            sent = [h.get("Authorization") for _, _, h in meta.seen]
            injected = any("X-Injected" in h for _, _, h in meta.seen)
        told = got.get("error") == "no credentials" and got["where"].startswith("AWS_CONTAINER_AUTHORIZATION_TOKEN") and error in got["text"] if error else "error" not in got
        right = sent == ([] if error else [header]) and told and not injected
        if not right:
            wrong.append(f"{name}: sent {sent}, got {got}")
    figure("C4", "the Authorization header of a container's endpoint", attempted=len(todo), passed=len(todo) - len(wrong), reached=len(todo))
    assert not wrong, "\n".join(wrong)


def test_https(tmp_path, ca, figure):
    """C4: by https any host serves, once it shows a certificate that the trust store knows; no proxy on the way."""
    done = []
    with FakeMeta() as meta, FakeMeta() as trap:
        port = int(meta.url.rsplit(":", 1)[1])
        for trusted in (True, False):
            front = tls.TlsFront(tls.make_server(tmp_path, ca, host="::ffff:127.0.0.1"), port)
            url = f"https://[::ffff:127.0.0.1]:{front.port}/creds"  # loopback that does not look like it: no exception for proxies' sake
            env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url, "AWS_REGION": "eu-west-1", "https_proxy": trap.url}
            got = cred_cli(tmp_path, {**env, **({"AWS_CA_BUNDLE": str(ca[2])} if trusted else {})})
            front.close()
            done.append((got.get("error", "ok"), front.accepted, len(meta.seen), len(trap.seen)))
    wanted = [("ok", 1, 1, 0), ("tls", 1, 1, 0)]
    figure("C4", "https: certificate known and unknown, with a proxy set", attempted=2, passed=sum(d == w for d, w in zip(done, wanted)),
           reached=sum(d[1] for d in done))
    assert done == wanted
