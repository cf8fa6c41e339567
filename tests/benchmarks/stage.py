"""Servers, databases and carts for a run; all of it is gone afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from quickshop import Shop, open_shop
from quickshop.application.shopper import digest
from quickshop.container import migrate_database
from quickshop.settings import Settings
from tests.benchmarks import catalog, processes
from tests.benchmarks.floors import Floors, serve_floors
from tests.benchmarks.measure import Effort, Side
from tests.benchmarks.processes import BenchmarkError, Child
from tests.servers import Server, run_postgres, run_valkey

CART_TOKEN: Final = "a-token-that-opens-every-prepared-cart"
IDLE_SECONDS: Final = 60
_TEMPLATE: Final = "bench_template"

# The number of a cart is the end of its id, and of its first line's shelf.
_INSERT_CARTS: Final = """
INSERT INTO carts (id, token_digest, currency, status, created_at, version)
SELECT lpad(to_hex(n), 32, '0')::uuid, %(digest)s, 'USD', 'open', now(), 1
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
"""
_INSERT_LINES: Final = """
INSERT INTO cart_lines (id, cart_id, variant_id, quantity)
SELECT md5(n || '/' || place)::uuid, lpad(to_hex(n), 32, '0')::uuid,
       lpad(to_hex(%(variant)s::bigint + n %% %(shelves)s * %(apart)s + place), 32, '0')::uuid, 1
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n,
     generate_series(0, %(lines)s - 1) place
"""
_INSERT_ONE_LINE: Final = """
INSERT INTO cart_lines (id, cart_id, variant_id, quantity)
SELECT md5(n || '/0')::uuid, lpad(to_hex(n), 32, '0')::uuid,
       (%(variants)s::uuid[])[1 + n * 7919 %% %(kinds)s], 1
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
"""
# Nothing is shipped or canceled here, so what stands in the shelf is all that there ever was.
_AUDIT: Final = """
SELECT coalesce(sum(greatest(0, promised - on_hand)), 0),
       count(*) FILTER (WHERE allocated <> promised OR on_hand - allocated - held < 0),
       (SELECT coalesce(sum(quantity), 0) FROM order_lines) - coalesce(sum(promised), 0)
FROM (
    SELECT level.on_hand + coalesce(stripe.on_hand, 0) AS on_hand,
           level.allocated + coalesce(stripe.allocated, 0) AS allocated,
           level.held + coalesce(stripe.held, 0) AS held,
           coalesce(promise.units, 0) AS promised
    FROM stock_levels level
    LEFT JOIN (
        SELECT variant_id, location_id, sum(on_hand) AS on_hand, sum(allocated) AS allocated,
               sum(held) AS held
        FROM stock_stripes GROUP BY variant_id, location_id
    ) stripe USING (variant_id, location_id)
    LEFT JOIN (
        SELECT variant_id, location_id, sum(quantity) AS units
        FROM allocations WHERE NOT released GROUP BY variant_id, location_id
    ) promise USING (variant_id, location_id)
) audited
"""


@dataclass(frozen=True, slots=True)
class Database:
    """A PostgreSQL database of one measurement, with a catalog in it."""

    url: str
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def carts(self, number: int, *, filled: bool = True) -> range:
        """Put this many new carts in it, with a shelf's three lines each or none; their numbers.

        The cart of number `n` has the id `UUID(int=n)` and holds shelf `n % SHELVES`.
        """
        first = next(self._numbers)
        for _ in range(number - 1):
            next(self._numbers)
        facts = {"first": first, "last": first + number - 1, "digest": digest(CART_TOKEN)}
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(_INSERT_CARTS, facts)
            if filled:
                shelf = {
                    "variant": catalog.variant_number(0),
                    "shelves": catalog.SHELVES,
                    "apart": catalog.APART,
                    "lines": catalog.LINES,
                }
                connection.execute(_INSERT_LINES, facts | shelf)
            connection.execute("ANALYZE carts, cart_lines")
        return range(first, first + number)

    def carts_of(self, variants: Sequence[UUID], number: int) -> range:
        """The same with one line each, of these variants in a scattered order."""
        carts = self.carts(number, filled=False)
        facts = {"first": carts.start, "last": carts.stop - 1}
        line = {"variants": list(variants), "kinds": len(variants)}
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(_INSERT_ONE_LINE, facts | line)
            connection.execute("ANALYZE cart_lines")
        return carts

    def ask(self, question: str, *values: object) -> Any:
        """The one value that answers a question in SQL."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(question, values).fetchone()
        return row[0] if row else None

    def require_not_oversold(self) -> None:
        """Audit the stock by the tables alone, with no code of the shop.

        Raises:
            BenchmarkError: more units are allocated than exist, or counters and ledger differ.
        """
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(_AUDIT).fetchone()
        oversold, wrong, unpromised = row or (None, None, None)
        if (oversold, wrong, unpromised) != (0, 0, 0):
            raise BenchmarkError(
                f"oversold by {oversold} units; {wrong} levels differ from their"
                f" allocations; {unpromised} units were ordered and not promised"
            )

    def wait_until_idle(self) -> None:
        """Return when every job has been done."""
        deadline = time.monotonic() + IDLE_SECONDS
        with psycopg.connect(self.url, autocommit=True) as connection:
            while time.monotonic() < deadline:
                row = connection.execute(
                    "SELECT 1 FROM jobs WHERE status = 'waiting' LIMIT 1"
                ).fetchone()
                if row is None:
                    return
                time.sleep(0.01)
        raise BenchmarkError(f"the worker was not done within {IDLE_SECONDS} s")


def cart_id(number: int) -> UUID:
    """Id of a prepared cart."""
    return UUID(int=number)


@dataclass(frozen=True, slots=True)
class Stage:
    """What every measurement stands on."""

    effort: Effort
    folder: Path
    postgres: Server
    valkey: Server
    floors: Floors
    file: Path
    """A product file as a shop exports it."""
    _serial: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def postgres_pid(self) -> int:
        """The process that all PostgreSQL backends descend from."""
        return int((self.postgres.folder / "data" / "postmaster.pid").read_text().split()[0])

    def hello_side(self, *, by: Literal["rate", "cpu"] = "cpu") -> Side:
        """The floor over HTTP of a comparison by CPU or by rate."""
        hello = self.floors.cheapest if by == "cpu" else self.floors.fastest
        return hello.side(self.effort.seconds)

    @contextmanager
    def database(self, *, template: str = _TEMPLATE) -> Iterator[Database]:
        """A database of one's own, with the catalog in it."""
        name = f"bench_{next(self._serial)}"
        create_database(self.postgres.url, name, template)
        try:
            yield Database(_url_of(self.postgres.url, name))
        finally:
            with psycopg.connect(self.postgres.url, autocommit=True) as connection:
                connection.execute(
                    sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
                )

    def settings(self, database: Database, **more: object) -> dict[str, object]:
        """What a process needs to know to take part."""
        return {
            "database_url": database.url,
            "mail_dir": self.folder / "mail",
            "sandbox_book": self.folder / "sandbox.db",
            **more,
        }

    @contextmanager
    def open_shop(self, database: Database, **more: object) -> Iterator[Shop]:
        """A shop in this process."""
        with open_shop(settings=self.load_settings(database, **more)) as shop:
            yield shop

    def load_settings(self, database: Database, **more: object) -> Settings:
        """The same as a shop wants it."""
        given = self.settings(database, **more)
        return Settings.load(**{k: str(v) if isinstance(v, Path) else v for k, v in given.items()})

    @contextmanager
    def serve(self, database: Database, **more: object) -> Iterator[tuple[Child, int]]:
        """`quickshop serve` as users start it; the process and its port.

        It does the background work, too, unless a `broker_url` leaves that to workers. Every
        request counts towards a limit, which is too high to refuse one.
        """
        settings = self.settings(database, rate_limit_per_minute=1_000_000, **more)
        with processes.run(self.folder, "shop", **settings) as served:
            yield served


@contextmanager
def set_up(effort: Effort) -> Iterator[Stage]:
    """Start the servers, and import the catalog once for all.

    Raises:
        ServerError: a server cannot be started; says what would help.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="quickshop-bench-")))
        file = folder / "products.csv"
        catalog.write_file(file)
        stage = Stage(
            effort=effort,
            folder=folder,
            postgres=stack.enter_context(run_postgres()),
            valkey=stack.enter_context(run_valkey()),
            floors=stack.enter_context(serve_floors(folder, effort)),
            file=file,
        )
        _fill_template(stage)
        yield stage


def _fill_template(stage: Stage) -> None:
    create_database(stage.postgres.url, _TEMPLATE, "template0")
    database = Database(_url_of(stage.postgres.url, _TEMPLATE))
    migrate_database(stage.load_settings(database))
    with stage.open_shop(database) as shop:
        shop.products.import_file(stage.file, currency="USD")
        catalog.fill_shelves(shop)
    with psycopg.connect(database.url, autocommit=True) as connection:
        # Not the empty tables: planned for as empty, they would be read from end to end.
        connection.execute("VACUUM ANALYZE products, product_tags, variants, stock_levels")


def create_database(server_url: str, name: str, template: str) -> None:
    """Create a database as a copy of another."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )


def _url_of(server_url: str, database: str) -> str:
    return make_url(server_url).set(database=database).render_as_string(hide_password=False)
