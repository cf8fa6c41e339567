"""Everything that a run needs: servers, proxies before them, and a fleet that knows only those."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import psycopg
from sqlalchemy import create_engine

from quickshop import Money, open_shop
from quickshop.adapters.sql.migrations import migrate
from quickshop.adapters.sql.postgres import driver_url
from quickshop.application.catalog import NewVariant
from quickshop.settings import Settings
from tests.chaos import planted
from tests.chaos.crew import Crew
from tests.chaos.gateway import Gateway, stripe
from tests.chaos.mailbox import Mailbox, Mood, open_mailbox
from tests.chaos.shoppers import StoredLevel
from tests.fault_proxy import FaultProxy
from tests.servers import Server, free_port, run_postgres, run_valkey

APIS: Final = 2
WORKERS: Final = 2
RELAYS: Final = 2
LEASE_SECONDS: Final = 2
VISIBILITY_SECONDS: Final = 2 * LEASE_SECONDS + 10
"""As the worker sets it up: how long a message may be unacknowledged until it is sent again."""
START_SECONDS: Final = 60

IMPATIENCE: Final[dict[str, object]] = {
    "job_lease_seconds": LEASE_SECONDS,
    "job_retry_seconds": 0.2,
    "payment_patience_seconds": 1,
    "sweep_seconds": 0.5,
    "poll_seconds": 0.2,
    "database_timeout_seconds": 2,
    "lock_timeout_seconds": 1,
    "smtp_timeout_seconds": 1,
    "hold_seconds": 5,
}
"""A day of a shop in half a minute."""
SURROUNDINGS: Final[dict[str, object]] = {
    "smtp_host": "127.0.0.1",
    "smtp_security": "none",
    "rate_limit_per_minute": 1_000_000,  # counted like everybody, and never refused
}


class StageError(Exception):
    """The run cannot begin; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What faults are done to."""

    folder: Path
    postgres: Server
    cache: Server
    broker: Server
    mailbox: Mailbox
    to_database: FaultProxy
    to_cache: FaultProxy
    to_broker: FaultProxy
    to_mail: FaultProxy
    gateway: Gateway
    crew: Crew
    api_ports: list[int]
    shelf: StoredLevel
    shop_settings: Settings
    """For a shop in this process, which meets the same trouble."""

    @property
    def journal(self) -> Path:
        """The requests and answers of clients."""
        return self.folder / "journal.jsonl"

    @property
    def mails(self) -> Path:
        """What the mail server took."""
        return self.folder / "mails.jsonl"

    @property
    def webhook_url(self) -> str:
        """The address of the shop for webhooks of the gateway."""
        return _webhook_url(self.api_ports)

    @property
    def proxies(self) -> list[FaultProxy]:
        """Everything between the fleet and its servers."""
        ways = [self.to_database, self.to_cache, self.to_broker, self.to_mail]
        return [*ways, self.gateway.proxy]

    def make_whole(self) -> None:
        """End all faults of all kinds."""
        for server in (self.postgres, self.cache, self.broker):
            if not server.is_running:
                server.start()
        for proxy in self.proxies:
            proxy.forward()
        self.wait_until(lambda: self.gateway.answers, seconds=START_SECONDS)
        self.gateway.press("heal")
        self.mailbox.mood = Mood.WILLING
        self.crew.wake()

    def ask_database(self, question: str) -> tuple[Any, ...] | None:
        """The first row that answers a question; None while there is no database."""
        with suppress(psycopg.Error):
            with psycopg.connect(self.postgres.url, connect_timeout=3) as connection:
                return connection.execute(question).fetchone()
        return None

    def wait_until(self, condition: Callable[[], bool], *, seconds: float) -> bool:
        """Whether it comes true in that time; the crew is minded meanwhile."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            self.crew.tend()
            time.sleep(0.1)
        return True


def is_alive(port: int) -> bool:
    """Whether an API answers on this port."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def set_up(folder: Path, seed: int, *, plant: str | None = None) -> Iterator[Stage]:
    """Start it all, perhaps with a bug planted in the fleet. All of it ends with the block.

    Raises:
        ServerError: a server cannot be started; says what would help.
        StageError: the shop does not come up.
    """
    with ExitStack() as stack:
        postgres = stack.enter_context(run_postgres(durable=True))
        cache = stack.enter_context(run_valkey())
        broker = stack.enter_context(run_valkey())
        mailbox, mail_port = stack.enter_context(open_mailbox(folder / "mails.jsonl"))
        shelf = _fill(postgres.url, folder, seed)
        ports = (postgres.port, cache.port, broker.port, mail_port)
        proxies = [stack.enter_context(FaultProxy(port)) for port in ports]
        to_database, to_cache, to_broker, to_mail = proxies
        gateway = _gateway(stack, folder)
        settings = {
            **IMPATIENCE,
            **SURROUNDINGS,
            "database_url": to_database.through(postgres.url),
            "redis_url": to_cache.through(cache.url),
            "broker_url": to_broker.through(broker.url),
            "smtp_port": to_mail.port,
            **gateway.settings,
        }
        variables = {f"QUICKSHOP_{k.upper()}": str(v) for k, v in settings.items()}
        crew = Crew(folder, variables | {planted.VARIABLE: plant or ""})
        stack.callback(crew.dismiss)
        api_ports = [free_port() for _ in range(APIS)]
        crew.start("gateway-0", *gateway.arguments(_webhook_url(api_ports)))
        _start_fleet(crew, "tests.chaos.planted" if plant else "quickshop", api_ports)
        stage = Stage(
            folder=folder,
            postgres=postgres,
            cache=cache,
            broker=broker,
            mailbox=mailbox,
            to_database=to_database,
            to_cache=to_cache,
            to_broker=to_broker,
            to_mail=to_mail,
            gateway=gateway,
            crew=crew,
            api_ports=api_ports,
            shelf=shelf,
            shop_settings=Settings.load(**{k: _plain(v) for k, v in settings.items()}),
        )
        if not stage.wait_until(lambda: _is_up(stage), seconds=START_SECONDS):
            raise StageError(f"the shop does not come up:\n{crew.log('api-0')[-3000:]}")
        yield stage


def _is_up(stage: Stage) -> bool:
    return stage.gateway.answers and all(map(is_alive, stage.api_ports))


def _gateway(stack: ExitStack, folder: Path) -> Gateway:
    port = free_port()
    return stripe(folder, stack.enter_context(FaultProxy(port)), port)


def _webhook_url(api_ports: list[int]) -> str:
    return f"http://127.0.0.1:{api_ports[0]}/v1/payments/webhooks/stripe"


def _start_fleet(crew: Crew, program: str, api_ports: list[int]) -> None:
    for number, port in enumerate(api_ports):
        crew.start(f"api-{number}", "-m", program, "serve", "--port", str(port))
    for number in range(WORKERS):
        words = ("worker", "--pool", "prefork", "--concurrency", "2")
        crew.start(f"worker-{number}", "-m", program, *words)
    for number in range(RELAYS):
        crew.start(f"relay-{number}", "-m", program, "relay")


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


def _fill(url: str, folder: Path, seed: int) -> StoredLevel:
    random = Random(f"shelf {seed}")
    shelf = StoredLevel(
        plenty={f"PLENTY-{n}": 100_000 for n in range(12)},
        scarce={f"SCARCE-{n}": random.randint(2, 9) for n in range(40)},
    )
    engine = create_engine(driver_url(url))
    migrate(engine)
    engine.dispose()
    settings = Settings.load(database_url=url, sandbox_book=str(folder / "unused.db"))
    with open_shop(settings=settings) as shop:
        for price, (sku, units) in enumerate(shelf.units.items(), start=501):
            variant = NewVariant(sku=sku, price=Money(price, "USD"))
            shop.products.create(
                title=f"Product {sku}", handle=f"product-{sku.lower()}", variants=[variant]
            )
            shop.inventory.receive(sku, units)
    return shelf
