"""The servers of D6 and one run among them. Also a program: redirects.py FOLDER runs the cases whose target is the metadata address,
inside a network namespace of its own where that address is ours, and prints what it found as JSON."""

import contextlib
import http.server
import json
import pathlib
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))

import tls  # noqa: E402
from program import Sluice, plain  # noqa: E402

STATUSES = (301, 302, 303, 307, 308)
PATH = "/moved/elsewhere"
METADATA = "169.254.169.254"


class Server(http.server.ThreadingHTTPServer):
    """Answers everything with one status and Location, and remembers who came: connections, and requests with their signatures."""
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address=("127.0.0.1", 0), pem=None, status=200, location=""):
        self.status, self.location, self.came, self.requests, self.lock = status, location, 0, [], threading.Lock()
        super().__init__(address, Handler)
        self.port = self.server_address[1]
        self.front = tls.TlsFront(pem, self.port) if pem else None
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self):
        return self.front.url if self.front else f"http://{self.server_address[0]}:{self.port}"

    def get_request(self):
        self.came += 1
        return super().get_request()

    def visits(self):
        return self.came + (self.front.accepted if self.front else 0)

    def handle_error(self, request, client_address):
        pass

    def __exit__(self, *exc):
        if self.front:
            self.front.close()
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *a):
        pass

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        what = self.headers.get("X-Amz-Target") or body.decode("latin-1") or self.path
        with self.server.lock:
            self.server.requests.append((self.path, what, self.headers.get("Authorization"), self.headers.get("amz-sdk-invocation-id")))
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_HEAD = serve


def environment(url, ca_pem):
    return {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": url, "AWS_CA_BUNDLE": ca_pem}


def run_case(status, target, ca_pem, pem, home):
    """([what is wrong], how often the redirect was given). The other hosts are there and count their visitors; only for a file there
    is nobody to ask, but what it holds would not be taken for a redirect in the end."""
    with contextlib.ExitStack() as stack:
        here = stack.enter_context(Server(pem=pem, status=status))
        there = [stack.enter_context(Server(pem=pem)), stack.enter_context(Server())]
        if target == "metadata":
            there.append(stack.enter_context(Server((METADATA, 80))))
        here.location = {"other host": there[0].url + PATH, "http": there[1].url + PATH, "file": "file:///etc/hostname",
                         "metadata": f"http://{METADATA}/latest/meta-data/iam/security-credentials/", "same host": here.url + PATH}[target]
        try:
            ran = Sluice(home)("--check", "--format", "json", env=environment(here.url, ca_pem))
        except subprocess.TimeoutExpired:
            return [f"{status} to {target}: hangs after {len(here.requests)} requests"], len(here.requests)
        visits, given = sum(t.visits() for t in there), list(here.requests)
    return [f"{status} to {target}: {w}\n{ran}" for w in mistakes(ran, visits, given)], len(given)


def mistakes(ran, visits, given):
    if visits:
        yield f"another host was contacted {visits} times"
    if any(path == PATH for path, *_ in given):
        yield "followed on the same host"
    for i, what in enumerate(("path and body", "signature", "invocation")):
        seen = [g[i + 1] for g in given]
        if None in seen or len(set(seen)) != len(seen):
            yield f"a {what} came twice, or not at all: {seen}"
    codes = {c["code"] for c in ran.json["checks"] if c["status"] == "UNKNOWN"}
    if ran.status != 3 or codes != {"BADREPLY"}:
        yield f"exit {ran.status}, {codes}"
    if "redirect" not in ran.err or not plain(ran.out + ran.err):
        yield "does not say plainly that it was a redirect"


def in_namespace(folder):
    """The five metadata cases, beside us; None when this machine gives no namespaces."""
    argv = ["unshare", "--user", "--map-root-user", "--net", sys.executable, __file__, str(folder)]
    try:
        p = subprocess.run(argv, capture_output=True, text=True, timeout=240)
    except FileNotFoundError:
        return None
    if p.returncode == 77:
        return None
    if p.returncode and not p.stdout:
        return None if p.stderr.startswith("unshare:") else [([p.stderr], 0)] * len(STATUSES)
    return [tuple(r) for r in json.loads(p.stdout)]


def main(folder):
    for argv in (["ip", "link", "set", "lo", "up"], ["ip", "addr", "add", f"{METADATA}/32", "dev", "lo"]):
        try:
            if subprocess.run(argv, capture_output=True).returncode:
                return 77
        except FileNotFoundError:
            return 77
    ca = tls.make_ca(folder)
    pem = tls.make_server(folder, ca)
    print(json.dumps([run_case(s, "metadata", ca[2], pem, folder / str(s)) for s in STATUSES]))
    return 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
