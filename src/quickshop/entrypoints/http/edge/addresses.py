"""Whose request it is: the client's address and scheme, told by nobody but trusted proxies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.types import Scope

EVERYONE: Final = "*"
"""As a trusted proxy: whoever connects. For development; production refuses it."""
MAX_HOPS: Final = 16
"""Addresses in a chain that are looked at; what stands before them is not believed."""

_CACHED: Final = 4_096
_MAX_LENGTH: Final = 64
"""The longest address, with brackets and a port, is shorter."""
_HOUSEHOLD_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class ClientAddress:
    """Who asks, as far as an address tells."""

    text: str
    """An IPv4 or IPv6 address, or `unknown`, as on a Unix socket."""
    limit_subject: str
    """What limits count by: IPv4 whole, IPv6 by /64, of which one customer has every address."""


UNKNOWN: Final = ClientAddress("unknown", "unknown")


@dataclass(frozen=True, slots=True)
class _Hop:
    client: ClientAddress
    trusted: bool


class ClientAddresses:
    """Tells who asks. Only what trusted proxies wrote is believed, and only that which they wrote.

    A proxy appends the address that it saw to `X-Forwarded-For`, so the list is read from its
    right end, and the first address that is no trusted proxy's is the client's: what stands left
    of it was sent by the client itself. `Forwarded` is ignored, for nobody writes both alike.
    """

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        """Trust these addresses and networks, as in `10.0.0.0/8`, or `EVERYONE`."""
        self._everyone = EVERYONE in trusted
        self._networks = tuple(ip_network(text) for text in trusted if text != EVERYONE)
        # Parsing costs more than all the rest, and clients come again.
        self._hop = lru_cache(maxsize=_CACHED)(self._parse)

    def of(self, scope: Scope, headers: Mapping[bytes, bytes]) -> tuple[ClientAddress, bool]:
        """Who asks, and whether over HTTPS.

        Args:
            scope: Of the request.
            headers: Its headers by name, repeated ones joined by commas.
        """
        peer = scope.get("client")
        hop = self._hop(peer[0].partition("%")[0]) if peer else None
        client = hop.client if hop else UNKNOWN
        https = scope.get("scheme") == "https"
        if hop.trusted if hop else self._everyone:
            if chain := headers.get(b"x-forwarded-for"):
                client = self._behind(client, chain)
            if schemes := headers.get(b"x-forwarded-proto"):
                # Whoever said http first or last: a part of the way was open.
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
        if "%" in text:  # a zone means something on one machine only
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
    """`192.0.2.1:80` and `[2001:db8::1]:80`, as some proxies write, without the port."""
    if text.startswith("["):
        address, bracket, port = text[1:].partition("]")
        return address if bracket and ":" in address and _is_port(port) else ""
    address, _, port = text.partition(":")
    return address if "." in address and _is_port(f":{port}") else text


def _is_port(text: str) -> bool:
    return text == "" or (text[0] == ":" and text[1:].isascii() and text[1:].isdecimal())


def limit_subject_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that an IPv6 address is in.

    Anything else counts as it is.
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
