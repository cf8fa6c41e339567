"""Programs that start at once: each is forked from a process that has imported everything.

The documentation runs some hundred commands. Started from scratch each would import for a second;
forked, it begins where imports end, in a process of its own, as a terminal would start it.
"""

from __future__ import annotations

import json
import os
import runpy
import shutil
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from io import BufferedWriter, FileIO, TextIOWrapper
from pathlib import Path
from select import select
from typing import Any, Final, NoReturn

from tests import processes
from tests.documentation import curl

PROGRAMS: Final = ("quickshop", "python3", "curl")
PORT: Final = "DOCUMENTED_PORT"
"""The variable with the port that takes the place of 8000, which may be in use."""

_IMPORTED: Final = (
    "quickshop.entrypoints.cli.demo_claims",
    "quickshop.entrypoints.cli.demo_story",
    "quickshop.entrypoints.cli.doctor",
    "quickshop.entrypoints.cli.server",
)
"""What commands import when they run, and bring along all the rest."""

_STARTER: Final = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as warm:
    warm.connect({address!r})
    name = os.path.basename(sys.argv[0])
    asked = json.dumps([name, sys.argv[1:], os.getcwd(), dict(os.environ)])
    socket.send_fds(warm, [asked.encode() + b"\\n"], [0, 1, 2])
    sys.exit(int(warm.recv(16) or 1))
"""


@dataclass(frozen=True, slots=True)
class Warm:
    """A process that others are forked from; `path` holds the commands that have it done."""

    path: Path


@contextmanager
def warmed_up() -> Iterator[Warm]:
    """Start the process, and end it after the block."""
    folder = Path(tempfile.mkdtemp(prefix="quickshop-docs-"))
    try:
        address = folder / "warm"
        starter = folder / "starter"
        starter.write_text(_STARTER.format(python=sys.executable, address=str(address)))
        starter.chmod(0o755)
        (folder / "bin").mkdir()
        for name in PROGRAMS:
            (folder / "bin" / name).symlink_to(starter)
        log = folder / "log"
        with processes.running("-m", "tests.documentation.warm", str(address), log=log):
            assert processes.eventually(address.exists), log.read_text()
            yield Warm(folder / "bin")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main(address: str) -> None:
    """Import everything, then fork a process for each that asks."""
    _import_everything()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address + ".new")
        listener.listen(64)
        Path(address + ".new").rename(address)
        while True:
            asking, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _answer(asking)
            asking.close()


def _import_everything() -> None:
    for name in (*_IMPORTED, "pytest", "uvicorn", "fastapi.testclient"):
        import_module(name)


def _answer(asking: socket.socket) -> None:
    """Run what is asked for in a process of its own, and answer with its exit code.

    Whoever asked and ends before it, as by Ctrl+C, has it end, too.
    """
    asked, files, *_ = socket.recv_fds(asking, 1 << 20, 3)
    while not asked.endswith(b"\n"):
        asked += asking.recv(1 << 20)
    alive, held_by_child = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(alive)
        asking.close()
        _become(files, *json.loads(asked))
    os.close(held_by_child)
    for file in files:
        os.close(file)
    if asking in select([asking, alive], [], [])[0]:
        os.kill(child, signal.SIGTERM)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with suppress(OSError):
        asking.sendall(str(code if code >= 0 else 128 - code).encode())
    os._exit(0)


def _become(
    files: Sequence[int],
    name: str,
    words: Sequence[str],
    folder: str,
    environment: Mapping[str, str],
) -> NoReturn:
    """Turn this process into the program, with these files as input, output and errors."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    # Those that are there believe that they write into the log of the process they come from.
    sys.stdout = TextIOWrapper(BufferedWriter(FileIO(1, "w", closefd=False)), encoding="utf-8")
    sys.stderr = TextIOWrapper(BufferedWriter(FileIO(2, "w", closefd=False)), encoding="utf-8")
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    os._exit(_run(name, words))


def _run(name: str, words: Sequence[str]) -> int:
    code: Any = 1
    try:
        _run_program(name, words)
        code = 0
    except SystemExit as ended:
        code = ended.code or 0
    except BaseException:  # noqa: BLE001 - as Python itself ends a program
        traceback.print_exc()
    if isinstance(code, str):
        sys.stderr.write(f"{code}\n")
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return int(code)


def _run_program(name: str, words: Sequence[str]) -> None:
    match name, words:
        case ("quickshop", _) | ("python3", ["shop", *_]):
            _quickshop(words if name == "quickshop" else words[1:])
        case "curl", _:
            curl.main(words, port=os.environ[PORT])
        case "python3", ["-c", program, *arguments]:
            sys.argv = ["-c", *arguments]
            exec(program, {"__name__": "__main__"})
        case "python3", ["-m", module, *arguments]:
            sys.path.insert(0, str(Path.cwd()))
            sys.argv = [module, *arguments, *_port_for(module)]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case _, [file, *arguments]:
            sys.path.insert(0, str(Path.cwd()))
            sys.argv = [file, *arguments]
            runpy.run_path(file, run_name="__main__")


def _quickshop(words: Sequence[str]) -> None:
    from quickshop.entrypoints.cli.app import main as command_line  # noqa: PLC0415

    sys.argv = ["quickshop", *words, *_port_for(*words[:1])]
    command_line()


def _port_for(server: str = "") -> list[str]:
    return ["--port", os.environ[PORT]] if server in {"serve", "uvicorn"} else []


if __name__ == "__main__":
    main(sys.argv[1])
