"""Who may ask how often over HTTP, and how they are told."""

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
"""Of one account from one address: the longer it goes on, the slower."""
LOGIN_STRANGERS: Final = Limit("login-strangers", 50, _HOUR)
"""Of one account from all the addresses that it was never signed in to from. Many addresses do not
get many tries; and its owner, who comes from a known one, is not locked out by them."""
REGISTER: Final = Limit("register", 10, _HOUR)
REGISTER_ACCOUNT: Final = Limit("register-account", 5, _HOUR)
"""Mails to one address, whoever asks for them."""
RESET_ADDRESS: Final = Limit("reset-address", 10, _HOUR)
RESET_ACCOUNT: Final = Limit("reset-account", 5, _HOUR)
REFRESH: Final = Limit("refresh", 60, _MINUTE)
OWN_DATA: Final = Limit("own-data", 5, _HOUR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How often each may ask. Every method names the buckets that a request is to be taken from.

    Addresses are those of the client, as far as the proxies that are believed tell it. E-mail
    addresses are to be in the one spelling that accounts are found by.
    """

    enabled: bool = True
    address: Limit = ADDRESS
    account: Limit = ACCOUNT
    api_key: Limit = API_KEY
    login_address: Limit = LOGIN_ADDRESS

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits that the settings ask for."""
        general = settings.rate_limit_per_minute
        return cls(
            enabled=settings.rate_limits,
            address=replace(ADDRESS, count=general),
            account=replace(ACCOUNT, count=general),
            api_key=replace(API_KEY, count=general),
            login_address=replace(LOGIN_ADDRESS, count=settings.login_limit_per_minute),
        )

    def of_request(self, address: str) -> list[Bucket]:
        """Of any request."""
        return self._if_enabled(_of_address(self.address, address))

    def of_caller(self, caller: Caller) -> list[Bucket]:
        """Of whoever a request is known to come from: an account, or a key."""
        if caller.api_key_id is not None:
            return self._if_enabled(Bucket(self.api_key, caller.api_key_id.hex))
        return self._if_enabled(Bucket(self.account, caller.account_id.hex))

    def of_login(self, address: str, email: str, *, known: bool) -> list[Bucket]:
        """Of a try to log in; `known` if this account was signed in to from there before."""
        buckets = [_of_address(self.login_address, address), *self.of_failures(address, email)]
        if not known:
            buckets.append(Bucket.of(LOGIN_STRANGERS, email))
        return self._if_enabled(*buckets)

    def of_failures(self, address: str, email: str) -> list[Bucket]:
        """What a login that succeeds forgives: to be cleared."""
        network = limit_subject_of(address)
        return self._if_enabled(*(Bucket.of(limit, email, network) for limit in LOGIN))

    def of_strangers(self, address: str, email: str) -> list[Bucket]:
        """What reading the mail of an account forgives: to be cleared."""
        return self._if_enabled(
            *self.of_failures(address, email), Bucket.of(LOGIN_STRANGERS, email)
        )

    def of_registration(self, address: str, email: str) -> list[Bucket]:
        """Of a new account, whether or not there is one."""
        return self._if_enabled(_of_address(REGISTER, address), Bucket.of(REGISTER_ACCOUNT, email))

    def of_reset(self, address: str, email: str) -> list[Bucket]:
        """Of a mail with a link that opens an account, whether or not there is one."""
        return self._if_enabled(
            _of_address(RESET_ADDRESS, address), Bucket.of(RESET_ACCOUNT, email)
        )

    def of_refresh(self, address: str) -> list[Bucket]:
        """Of new tokens for a session."""
        return self._if_enabled(_of_address(REFRESH, address))

    def of_own_data(self, account: UUID) -> list[Bucket]:
        """Of having one's data exported or erased."""
        return self._if_enabled(Bucket(OWN_DATA, account.hex))

    def _if_enabled(self, *buckets: Bucket) -> list[Bucket]:
        return list(buckets) if self.enabled else []


def _of_address(limit: Limit, address: str) -> Bucket:
    return Bucket.of(limit, limit_subject_of(address))


def refusal(decisions: Sequence[Decision]) -> Decision | None:
    """The refusal that lasts longest, if there is one."""
    refused = [decision for decision in decisions if not decision.allowed]
    return max(refused, key=lambda decision: decision.retry_after_seconds, default=None)


def headers_of(decisions: Sequence[Decision]) -> list[tuple[bytes, bytes]]:
    """The headers of the tightest limit, as every answer carries them.

    As in the draft "RateLimit header fields for HTTP" of the IETF: of a limit `q` requests per `w`
    seconds, `r` are left, and in `t` seconds all are back.
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
    """The headers of a refusal, for those who raise it."""
    return {name.decode(): value.decode() for name, value in headers_of([decision])}


def refused(decisions: Sequence[Decision]) -> Response | None:
    """The answer to a request that a limit refused; None if it may go on."""
    decision = refusal(decisions)
    return None if decision is None else problem(429, headers=retry_after(decision))
