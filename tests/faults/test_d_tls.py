"""Reliability line D7: who is at the other end, and was it all? Certificates that are wrong in one way each, protocols that are too
old, lines that end within an answer, and trust stores that cannot be read: refused with one plain line; and those that are right
are taken."""

import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import ssl
import subprocess

import pytest
import tls
from certs import CLIENT_ONLY, Cert, names, raw_names
from fakeaws import FakeAws
from program import Sluice, plain
from tls import TlsFront
from wire import Server, answer, server_context

HERE = names("127.0.0.1", "localhost")
WEAK = "DEFAULT:@SECLEVEL=0"  # what the server itself would refuse to do
V = ssl.TLSVersion


class Case:
    """words: what the line must say; None: it must work. server: (certificate, chain) or a file; tweak: of its context."""

    def __init__(self, words, server, ca, host="127.0.0.1", **tweak):
        self.words, self.server, self.ca, self.host, self.tweak = words, server, ca, host, tweak

    def context(self, path):
        pem = self.server if isinstance(self.server, str) else self.server[0].pem(path, *self.server[1:])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers(self.tweak.get("ciphers", WEAK))
        context.load_cert_chain(pem)
        for k in ("minimum_version", "maximum_version"):
            if k in self.tweak:
                setattr(context, k, self.tweak[k])
        if "client_ca" in self.tweak:
            context.load_verify_locations(self.tweak["client_ca"])
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def sha1_signed(folder, root):
    """By openssl: the library that makes the others has unlearned it."""
    root.pem(folder / "signer.pem")
    (folder / "ext").write_text("subjectAltName=IP:127.0.0.1\n")
    run = lambda *a: subprocess.run(["openssl", *a], cwd=folder, check=True, capture_output=True)  # noqa: E731
    run("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=sha1", "-keyout", "sha1.key", "-out", "sha1.csr")
    run("x509", "-req", "-in", "sha1.csr", "-CA", "signer.pem", "-CAkey", "signer.pem", "-CAcreateserial", "-sha1", "-days", "2",
        "-extfile", "ext", "-out", "sha1.crt")
    both = folder / "sha1.pem"
    both.write_text((folder / "sha1.crt").read_text() + (folder / "sha1.key").read_text())
    return str(both)


def cases(folder):
    root, other = Cert("sluice root", ca=True), Cert("sluice root", ca=True)
    mid, no_ca, old = Cert("mid", root, ca=True), Cert("no ca", root), Cert("old", root, ca=True, days=(-3, -1))
    end = Cert("end", root, ca=True, path=0)
    under_end = Cert("under", end, ca=True)
    bound = Cert("bound", root, ca=True, only="example.com")
    own, old_root = Cert("own"), Cert("old root", ca=True, days=(-3, -1))
    ca = root.pem(folder / "ca.pem", key=False)
    good = (Cert("a", root, HERE),)
    wild = (Cert("a", root, names("*.aws.localhost")),)
    nobody, another, may_not = "has signed the server's certificate", "is for another host than", "may not do that"
    too_old, no_cipher = "no TLS of version 1.2 or later", "no cipher in common"
    yield "address", Case(None, good, ca)
    yield "name", Case(None, good, ca, "localhost")
    yield "wildcard, one level", Case(None, wild, ca, "sqs.aws.localhost")
    yield "intermediate sent along", Case(None, (Cert("a", mid, HERE), mid), ca)
    yield "RSA 2048", Case(None, (Cert("a", root, HERE, bits=2048),), ca)
    yield "TLS 1.2 only", Case(None, good, ca, maximum_version=V.TLSv1_2)
    yield "TLS 1.3 only", Case(None, good, ca, minimum_version=V.TLSv1_3)
    yield "expired", Case("has expired", (Cert("a", root, HERE, days=(-3, -1)),), ca)
    yield "not yet valid", Case("is not valid yet", (Cert("a", root, HERE, days=(1, 3)),), ca)
    yield "another host's", Case(another, (Cert("a", root, names("sqs.eu-west-1.amazonaws.com")),), ca)
    yield "self-signed", Case("is self-signed", (Cert("a", san=HERE),), ca)
    yield "unknown authority", Case(nobody, (Cert("a", Cert("unknown", ca=True), HERE),), ca)
    yield "unknown authority, sent along", Case(nobody, (lambda u: (Cert("a", u, HERE), u))(Cert("unknown", ca=True)), ca)
    yield "RSA 1024", Case("too short", (Cert("a", root, HERE, bits=1024),), ca)
    yield "RSA 1024 above", Case("too short", (lambda m: (Cert("a", m, HERE), m))(Cert("weak", root, ca=True, bits=1024)), ca)
    if shutil.which("openssl"):
        yield "SHA-1", Case("broken hash", sha1_signed(folder, root), ca)
    yield "signed by another of that name", Case("not signed by the authority", (Cert("a", root, HERE, lie=other),), ca)
    yield "intermediate missing", Case(nobody, (Cert("a", mid, HERE),), ca)
    yield "intermediate that is no authority", Case(may_not, (Cert("a", no_ca, HERE), no_ca), ca)
    yield "intermediate expired", Case("has expired", (Cert("a", old, HERE), old), ca)
    yield "path too long", Case(may_not, (Cert("a", under_end, HERE), under_end, end), ca)
    yield "authority for other names", Case(may_not, (Cert("a", bound, HERE), bound), ca)
    yield "trusted, but no authority", Case(may_not, (Cert("a", own, HERE),), own.pem(folder / "own.pem", key=False))
    yield "authority expired", Case("has expired", (Cert("a", old_root, HERE),), old_root.pem(folder / "old.pem", key=False))
    yield "another address", Case(another, (Cert("a", root, names("127.0.0.2")),), ca)
    yield "address as a name", Case(another, (Cert("a", root, raw_names(b"127.0.0.1")),), ca)
    yield "NUL in the name", Case(another, (Cert("a", root, raw_names(b"localhost\0.example.com")),), ca, "localhost")
    yield "common name only", Case("says no host", (Cert("localhost", root),), ca, "localhost")
    yield "common name beside another", Case(another, (Cert("localhost", root, names("sqs.example.com")),), ca, "localhost")
    yield "wildcard, two levels", Case(another, wild, ca, "a.sqs.aws.localhost")
    yield "wildcard, no level", Case(another, wild, ca, "aws.localhost")
    yield "wildcard in the middle", Case(another, (Cert("a", root, names("sqs.*.localhost")),), ca, "sqs.aws.localhost")
    yield "wildcard in a part", Case(another, (Cert("a", root, names("s*.aws.localhost")),), ca, "sqs.aws.localhost")
    yield "wildcard for all", Case(another, (Cert("a", root, names("*")),), ca, "localhost")
    yield "made for clients", Case("not made for a server", (Cert("a", root, HERE, usage=CLIENT_ONLY),), ca)
    yield "TLS 1.0 only", Case(too_old, good, ca, minimum_version=V.TLSv1, maximum_version=V.TLSv1)
    yield "TLS 1.1 only", Case(too_old, good, ca, minimum_version=V.TLSv1_1, maximum_version=V.TLSv1_1)
    yield "no encryption", Case(no_cipher, good, ca, maximum_version=V.TLSv1_2, ciphers="eNULL:@SECLEVEL=0")
    yield "client certificate, TLS 1.2", Case(no_cipher, good, ca, maximum_version=V.TLSv1_2, client_ca=ca)
    yield "client certificate, TLS 1.3", Case("client certificate", good, ca, client_ca=ca)


def one_line(ran, words):
    """UNKNOWN, UNREACHABLE, and one plain line that says it. (A server that demands a certificate by TLS 1.3 may hang up before its
    word was read: some requests see no more than a broken line.)"""
    lines, checks = ran.err.splitlines(), ran.json["checks"]
    return (ran.status == 3 and ran.json["status"] == "UNKNOWN" and "OK" not in {c["status"] for c in checks} and
            {c["code"] for c in checks if c["status"] == "UNKNOWN"} <= {"UNREACHABLE"} and
            (len(lines) == 1 or (len(lines) == 2 and words == "client certificate")) and words in ran.err and "::" not in ran.err and
            plain(ran.err))


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")  # old ones are what is tested
def test_certificates_and_protocols(tmp_path, figure):
    """Each as an AWS that answers well behind a TLS that is wrong (or right) in one way."""
    def run(item):
        i, (name, case) = item
        front = TlsFront(None, aws.server.server_address[1], case.context(tmp_path / f"{i}.pem"))
        with contextlib.closing(front):
            url = f"https://{case.host}:{front.port}"
            ran = Sluice(tmp_path / f"{i}")("--check", "--format", "json", env=aws.env(AWS_ENDPOINT_URL=url, AWS_CA_BUNDLE=case.ca))
        right = ran.status == 0 and ran.json["status"] == "OK" if case.words is None else one_line(ran, case.words)
        return name, case, bool(front.accepted), right, ran

    with FakeAws() as aws, concurrent.futures.ThreadPoolExecutor(4) as pool:
        told = list(pool.map(run, enumerate(cases(tmp_path))))
        asked = sum(aws.calls.values())
    taken = sum(case.words is None for _, case, _, _, _ in told)
    wrong = [f"{name}: wanted {case.words!r}\n{ran}" for name, case, _, right, ran in told if not right]
    why = "" if shutil.which("openssl") else "; no openssl program, so no SHA-1"
    figure("D7", "certificates and protocols", attempted=len(told), passed=len(told) - len(wrong), reached=sum(r for _, _, r, _, _ in told),
           note=f"{len(told) - taken} refused with one plain line, {taken} taken{why}")
    assert not wrong, f"{len(wrong)} wrong:\n" + "\n".join(wrong[:4])
    assert asked > 0


BODY = b"{}"
SIZED, BARE = b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"


def bye(c):
    c.sock.unwrap()


def cut(c):
    c.sock.shutdown(2)  # without close_notify


def alert(c):
    os.write(c.sock.fileno(), b"\x15\x03\x03\x00\x02\x02\x50")  # fatal, internal error; outside the encryption


# what is sent -> how it ends
ENDS = {
    "no length, no goodbye": (BARE + BODY, cut), "no length, goodbye": (BARE + BODY, bye), "half a body, no goodbye": (SIZED + BODY, cut),
    "half a body, goodbye": (SIZED + BODY, bye), "half a head, no goodbye": (SIZED[:20], cut), "half a head, goodbye": (SIZED[:20], bye),
    "alert in the body": (SIZED + BODY, alert), "alert in the head": (SIZED[:20], alert), "alert for an answer": (b"", alert),
    "nothing, no goodbye": (b"", cut), "nothing, goodbye": (b"", bye), "plain HTTP": None,
}


def test_an_answer_that_was_cut_is_none(tmp_path, ca, figure):
    """Truncation is an error, whatever stands in the part that came."""
    context = server_context(tls.make_server(tmp_path, ca))
    reached, wrong = 0, []
    for name, how in ENDS.items():
        def serve(c, how=how):
            if how is None:
                c.sock.recv(1000)
                c.send(answer(status=b"400 Bad Request"))
                return
            c.request()
            c.send(how[0])
            how[1](c)
        with Server(serve, context if how else None) as server:
            env = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "eu-west-1",
                   "AWS_ENDPOINT_URL": f"https://127.0.0.1:{server.port}", "AWS_CA_BUNDLE": ca[2]}
            ran = Sluice(tmp_path / name.replace(" ", "-").replace(",", ""))("--check", "--format", "json", env=env)
            server.settle()
            reached += bool(server.connections)
        codes = {c["code"] for c in ran.json["checks"]} | {(ran.json["error"] or {}).get("code")}
        if not (ran.status == 3 and ran.json["status"] == "UNKNOWN" and codes & {"BADREPLY", "UNREACHABLE"} and
                1 <= len(ran.err.splitlines()) <= 3 and plain(ran.err)):
            wrong.append(f"{name}: {ran}")
    figure("D7", "TLS lines that end within an answer", attempted=len(ENDS), passed=len(ENDS) - len(wrong), reached=reached)
    assert not wrong, f"{len(wrong)} wrong:\n" + "\n".join(wrong[:3])


def test_trust_stores(tmp_path, ca, figure):
    """AWS_CA_BUNDLE, SSL_CERT_FILE and SSL_CERT_DIR are honoured, the first before the others; one that cannot be read is named."""
    if not shutil.which("openssl"):
        figure("D7", "trust stores", attempted=1, skipped=1, why="no openssl program to hash a directory with")
        pytest.skip("no openssl program to hash a directory with")
    bundle = ca[2]
    hashed, none = tmp_path / "hashed", tmp_path / "none"
    for d in (hashed, none):
        d.mkdir()
    digest = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", bundle], capture_output=True, text=True).stdout.strip()
    shutil.copy(bundle, hashed / f"{digest}.0")
    text = pathlib.Path(bundle).read_text()
    other = Cert("other", ca=True).pem(tmp_path / "other.pem", key=False)
    bad = {"missing": None, "empty": b"", "garbage": os.urandom(5000), "half": text[:200].encode(), "key": Cert("k").pem(tmp_path / "k.pem") and
           (tmp_path / "k.pem").read_bytes().split(b"-----END CERTIFICATE-----\n")[1],
           "not base64": b"-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n"}
    stores = [({"AWS_CA_BUNDLE": bundle}, None), ({"SSL_CERT_FILE": bundle}, None), ({"SSL_CERT_DIR": str(hashed)}, None),
              ({"AWS_CA_BUNDLE": bundle, "SSL_CERT_FILE": other}, None), ({"AWS_CA_BUNDLE": other, "SSL_CERT_FILE": bundle}, other),
              ({}, "trust store"), ({"SSL_CERT_FILE": other}, other), ({"SSL_CERT_DIR": str(none)}, str(none)),
              ({"AWS_CA_BUNDLE": str(tmp_path)}, str(tmp_path))]
    for name, content in bad.items():
        path = tmp_path / f"bad-{name.replace(' ', '-')}.pem"
        if content is not None:
            path.write_bytes(content)
        stores += [({"AWS_CA_BUNDLE": str(path)}, str(path)), ({"SSL_CERT_FILE": str(path)}, str(path))]
    wrong = []
    with FakeAws() as aws:
        front = TlsFront(tls.make_server(tmp_path, ca), aws.server.server_address[1])
        for i, (env, words) in enumerate(stores):
            ran = Sluice(tmp_path / f"home{i}")("--check", "--format", "json", env=aws.env(AWS_ENDPOINT_URL=front.url, **env))
            if not (ran.status == 0 if words is None else one_line(ran, words)):
                wrong.append(f"{env}: wanted {words!r}\n{ran}")
        reached = min(front.accepted, len(stores))
        front.close()
    figure("D7", "trust stores: honoured, or named when they cannot be read", attempted=len(stores),
           passed=len(stores) - len(wrong), reached=reached)
    assert not wrong, f"{len(wrong)} wrong:\n" + "\n".join(wrong[:3])
