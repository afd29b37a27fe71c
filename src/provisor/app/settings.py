"""Start-up: what the program is told from outside, read once. Every option has a variable of its name."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from provisor.errors import InvalidInput

if TYPE_CHECKING:
    from provisor.security.outbound import OutboundPolicy

DEFAULT_DATA = "./provisor-data"
DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8080


@dataclass(frozen=True, slots=True)
class Microsoft:
    """Entra ID as the authority that companies' people sign in with. ``authority``: without a slash at its end."""

    authority: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """``data_dir``: where SQLite, the key file and locks live; with a database URL only locks and spool files.

    ``allow_networks``: networks that may be called although this server is reachable from other machines.
    ``token_minutes``: how long OAuth access tokens live. ``request_log_days``: how long SCIM requests are kept; 0: not
    at all. ``trusted_proxies``: networks of proxies whose X-Forwarded headers count. ``open_sign_up``: anybody may make
    a company. ``require_second_factor``: administrators have to set one up. ``provisioning_log_days``: how long the
    provisioning log is kept; 0: for good.
    ``smtp_url``: the mail server (``events.mail.smtp``); null: mail goes to files in ``data_dir``/outbox.
    ``feed_days``: how long the directory's changes can be asked for, as with a delta token; 0: for good.
    ``outbox_days``: how long companies' changes can be asked for, at ``/v1/changes`` and by webhooks; 0: for good.
    """

    data_dir: Path = Path(DEFAULT_DATA)
    database_url: str | None = None
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    public_url: str | None = None
    metrics_token: str | None = None
    allow_networks: str = ""
    allow_http: bool = False
    executor_id: str | None = None
    token_minutes: int = 60
    request_log_days: int = 30
    trusted_proxies: str = ""
    open_sign_up: bool = True
    require_second_factor: bool = False
    microsoft: Microsoft | None = None
    provisioning_log_days: int = 30
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str = "provisor@localhost"
    feed_days: int = 30
    outbox_days: int = 30
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def engine(self) -> Literal["sqlite", "postgresql"]:
        """Which database this is."""
        url = self.database_url or ""
        return "postgresql" if url.startswith(("postgresql://", "postgres://")) else "sqlite"

    @property
    def lock_dir(self) -> Path:
        """Where the locks of a SQLite database are: beside its file."""
        url = self.database_url or ""
        return Path(url.removeprefix("sqlite:///")).parent if url.startswith("sqlite:///") else self.data_dir

    @property
    def address(self) -> str:
        """This server's address without a slash at its end: the public one, else where ``serve`` listens by default."""
        if self.public_url:
            return self.public_url
        host = self.host
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            pass  # a name is written as it is
        else:
            if address.is_unspecified:
                host = "localhost"
            elif address.version == 6:
                host = f"[{host}]"
        return f"http://{host}:{self.port}"

    @property
    def outbound(self) -> OutboundPolicy:
        """Which addresses this process may call. A process that listens nowhere else than on loopback may call it."""
        # aiohttp, on which these rules stand, takes a fifth of a second to load; most commands call nobody.
        from provisor.security.outbound import OutboundPolicy, parse_networks

        return OutboundPolicy(
            own_loopback=_is_loopback(self.host),
            allow_networks=parse_networks(self.allow_networks),
            allow_http=self.allow_http,
        )


def read_settings(
    environment: Mapping[str, str] | None = None, *, data: Path | None = None, database_url: str | None = None
) -> Settings:
    """From the environment, options first. Raises ``InvalidInput`` that names the variable."""
    env = os.environ if environment is None else environment
    return Settings(
        data_dir=data or Path(env.get("PROVISOR_DATA") or DEFAULT_DATA),
        database_url=database_url or env.get("PROVISOR_DATABASE_URL") or None,
        host=env.get("PROVISOR_HOST") or DEFAULT_HOST,
        port=_number(env, "PROVISOR_PORT", DEFAULT_PORT, "a port between 0 and 65535", 65_535),
        public_url=checked_public_url(env.get("PROVISOR_PUBLIC_URL")),
        metrics_token=env.get("PROVISOR_METRICS_TOKEN") or None,
        allow_networks=env.get("PROVISOR_ALLOW_NETWORKS", ""),
        allow_http=env.get("PROVISOR_ALLOW_HTTP", "").lower() in ("1", "true", "yes"),
        executor_id=env.get("PROVISOR_EXECUTOR_ID") or None,
        token_minutes=_number(env, "PROVISOR_TOKEN_MINUTES", 60, "60 to 360 minutes", 360),
        request_log_days=_number(env, "PROVISOR_REQUEST_LOG_DAYS", 30, "a number of days", 36_500),
        trusted_proxies=env.get("PROVISOR_TRUSTED_PROXIES", ""),
        open_sign_up=_flag(env, "PROVISOR_OPEN_SIGN_UP", default=True),
        require_second_factor=_flag(env, "PROVISOR_REQUIRE_SECOND_FACTOR", default=False),
        microsoft=_microsoft(env),
        provisioning_log_days=_number(env, "PROVISOR_PROVISIONING_LOG_DAYS", 30, "a number of days", 36_500),
        smtp_url=env.get("PROVISOR_SMTP_URL") or None,
        mail_from=env.get("PROVISOR_MAIL_FROM") or "provisor@localhost",
        feed_days=_number(env, "PROVISOR_FEED_DAYS", 30, "a number of days", 36_500),
        outbox_days=_number(env, "PROVISOR_OUTBOX_DAYS", 30, "a number of days", 36_500),
        environment=env,
    )


def checked_public_url(url: str | None) -> str | None:
    """An http(s) address without a trailing slash, or ``None``. Raises ``InvalidInput``."""
    if not url:
        return None
    if not url.startswith(("http://", "https://")) or len(url.split("://", 1)[1]) == 0:
        raise InvalidInput(
            f"{url!r} is not a public address.", hint="Give it with its scheme, as https://provisor.example.org."
        )
    return url.rstrip("/")


def _number(env: Mapping[str, str], name: str, default: int, what: str, most: int) -> int:
    text = env.get(name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or int(text) > most:
        raise InvalidInput(f"{name} is {text!r}.", hint=f"Give {what}.")
    return int(text)


def _microsoft(env: Mapping[str, str]) -> Microsoft | None:
    names = ("PROVISOR_MICROSOFT_AUTHORITY", "PROVISOR_MICROSOFT_CLIENT_ID", "PROVISOR_MICROSOFT_CLIENT_SECRET")
    authority, client_id, secret = (env.get(name, "").strip() for name in names)
    if not client_id and not secret and not authority:
        return None
    if not client_id or not secret:
        raise InvalidInput(
            "Signing in with Microsoft needs a client id and a secret.", hint=f"Give {names[1]} and {names[2]}."
        )
    authority = authority or "https://login.microsoftonline.com/organizations"
    if not authority.startswith(("https://", "http://")):
        raise InvalidInput(f"{names[0]} is {authority!r}.", hint="Give an address like https://login.example/tenant.")
    return Microsoft(authority.rstrip("/"), client_id, secret)


def _flag(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = env.get(name, "").strip().lower()
    if not text:
        return default
    if text not in ("1", "true", "yes", "on", "0", "false", "no", "off"):
        raise InvalidInput(f"{name} is {env[name]!r}.", hint="Give yes or no.")
    return text in ("1", "true", "yes", "on")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
