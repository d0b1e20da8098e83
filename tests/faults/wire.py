"""Servers that break the wire at a chosen place, and the driver that sends through aws/http/http.c (tests/tools/http_cli.c) to them."""

import concurrent.futures
import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import socket
import ssl
import struct
import subprocess
import threading

from program import ROOT, SLOWER, clean_env


def tool(name):
    return str(pathlib.Path(os.environ.get("SLUICE_BUILD") or ROOT / "build") / "tools" / name)


class Driver:
    """with Driver(home) as d: d(url=..., body="{}", once=True)["sent"]"""

    def __init__(self, home, env=None):
        os.makedirs(home, exist_ok=True)
        self.home, self.env = home, clean_env(home, env)

    def __enter__(self):
        self.p = subprocess.Popen([tool("http_cli")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  env=self.env, cwd=self.home)
        return self

    def __call__(self, **request):
        self.p.stdin.write(json.dumps(request).encode() + b"\n")
        self.p.stdin.flush()
        line = self.p.stdout.readline()
        assert line, self.p.stderr.read().decode(errors="replace")[-4000:]
        answer = json.loads(line)
        assert answer["told"] <= 1, answer
        return answer

    def __exit__(self, *exc):
        if exc[0]:
            self.p.kill()
        _, err = self.p.communicate(timeout=30 * SLOWER)
        assert exc[0] or (self.p.returncode == 0 and b"Sanitizer" not in err), err.decode(errors="replace")[-4000:]


def request_length(data):
    """Of the whole request at the front of data, head and body; None while its head is not whole."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    for line in data[:end].split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return end + 4 + int(value)
    return end + 4


class Connection:
    """One accepted line. seen: every byte of requests that came over it."""

    def __init__(self, sock, nth, server):
        self.sock, self.nth, self.seen, self.server = sock, nth, b"", server

    def read(self, n):
        """Exactly n bytes, fewer when the other side ends before."""
        got = b""
        while len(got) < n:
            data = self.sock.recv(n - len(got))
            if not data:
                break
            got += data
        self.seen += got
        return got

    def request(self):
        """A whole request; what came of it when it was cut."""
        data = b""
        while (length := request_length(data)) is None or len(data) < length:
            more = self.sock.recv(65536)
            if not more:
                break
            data += more
            self.seen += more
        return data

    def whole(self):
        length = request_length(self.seen)
        return length is not None and len(self.seen) >= length

    def send(self, data):
        with contextlib.suppress(OSError):
            self.sock.sendall(data)

    def fin(self):
        """Says that no more will come, and hears out what the other side still sends."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
            self.sock.settimeout(2)
            while data := self.sock.recv(65536):
                self.seen += data

    def rst(self):
        with contextlib.suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.sock.close()


class Server:
    """A thread a connection runs serve(connection); which may be exchanged between requests. Faults of the script itself are kept
    in `broken` and raised at the end."""

    def __init__(self, serve=None, context=None, host="127.0.0.1", port=0, backlog=128):
        self.serve, self.context, self.broken, self.connections, self.threads = serve, context, [], [], []
        self.listener = socket.create_server((host, port), backlog=backlog)
        self.port = self.listener.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://{host}:{self.port}"
        self.released = threading.Event()  # for those that keep silence
        self.accepted, self.last = threading.Event(), None  # settle's own connection: all that were made before it are accepted
        self.handshakes_refused = 0

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.released.set()
        self.settle()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        if self.broken and not exc[0]:
            raise self.broken[0]

    def begin(self, serve):
        """A new script and a clean record."""
        self.settle()
        self.serve, self.connections = serve, []

    def settle(self):
        """Until every connection made so far was accepted and its script has ended: what was seen is known for good then."""
        with contextlib.suppress(OSError), socket.socket() as last:
            last.bind(("127.0.0.1", 0))
            self.accepted.clear()
            self.last = last.getsockname()
            last.connect(self.listener.getsockname())
            self.accepted.wait(10)
        for t in self.threads:
            t.join(30)
        self.threads = []

    def _accept(self):
        while True:
            try:
                sock, peer = self.listener.accept()
            except OSError:
                return
            if peer == self.last:
                sock.close()
                self.accepted.set()
                continue
            t = threading.Thread(target=self._run, args=(sock, self.serve), daemon=True)
            t.start()
            self.threads.append(t)

    def _run(self, raw, serve):
        sock = raw
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context:
                try:
                    sock = self.context.wrap_socket(raw, server_side=True, suppress_ragged_eofs=True)
                except OSError:
                    self.handshakes_refused += 1
                    return
            c = Connection(sock, len(self.connections), self)
            self.connections.append(c)
            serve(c)
        except OSError:
            pass  # the other side hangs up: part of the game
        except Exception as e:  # noqa: BLE001
            self.broken.append(e)
        finally:
            with contextlib.suppress(OSError):
                sock.close()


def answer(body=b"ok", head=b"", status=b"200 OK"):
    return b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status, head, len(body), body)


def server_context(pem, **more):
    """A TLS server's, of a file with key and chain; more: attributes to set (minimum_version=...)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    for k, v in more.items():
        setattr(context, k, v)
    return context


def own_network(function):
    """Runs function in a thread with a network and mounts of its own: nothing but a loopback. Processes and threads that it starts
    are there, too. OSError when this machine does not allow it."""
    def enter():
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(0x40000000 | 0x00020000):  # CLONE_NEWNET, CLONE_NEWNS
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        if libc.mount(b"none", b"/", None, 0x44000, None):  # MS_REC | MS_PRIVATE: what is mounted here stays here
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        with socket.socket() as s:
            up = struct.pack("16sh14x", b"lo", 0x1 | 0x40)  # IFF_UP, IFF_RUNNING
            fcntl.ioctl(s, 0x8914, up)  # SIOCSIFFLAGS
        return function()

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(enter).result()


def mount_over(path, text, folder):
    """Inside own_network: path reads as text."""
    source = folder / path.replace("/", "_")
    source.write_text(text)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(os.fsencode(source), os.fsencode(os.path.realpath(path)), None, 0x1000, None):  # MS_BIND
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)
