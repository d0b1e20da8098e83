"""A forward proxy on loopback: CONNECT for https, whole URLs for http. Leads every name to one place, and misbehaves on demand."""

import base64
import contextlib
import socket
import threading
import urllib.parse


class Request:
    def __init__(self, head):
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = (lines[0].split(" ") + ["", ""])[:3]
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:] if ":" in line]

    def get(self, name):
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)

    @property
    def login(self):
        """(user, password) as the proxy understands them, or None."""
        given = self.get("Proxy-Authorization")
        if not given or not given.startswith("Basic "):
            return None
        return tuple(base64.b64decode(given[6:]).decode().split(":", 1))


def answer(status, reason="Whatever", body=b"", headers=()):
    """A fault: this answer in place of the service's, or of the tunnel."""
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Length: {len(body)}\r\n" + "".join(f"{h}\r\n" for h in headers) + "\r\n"
    return lambda proxy, client, request: client.sendall(head.encode() + body)


def login(user, password):
    """Asks for these; passes on what brings them."""
    def check(proxy, client, request):
        if request.login == (user, password):
            return proxy.serve(client, request)
        return answer(407, "Proxy Authentication Required", b"<html>who are you?</html>",
                      ['Proxy-Authenticate: Basic realm="office"', "Content-Type: text/html"])(proxy, client, request)
    return check


def raw(data, hold=False):
    """These bytes and no others; then the line is held open, or cut."""
    def fault(proxy, client, request):
        client.sendall(data)
        if hold:
            proxy.released.wait(60)
    return fault


class FakeProxy:
    """with FakeProxy(tls=PORT, plain=PORT) as p: tunnels end at the first port, plain requests at the second (both on loopback)."""

    def __init__(self, tls=None, plain=None, fault=None):
        self.tls, self.plain, self.fault = tls, plain, fault
        self.requests, self.lock, self.released = [], threading.Lock(), threading.Event()

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.released.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._client, args=(client,), daemon=True).start()

    def _client(self, client):
        try:
            with client:
                while request := self._read(client):
                    with self.lock:
                        self.requests.append(request)
                    (self.fault or FakeProxy.serve)(self, client, request)
                    if request.method == "CONNECT" or self.fault:
                        return
        except OSError:
            pass

    @staticmethod
    def _read(client):
        head = b""
        while b"\r\n\r\n" not in head:
            more = client.recv(65536)
            if not more:
                return None
            head += more
        head, body = head.split(b"\r\n\r\n", 1)
        request = Request(head)
        length = int(request.get("Content-Length") or 0)
        while len(body) < length and request.method != "CONNECT":
            body += client.recv(65536)
        request.body = body
        return request

    def serve(self, client, request):
        if request.method == "CONNECT":
            with socket.create_connection(("127.0.0.1", self.tls)) as there:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                if request.body:
                    there.sendall(request.body)
                threading.Thread(target=self._pump, args=(there, client), daemon=True).start()
                self._pump(client, there)
            return
        path = urllib.parse.urlsplit(request.target)
        line = f"{request.method} {path.path or '/'}{'?' + path.query if path.query else ''} HTTP/1.1\r\n"
        kept = [(k, v) for k, v in request.headers if not k.lower().startswith("proxy-") and k.lower() != "connection"]
        head = line + "".join(f"{k}: {v}\r\n" for k, v in kept) + "Connection: close\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.plain)) as there:
            there.sendall(head.encode("latin-1") + request.body)
            while data := there.recv(65536):
                client.sendall(data)
        client.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for s in (source, sink):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
