"""A crowd that signs in at once does not slow down those who only look."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from time import perf_counter

import httpx2
import pytest

from quickshop import open_shop
from tests.integration.buyers import settings_for, stock
from tests.integration.shop_processes import ShopProcess, running, variables
from tests.processes import ROOT, eventually

CROWD, LOOKS, TRIES = 100, 300, 6


@contextmanager
def crowd_signing_in(host: str, port: int) -> Iterator[dict[str, int]]:
    """A crowd at the door; filled, in the end, with what it got."""
    got: dict[str, int] = {}
    words = ("-m", "tests.attacks.flood", host, str(port), str(CROWD))
    with subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as flood:
        try:
            assert flood.stdout.readline() == "ready\n"
            yield got
            output, _ = flood.communicate(timeout=60)
            got.update(json.loads(output))
        finally:
            flood.kill()


def p99_of_looks(client: httpx2.Client, path: str, headers: dict[str, str]) -> float:
    """How long all but one of a hundred looks take at most."""
    times = []
    for _ in range(LOOKS):
        began = perf_counter()
        assert client.get(path, headers=headers).status_code == 200
        times.append(perf_counter() - began)
    return quantiles(times, n=100)[98]


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[ShopProcess]:
    with open_shop(settings=settings_for(database_url, tmp_path)) as shop:
        stock(shop, "MUG", 5)
    environment = variables(
        database_url=database_url,
        mail_dir=tmp_path / "mail",
        sandbox_book=tmp_path / "sandbox.db",
        rate_limits=False,
        access_log=False,
    )
    with running(tmp_path, environment, "serve", "--port", "0") as process:
        assert eventually(lambda: "http://" in process.output)
        yield process


def test_100_who_sign_in_at_once_hold_nobody_up_who_looks_at_a_cart(server: ShopProcess) -> None:
    url = re.search(r"http://[\d.]+:\d+", server.output)[0]
    host, port = url.removeprefix("http://").split(":")
    found, got = [], {}
    with httpx2.Client(base_url=url, timeout=30) as client:
        cart = client.post("/v1/carts").json()
        path, headers = f"/v1/carts/{cart['id']}", {"X-Cart-Token": cart["token"]}
        while len(found) < TRIES and min(found, default=3.0) > 2:
            p99_of_looks(client, path, headers)  # also while the crowd of before is still served
            alone = p99_of_looks(client, path, headers)
            with crowd_signing_in(host, int(port)) as got:
                beside_them = p99_of_looks(client, path, headers)
            found.append(beside_them / alone)
    assert min(found) <= 2, found
    assert set(got) == {"401", "429 retry-after"}
    assert got["429 retry-after"] >= CROWD / 2
