"""https in a shop without IT: an own root that tablets trust, a server that takes a renewed certificate over."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from feedback_app.cli import certificates, main, renewal, serving, tls
from feedback_app.cli.certificates import BadCertificate, Shelf
from feedback_app.cli.renewal import Watch
from feedback_app.services import counting, demo
from feedback_app.storage.database import Database
from tests.builders import EMAILS, csrf_of, open_chain
from tests.cli.served import Start, announced, free_port, group, is_free, wait_until_gone

HOSTS = ["otklik.lan", "192.168.1.10"]
LONG_AGO = timedelta(days=800)
Run = Callable[..., Result]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """An own root and a server certificate, as `otklik tls create` makes them in the instance folder."""
    return laid(tmp_path / "instance" / "tls")


def laid(folder: Path, hosts: list[str] | None = None, moment: datetime | None = None) -> Shelf:
    made, moment = Shelf(folder), moment or datetime.now(UTC)
    certificates.make_root(made, hosts or HOSTS, moment)
    certificates.make_server(made, hosts or HOSTS, moment)
    return made


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process, with an instance folder of its own."""
    for name in [name for name in os.environ if name.startswith("OTKLIK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OTKLIK_INSTANCE", str(tmp_path / "instance"))

    def command(*arguments: object) -> Result:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return command


def trusting(root: Path) -> ssl.SSLContext:
    """A visitor who has installed a root, and no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(root)
    return context


def opens(root: Path, certificate: Path, key: Path, host: str) -> bool:
    """Whether a visitor who trusts the root takes the certificate for a host: a real handshake in memory."""
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate, key)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    visitor = trusting(root).wrap_bio(back, there, server_hostname=host)
    server = served.wrap_bio(there, back, server_side=True)
    for _ in range(3):
        for side in (visitor, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    return True


# --- the root and what it signs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "taken"), [*((host, True) for host in HOSTS), ("localhost", True), ("bank.by", False)]
)
def test_who_trusts_the_root_opens_the_shop_and_nothing_else(shelf: Shelf, host: str, taken: bool) -> None:
    assert opens(shelf.root, shelf.certificate, shelf.key, host) is taken


@pytest.mark.parametrize("host", ["bank.by", "lan", "notklik.lan", "8.8.8.8"])
def test_a_stolen_root_key_opens_no_bank(shelf: Shelf, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with pytest.raises(BadCertificate, match="--new-root"):
        certificates.make_server(shelf, [host], datetime.now(UTC))
    monkeypatch.setattr(certificates, "permits", lambda _root, _host: True)
    certificates.make_server(shelf, [host], datetime.now(UTC))
    assert not opens(shelf.root, shelf.certificate, shelf.key, host)


@pytest.mark.parametrize("host", ["10.0.0.7", "172.20.1.1", "192.168.88.2", "fd00::7", "tablet.otklik.lan"])
def test_the_root_serves_on_when_the_router_gives_another_address(shelf: Shelf, host: str) -> None:
    certificates.make_server(shelf, [host], datetime.now(UTC))
    assert opens(shelf.root, shelf.certificate, shelf.key, host)


def test_a_public_address_is_permitted_when_it_was_asked_for(tmp_path: Path) -> None:
    made = laid(tmp_path / "tls", ["203.0.113.5"])
    assert opens(made.root, made.certificate, made.key, "203.0.113.5")
    assert not certificates.permits(certificates.read_certificate(made.root), "203.0.113.6")


def test_a_root_without_limits_permits_every_name(tmp_path: Path) -> None:
    own = laid(tmp_path / "tls")
    limited = certificates.read_certificate(own.root)
    key = serialization.load_pem_private_key(own.root_key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    free = (
        x509.CertificateBuilder()
        .subject_name(limited.subject)
        .issuer_name(limited.issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(limited.not_valid_before_utc)
        .not_valid_after(limited.not_valid_after_utc)
        .public_key(key.public_key())
        .sign(key, hashes.SHA256())
    )
    own.root.write_bytes(free.public_bytes(serialization.Encoding.PEM))
    assert "shop.example" in certificates.make_server(own, ["shop.example"], datetime.now(UTC)).names


def test_the_server_certificate_is_as_long_as_browsers_allow_and_ends_before_the_root(tmp_path: Path) -> None:
    begun = datetime.now(UTC) - timedelta(days=certificates.ROOT_DAYS - 100)
    made = laid(tmp_path / "tls", moment=begun)
    first = certificates.read_certificate(made.certificate)
    assert first.not_valid_after_utc - first.not_valid_before_utc == timedelta(days=397)
    second = certificates.renew(made)
    assert second.ends <= certificates.read_certificate(made.root).not_valid_after_utc
    with pytest.raises(BadCertificate, match="The root ends on"):
        certificates.make_server(made, HOSTS, datetime.now(UTC) + timedelta(days=80))


@pytest.mark.parametrize("given", ["https://otklik.lan", "192.168.1.300", "*.lan", "shop lan", "", "-a.lan"])
def test_what_is_no_name_is_said_to_be_none(run: Run, given: str) -> None:
    result = run("tls", "create", "--host", given)
    assert (result.exit_code, "192.168.1.10" in result.stderr) == (1, True)


def test_one_command_makes_all_and_says_what_to_do_next(run: Run, tmp_path: Path) -> None:
    result = run("tls", "create", "--host", "192.168.1.10", "--host", "Otklik.LAN")
    assert result.exit_code == 0
    made = Shelf(tmp_path / "instance" / "tls")
    for said in (
        f"--tls-cert {made.certificate} --tls-key {made.key}",
        "OTKLIK_BASE_URL=https://192.168.1.10:5000",
        tls.ON_THE_TABLET,
        tls.GUIDE,
        certificates.fingerprint(certificates.read_certificate(made.root)),
    ):
        assert said in result.output
    assert (Path(__file__).parents[2] / tls.GUIDE).is_file()
    assert {path.name: path.stat().st_mode & 0o777 for path in (made.root_key, made.key)} == {
        "root.key": 0o600,
        "server.key": 0o600,
    }
    for host in ("otklik.lan", "192.168.1.10"):
        assert opens(made.root, made.certificate, made.key, host)


def test_a_second_time_the_tablets_need_nothing_new(run: Run, tmp_path: Path) -> None:
    run("tls", "create", "--host", "otklik.lan")
    made = Shelf(tmp_path / "instance" / "tls")
    root, former = made.root.read_bytes(), certificates.read_certificate(made.certificate)
    assert "Not due" in run("tls", "renew", "--if-due").output
    assert certificates.read_certificate(made.certificate) == former
    for arguments in (["renew"], ["create", "--host", "192.168.7.7", "--host", "otklik.lan"]):
        assert run("tls", *arguments).exit_code == 0
        assert made.root.read_bytes() == root
        assert certificates.read_certificate(made.certificate).serial_number != former.serial_number
        assert opens(made.root, made.certificate, made.key, "otklik.lan")
    assert opens(made.root, made.certificate, made.key, "192.168.7.7")
    assert run("tls", "create", "--host", "other.lan").exit_code == 1
    assert run("tls", "create", "--host", "other.lan", "--new-root").exit_code == 0
    assert made.root.read_bytes() != root


def test_a_renewal_without_a_first_certificate_is_refused_in_words(run: Run) -> None:
    result = run("tls", "renew")
    assert (result.exit_code, "server.crt" in result.stderr) == (1, True)


def test_tablets_fetch_the_root_and_nothing_but_it(start: Start, shelf: Shelf) -> None:
    port = free_port()
    sharing = start("tls", "share", "--host", "127.0.0.1", "--port", port)
    told = announced(sharing)
    assert f"http://192.168.1.10:{port}/root.crt" in told
    assert certificates.fingerprint(certificates.read_certificate(shelf.root)) in told
    for path in ("root.crt", "../tls/server.key"):
        with urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
            assert answer.headers["Content-Type"] == "application/x-x509-ca-cert"
            assert answer.read() == shelf.root.read_bytes()


# --- what is wrong with a pair ----------------------------------------------------------------------------------


def a_key(path: Path, key: Any = None, password: bytes | None = None) -> Path:
    hidden = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    made = key or ec.generate_private_key(ec.SECP256R1())
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(made.private_bytes(pem, form, hidden))
    path.chmod(0o600)
    return path


def on_strange_curve(pem: Path, path: Path) -> Path:
    """Write a certificate or key of ours as one on a curve that nobody has."""
    first, *body, last = pem.read_text().splitlines()
    ours = bytes.fromhex("2a8648ce3d030107")
    raw = base64.b64decode("".join(body))
    assert ours in raw
    strange = base64.encodebytes(raw.replace(ours, ours[:-1] + b"\x02")).decode()
    path.write_text(f"{first}\n{strange}{last}\n")
    return path


def test_half_a_pair_is_refused(run: Run, shelf: Shelf) -> None:
    for half in (["--tls-cert", shelf.certificate], ["--tls-key", shelf.key]):
        result = run("serve", *half)
        assert (result.exit_code, "go together" in result.stderr) == (2, True)


def test_a_pair_that_cannot_be_served_is_named_with_what_is_wrong(run: Run, shelf: Shelf, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n")
    nothing = tmp_path / "nothing.key"
    nothing.write_text("a letter to the landlord")
    der = tmp_path / "binary.crt"
    der.write_bytes(certificates.read_certificate(shelf.root).public_bytes(serialization.Encoding.DER))
    odd = a_key(tmp_path / "odd.key", ec.generate_private_key(ec.SECP521R1()))
    locked = a_key(tmp_path / "locked.key", password=b"Zebra")
    other = a_key(tmp_path / "other.key")
    strange_key = on_strange_curve(shelf.key, tmp_path / "strange.key")
    strange = on_strange_curve(shelf.certificate, tmp_path / "strange.crt")
    half = tmp_path / "half.crt"
    half.write_bytes(shelf.certificate.read_bytes() + shelf.root.read_bytes()[:200])
    for certificate, key, named, says in (
        (tmp_path / "none.crt", shelf.key, tmp_path / "none.crt", "No such file"),
        (shelf.certificate, tmp_path / "none.key", tmp_path / "none.key", "No such file"),
        (tmp_path, shelf.key, tmp_path, "Is a directory"),
        (broken, shelf.key, broken, "PEM"),
        (der, shelf.key, der, "PEM"),
        (shelf.key, shelf.certificate, shelf.key, "swapped"),
        (shelf.certificate, shelf.root, shelf.root, "swapped"),
        (shelf.certificate, nothing, nothing, "no private key"),
        (shelf.certificate, locked, locked, "openssl pkey"),
        (shelf.certificate, odd, odd, "P-256"),
        (shelf.certificate, strange_key, strange_key, "P-256"),
        (strange, shelf.key, strange, "P-256"),
        (shelf.certificate, other, other, "does not belong"),
        (half, shelf.key, half, "cannot be served with"),
    ):
        result = run("serve", "--tls-cert", certificate, "--tls-key", key)
        assert (result.exit_code, says in result.stderr) == (1, True), result.output
        assert str(named) in result.stderr


def test_what_browsers_will_not_like_is_said_beforehand(tmp_path: Path) -> None:
    moment = datetime.now(UTC)
    old = laid(tmp_path / "old", moment=moment - LONG_AGO)
    (ended,) = certificates.doubts(certificates.read_pair(old.certificate, old.key), old.key, [], moment)
    assert "ended on" in ended.what
    ahead = laid(tmp_path / "ahead", moment=moment + LONG_AGO)
    (early,) = certificates.doubts(certificates.read_pair(ahead.certificate, ahead.key), ahead.key, [], moment)
    assert "valid from" in early.what
    good = laid(tmp_path / "good")
    pair = certificates.read_pair(good.certificate, good.key)
    assert certificates.doubts(pair, good.key, ["OTKLIK.lan", "192.168.1.10"], moment) == []
    (strange,) = certificates.doubts(pair, good.key, ["otklik.lan", "shop.lan"], moment)
    assert strange.what.startswith("The certificate is not for shop.lan,")
    good.key.chmod(0o644)
    (readable,) = certificates.doubts(pair, good.key, [], moment)
    assert "chmod 600" in (readable.mend or "")


# --- the watch --------------------------------------------------------------------------------------------------


class Seat:
    """A certificate in service without a server: notes what was taken over, and what was said."""

    def __init__(self, certificate: Path, key: Path, own: Shelf) -> None:
        self.certificate = certificate
        self.taken: list[int] = []
        self.said: list[str] = []
        self.watch = Watch(certificate, key, self._take, self.said.append, own)

    def _take(self) -> None:
        self.taken.append(certificates.read_certificate(self.certificate).serial_number)

    def look(self, times: int = 2) -> None:
        for _ in range(times):
            self.watch.look()


@pytest.fixture
def seat(tmp_path: Path, shelf: Shelf) -> Seat:
    """A pair somebody else renews, beside our own shelf."""
    for path in (shelf.certificate, shelf.key):
        shutil.copy(path, tmp_path / path.name)
    return Seat(tmp_path / "server.crt", tmp_path / "server.key", shelf)


def test_a_half_replaced_pair_is_never_served(seat: Seat, shelf: Shelf) -> None:
    fresh = certificates.renew(shelf)
    seat.look()
    shutil.copy(shelf.certificate, seat.certificate)
    seat.look(4)
    assert seat.taken == []
    assert [said.startswith("The certificate in service stays: The key") for said in seat.said] == [True]
    shutil.copy(shelf.key, seat.certificate.with_name("server.key"))
    seat.look()
    assert seat.taken == [fresh.certificate.serial_number]
    seat.look(4)
    assert len(seat.taken) == 1


def test_a_pair_that_is_just_being_written_is_given_time(seat: Seat, shelf: Shelf) -> None:
    certificates.renew(shelf)
    shutil.copy(shelf.certificate, seat.certificate)
    seat.look(1)
    shutil.copy(shelf.key, seat.certificate.with_name("server.key"))
    seat.look(2)
    assert len(seat.taken) == 1
    assert len(seat.said) == 1


def test_a_chain_that_breaks_off_is_never_served(seat: Seat, shelf: Shelf) -> None:
    seat.certificate.write_bytes(shelf.certificate.read_bytes() + shelf.root.read_bytes()[:200])
    seat.look(4)
    assert seat.taken == []
    assert [said.startswith("The certificate in service stays:") for said in seat.said] == [True]


def test_the_watch_goes_on_after_what_nobody_foresaw_and_says_it_once(
    seat: Seat, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [ValueError("odd"), ValueError("odd"), SystemExit()]

    def take_over() -> None:
        watch.ask()
        raise left.pop(0)

    monkeypatch.setattr(renewal, "LOOK_SECONDS", 0.01)
    watch = Watch(seat.certificate, seat.certificate.with_name("server.key"), take_over, seat.said.append, shelf)
    watch.ask()
    with pytest.raises(SystemExit):
        watch.run()
    assert seat.said == ["The certificate in service stays; looking after it failed: ValueError('odd')"]


def test_files_that_are_gone_change_nothing(seat: Seat) -> None:
    seat.certificate.unlink()
    seat.look(4)
    assert seat.taken == []
    assert len(seat.said) == 1


@pytest.mark.parametrize("moment", [-timedelta(days=397 - 20), LONG_AGO], ids=["near its end", "dated ahead"])
def test_our_own_certificate_is_made_anew_in_time_and_once(tmp_path: Path, moment: timedelta) -> None:
    own = laid(tmp_path / "tls", moment=datetime.now(UTC) - LONG_AGO)
    former = certificates.make_server(own, HOSTS, datetime.now(UTC) + moment)
    seat = Seat(own.certificate, own.key, own)
    seat.look(5)
    fresh = certificates.read_pair(own.certificate, own.key)
    assert seat.taken == [fresh.certificate.serial_number] != [former.certificate.serial_number]
    assert fresh.days_left(datetime.now(UTC)) > 390
    assert set(fresh.names) == set(former.names)


def test_a_certificate_that_cannot_be_made_anew_is_said_once(tmp_path: Path) -> None:
    own = laid(tmp_path / "tls", moment=datetime.now(UTC) - timedelta(days=certificates.ROOT_DAYS - 10))
    seat = Seat(own.certificate, own.key, own)
    seat.look(4)
    assert seat.taken == []
    assert [said.startswith("The certificate could not be made anew: The root ends on") for said in seat.said] == [True]


def test_a_certificate_of_others_is_never_made_anew_here(tmp_path: Path, shelf: Shelf) -> None:
    other = laid(tmp_path / "theirs", moment=datetime.now(UTC) - timedelta(days=390))
    seat = Seat(other.certificate, other.key, shelf)
    seat.look(4)
    assert (seat.taken, seat.said) == ([], [])


# --- the doctor -------------------------------------------------------------------------------------------------


@pytest.fixture
def examined(run: Run, tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """What the doctor says of https, after a server was started with a pair; each finding begins with its grade."""
    monkeypatch.setenv("OTKLIK_DATABASE_URL", sqlite_url)

    def examine(pair: Shelf | None = None, **config: str) -> list[str]:
        instance = tmp_path / "instance"
        instance.mkdir(exist_ok=True)
        serving._note_served(instance, (pair.certificate, pair.key) if pair else None)
        for name, value in config.items():
            monkeypatch.setenv(f"OTKLIK_{name}", value)
        result = run("doctor")
        said = [line for line in result.output.splitlines() if any(word in line for word in ABOUT_HTTPS)]
        assert result.exit_code == any(line.startswith("serious") for line in said), result.output
        assert all("Mend: " in line for line in said)
        return said

    return examine


ABOUT_HTTPS = ("https", "certificate", "root", "the key", "kiosk")
BASE_URL = "https://otklik.lan:5000"


def test_the_doctor_has_nothing_against_a_shop_with_its_own_certificate(
    examined: Callable[..., list[str]], shelf: Shelf
) -> None:
    assert examined(shelf, BASE_URL=BASE_URL) == []


def test_the_doctor_says_how_kiosks_come_to_work_offline(examined: Callable[..., list[str]], tmp_path: Path) -> None:
    (said,) = examined()
    assert said.startswith("advice: There is no https")
    assert "otklik tls create" in said
    (said,) = examined(BASE_URL="https://otklik.example.by")
    assert "OTKLIK_TRUSTED_PROXIES=1" in said
    assert examined(BASE_URL="https://otklik.example.by", TRUSTED_PROXIES="1") == []
    made = laid(tmp_path / "instance" / "tls")
    (said,) = examined()
    assert f"--tls-cert {made.certificate} --tls-key {made.key}" in said


@pytest.mark.parametrize(
    ("days", "grade", "says"),
    [(-1, "serious", "ended on"), (5, "serious", "ends in 4 days"), (20, "advice", "ends in 19 days"), (22, None, "")],
)
def test_the_doctor_counts_the_days_of_a_certificate(
    examined: Callable[..., list[str]], shelf: Shelf, days: int, grade: str | None, says: str
) -> None:
    certificates.make_root(shelf, HOSTS, datetime.now(UTC) - LONG_AGO)
    begun = datetime.now(UTC) + certificates.BACKDATE - timedelta(days=certificates.SERVER_DAYS - days)
    certificates.make_server(shelf, HOSTS, begun)
    said = examined(shelf, BASE_URL=BASE_URL)
    assert [(line.partition(":")[0], says in line, "otklik tls renew" in line) for line in said] == (
        [(grade, True, True)] if grade else []
    )


def test_the_doctor_names_what_stands_in_a_browsers_way(examined: Callable[..., list[str]], shelf: Shelf) -> None:
    (said,) = examined(shelf, BASE_URL="https://shop.lan:5000")
    assert said.startswith("serious: The certificate is not for shop.lan")
    (said,) = [line for line in examined(shelf, BASE_URL="http://localhost:5000") if "plain" in line]
    assert said.startswith("serious: The base URL is plain http, but serve was started with a certificate")
    shelf.key.chmod(0o644)
    shelf.root_key.chmod(0o644)
    said = "\n".join(examined(shelf, BASE_URL=BASE_URL))
    assert f"chmod 600 {shelf.key}" in said
    assert f"chmod 600 {shelf.root_key}" in said
    a_key(shelf.key)
    (said,) = [line for line in examined(shelf, BASE_URL=BASE_URL) if "belong" in line]
    assert said.startswith("serious: The certificate cannot be served anew")
    shelf.key.unlink()
    assert "No such file" in "\n".join(examined(shelf, BASE_URL=BASE_URL))


def test_the_doctor_tells_of_a_root_that_ends(examined: Callable[..., list[str]], shelf: Shelf) -> None:
    certificates.make_root(shelf, HOSTS, datetime.now(UTC) - timedelta(days=certificates.ROOT_DAYS - 60))
    certificates.make_server(shelf, HOSTS, datetime.now(UTC))
    (said,) = examined(shelf, BASE_URL=BASE_URL)
    assert said.startswith("advice: The root that the tablets trust ends on")


# --- the server -------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def visitor(port: int, root: Path) -> Iterator[http.client.HTTPSConnection]:
    """Somebody who trusts the root, before the connection is opened."""
    link = http.client.HTTPSConnection("127.0.0.1", port, context=trusting(root), timeout=10)
    with contextlib.closing(link):
        yield link


def serial_at(port: int, root: Path) -> int:
    """The serial number of the certificate that is served."""
    with visitor(port, root) as link:
        link.connect()
        return serial(link)


def serial(link: http.client.HTTPSConnection) -> int:
    return x509.load_der_x509_certificate(link.sock.getpeercert(True)).serial_number


def ask(link: http.client.HTTPSConnection, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
    raw = None if body is None else json.dumps(body)
    link.request("POST" if raw else "GET", path, raw, {"Connection": "close", **headers})
    answer = link.getresponse()
    return answer.status, answer.read()


@pytest.fixture
def https(start: Start, shelf: Shelf) -> Iterator[tuple[Any, int]]:
    """A server that serves our own certificate by links, as certbot lays them out; its process and port."""
    live = shelf.folder.parent / "live"
    live.mkdir()
    point_links(live, shelf, "1")
    port = free_port()
    server = start("serve", "--port", port, "--tls-cert", live / "cert.pem", "--tls-key", live / "key.pem")
    told = announced(server)
    assert f"https://127.0.0.1:{port}" in told, told
    return server, port


def point_links(live: Path, shelf: Shelf, number: str) -> None:
    """Keep the pair of today under a number and let the links point to it."""
    for path, name in ((shelf.certificate, "cert"), (shelf.key, "key")):
        kept, link = live / f"{name}{number}.pem", live / f"{name}.pem"
        shutil.copy(path, kept)
        link.unlink(missing_ok=True)
        link.symlink_to(kept)


def test_https_is_served_announced_and_ended_in_time(https: tuple[Any, int], shelf: Shelf) -> None:
    server, port = https
    with visitor(port, shelf.root) as link:
        assert ask(link, "/healthz")[0] == 200
    with pytest.raises(URLError, match="certificate verify failed"):
        urlopen(f"https://127.0.0.1:{port}/healthz", timeout=10)
    with pytest.raises((http.client.HTTPException, OSError)):
        urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10)
    for version, taken in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True)):
        context = trusting(shelf.root)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of the old version that is to be refused
            context.maximum_version = version
        with socket.create_connection(("127.0.0.1", port), 10) as plain:
            refused = contextlib.nullcontext() if taken else pytest.raises(OSError)
            with refused, context.wrap_socket(plain, server_hostname="127.0.0.1") as secured:
                assert secured.version() == "TLSv1.2"
    live = shelf.folder.parent / "live"
    assert serving.served_with(shelf.folder.parent) == (live / "cert.pem", live / "key.pem")
    os.kill(server.pid, signal.SIGTERM)
    assert server.wait(10) == 0
    assert wait_until_gone(server.pid, 2) == set()
    assert is_free(port)


def test_kill_nine_of_an_https_server_ends_its_children(https: tuple[Any, int]) -> None:
    server, port = https
    assert len(group(server.pid)) > 1
    os.kill(server.pid, signal.SIGKILL)
    server.wait(5)
    assert wait_until_gone(server.pid, 10) == set()
    assert is_free(port)


def test_whoever_signs_in_over_https_gets_a_cookie_for_https_alone(https: tuple[Any, int], shelf: Shelf) -> None:
    _, port = https
    with visitor(port, shelf.root) as link:
        link.request("GET", "/login")
        answer = link.getresponse()
        page, cookie = answer.read().decode(), answer.headers["Set-Cookie"]
        assert "Secure" in cookie
        form = {"email": EMAILS["director"], "password": demo.PASSWORD, "csrf_token": csrf_of(page)}
        headers = {"Cookie": cookie.partition(";")[0], "Referer": f"https://127.0.0.1:{port}/login"}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        link.request("POST", "/login", urlencode(form), headers)
        answer = link.getresponse()
        answer.read()
    assert answer.status == 302


class Taps(threading.Thread):
    """A kiosk that taps without a break, each over a connection of its own, and sends a tap again until it is heard."""

    def __init__(self, port: int, root: Path, items: Iterator[dict[str, Any]], token: str) -> None:
        super().__init__(daemon=True)
        self._port, self._root, self._items = port, root, items
        self._headers = {"Authorization": f"Bearer {token}"}
        self.ended = threading.Event()
        self.tapped: list[str] = []
        self.statuses: set[int] = set()
        self.cut = 0
        self.serials: list[int] = []

    def run(self) -> None:
        while not self.ended.is_set():
            item = next(self._items)
            self.tapped.append(item["id"])
            while not self._is_heard(item):
                self.cut += 1

    def _is_heard(self, item: dict[str, Any]) -> bool:
        with visitor(self._port, self._root) as link:
            try:
                link.connect()
                self.serials.append(serial(link))
                status, raw = ask(link, "/api/v1/responses", {"responses": [item]}, **self._headers)
            except (OSError, http.client.HTTPException):
                return False
        self.statuses.add(status)
        return json.loads(raw)["results"][0]["status"] in ("stored", "duplicate")


@contextlib.contextmanager
def tapping(port: int, root: Path, db: Database) -> Iterator[list[Taps]]:
    chain = open_chain(db)
    items = [iter(chain.item, None) for _ in range(2)]
    kiosks = [Taps(port, root, one, chain.device()) for one in items]
    for kiosk in kiosks:
        kiosk.start()
    yield kiosks
    for kiosk in kiosks:
        kiosk.ended.set()
        kiosk.join(20)


def until_serial(port: int, root: Path, wanted: int, seconds: float = 40) -> None:
    give_up = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            if serial_at(port, root) == wanted:
                return
        assert time.monotonic() < give_up, "the new certificate was not taken over"
        time.sleep(0.1)


@pytest.mark.slow
def test_a_renewed_certificate_is_served_while_taps_come_in_and_none_is_lost(
    https: tuple[Any, int], shelf: Shelf, sqlite_url: str
) -> None:
    server, port = https
    db, live = Database(sqlite_url), shelf.folder.parent / "live"
    former = serial_at(port, shelf.root)
    with tapping(port, shelf.root, db) as kiosks:
        time.sleep(1)
        (live / "cert.pem").unlink()
        (live / "cert.pem").write_text("-----BEGIN CERTIFICATE-----\nhalf")
        os.kill(server.pid, signal.SIGHUP)
        time.sleep(1)
        assert serial_at(port, shelf.root) == former
        fresh = certificates.renew(shelf)
        point_links(live, shelf, "2")
        until_serial(port, shelf.root, fresh.certificate.serial_number)
        give_up = time.monotonic() + 30
        while not all(kiosk.serials[-5:] == [fresh.certificate.serial_number] * 5 for kiosk in kiosks):
            assert time.monotonic() < give_up, "a kiosk is still served by the former worker"
            time.sleep(0.2)
    tapped = [response for kiosk in kiosks for response in kiosk.tapped]
    assert len(tapped) > 20
    # The port never closes; a worker that ends may only shut the door on who has not said anything yet.
    assert [kiosk.statuses for kiosk in kiosks] == [{200}, {200}]
    assert sum(kiosk.cut for kiosk in kiosks) <= len(kiosks)
    assert {kiosk.serials[0] for kiosk in kiosks} == {former}
    assert counting.responses_in_all(db) == len(set(tapped)) == len(tapped)
    assert counting.verify(db) == []
    db.close()
    os.kill(server.pid, signal.SIGTERM)
    assert server.wait(10) == 0
    told = server.stdout.read()
    assert "The certificate in service stays" in told
    assert f"valid until {certificates.day(fresh.ends)}" in told


@pytest.mark.slow
def test_a_server_told_to_end_in_the_midst_of_a_renewal_ends_in_time(https: tuple[Any, int]) -> None:
    server, port = https
    os.kill(server.pid, signal.SIGHUP)
    time.sleep(0.5)
    os.kill(server.pid, signal.SIGTERM)
    assert server.wait(10) == 0
    assert wait_until_gone(server.pid, 2) == set()
    assert is_free(port)
