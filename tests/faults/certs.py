"""Certificates that are wrong in one way each, and chains of them."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def names(*hosts):
    """A subjectAltName of addresses and names as they are written."""
    def one(host):
        try:
            return x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            return x509.DNSName(host)
    return x509.SubjectAlternativeName([one(h) for h in hosts])


def raw_names(*hosts):
    """The same with any bytes in a name."""
    items = b"".join(b"\x82" + bytes([len(h)]) + h for h in hosts)
    return x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, b"\x30" + bytes([len(items)]) + items)


class Cert:
    """A key and its certificate; by: who signed it (None: itself). days: from and to, relative to now."""

    def __init__(self, subject, by=None, san=None, ca=False, days=(-1, 1), bits=0, digest=None, usage=None, path=None, lie=None, only=None):
        now = datetime.datetime.now(datetime.timezone.utc)
        self.key = rsa.generate_private_key(65537, bits) if bits else ec.generate_private_key(ec.SECP256R1())
        self.by = by or self
        b = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(subject) if not by else by.cert.subject)
             .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
             .not_valid_before(now + datetime.timedelta(days=days[0])).not_valid_after(now + datetime.timedelta(days=days[1])))
        if ca is not None:
            b = b.add_extension(x509.BasicConstraints(ca=ca, path_length=path), critical=True)
        if san:
            b = b.add_extension(san, critical=False)
        if usage:
            b = b.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if only:
            b = b.add_extension(x509.NameConstraints([x509.DNSName(only)], None), critical=True)
        signer = (lie or self.by).key  # lie: another than the one who is named
        self.cert = b.sign(signer, digest or hashes.SHA256())

    def pem(self, path, *chain, key=True):
        """Writes the certificate, its chain and (for a server) its key."""
        with open(path, "wb") as f:
            for c in (self, *chain):
                f.write(c.cert.public_bytes(serialization.Encoding.PEM))
            if key:
                f.write(self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                                               serialization.NoEncryption()))
        return str(path)


CLIENT_ONLY = ExtendedKeyUsageOID.CLIENT_AUTH
SHA1 = hashes.SHA1()
