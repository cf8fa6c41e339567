"""Rate limits of the HTTP API and their response headers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self
from uuid import UUID

from starlette.responses import Response

from quickshop.entrypoints.http.edge.addresses import limit_subject_of
from quickshop.entrypoints.http.edge.problems import problem
from quickshop.ports.identity import Caller
from quickshop.ports.limits import Bucket, Decision, Limit
from quickshop.settings import Settings

_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400

ADDRESS: Final = Limit("address", 1200, _MINUTE)
ACCOUNT: Final = Limit("account", 1200, _MINUTE)
API_KEY: Final = Limit("api-key", 1200, _MINUTE)
LOGIN_ADDRESS: Final = Limit("login-address", 20, _MINUTE)
LOGIN: Final = (
    Limit("login-minute", 5, _MINUTE),
    Limit("login-quarter", 10, 15 * _MINUTE),
    Limit("login-day", 30, _DAY),
)
"""Per account and address; the allowed rate falls over time."""
LOGIN_STRANGERS: Final = Limit("login-strangers", 50, _HOUR)
"""Per account, over all addresses from which it never signed in. It stops attempts from many
addresses, and does not lock out the owner, who uses a known address."""
REGISTER: Final = Limit("register", 10, _HOUR)
REGISTER_ACCOUNT: Final = Limit("register-account", 5, _HOUR)
"""Registration emails to one address, regardless of who requests them."""
RESET_ADDRESS: Final = Limit("reset-address", 10, _HOUR)
RESET_ACCOUNT: Final = Limit("reset-account", 5, _HOUR)
REFRESH: Final = Limit("refresh", 60, _MINUTE)
OWN_DATA: Final = Limit("own-data", 5, _HOUR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The rate limits. Every method returns the buckets that a request counts against.

    `address` is the client's, taken from trusted proxies. `email` must be in the canonical form by
    which accounts are looked up.
    """

    enabled: bool = True
    address: Limit = ADDRESS
    account: Limit = ACCOUNT
    api_key: Limit = API_KEY
    login_address: Limit = LOGIN_ADDRESS

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Create the limits from the settings."""
        general = settings.rate_limit_per_minute
        return cls(
            enabled=settings.rate_limits,
            address=replace(ADDRESS, count=general),
            account=replace(ACCOUNT, count=general),
            api_key=replace(API_KEY, count=general),
            login_address=replace(LOGIN_ADDRESS, count=settings.login_limit_per_minute),
        )

    def of_request(self, address: str) -> list[Bucket]:
        """Return the buckets of any request."""
        return self._if_enabled(_of_address(self.address, address))

    def of_caller(self, caller: Caller) -> list[Bucket]:
        """Return the buckets of an authenticated caller: of the account or the API key."""
        if caller.api_key_id is not None:
            return self._if_enabled(Bucket(self.api_key, caller.api_key_id.hex))
        return self._if_enabled(Bucket(self.account, caller.account_id.hex))

    def of_login(self, address: str, email: str, *, known: bool) -> list[Bucket]:
        """Return the buckets of a sign-in; `known` if the account signed in from there before."""
        buckets = [_of_address(self.login_address, address), *self.of_failures(address, email)]
        if not known:
            buckets.append(Bucket.of(LOGIN_STRANGERS, email))
        return self._if_enabled(*buckets)

    def of_failures(self, address: str, email: str) -> list[Bucket]:
        """Return the buckets to clear after a successful sign-in."""
        network = limit_subject_of(address)
        return self._if_enabled(*(Bucket.of(limit, email, network) for limit in LOGIN))

    def of_strangers(self, address: str, email: str) -> list[Bucket]:
        """Return the buckets to clear once the caller has proved access to the account's email."""
        return self._if_enabled(
            *self.of_failures(address, email), Bucket.of(LOGIN_STRANGERS, email)
        )

    def of_registration(self, address: str, email: str) -> list[Bucket]:
        """Return the buckets of a registration, whether or not the account exists."""
        return self._if_enabled(_of_address(REGISTER, address), Bucket.of(REGISTER_ACCOUNT, email))

    def of_reset(self, address: str, email: str) -> list[Bucket]:
        """Return the buckets of a password reset email, whether or not the account exists."""
        return self._if_enabled(
            _of_address(RESET_ADDRESS, address), Bucket.of(RESET_ACCOUNT, email)
        )

    def of_refresh(self, address: str) -> list[Bucket]:
        """Return the buckets of a session refresh."""
        return self._if_enabled(_of_address(REFRESH, address))

    def of_own_data(self, account: UUID) -> list[Bucket]:
        """Return the buckets of a data export or erasure."""
        return self._if_enabled(Bucket(OWN_DATA, account.hex))

    def _if_enabled(self, *buckets: Bucket) -> list[Bucket]:
        return list(buckets) if self.enabled else []


def _of_address(limit: Limit, address: str) -> Bucket:
    return Bucket.of(limit, limit_subject_of(address))


def refusal(decisions: Sequence[Decision]) -> Decision | None:
    """Return the refusal with the longest wait, or None."""
    refused = [decision for decision in decisions if not decision.allowed]
    return max(refused, key=lambda decision: decision.retry_after_seconds, default=None)


def headers_of(decisions: Sequence[Decision]) -> list[tuple[bytes, bytes]]:
    """Return the headers of the tightest limit, which every response carries.

    As in the IETF draft "RateLimit header fields for HTTP": the limit is `q` requests per `w`
    seconds, `r` requests remain, and all are available again in `t` seconds.
    """
    if not decisions:
        return []
    shown = refusal(decisions) or min(decisions, key=lambda decision: decision.remaining)
    limit = shown.bucket.limit
    policy = f'"{limit.name}";q={limit.count};w={math.ceil(limit.seconds)}'
    state = f'"{limit.name}";r={shown.remaining};t={math.ceil(shown.reset_seconds)}'
    headers = [(b"ratelimit-policy", policy.encode()), (b"ratelimit", state.encode())]
    if not shown.allowed:
        headers.append((b"retry-after", b"%d" % max(1, math.ceil(shown.retry_after_seconds))))
    return headers


def retry_after(decision: Decision) -> dict[str, str]:
    """Return the headers of a refusal, for a raised error."""
    return {name.decode(): value.decode() for name, value in headers_of([decision])}


def refused(decisions: Sequence[Decision]) -> Response | None:
    """Return the response to a request over a limit, or None if it is allowed."""
    decision = refusal(decisions)
    return None if decision is None else problem(429, headers=retry_after(decision))
