"""Who asks: the client's address and scheme, as told by proxies and by liars."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from quickshop.entrypoints.http.edge.addresses import EVERYONE, MAX_HOPS, UNKNOWN, ClientAddresses

PROXIES = ("10.0.0.0/8", "192.0.2.7", "2001:db8:ffff::/48")


def client_of(
    peer: str | None,
    chain: str | None = None,
    *,
    trusted: tuple[str, ...] = PROXIES,
    **headers: str,
) -> tuple[str, str, bool]:
    """What is found out: the address, what limits count by, and whether it came by HTTPS."""
    scope = {"client": (peer, 50_000) if peer else None, "scheme": "http"}
    given = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    if chain is not None:
        given[b"x-forwarded-for"] = chain.encode("latin-1")
    client, https = ClientAddresses(trusted).of(scope, given)
    return client.text, client.limit_subject, https


@pytest.mark.parametrize(
    ("peer", "chain", "client"),
    [
        # Who connects is who asks, whatever they say.
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("192.0.2.8", "198.51.100.1", "192.0.2.8"),
        ("2001:db8:1::1", "198.51.100.1", "2001:db8:1::1"),
        # A proxy says whom it serves, and what stands left of that is the client's own fiction.
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("192.0.2.7", " 198.51.100.1\t", "198.51.100.1"),
        ("10.0.0.1", "127.0.0.1, 10.9.9.9, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1,198.51.100.1,10.0.0.2,192.0.2.7", "198.51.100.1"),
        ("2001:db8:ffff::1", "2001:db8:1::2", "2001:db8:1::2"),
        # All of them proxies: the first is who asked.
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        # What cannot be read ends the story there.
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "198.51.100.1, , 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "198.51.100.1,", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.256", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.01", "10.0.0.1"),
        ("10.0.0.1", "0x7f000001", "10.0.0.1"),
        ("10.0.0.1", "2130706433", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.0/24", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1%eth0", "10.0.0.1"),
        ("10.0.0.1", "fe80::1%<script>", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:http", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:\xb2", "10.0.0.1"),
        ("10.0.0.1", "[198.51.100.1]", "10.0.0.1"),
        ("10.0.0.1", "[2001:db8::1", "10.0.0.1"),
        ("10.0.0.1", "[]", "10.0.0.1"),
        ("10.0.0.1", "\xff\x00", "10.0.0.1"),
        ("10.0.0.1", "9" * 9_000, "10.0.0.1"),
        # Some proxies write the port, too.
        ("10.0.0.1", "198.51.100.1:65000", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        ("10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
        # One address is one, however it is written.
        ("::ffff:203.0.113.9", None, "203.0.113.9"),
        ("::ffff:10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "2001:DB8:0:0::1", "2001:db8::1"),
        ("fe80::1%eth0", None, "fe80::1"),
        # Nobody is there to be told apart.
        (None, "198.51.100.1", "unknown"),
        ("testclient", "198.51.100.1", "unknown"),
    ],
)
def test_the_client_is_whom_trusted_proxies_saw(peer: str | None, chain: str | None, client: str):
    assert client_of(peer, chain)[0] == client


def test_without_trusted_proxies_nobody_is_believed():
    for peer in ("127.0.0.1", "10.0.0.1", "::1"):
        found = client_of(peer, "198.51.100.1", trusted=(), x_forwarded_proto="https")
        assert found == (peer, client_of(peer, trusted=())[1], False)


def test_whoever_believes_everyone_believes_the_first_address():
    for peer in ("203.0.113.9", None):
        found = client_of(peer, "1.1.1.1, 2.2.2.2", trusted=(EVERYONE,), x_forwarded_proto="https")
        assert found == ("1.1.1.1", "1.1.1.1", True)


def test_a_chain_is_followed_only_so_far():
    chain = ", ".join(["198.51.100.1", *["10.0.0.2"] * MAX_HOPS])
    assert client_of("10.0.0.1", chain)[0] == "10.0.0.2"
    chain = ", ".join(["198.51.100.1", *["10.0.0.2"] * (MAX_HOPS - 1)])
    assert client_of("10.0.0.1", chain)[0] == "198.51.100.1"


@pytest.mark.parametrize("header", ["forwarded", "x_real_ip", "x_client_ip", "cf_connecting_ip"])
def test_no_other_header_is_believed(header: str):
    told = client_of("10.0.0.1", **{header: "for=198.51.100.1;proto=https"})
    assert told == ("10.0.0.1", "10.0.0.1", False)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("203.0.113.9", "::ffff:203.0.113.9", True),
        ("203.0.113.9", "203.0.113.10", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
    ],
)
def test_limits_count_a_household_as_one(one: str, other: str, alike: bool):
    assert (client_of(one)[1] == client_of(other)[1]) is alike


def test_clients_without_an_address_share_one_limit():
    assert client_of(None)[1] == client_of("testclient")[1] == UNKNOWN.limit_subject


@pytest.mark.parametrize(
    ("peer", "proto", "https"),
    [
        ("10.0.0.1", "https", True),
        ("10.0.0.1", " HTTPS ", True),
        ("10.0.0.1", "https, https", True),
        ("10.0.0.1", "http", False),
        ("10.0.0.1", "https, http", False),
        ("10.0.0.1", "http, https", False),
        ("10.0.0.1", "https,", False),
        ("10.0.0.1", "httpss", False),
        ("203.0.113.9", "https", False),
    ],
)
def test_https_is_what_a_trusted_proxy_says_it_is(peer: str, proto: str, https: bool):
    assert client_of(peer, x_forwarded_proto=proto)[2] is https


@pytest.mark.parametrize(
    ("headers", "https"),
    [({}, True), ({b"x-forwarded-proto": b"http"}, False), ({b"x-forwarded-proto": b""}, True)],
)
def test_a_connection_that_is_encrypted_is_https_unless_its_proxy_says_otherwise(
    headers: Mapping[bytes, bytes], https: bool
):
    scope = {"client": ("10.0.0.1", 1), "scheme": "https"}
    assert ClientAddresses(PROXIES).of(scope, headers)[1] is https
    assert ClientAddresses().of(scope, headers)[1] is True


def test_the_memory_of_addresses_is_bounded():
    addresses = ClientAddresses(PROXIES)
    scope = {"client": ("10.0.0.1", 1), "scheme": "http"}
    for number in range(20_000):
        chain = f"198.51.{number // 250}.{number % 250}".encode()
        assert addresses.of(scope, {b"x-forwarded-for": chain})[0].text == chain.decode()
    assert addresses._hop.cache_info().currsize <= 4_096  # noqa: SLF001 - memory has no outcome
