"""Settings: environment `OTKLIK_*`, then `otklik.toml` in the instance folder, then defaults; none is required."""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from platformdirs import user_data_dir

NAMES = (
    "OTKLIK_DATABASE_URL",
    "OTKLIK_SECRET_KEY",
    "OTKLIK_REGISTER_KEY",
    "OTKLIK_BASE_URL",
    "OTKLIK_TRUSTED_PROXIES",
    "OTKLIK_RATE_LIMITS",
    "OTKLIK_SMTP_URL",
    "OTKLIK_MAIL_FROM",
)
SECRETS = frozenset({"OTKLIK_DATABASE_URL", "OTKLIK_SECRET_KEY", "OTKLIK_REGISTER_KEY", "OTKLIK_SMTP_URL"})
SMTP_FORM = (
    "OTKLIK_SMTP_URL must be smtp://user:password@host:port or smtps://…; "
    "in the user and password write / as %2F, ? as %3F, # as %23, : as %3A, [ as %5B and % as %25"
)
DATABASES = frozenset({"sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class BadSetting(ValueError):
    """A setting that cannot be understood; says which and what it may be."""


@dataclass(frozen=True)
class Settings:
    """Everything that differs between installations."""

    instance: Path
    database_url: str
    secret_key: str
    register_key: str
    base_url: str | None = None
    trusted_proxies: int = 0
    rate_limits: bool = True
    smtp_url: str | None = None
    mail_from: str = "otklik@localhost"

    @property
    def https(self) -> bool:
        """Say whether the base URL turns on secure cookies and HSTS."""
        return bool(self.base_url) and urlsplit(self.base_url or "").scheme == "https"

    @property
    def base_path(self) -> str:
        """Return the sub-path of the base URL, without a slash at its end; empty where it has none."""
        return urlsplit(self.base_url or "").path.rstrip("/")


def default_instance() -> Path:
    """Return the instance folder: `instance/` of the checkout, or the user's data folder for an installed wheel."""
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "pyproject.toml").is_file():
        return checkout / "instance"
    return Path(user_data_dir("otklik", appauthor=False))


def _from_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadSetting(f"the file {path} of a secret cannot be read: {error.strerror}") from error


def _toml(instance: Path) -> dict[str, Any]:
    path = instance / "otklik.toml"
    if not path.is_file():
        return {}
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadSetting(f"{path}: {error}") from error
    return {f"OTKLIK_{key.upper()}": value for key, value in raw.items()}


def _gather(overrides: Mapping[str, Any], instance: Path) -> dict[str, Any]:
    values = _toml(instance)
    for name in NAMES:
        if name in SECRETS and os.environ.get(f"{name}_FILE"):
            values[name] = _from_file(Path(os.environ[f"{name}_FILE"]))
        if os.environ.get(name):
            values[name] = os.environ[name]
    values.update({name: value for name, value in overrides.items() if name.startswith("OTKLIK_")})
    return values


def _kept_secret(path: Path) -> str:
    """Return a secret kept in the instance folder, made on first use; two first starts agree on one."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return _from_file(path)


def _number(values: Mapping[str, Any], name: str) -> int:
    try:
        number = int(values.get(name, 0))
    except (TypeError, ValueError):
        raise BadSetting(f"{name} must be a whole number") from None
    if not 0 <= number <= 10:
        raise BadSetting(f"{name} must be between 0 and 10")
    return number


def _switch(values: Mapping[str, Any], name: str) -> bool:
    value = str(values.get(name, "on")).lower()
    if value not in {"on", "off", "true", "false", "1", "0"}:
        raise BadSetting(f"{name} must be on or off")
    return value in {"on", "true", "1"}


def _base_url(values: Mapping[str, Any]) -> str | None:
    url = values.get("OTKLIK_BASE_URL")
    if not url:
        return None
    parts = _split(str(url))
    if not parts or parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise BadSetting("OTKLIK_BASE_URL must be an address such as https://otklik.example.by")
    return str(url).rstrip("/")


def _split(url: str) -> SplitResult | None:
    """Return the parts of a URL; None where it or its port cannot be read, as the library's words would quote it."""
    try:
        parts = urlsplit(url)
        return None if parts.port == 0 else parts
    except ValueError:
        return None


def _smtp_url(values: Mapping[str, Any]) -> str | None:
    url = str(values.get("OTKLIK_SMTP_URL") or "")
    if not url:
        return None
    parts = _split(url)
    # A path, a query or a fragment is most often the rest of a password with / ? or # in it.
    if not parts or parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise BadSetting(SMTP_FORM)
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise BadSetting(SMTP_FORM)
    return url


def _database_url(values: Mapping[str, Any], instance: Path) -> str:
    url = str(values.get("OTKLIK_DATABASE_URL") or f"sqlite:///{instance / 'otklik.db'}")
    scheme, found, _ = url.partition("://")
    if not found or scheme not in DATABASES:
        raise BadSetting("OTKLIK_DATABASE_URL must begin with sqlite:/// or postgresql+psycopg://")
    return url


def load(overrides: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings; raise BadSetting naming what cannot be understood. Makes the instance folder."""
    given = dict(overrides or {})
    instance = Path(given.get("OTKLIK_INSTANCE") or os.environ.get("OTKLIK_INSTANCE") or default_instance()).absolute()
    try:
        instance.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(f"OTKLIK_INSTANCE: the folder {instance} cannot be made: {error.strerror}") from error
    values = _gather(given, instance)
    return Settings(
        instance=instance,
        database_url=_database_url(values, instance),
        secret_key=str(values.get("OTKLIK_SECRET_KEY") or _kept_secret(instance / "secret_key")),
        register_key=str(values.get("OTKLIK_REGISTER_KEY") or _kept_secret(instance / "register" / "key")),
        base_url=_base_url(values),
        trusted_proxies=_number(values, "OTKLIK_TRUSTED_PROXIES"),
        rate_limits=_switch(values, "OTKLIK_RATE_LIMITS"),
        smtp_url=_smtp_url(values),
        mail_from=str(values.get("OTKLIK_MAIL_FROM") or "otklik@localhost"),
    )
