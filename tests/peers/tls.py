"""A TLS front for an emulator that speaks plain HTTP, and the certificates for it."""

import contextlib
import datetime
import ipaddress
import select
import socket
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(path, *things):
    with open(path, "wb") as f:
        for t in things:
            if isinstance(t, x509.Certificate):
                f.write(t.public_bytes(serialization.Encoding.PEM))
            else:
                f.write(t.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return str(path)


def make_ca(folder, name="sluice test CA"):
    """Writes ca.pem; returns (key, certificate, path)."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    cert = (x509.CertificateBuilder().subject_name(_name(name)).issuer_name(_name(name)).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256()))
    return key, cert, _pem(folder / "ca.pem", cert)


def make_server(folder, ca, host="127.0.0.1", expired=False):
    """Writes server.pem with key and certificate for host; returns its path."""
    ca_key, ca_cert, _ = ca
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    try:
        names = [x509.IPAddress(ipaddress.ip_address(host)), x509.DNSName("localhost")]
    except ValueError:
        names = [x509.DNSName(host)]
    end = now - datetime.timedelta(hours=1) if expired else now + datetime.timedelta(days=1)
    cert = (x509.CertificateBuilder().subject_name(_name(host)).issuer_name(ca_cert.subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
            .sign(ca_key, hashes.SHA256()))
    return _pem(folder / f"server-{host}{'-expired' if expired else ''}.pem", key, cert)


class TlsFront:
    """Accepts TLS on a free port and passes the bytes on to an upstream (host, port) on loopback."""

    def __init__(self, pem, upstream_port, context=None):
        self.upstream_port = upstream_port
        self.context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if not context:
            self.context.load_cert_chain(pem)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.accepted = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw):
        try:
            inner = self.context.wrap_socket(raw, server_side=True)
        except (OSError, ssl.SSLError):
            raw.close()
            return
        outer = socket.create_connection(("127.0.0.1", self.upstream_port))
        self._pump(inner, outer)

    @staticmethod
    def _pump(inner, outer):
        """Both ways on one thread: a TLS connection must not be read and written at the same time."""
        with contextlib.suppress(OSError, ValueError):
            while True:
                ready = [inner] if inner.pending() else select.select([inner, outer], [], [])[0]
                for source, sink in ((inner, outer), (outer, inner)):
                    if source not in ready:
                        continue
                    data = source.recv(65536)
                    if not data:
                        raise OSError("closed")
                    sink.sendall(data)
        for s in (inner, outer):
            with contextlib.suppress(OSError):
                s.close()

    def close(self):
        self.listener.close()
