"""Whatever runs for long writes one line of JSON per record, and never anything else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from quickshop import open_shop
from quickshop.adapters.celery.jobs import RUN_JOB, make_celery
from tests import processes
from tests.cli_runs import plain_environment
from tests.http_client import order_form
from tests.integration.buyers import open_buyers, stock, until
from tests.integration.shop_processes import variables
from tests.landing import share
from tests.servers import run_valkey

PROGRAM = """
import gc, logging, sys, threading, time, warnings
from quickshop.adapters.observability.logs import log_to_stderr

log_to_stderr()
log_to_stderr()
warnings.warn("first\\nline")
logging.getLogger("uvicorn.error").error("second %d", "line")
logging.getLogger("quickshop.x").info("third", extra={"password": "c4n4ry"})
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()

class Unruly:
    def __del__(self):
        raise ValueError("token=c4n4ry")

Unruly()
gc.collect()
raise RuntimeError("Bearer c4n4ry-c4n4ry")
"""


@contextmanager
def logging_to(log: Path, *words: str, **settings: object) -> Iterator[subprocess.Popen[bytes]]:
    """A command of this project whose standard error is kept; killed in the end if need be."""
    with log.open("wb") as output:
        process = processes.start(
            [sys.executable, "-m", *words],
            cwd=log.parent,
            env=plain_environment() | variables(**settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
        )
    with process:
        try:
            yield process
        finally:
            processes.kill(process)


def address_told_by(server: subprocess.Popen[bytes]) -> str:
    """Where the server says that it listens."""
    assert server.stdout
    return next(
        word.rstrip(",") for word in server.stdout.readline().decode().split() if "://" in word
    )


def records(text: str) -> list[dict[str, Any]]:
    """Every line, each of which must be a record."""
    told = [json.loads(line) for line in text.splitlines()]
    for record in told:
        assert list(record)[:4] == ["timestamp", "level", "logger", "event"]
    return told


def test_warnings_and_what_nobody_catches_are_records_too() -> None:
    done = processes.run(
        [sys.executable, "-c", PROGRAM],
        env=plain_environment(),
    )
    assert done.returncode == 1
    assert "c4n4ry" not in done.stderr
    levels = [(record["logger"], record["level"]) for record in records(done.stderr)]
    assert levels == [
        ("py.warnings", "warning"),
        ("uvicorn.error", "error"),
        ("quickshop.x", "info"),
        ("quickshop.process", "critical"),
        ("quickshop.process", "error"),
        ("quickshop.process", "critical"),
    ]


def test_a_server_tells_of_requests_and_orders_by_the_name_of_the_request(tmp_path: Path) -> None:
    log, database = tmp_path / "serve.log", f"sqlite:///{tmp_path / 'shop.db'}"
    with (
        open_shop(database) as shop,
        logging_to(log, "quickshop", "serve", "--port", "0", database_url=database) as server,
    ):
        stock(shop, "MUG", 5)
        with httpx2.Client(
            base_url=address_told_by(server), timeout=processes.PATIENCE_SECONDS
        ) as client:
            cart = client.post("/v1/carts").json()
            headers = {"X-Cart-Token": cart["token"], "X-Request-Id": "find-me"}
            headers["Idempotency-Key"] = "one"
            lines, checkout = (f"/v1/carts/{cart['id']}/{verb}" for verb in ("lines", "checkout"))
            client.post(lines, json={"sku": "MUG", "quantity": 1}, headers=headers)
            order = client.post(checkout, json=order_form(), headers=headers).json()
            client.post(checkout, content=b'{"email": "c4n4ry', headers=headers)
        until(lambda: "order paid" in log.read_text(), what="the payment")
        server.terminate()
        assert server.wait(processes.PATIENCE_SECONDS) == 0
    err = log.read_text()
    told = records(err)
    of_request = [record for record in told if record.get("request_id") == "find-me"]
    assert {"quickshop.http", "quickshop.orders"} == {record["logger"] for record in of_request}
    (placed,) = [record for record in of_request if record["event"] == "order placed"]
    assert (placed["order_id"], placed["amount_minor"]) == (order["id"], 1250)
    assert "order paid" in {record["event"] for record in told if "request_id" not in record}
    for private in (cart["token"], order["token"], "c4n4ry", "tok_ok", "ada@example.com"):
        assert private not in err


def test_requests_are_not_told_of_when_that_is_switched_off(tmp_path: Path) -> None:
    log, database = tmp_path / "serve.log", f"sqlite:///{tmp_path / 'shop.db'}"
    words = ("quickshop", "serve", "--port", "0")
    with logging_to(log, *words, database_url=database, access_log=False) as server:
        url = f"{address_told_by(server)}/v1/products"
        assert httpx2.get(url, timeout=processes.PATIENCE_SECONDS).status_code == 200
        server.terminate()
        assert server.wait(processes.PATIENCE_SECONDS) == 0
    assert log.read_text() == ""


CELERY_WORKERS = {
    "prefork": ("quickshop", "worker", "--pool", "prefork", "--concurrency", "1"),
    "threads": ("quickshop", "worker", "--pool", "threads", "--concurrency", "1"),
    "celery": (
        *("celery", "--quiet", "-A", "quickshop.entrypoints.worker.app"),
        *("worker", "--pool", "threads", "--concurrency", "1"),
    ),
}


@pytest.mark.sampled
@pytest.mark.parametrize("kind", share([*CELERY_WORKERS], 3))
def test_what_celery_says_is_in_records_too(kind: str, sqlite_url: str, tmp_path: Path) -> None:
    words = CELERY_WORKERS[kind]
    log, relayed = tmp_path / "worker.log", tmp_path / "relay.log"
    with run_valkey() as broker, open_buyers(sqlite_url, tmp_path, broker_url=broker.url) as shop:
        stock(shop.shop, "MUG", 5)
        with make_celery(broker.url) as app:
            app.send_task(RUN_JOB, args=["token=c4n4ry"])
            app.send_task(RUN_JOB, args=["too", "many"])
            app.send_task("no.such.task")
        settings = {
            "database_url": sqlite_url,
            "broker_url": broker.url,
            "mail_dir": tmp_path / "mail",
            "sandbox_book": tmp_path / "sandbox.db",
        }
        with (
            logging_to(log, *words, **settings) as worker,
            logging_to(relayed, "quickshop", "relay", **settings) as relay,
        ):
            order = shop.check_out(shop.fill("MUG")).order.id
            until(lambda: shop.shop.orders.get(order).status == "paid", what="the payment")
            broker.kill()
            until(lambda: "onnection" in log.read_text(), what="the worker to notice")
            until(lambda: "cannot be reached" in relayed.read_text(), what="the relay to notice")
            for process in (worker, relay):
                process.terminate()
                assert process.wait(processes.PATIENCE_SECONDS) == 0
    told = records(log.read_text())
    assert "c4n4ry" not in log.read_text()
    assert {"celery.worker.consumer.consumer", "quickshop.worker", "quickshop.orders"} <= {
        record["logger"] for record in told
    }
    assert {record["event"] for record in records(relayed.read_text())} >= {"at work", "stopping"}
