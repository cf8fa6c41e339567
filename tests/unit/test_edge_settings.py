"""How operators say what stands between the internet and the shop."""

from __future__ import annotations

import pytest

from quickshop.entrypoints.http.edge.rules import Edge
from quickshop.settings import Settings, SettingsError


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "trusted_proxies",
            ("", "*", "127.0.0.1", "10.0.0.0/8, ::1,2001:db8::/32"),
            ("10.0.0.1/8", "proxy.example", "10.0.0.0/8 ::1", "10.0.0.0/33", "**", "unix:/run/x"),
        ),
        (
            "allowed_hosts",
            ("", "shop.example", "shop.example, *.Shop.Example,127.0.0.1,[::1]", "api_1"),
            ("*", "*shop.example", "shop.example:80", "https://shop.example", "a b", "a.*.b"),
        ),
        (
            "cors_origins",
            ("", "https://shop.example", "http://localhost:3000, https://[::1]:8443"),
            (
                "*",
                "null",
                "shop.example",
                "https://*.shop.example",
                "https://shop.example/",
                "https://Shop.example",
                "https://shop.example:",
                "https://user@shop.example",
                "ftp://shop.example",
                "https://a https://b",
            ),
        ),
    ],
)
def test_settings_of_the_edge_say_what_they_should_be(
    name: str, good: tuple[str, ...], bad: tuple[str, ...]
):
    for value in good:
        edge = Edge.of(Settings.load(**{name: value}))
        assert ", ".join(getattr(edge, name)) == value.replace(", ", ",").replace(",", ", ")
    for value in bad:
        with pytest.raises(SettingsError, match=f"^QUICKSHOP_{name.upper()}: must be"):
            Settings.load(**{name: value})


def test_development_believes_nobody_and_lets_everybody_in():
    assert Edge.of(Settings.load()) == Edge()
    assert Edge.of(Settings.load(require_https=True)).require_https


def test_in_production_nothing_is_taken_in_the_clear():
    # The settings alone: what else production asks for is asked when the shop is opened.
    assert Edge.of(Settings.load(mode="production")).require_https
