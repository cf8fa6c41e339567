"""The command line as a process: servers, workers, signals and pipes."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from quickshop.domain.orders import OrderStatus
from tests import processes
from tests.cli_runs import Terminal, plain_environment, stocked_file, terminal_in
from tests.landing import share
from tests.processes import PATIENCE_SECONDS, eventually


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stocked_file(tmp_path_factory.mktemp("template"))


@pytest.fixture
def terminal(tmp_path: Path, template: Path) -> Terminal:
    shutil.copy(template, tmp_path / "quickshop.db")
    return terminal_in(tmp_path)


@contextmanager
def running(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Let a process run for the length of a block, and no longer."""
    with process:
        try:
            yield process
        finally:
            processes.kill(process)


def address_in(line: str) -> str:
    """The URL that `serve` announces."""
    return next(word.rstrip(",") for word in line.split() if word.startswith("http://"))


@pytest.mark.sampled
@pytest.mark.parametrize("stop", share([signal.SIGTERM, signal.SIGINT], 2))
def test_serve_answers_pays_and_stops_when_told(terminal: Terminal, stop: signal.Signals):
    with running(terminal.start("serve", "--port", "0")) as server:
        assert server.stdout
        announced = server.stdout.readline()
        url = address_in(announced)
        assert f"docs: {url}/docs" in announced
        assert "quickshop.db" in announced
        assert httpx2.get(f"{url}/v1/products", timeout=PATIENCE_SECONDS).status_code == 200
        assert httpx2.get(f"{url}/docs", timeout=PATIENCE_SECONDS).status_code == 200
        order = terminal.buy(work=False)
        with terminal.shop() as shop:
            assert eventually(lambda: shop.orders.get(order.id).status is OrderStatus.PAID)
        server.send_signal(stop)
        out, err = server.communicate(timeout=PATIENCE_SECONDS)
    assert (server.returncode, out) == (0, "")
    assert {json.loads(line)["level"] for line in err.splitlines()} == {"info"}


def test_serve_in_two_processes_answers_and_stops(terminal: Terminal):
    with running(terminal.start("serve", "--port", "0", "--workers", "2")) as server:
        assert server.stdout
        url = address_in(server.stdout.readline())
        assert httpx2.get(f"{url}/v1/products", timeout=PATIENCE_SECONDS).status_code == 200
        server.send_signal(signal.SIGTERM)
        _out, err = server.communicate(timeout=PATIENCE_SECONDS)
    assert (server.returncode, "Traceback" in err) == (0, False)


def test_serve_on_a_port_that_is_taken_says_so(terminal: Terminal):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = terminal.run("serve", "--port", str(port))
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        f"quickshop: port {port} on 127.0.0.1 is in use; choose another with --port\n"
    )


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_a_usage_error(terminal: Terminal, port: str):
    assert terminal.run("serve", "--port", port).code == 2


def test_serve_names_the_sample_when_there_is_nothing_to_sell(tmp_path: Path):
    with running(terminal_in(tmp_path).start("serve", "--port", "0")) as server:
        assert server.stdout
        server.stdout.readline()
        assert "quickshop import shopify --sample" in server.stdout.readline()
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=PATIENCE_SECONDS)
    assert server.returncode == 0


def test_a_worker_does_the_work_and_stops_when_told(terminal: Terminal):
    order = terminal.buy(work=False)
    with running(terminal.start("worker", "--concurrency", "2")) as worker:
        with terminal.shop() as shop:
            assert eventually(lambda: shop.orders.get(order.id).status is OrderStatus.PAID)
        worker.send_signal(signal.SIGTERM)
        _out, err = worker.communicate(timeout=PATIENCE_SECONDS)
    assert (worker.returncode, "Traceback" in err) == (0, False)


def test_output_that_nobody_reads_on_is_no_error(terminal: Terminal):
    with running(terminal.start("products", "--json")) as listing:
        assert listing.stdout
        assert listing.stderr
        listing.stdout.close()
        err = listing.stderr.read()
        listing.wait(timeout=PATIENCE_SECONDS)
    assert (listing.returncode, err) == (1, "")


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_ends_with_130(terminal: Terminal):
    with running(terminal.start("demo", "--keep", "kept")) as demo:
        assert eventually((terminal.folder / "kept" / "quickshop.db").exists)
        demo.send_signal(signal.SIGINT)
        _out, err = demo.communicate(timeout=PATIENCE_SECONDS)
    assert (demo.returncode, err) == (130, "quickshop: interrupted\n")


def test_help_waits_for_nothing_slow():
    slow = ("sqlalchemy", "pydantic", "fastapi", "celery", "babel", "jinja2", "alembic")
    code = (
        "import sys, quickshop.entrypoints.cli.app\n"
        f"print([name for name in {slow!r} if name in sys.modules])"
    )
    told = processes.run([sys.executable, "-c", code], env=plain_environment())
    assert told.stdout == "[]\n", told.stderr


def test_the_command_line_works_on_postgresql(tmp_path: Path, database_url: str):
    terminal = Terminal(tmp_path, database_url)
    assert "already at revision" in terminal.run("migrate").out
    assert terminal.run("import", "shopify", "--sample", "--json").json["rejected_rows"] == 0
    with terminal.shop() as shop:
        assert shop.run_jobs() == 0
    order = terminal.buy()
    assert terminal.run("orders", "show", order.number, "--json").json["status"] == "paid"
    assert terminal.run("stock", "adjust", "TOTE-L", "-1", "--reason", "torn").code == 0
    assert terminal.run("orders", "cancel", order.number).code == 0
    assert terminal.run("jobs", "run").code == 0
    assert terminal.run("stock", "reconcile").code == 0
    assert terminal.run("doctor").code == 0


def test_doctor_reaches_redis_and_the_broker(terminal: Terminal, valkey_server: str):
    env = {"QUICKSHOP_REDIS_URL": valkey_server, "QUICKSHOP_BROKER_URL": valkey_server}
    checks = terminal.run("doctor", "--json", env=env).json["checks"]
    assert {check["check"] for check in checks if not check["ok"]} == set()
