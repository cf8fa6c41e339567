"""The client's address and scheme, taken from proxy headers only if the proxy is trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.types import Scope

EVERYONE: Final = "*"
"""Trusts every peer as a proxy. For development; production refuses it."""
MAX_HOPS: Final = 16
"""The number of addresses of a chain that are read, from the right; the others are ignored."""

_CACHED: Final = 4_096
_MAX_LENGTH: Final = 64
"""Characters; longer than any address with brackets and a port."""
_HOUSEHOLD_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class ClientAddress:
    """The address of a client."""

    text: str
    """An IPv4 or IPv6 address, or `unknown`, as on a Unix socket."""
    limit_subject: str
    """The key for rate limits: an IPv4 address, or the /64 of an IPv6 address, as one customer has
    all addresses of a /64."""


UNKNOWN: Final = ClientAddress("unknown", "unknown")


@dataclass(frozen=True, slots=True)
class _Hop:
    client: ClientAddress
    trusted: bool


class ClientAddresses:
    """Finds the client of a request. Only entries added by trusted proxies count.

    A proxy appends the address of its peer to `X-Forwarded-For`. The list is read from the right,
    and the first address that is not a trusted proxy is the client. The entries to its left may be
    forged. `Forwarded` is ignored, because no proxy sets both headers consistently.
    """

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        """Trust these addresses and networks (such as `10.0.0.0/8`), or `EVERYONE`."""
        self._everyone = EVERYONE in trusted
        self._networks = tuple(ip_network(text) for text in trusted if text != EVERYONE)
        # Parsing is the most expensive step, and the same clients return.
        self._hop = lru_cache(maxsize=_CACHED)(self._parse)

    def of(self, scope: Scope, headers: Mapping[bytes, bytes]) -> tuple[ClientAddress, bool]:
        """Return the client's address, and whether the request came over HTTPS.

        Args:
            scope: The request's scope.
            headers: The request's headers by name, repeated ones joined by commas.
        """
        peer = scope.get("client")
        hop = self._hop(peer[0].partition("%")[0]) if peer else None
        client = hop.client if hop else UNKNOWN
        https = scope.get("scheme") == "https"
        if hop.trusted if hop else self._everyone:
            if chain := headers.get(b"x-forwarded-for"):
                client = self._behind(client, chain)
            if schemes := headers.get(b"x-forwarded-proto"):
                # An http entry anywhere means that one hop was not encrypted.
                https = {one.strip().lower() for one in schemes.split(b",")} == {b"https"}
        return client, https

    def _behind(self, proxy: ClientAddress, chain: bytes) -> ClientAddress:
        client = proxy
        entries = chain.decode("latin-1").rsplit(",", MAX_HOPS - 1)
        for entry in reversed(entries):
            text = entry.strip()
            hop = self._hop(_without_port(text)) if len(text) <= _MAX_LENGTH else None
            if hop is None:
                return client
            client = hop.client
            if not hop.trusted:
                return client
        return client

    def _parse(self, text: str) -> _Hop | None:
        if "%" in text:  # a zone is valid on one machine only
            return None
        try:
            address: IPv4Address | IPv6Address = ip_address(text)
        except ValueError:
            return None
        if isinstance(address, IPv6Address):
            address = address.ipv4_mapped or address
        trusted = self._everyone or any(address in network for network in self._networks)
        return _Hop(ClientAddress(str(address), _limit_subject(address)), trusted)


def _without_port(text: str) -> str:
    """Return the address without its port, from `192.0.2.1:80` or `[2001:db8::1]:80`."""
    if text.startswith("["):
        address, bracket, port = text[1:].partition("]")
        return address if bracket and ":" in address and _is_port(port) else ""
    address, _, port = text.partition(":")
    return address if "." in address and _is_port(f":{port}") else text


def _is_port(text: str) -> bool:
    return text == "" or (text[0] == ":" and text[1:].isascii() and text[1:].isdecimal())


def limit_subject_of(address: str) -> str:
    """Return the rate limit key of an address: the IPv4 address, or the /64 of an IPv6 address.

    Any other text is returned unchanged.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return _limit_subject(getattr(parsed, "ipv4_mapped", None) or parsed)


def _limit_subject(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((int(address), _HOUSEHOLD_BITS), strict=False))
