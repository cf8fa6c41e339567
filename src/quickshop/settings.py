"""The settings of a shop, read once from `QUICKSHOP_*` environment variables."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_network
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from quickshop.domain.errors import InvalidValueError, QuickShopError
from quickshop.domain.identity import MAX_ACCESS_TOKEN_SECONDS, KeyRing
from quickshop.domain.inventory import MAX_LOCATION_LENGTH, MAX_UNITS

PREFIX = "QUICKSHOP_"

_HOST: Final = re.compile(
    r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]", re.IGNORECASE | re.ASCII
)
_ORIGIN: Final = re.compile(
    r"https?://(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
)


class SettingsError(QuickShopError):
    """A setting is invalid. The message names the variable and the allowed values."""

    code = "settings"


def _url_of(*schemes: str) -> AfterValidator:
    def check(url: str) -> str:
        allowed = tuple(f"{scheme}://" for scheme in schemes)
        if not url.startswith(allowed):
            raise ValueError(f"must be a URL that begins with {' or '.join(allowed)}")
        parts = urlsplit(url)
        try:
            has_port = parts.port != 0
        except ValueError:
            has_port = False
        if not has_port or not url.isprintable() or "%00" in url:
            raise ValueError("must be a URL, with a port from 1 to 65535 if it has one")
        if parts.scheme == "sqlite" and parts.netloc:
            raise ValueError("must have three slashes, as in sqlite:///shop.db")
        if parts.scheme.startswith("redis") and not parts.path.lstrip("/").isdecimal() | (
            parts.path.strip("/") == ""
        ):
            raise ValueError("must end in the number of a database, as in redis://127.0.0.1/0")
        return url

    return AfterValidator(check)


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("must be printable text on one line, and not blank")
    return text


def _private(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise ValueError("must begin with https://, or the secret key could be read in transit")
    return url


def _with_stripe() -> Any:
    """Validate a Stripe secret; it is required when Stripe is the gateway."""

    def check(secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        text = secret.get_secret_value() if secret else ""
        if secret is not None and (not text.isascii() or not text.isprintable() or " " in text):
            raise ValueError("must be a secret as shown by Stripe, without spaces")
        if not text and info.data.get("payment_gateway") == "stripe":
            raise ValueError(f"is required when {PREFIX}PAYMENT_GATEWAY is stripe")
        return secret

    return AfterValidator(check)


def entries(text: str) -> tuple[str, ...]:
    """Return the entries of a comma-separated setting."""
    return tuple(entry.strip() for entry in text.split(",") if entry.strip())


def _list_of(is_one: Callable[[str], bool], rule: str) -> AfterValidator:
    def check(text: str) -> str:
        if not all(map(is_one, entries(text))):
            raise ValueError(f"must be {rule}, separated by commas")
        return text

    return AfterValidator(check)


def _is_network(text: str) -> bool:
    try:
        return text == "*" or bool(ip_network(text))
    except ValueError:
        return False


def _is_host(text: str) -> bool:
    return _HOST.fullmatch(text) is not None


def _is_origin(text: str) -> bool:
    return _ORIGIN.fullmatch(text) is not None


def _keys(secret: SecretStr | None) -> SecretStr | None:
    if secret is not None:
        try:
            KeyRing.parse(secret.get_secret_value(), "")
        except InvalidValueError as error:
            raise ValueError(error.rule) from None
    return secret


Keys = Annotated[SecretStr | None, AfterValidator(_keys)]
Name = Annotated[str, Field(max_length=MAX_LOCATION_LENGTH), AfterValidator(_one_line)]
DatabaseUrl = Annotated[str, _url_of("sqlite", "postgresql", "memory")]
RedisUrl = Annotated[str, _url_of("redis", "rediss", "unix")]
BrokerUrl = Annotated[str, _url_of("redis", "rediss", "amqp", "amqps")]
Networks = Annotated[
    str, _list_of(_is_network, "addresses or networks, such as 127.0.0.1 or 10.0.0.0/8")
]
HostNames = Annotated[
    str,
    _list_of(_is_host, "names without scheme and port, such as shop.example or *.shop.example"),
]
Origins = Annotated[
    str, _list_of(_is_origin, "origins as browsers send them, such as https://www.shop.example")
]


class Settings(BaseSettings):
    """Every setting of a shop. The variable of a field is `QUICKSHOP_` plus its name."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        validate_default=True,
    )

    mode: Literal["development", "production"] = "development"
    """In `production` mode QuickShop refuses development settings."""
    database_url: DatabaseUrl = "sqlite:///quickshop.db"
    """`sqlite:///FILE`, `postgresql://USER:PASSWORD@HOST/NAME` or `memory://` to store nothing."""
    redis_url: RedisUrl | None = None
    """Redis for caches (product pages, sessions, carts) and limits that all processes share."""
    broker_url: BrokerUrl | None = None
    """Celery's broker; without one, workers take jobs directly from the database."""

    access_log: bool = True
    """Whether each request is logged."""

    shop_name: Name = "QuickShop"
    """Name of the shop in emails."""
    currency: str = Field("USD", pattern=r"^[A-Z]{3}$")
    """ISO 4217 code of the currency of new carts."""
    location: Name = "main"
    """Default stock location."""
    sourcing: Literal["by_priority", "fewest_parcels"] = "by_priority"
    """Which locations ship an order that several could ship."""
    hold_seconds: float = Field(600, ge=1, le=86_400)
    """How long units are held for a shopper during checkout."""
    hold_carts: bool = False
    """Whether adding units to a cart holds them, too."""
    low_stock_threshold: int = Field(5, ge=0, le=MAX_UNITS)
    """Email the staff at this many free units or fewer; stock levels can override it."""
    staff_email: str | None = Field(None, pattern=r"^[^@\s<>]+@[^@\s<>]+$")
    """Recipient of low-stock emails; without one, none are sent."""

    token_keys: Keys = None
    """Keys that sign access tokens: `id:secret[,id:secret]`, newest first."""
    password_keys: Keys = None
    """Keys that protect password hashes: `id:secret[,id:secret]`, newest first."""
    access_token_seconds: int = Field(MAX_ACCESS_TOKEN_SECONDS, ge=10, le=MAX_ACCESS_TOKEN_SECONDS)
    """Lifetime of an access token; permissions are checked on every request anyway."""
    session_days: float = Field(30, gt=0, le=365)
    """How long a user stays signed in on a device."""
    password_cost: int = Field(12, ge=4, le=16)
    """bcrypt cost; each step doubles the time. Raise it, but never lower it."""
    storefront_url: Annotated[str, _url_of("https", "http"), AfterValidator(_private)] | None = (
        None
    )
    """Base URL of emailed links: `/confirm-account`, `/reset-password` and `/confirm-email`."""

    database_pool_size: int = Field(8, ge=1, le=100)
    """Database connections, and therefore concurrent requests, per process."""
    database_timeout_seconds: float = Field(10, ge=0.01, le=600)
    """Time limit of a statement, and of the wait for a free connection."""
    lock_timeout_seconds: float = Field(5, ge=0.01, le=600)
    """Time limit of the wait for a row that another transaction has locked."""
    redis_timeout_seconds: float = Field(0.2, ge=0.01, le=10)

    product_cache_seconds: float = Field(2, ge=0, le=2)
    """How long a process uses its own copy of a product page; 0 turns that copy off."""

    trusted_proxies: Networks = ""
    """Proxies trusted for the client's address and scheme; `*` trusts all (development only)."""
    allowed_hosts: HostNames = ""
    """Host names that the API accepts, such as `*.shop.example`; empty accepts any."""
    cors_origins: Origins = ""
    """Origins whose pages may use the API with cookies, such as `https://www.shop.example`."""
    require_https: bool = False
    """Whether requests without TLS are refused."""
    rate_limits: bool = True
    """Whether requests over a limit are answered 429."""
    rate_limit_per_minute: int = Field(1200, ge=1, le=1_000_000)
    """Requests per address, per account and per API key."""
    login_limit_per_minute: int = Field(20, ge=1, le=1_000_000)
    """Login attempts per address; attempts per account have their own limit."""
    api_processes: int = Field(1, ge=1, le=10_000)
    """Number of API processes that share the limits; ignored with Redis."""

    payment_patience_seconds: float = Field(60, gt=0, le=86_400)
    """How long to wait for a gateway's answer before asking again."""
    capture: Literal["automatic", "manual"] = "automatic"
    """`manual` only authorizes the payment at checkout; staff capture it later."""
    order_lifetime_seconds: float = Field(3_600, gt=0, le=30 * 86_400)
    """How long an order waits for payment before it expires."""
    job_lease_seconds: float = Field(60, gt=0, le=3_600)
    """How long a job may run without a result before another worker gets it."""
    job_retry_seconds: float = Field(5, gt=0, le=600)
    """Wait after a job's first failed attempt; 12, 120 and 1440 times as long after the next."""
    sweep_seconds: float = Field(15, gt=0, le=3_600)
    """Interval of the search for unanswered payments, unpaid orders and expired holds."""
    poll_seconds: float = Field(1, ge=0.01, le=60)
    """Interval at which an idle worker checks the queue."""
    worker_threads: int = Field(4, ge=1, le=64)
    """Concurrent jobs per worker."""

    smtp_host: str | None = Field(None, min_length=1)
    """Mail server; without one, emails are written to `mail_dir`."""
    smtp_port: int = Field(587, ge=1, le=65_535)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_timeout_seconds: float = Field(10, ge=0.01, le=120)
    mail_from: str = Field("shop@localhost", pattern=r"^[^@\s<>]+@[^@\s<>]+$")
    mail_dir: str | None = Field(None, min_length=1)
    """Folder for emails as files; by default `mail`, next to a SQLite file. `-` prints them."""

    payment_gateway: Literal["sandbox", "stripe"] = "sandbox"
    """The payment gateway. The sandbox moves no money."""
    stripe_secret_key: Annotated[SecretStr | None, _with_stripe()] = None
    """`sk_live_...`, or `sk_test_...` for tests."""
    stripe_webhook_secret: Annotated[SecretStr | None, _with_stripe()] = None
    """`whsec_...` of the webhook endpoint `/v1/payments/webhooks/stripe`."""
    stripe_api_base: Annotated[str, _url_of("https", "http"), AfterValidator(_private)] = (
        "https://api.stripe.com"
    )
    stripe_timeout_seconds: float = Field(8, ge=0.05, le=60)
    """Time limit of one request to Stripe; a job may make five within its lease."""

    sandbox_book: str | None = Field(None, min_length=1)
    """File of the sandbox gateway; by default `quickshop-sandbox.db`, next to a SQLite file."""
    sandbox_slow_seconds: float = Field(3, ge=0, le=60)
    """How long the sandbox gateway takes to answer `tok_slow`."""

    @classmethod
    def load(cls, **values: object) -> Self:
        """Read the settings from the environment; `values` take precedence.

        Raises:
            SettingsError: a value is invalid. The message names every such variable.
        """
        try:
            return cls(**values)  # type: ignore[arg-type]
        except ValidationError as error:
            raise SettingsError("\n".join(_explain(error))) from None


def _explain(error: ValidationError) -> list[str]:
    return [
        f"{PREFIX}{'_'.join(map(str, problem['loc'])).upper()}: {_in_words(problem['msg'])}"
        for problem in error.errors(include_input=False, include_url=False)
    ]


def _in_words(message: str) -> str:
    """Return pydantic's message without parser details."""
    rule = message.removeprefix("Value error, ").partition(", unable to ")[0]
    return rule.replace("Input should", "must", 1)
