"""Certificates and keys: what may be served with, what is wrong with it, and the making of an own root."""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

ROOT_DAYS = 3650
SERVER_DAYS = 397
"""The longest that browsers take from anybody."""
RENEW_DAYS = 30
"""So many days before its end `serve` makes a certificate of our own anew."""
BACKDATE = timedelta(days=1)
"""Tablets whose clock is a little late take a new certificate too."""
SMALLEST_RSA = 2048
CURVES = ("secp256r1", "secp384r1")
ALWAYS = ("localhost", "127.0.0.1")
"""What every certificate of our own is good for, beside the names that were asked for."""
PRIVATE = tuple(
    ipaddress.ip_network(net)
    for net in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
    )
)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


class BadCertificate(Exception):
    """A certificate or key that cannot be served with; says where and why, in words for the terminal."""


@dataclass(frozen=True)
class Pair:
    """A certificate that can be served, with the key that belongs to it."""

    certificate: x509.Certificate
    names: tuple[str, ...]

    @property
    def begins(self) -> datetime:
        """Return the moment from which it is valid."""
        return self.certificate.not_valid_before_utc

    @property
    def ends(self) -> datetime:
        """Return the moment until which it is valid."""
        return self.certificate.not_valid_after_utc

    def covers(self, host: str) -> bool:
        """Say whether a browser that opens this name or IP address takes the certificate."""
        given = host.lower()
        return any(
            name == given or (name.startswith("*.") and given.partition(".")[2] == name[2:]) for name in self.names
        )

    def is_due(self, moment: datetime) -> bool:
        """Say whether it is time for a new one: the end is near, or a clock that was wrong has dated it ahead."""
        return moment < self.begins or self.days_left(moment) < RENEW_DAYS

    def days_left(self, moment: datetime) -> int:
        """Return how many whole days are left; negative after the end."""
        return (self.ends - moment).days

    def own_names(self) -> list[str]:
        """Return the names beside those that every certificate of our own has, else all."""
        return [name for name in self.names if name not in ALWAYS] or list(self.names)


# --- reading ----------------------------------------------------------------------------------------------------


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadCertificate(f"{path}: {error.strerror}.") from error


def read_certificate(path: Path) -> x509.Certificate:
    """Return the first certificate of a PEM file, or raise BadCertificate."""
    raw = _bytes_of(path)
    try:
        return x509.load_pem_x509_certificates(raw)[0]
    except ValueError:
        pass
    if b"PRIVATE KEY-----" in raw:
        raise BadCertificate(f"{path} holds a key and no certificate. Are the two files swapped?")
    raise BadCertificate(
        f"{path} holds no certificate in PEM form: a text that begins with -----BEGIN CERTIFICATE-----."
    )


def _read_key(path: Path) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    raw = _bytes_of(path)
    try:
        key = serialization.load_pem_private_key(raw, None)
    except TypeError:
        raise BadCertificate(
            f"The key {path} is locked with a password. Write it without one: openssl pkey -in {path} -out new.key"
        ) from None
    except ValueError:
        if b"-----BEGIN CERTIFICATE-----" in raw and b"PRIVATE KEY-----" not in raw:
            raise BadCertificate(f"{path} holds a certificate and no key. Are the two files swapped?") from None
        raise BadCertificate(f"{path} holds no private key in PEM form.") from None
    except UnsupportedAlgorithm:
        raise _strange_kind("key", path) from None
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= SMALLEST_RSA:
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in CURVES:
        return key
    raise _strange_kind("key", path)


def _strange_kind(what: str, path: Path) -> BadCertificate:
    return BadCertificate(
        f"The {what} {path} is of a kind that browsers do not take: use RSA of 2048 bits, P-256 or P-384."
    )


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the names and IP addresses that a certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    hosts = [name.lower() for name in found.get_values_for_type(x509.DNSName)]
    return (*hosts, *map(str, found.get_values_for_type(x509.IPAddress)))


def read_pair(certificate: Path, key: Path) -> Pair:
    """Return a certificate with its key from PEM files, or raise BadCertificate."""
    found, private = read_certificate(certificate), _read_key(key)
    try:
        belongs = found.public_key() == private.public_key()
    except (UnsupportedAlgorithm, ValueError):
        raise _strange_kind("certificate", certificate) from None
    if not belongs:
        raise BadCertificate(f"The key {key} does not belong to the certificate {certificate}.")
    _require_loadable(certificate, key)
    return Pair(found, names_of(found))


def _require_loadable(certificate: Path, key: Path) -> None:
    """Load a pair as a worker does, which dies of one that it cannot take: the rest of its chain counts too."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror
        raise BadCertificate(f"{certificate} with the key {key} cannot be served with: {reason}.") from error


@dataclass(frozen=True)
class Doubt:
    """What is wrong with a pair that can be served; without a mend of its own a renewal mends it."""

    what: str
    mend: str | None = None


def doubts(pair: Pair, key: Path, hosts: Sequence[str], moment: datetime) -> list[Doubt]:
    """Return what a browser or a stranger on this machine will make of a pair that can be served."""
    found = []
    if moment > pair.ends:
        found.append(Doubt(f"The certificate ended on {day(pair.ends)}."))
    if moment < pair.begins:
        what = f"The certificate is valid from {day(pair.begins)} on."
        found.append(Doubt(what, "Set the clock of this machine, or make a new certificate."))
    missing = [host for host in hosts if not pair.covers(host)]
    if missing:
        what = f"The certificate is not for {', '.join(missing)}, but for {', '.join(pair.names) or 'no name'}."
        found.append(Doubt(what, "Make one for that name, or set OTKLIK_BASE_URL to a name that it is for."))
    if readable_by_others(key):
        found.append(Doubt("Others on this machine can read the key.", f"chmod 600 {key}"))
    return found


def readable_by_others(key: Path) -> bool:
    """Say whether more than the owner and the group of a key may read it, or more than the owner change it."""
    return os.name == "posix" and bool(key.stat().st_mode & 0o027)


def day(moment: datetime) -> str:
    """Return a day as it is written in what the commands say."""
    return moment.date().isoformat()


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 fingerprint as tablets show it: pairs of hexadecimal digits, parted by colons."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


# --- making -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shelf:
    """The folder of our own root and server certificate."""

    folder: Path

    @property
    def root(self) -> Path:
        """Return the file that tablets install."""
        return self.folder / "root.crt"

    @property
    def root_key(self) -> Path:
        """Return the key that signs; needed for a renewal alone."""
        return self.folder / "root.key"

    @property
    def certificate(self) -> Path:
        """Return the certificate to serve with."""
        return self.folder / "server.crt"

    @property
    def key(self) -> Path:
        """Return the key to serve with."""
        return self.folder / "server.key"

    def is_for(self, certificate: Path) -> bool:
        """Say whether a certificate is the one of this folder, and can be made anew."""
        return certificate.absolute() == self.certificate.absolute() and self.root_key.exists() and self.root.exists()


def host_name(given: str) -> str:
    """Return a name or IP address as certificates hold it, or raise BadCertificate."""
    text = given.strip().strip("[]").rstrip(".").lower()
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        name = text.encode("idna").decode()
    except UnicodeError:
        name = ""
    labels = name.split(".")
    # A last part of digits alone is an IP address with a slip in it.
    if len(name) > 253 or labels[-1].isdigit() or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadCertificate(f"{given} is neither a name such as otklik.lan nor an IP address such as 192.168.1.10.")
    return name


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _general(host: str) -> x509.GeneralName:
    address = _address(host)
    return x509.DNSName(host) if address is None else x509.IPAddress(address)


def _limits(hosts: Sequence[str]) -> x509.NameConstraints:
    """Return what the root may sign for: the given names, and the addresses of private networks.

    So a stolen key of the root opens no bank. One name and one network at least always stand in it: a kind of name
    that is not listed at all would be free.
    """
    names = [host for host in (*hosts, ALWAYS[0]) if _address(host) is None]
    addresses = [address for host in hosts if (address := _address(host))]
    nets: list[Network] = [*PRIVATE]
    nets += [ipaddress.ip_network(one) for one in addresses if not any(one in net for net in PRIVATE)]
    return x509.NameConstraints(
        [*map(x509.DNSName, dict.fromkeys(names)), *map(x509.IPAddress, nets)], excluded_subtrees=None
    )


def permits(root: x509.Certificate, host: str) -> bool:
    """Say whether a root may sign for a name or IP address."""
    try:
        limits = root.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    except x509.ExtensionNotFound:
        return True
    address = _address(host)
    for limit in limits:
        if isinstance(limit, x509.DNSName) and address is None and f".{host}".endswith(f".{limit.value}"):
            return True
        if isinstance(limit, x509.IPAddress) and address is not None and address in ipaddress.ip_network(limit.value):
            return True
    return False


def _started(subject: str, issuer: x509.Name | None, days: int, moment: datetime) -> x509.CertificateBuilder:
    name = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Otklik"), x509.NameAttribute(NameOID.COMMON_NAME, subject[:64])]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer or name)
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - BACKDATE)
        .not_valid_after(moment - BACKDATE + timedelta(days=days))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def make_root(shelf: Shelf, hosts: Sequence[str], moment: datetime) -> x509.Certificate:
    """Make a root that may sign for these hosts and private addresses alone, and keep it with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    # The letters tell one root from another in a tablet's list.
    subject = f"Otklik root {moment:%Y-%m} {secrets.token_hex(2)}"
    root = (
        _started(subject, None, ROOT_DAYS, moment)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(_limits(hosts), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    shelf.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _keep_key(shelf.root_key, key)
    _keep(shelf.root, root.public_bytes(serialization.Encoding.PEM))
    return root


def make_server(shelf: Shelf, hosts: Sequence[str], moment: datetime) -> Pair:
    """Make a server certificate for these hosts, signed by the root that is kept; raise BadCertificate.

    The key is new each time. Who serves meanwhile sees the two files change one after the other and waits for both.
    """
    signer = _read_key(shelf.root_key)
    root = read_pair(shelf.root, shelf.root_key).certificate
    strange = [host for host in hosts if not permits(root, host)]
    if strange:
        raise BadCertificate(
            f"The root may not sign for {', '.join(strange)}. Make a new root with: "
            "otklik tls create --new-root --host …; the tablets then need the new one."
        )
    left = (root.not_valid_after_utc - moment).days
    if left < RENEW_DAYS:
        raise BadCertificate(
            f"The root ends on {day(root.not_valid_after_utc)}. Make a new one with: "
            "otklik tls create --new-root --host …; the tablets then need the new one."
        )
    key = ec.generate_private_key(ec.SECP256R1())
    names = list(dict.fromkeys((*hosts, *ALWAYS)))
    certificate = (
        _started(names[0], root.subject, min(SERVER_DAYS, left), moment)
        .public_key(key.public_key())
        .add_extension(x509.SubjectAlternativeName(map(_general, names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    _keep_key(shelf.key, key)
    _keep(shelf.certificate, certificate.public_bytes(serialization.Encoding.PEM))
    return Pair(certificate, names_of(certificate))


def renew(shelf: Shelf) -> Pair:
    """Make the server certificate anew for the names it has."""
    former = read_certificate(shelf.certificate)
    return make_server(shelf, Pair(former, names_of(former)).own_names(), datetime.now(UTC))


def _keep_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    form = serialization.PrivateFormat.PKCS8
    _keep(path, key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()), 0o600)


def _keep(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Put a file in its place whole, so that nobody reads half of it."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
