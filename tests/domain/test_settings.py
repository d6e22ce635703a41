"""Settings: none is needed, a bad one is named, a secret is made once and kept to its owner."""

from __future__ import annotations

import stat
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from feedback_app import config
from feedback_app.config import BadSetting, load


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in config.NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    monkeypatch.delenv("OTKLIK_INSTANCE", raising=False)


def at(folder: Path, **more: object) -> config.Settings:
    return load({"OTKLIK_INSTANCE": str(folder), **more})


def test_without_any_setting_all_is_in_the_instance_folder(tmp_path: Path) -> None:
    settings = at(tmp_path / "deep" / "instance")
    assert settings.instance == tmp_path / "deep" / "instance"
    assert settings.database_url == f"sqlite:///{settings.instance}/otklik.db"
    assert settings.rate_limits
    assert not settings.https
    assert (settings.base_path, settings.trusted_proxies, settings.smtp_url) == ("", 0, None)


def test_the_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = at(tmp_path).secret_key
    kept = tmp_path / "secret_key"
    assert len(first) == 64
    assert at(tmp_path).secret_key == first == kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept_now = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert kept_now == ["register/key", "secret_key"]


def test_first_starts_at_the_same_time_agree_on_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: at(tmp_path).secret_key, range(16)))
    assert len(secrets) == 1
    assert len(secrets.pop()) == 64


def test_environment_stands_before_the_file_and_what_is_given_before_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "otklik.toml").write_text(
        'mail_from = "file@otklik.example"\ntrusted_proxies = 2\nrate_limits = false\n'
    )
    settings = at(tmp_path)
    assert (settings.mail_from, settings.trusted_proxies, settings.rate_limits) == ("file@otklik.example", 2, False)
    monkeypatch.setenv("OTKLIK_MAIL_FROM", "environment@otklik.example")
    assert at(tmp_path).mail_from == "environment@otklik.example"
    assert at(tmp_path, OTKLIK_MAIL_FROM="given@otklik.example").mail_from == "given@otklik.example"


@pytest.mark.parametrize(
    ("name", "attribute", "value"),
    [
        ("OTKLIK_SECRET_KEY", "secret_key", "kept"),
        ("OTKLIK_DATABASE_URL", "database_url", "sqlite:///kept.db"),
        ("OTKLIK_SMTP_URL", "smtp_url", "smtp://mail.example"),
    ],
)
def test_every_secret_can_stand_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, attribute: str, value: str
) -> None:
    (tmp_path / "kept").write_text(f"{value}\n")
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "kept"))
    assert getattr(at(tmp_path), attribute) == value
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "missing"))
    with pytest.raises(BadSetting, match="missing"):
        at(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTKLIK_TRUSTED_PROXIES", "many"),
        ("OTKLIK_TRUSTED_PROXIES", "-1"),
        ("OTKLIK_TRUSTED_PROXIES", "11"),
        ("OTKLIK_RATE_LIMITS", "perhaps"),
        ("OTKLIK_BASE_URL", "otklik.example.by"),
        ("OTKLIK_BASE_URL", "ftp://otklik.example.by"),
        ("OTKLIK_BASE_URL", "https://"),
        ("OTKLIK_BASE_URL", "https://otklik.example.by/?a=1"),
        ("OTKLIK_BASE_URL", "https://[otklik.example.by"),
        ("OTKLIK_BASE_URL", "https://otklik.example.by:port"),
        ("OTKLIK_SMTP_URL", "http://127.0.0.1:25"),
        ("OTKLIK_SMTP_URL", "smtp://"),
        ("OTKLIK_SMTP_URL", "127.0.0.1"),
        ("OTKLIK_SMTP_URL", "smtp://mail.example:0"),
        ("OTKLIK_DATABASE_URL", "foo"),
        ("OTKLIK_DATABASE_URL", "otklik.db"),
        ("OTKLIK_DATABASE_URL", "mysql://shop@host/otklik"),
        ("OTKLIK_DATABASE_URL", "postgres://shop@host/otklik"),
        ("OTKLIK_DATABASE_URL", "postgresql+asyncpg://shop@host/otklik"),
    ],
)
def test_a_setting_that_cannot_be_understood_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting, match=name):
        at(tmp_path)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("OTKLIK_SMTP_URL", "smtp://shop:Zebra/Quokka@mail.example"),
        ("OTKLIK_SMTP_URL", "smtp://shop:25/Quokka@mail.example"),
        ("OTKLIK_SMTP_URL", "smtp://shop:Zebra?Quokka@mail.example"),
        ("OTKLIK_SMTP_URL", "smtp://shop:Zebra#Quokka@mail.example"),
        ("OTKLIK_SMTP_URL", "smtp://shop:[Zebra@mail.example"),
        ("OTKLIK_SMTP_URL", "smtp://shop:Zebra\u2100@mail.example"),
        ("OTKLIK_SMTP_URL", "smtp://shop:@mail.example:Zebra"),
        ("OTKLIK_SMTP_URL", "ftp://shop:Zebra@mail.example"),
        ("OTKLIK_DATABASE_URL", "mysql://shop:Zebra@host/otklik"),
        ("OTKLIK_DATABASE_URL", "shop:Zebra@host"),
    ],
)
def test_a_password_is_never_quoted(tmp_path: Path, name: str, url: str) -> None:
    with pytest.raises(BadSetting, match=name) as caught:
        at(tmp_path, **{name: url})
    told = "".join(traceback.format_exception(caught.value, chain=True))
    assert "Zebra" not in str(caught.value)
    assert "Quokka" not in str(caught.value)
    assert "During handling" not in told


@pytest.mark.parametrize(
    "url", ["smtp://mail.example", "smtps://shop:p%2Fss@mail.example:465", "smtp://shop:p@ss@[::1]:587/"]
)
def test_a_mail_server_can_be_named_in_full_or_in_short(tmp_path: Path, url: str) -> None:
    assert at(tmp_path, OTKLIK_SMTP_URL=url).smtp_url == url


@pytest.mark.parametrize(
    "url", ["sqlite:////var/otklik.db", "postgresql://shop:p/ss@host/otklik", "postgresql+psycopg:///otklik?host=/run"]
)
def test_a_database_is_sqlite_or_postgresql(tmp_path: Path, url: str) -> None:
    assert at(tmp_path, OTKLIK_DATABASE_URL=url).database_url == url


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "otklik.toml").write_text("mail_from = ")
    with pytest.raises(BadSetting, match=r"otklik\.toml"):
        at(tmp_path)


@pytest.mark.parametrize(
    ("url", "https", "path"),
    [
        ("http://127.0.0.1:5000", False, ""),
        ("https://otklik.example.by/", True, ""),
        ("https://shops.example.by/otklik/", True, "/otklik"),
    ],
)
def test_the_base_url_says_whether_cookies_are_secure_and_where_pages_stand(
    tmp_path: Path, url: str, https: bool, path: str
) -> None:
    settings = at(tmp_path, OTKLIK_BASE_URL=url)
    assert (settings.https, settings.base_path) == (https, path)
