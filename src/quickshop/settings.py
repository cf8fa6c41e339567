"""Where things are and how long to wait for them: read once, from `QUICKSHOP_*` variables."""

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
    """A setting is not what it should be; names the variable and what is allowed."""

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
        raise ValueError("must begin with https://, or the secret key could be read on its way")
    return url


def _with_stripe() -> Any:
    """Required, and a secret that could be one, when Stripe is the gateway."""

    def check(secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        text = secret.get_secret_value() if secret else ""
        if secret is not None and (not text.isascii() or not text.isprintable() or " " in text):
            raise ValueError("must be a secret as Stripe shows it, without spaces")
        if not text and info.data.get("payment_gateway") == "stripe":
            raise ValueError(f"is required when {PREFIX}PAYMENT_GATEWAY is stripe")
        return secret

    return AfterValidator(check)


def entries(text: str) -> tuple[str, ...]:
    """What a setting lists, separated by commas."""
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
    str, _list_of(_is_network, "addresses or networks, as in 127.0.0.1 or 10.0.0.0/8")
]
HostNames = Annotated[
    str, _list_of(_is_host, "names without scheme and port, as in shop.example or *.shop.example")
]
Origins = Annotated[
    str, _list_of(_is_origin, "origins as browsers send them, as in https://www.shop.example")
]


class Settings(BaseSettings):
    """Every setting of a shop. The variable of a field is `QUICKSHOP_` and its name."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        validate_default=True,
    )

    mode: Literal["development", "production"] = "development"
    """In `production` a shop does not open on settings that are only good enough to try it."""
    database_url: DatabaseUrl = "sqlite:///quickshop.db"
    """`sqlite:///FILE`, `postgresql://USER:PASSWORD@HOST/NAME`, or `memory://` to keep nothing."""
    redis_url: RedisUrl | None = None
    """Cache of product pages, copies of sessions and carts, and limits shared by all processes."""
    broker_url: BrokerUrl | None = None
    """Celery's broker; without it workers take their jobs straight from the database."""

    access_log: bool = True
    """Whether each request is logged."""

    shop_name: Name = "QuickShop"
    """Stands in mails."""
    currency: str = Field("USD", pattern=r"^[A-Z]{3}$")
    """ISO 4217 code that new carts are priced in."""
    location: Name = "main"
    """Where stock lies unless another place is named."""
    sourcing: Literal["by_priority", "fewest_parcels"] = "by_priority"
    """Which locations serve an order that several could."""
    hold_seconds: float = Field(600, ge=1, le=86_400)
    """How long units are set aside for a shopper who checks out."""
    hold_carts: bool = False
    """Whether putting units in a cart sets them aside, too."""
    low_stock_threshold: int = Field(5, ge=0, le=MAX_UNITS)
    """So few free units are told to `staff_email`, for levels without a threshold of their own."""
    staff_email: str | None = Field(None, pattern=r"^[^@\s<>]+@[^@\s<>]+$")
    """Who is told that stock runs low; without it nobody is."""

    token_keys: Keys = None
    """`id:secret[,id:secret]` that access tokens are signed with, the newest first."""
    password_keys: Keys = None
    """`id:secret[,id:secret]` that passwords are kept under, the newest first."""
    access_token_seconds: int = Field(MAX_ACCESS_TOKEN_SECONDS, ge=10, le=MAX_ACCESS_TOKEN_SECONDS)
    """How long an access token is good; what it may do is looked up all the same."""
    session_days: float = Field(30, gt=0, le=365)
    """How long somebody stays signed in on a device."""
    password_cost: int = Field(12, ge=4, le=16)
    """bcrypt cost; each one more takes twice as long. Raise it, and never lower it."""
    storefront_url: Annotated[str, _url_of("https", "http"), AfterValidator(_private)] | None = (
        None
    )
    """Where mailed links lead: to `/confirm-account`, `/reset-password` or `/confirm-email`."""

    database_pool_size: int = Field(8, ge=1, le=100)
    """Connections, and with them requests served at once, per process."""
    database_timeout_seconds: float = Field(10, ge=0.01, le=600)
    """Longest statement, and longest wait for a free connection."""
    lock_timeout_seconds: float = Field(5, ge=0.01, le=600)
    """Longest wait for a row that another transaction holds."""
    redis_timeout_seconds: float = Field(0.2, ge=0.01, le=10)

    product_cache_seconds: float = Field(2, ge=0, le=2)
    """How long a process believes its own copy of a product page; 0 turns that copy off."""

    trusted_proxies: Networks = ""
    """Who is believed about a client's address and scheme; `*`: everyone, in development."""
    allowed_hosts: HostNames = ""
    """Names that the API answers to, `*.shop.example` among them; any if there is none."""
    cors_origins: Origins = ""
    """Origins whose pages may use the API with cookies, as in `https://www.shop.example`."""
    require_https: bool = False
    """Whether requests that came in the clear are refused."""
    rate_limits: bool = True
    """Whether anybody is ever told to ask less often."""
    rate_limit_per_minute: int = Field(1200, ge=1, le=1_000_000)
    """Requests of one address, of one account and of one API key."""
    login_limit_per_minute: int = Field(20, ge=1, le=1_000_000)
    """Logins tried from one address; those into one account are limited besides."""
    api_processes: int = Field(1, ge=1, le=10_000)
    """How many API processes share the limits; counts while there is no Redis to count in."""

    payment_patience_seconds: float = Field(60, gt=0, le=86_400)
    """How long a gateway may be silent before it is asked again."""
    capture: Literal["automatic", "manual"] = "automatic"
    """`manual` sets money aside at checkout; staff take it later."""
    order_lifetime_seconds: float = Field(3_600, gt=0, le=30 * 86_400)
    """How long an order waits for its money before it expires."""
    job_lease_seconds: float = Field(60, gt=0, le=3_600)
    """How long a job may run, or stay unheard of, before it is handed out again."""
    job_retry_seconds: float = Field(5, gt=0, le=600)
    """Wait after a job's first failed try; 12, 120 and 1440 times as long after the next ones."""
    sweep_seconds: float = Field(15, gt=0, le=3_600)
    """How often unanswered payments, unpaid orders and expired holds are looked for."""
    poll_seconds: float = Field(1, ge=0.01, le=60)
    """How often the queue is looked at when nothing wakes the worker."""
    worker_threads: int = Field(4, ge=1, le=64)
    """Jobs at once in one worker."""

    smtp_host: str | None = Field(None, min_length=1)
    """Where mail is handed over; without it mails are written to `mail_dir`."""
    smtp_port: int = Field(587, ge=1, le=65_535)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_timeout_seconds: float = Field(10, ge=0.01, le=120)
    mail_from: str = Field("shop@localhost", pattern=r"^[^@\s<>]+@[^@\s<>]+$")
    mail_dir: str | None = Field(None, min_length=1)
    """Folder for mails as files; by default `mail`, beside a SQLite file. `-` prints them."""

    payment_gateway: Literal["sandbox", "stripe"] = "sandbox"
    """What moves the money: the sandbox moves none."""
    stripe_secret_key: Annotated[SecretStr | None, _with_stripe()] = None
    """`sk_live_...`, or `sk_test_...` to try it."""
    stripe_webhook_secret: Annotated[SecretStr | None, _with_stripe()] = None
    """`whsec_...`, of the endpoint that is told `/v1/payments/webhooks/stripe`."""
    stripe_api_base: Annotated[str, _url_of("https", "http"), AfterValidator(_private)] = (
        "https://api.stripe.com"
    )
    stripe_timeout_seconds: float = Field(8, ge=0.05, le=60)
    """Longest wait for an answer of Stripe; a job may wait for five, within its lease."""

    sandbox_book: str | None = Field(None, min_length=1)
    """File of the sandbox payment gateway; by default `quickshop-sandbox.db`, as `mail_dir`."""
    sandbox_slow_seconds: float = Field(3, ge=0, le=60)
    """How long the sandbox gateway takes over `tok_slow`."""

    @classmethod
    def load(cls, **values: object) -> Self:
        """Read the environment; `values` come before it.

        Raises:
            SettingsError: a value is not what it should be; names the variable.
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
    """What pydantic says, without what only programmers know: inputs and parsers."""
    rule = message.removeprefix("Value error, ").partition(", unable to ")[0]
    return rule.replace("Input should", "must", 1)
