"""What the child processes do: `python -m tests.benchmarks.serve ROLE`.

Settings come from `QUICKSHOP_*` variables. A child ends when its standard input does.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final


def main(role: str, *arguments: str) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _ROLES[role](*arguments)


def _end_with_parent() -> None:
    while os.read(0, 1):  # not through sys.stdin, whose lock the exit would wait for
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _ready(**facts: int) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def _hello(server: str) -> None:
    from tests.benchmarks.hello import app  # noqa: PLC0415

    if server == "granian":
        _serve_with_granian("tests.benchmarks.hello:app")
    else:
        _serve_with_uvicorn(app)


def _wrapped_hello() -> None:
    """Hello inside all that stands before the shop, set up as for production."""
    from quickshop.entrypoints.http.edge.middleware import RequestEnvelope  # noqa: PLC0415
    from quickshop.entrypoints.http.edge.rules import Edge  # noqa: PLC0415
    from tests.benchmarks.hello import app  # noqa: PLC0415

    edge = Edge(
        trusted_proxies=("127.0.0.1", "10.0.0.0/8"),
        allowed_hosts=("127.0.0.1", "*.shop.example"),
        cors_origins=("https://www.shop.example",),
        require_https=True,
    )
    app.add_middleware(RequestEnvelope, edge=edge)
    _serve_with_uvicorn(app)


def _shop() -> None:
    """`quickshop serve`, which prints its own address."""
    from quickshop.entrypoints.cli.app import main as quickshop  # noqa: PLC0415

    sys.argv = ["quickshop", "serve", "--port", "0"]
    quickshop()


def _serve_with_uvicorn(app: object) -> None:
    import uvicorn  # noqa: PLC0415

    with _listener() as listener:
        listener.listen(512)
        _ready(port=listener.getsockname()[1])
        config = uvicorn.Config(
            app,  # type: ignore[arg-type]
            http="httptools",
            loop="uvloop",
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
        )
        uvicorn.Server(config).run(sockets=[listener])


def _serve_with_granian(target: str) -> None:
    from granian import Granian  # noqa: PLC0415
    from granian.constants import Interfaces, Loops  # noqa: PLC0415

    with _listener() as free:
        port = free.getsockname()[1]
    threading.Thread(target=_report_when_open, args=(port,), daemon=True).start()
    Granian(
        target,
        port=port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        websockets=False,
        log_enabled=False,
    ).serve()


def _listener() -> socket.socket:
    # By its protocol asyncio knows that this is TCP, and sends without delay.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    return listener


def _report_when_open(port: int) -> None:
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            break
        time.sleep(0.05)
    _ready(port=port)


def _worker(report_port: str = "") -> None:
    """`report_port`: where to send the id of each task, and when it started."""
    from quickshop.entrypoints.worker.run import run_worker  # noqa: PLC0415
    from quickshop.settings import Settings  # noqa: PLC0415

    settings = Settings.load()
    if settings.broker_url is None:
        _ready()
    else:
        from celery import signals  # noqa: PLC0415

        signals.worker_ready.connect(lambda **_: _ready(), weak=False)
        if report_port:
            signals.task_prerun.connect(_reporter(int(report_port)), weak=False)
    run_worker(settings)


def _reporter(port: int) -> Callable[..., None]:
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def report(task_id: str, **_facts: object) -> None:
        line.sendto(f"{task_id} {time.monotonic_ns()}".encode(), ("127.0.0.1", port))

    return report


def _relay() -> None:
    from quickshop.entrypoints.worker.run import run_relay  # noqa: PLC0415
    from quickshop.settings import Settings  # noqa: PLC0415

    _ready()
    run_relay(Settings.load())


_ROLES: Final[dict[str, Callable[..., None]]] = {
    "hello": _hello,
    "wrapped_hello": _wrapped_hello,
    "shop": _shop,
    "worker": _worker,
    "relay": _relay,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
