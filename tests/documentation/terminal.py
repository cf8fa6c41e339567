"""A terminal that a page is typed into, and comparing what it prints with what the page shows."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from tests import processes
from tests.cli_runs import plain_environment
from tests.documentation.pages import Block, Page, Step
from tests.documentation.warm import PORT, Warm

ANYTHING: Final = "…"
"""Stands in a page for what differs from run to run, or is left out."""


@dataclass(slots=True)
class PageRun:
    """A page being followed: a shell in a folder of its own, and the server started from it."""

    page: Page
    folder: Path
    environment: Mapping[str, str]
    shell: subprocess.Popen[str]
    server: subprocess.Popen[bytes] | None = None
    programs: int = field(default=0)

    def follow(self, step: Step) -> None:
        """Do what the page says next, and see that it prints what the page shows."""
        block = step.block
        if block.language == "python":
            block = self._saved(block)
        if block.title:
            self._save(block.title, block.text)
        elif block.marker == "another terminal":
            self._serve(block)
        else:
            self._compare(block, step.prints)

    def _saved(self, block: Block) -> Block:
        """A program as a file, and the command that runs it unless a later one does."""
        if block.title:
            return block
        self.programs += 1
        name = f"program_{self.programs}.py"
        self._save(name, block.text)
        return replace(block, language="sh", text=f"python3 {name}\n")

    def _save(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def _compare(self, block: Block, shown: Block | None) -> None:
        printed = self._type(block)
        if shown is None:
            return
        where = f"{self.page.name}:{shown.line}"
        if block.marker == "repeat":
            again = processes.eventually(lambda: not differs(shown, self._type(block)))
            assert again, f"{where}: still not\n{printed}"
        elif why := differs(shown, printed):
            raise AssertionError(f"{where}: {why}\n{printed}")

    def _type(self, block: Block) -> str:
        """Have the shell run a block; what it printed."""
        assert self.shell.stdin
        assert self.shell.stdout
        # In the shell itself: what a block sets is there for those that follow.
        self.shell.stdin.write(f"{{\n{block.text}\n}} >.printed 2>&1 </dev/null; echo done\n")
        self.shell.stdin.flush()
        done = self.shell.stdout.readline()
        printed = (self.folder / ".printed").read_text(encoding="utf-8")
        assert done == "done\n", f"{self.page.name}:{block.line}: failed\n{block.text}\n{printed}"
        return printed.replace(f":{self.environment[PORT]}", ":8000")

    def _serve(self, block: Block) -> None:
        """Start a server as in another terminal, in place of the one before."""
        self.stop()
        log = self.folder / ".served"
        lines = block.text.strip().splitlines()
        script = "\n".join(["set -e", *lines[:-1], f"exec {lines[-1]}"])
        with log.open("wb") as output:
            self.server = subprocess.Popen(
                ["bash", "-c", script],
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=output,
            )
        port = int(self.environment[PORT])
        assert processes.eventually(lambda: _listens(port)), log.read_text()

    def stop(self) -> None:
        """End the server, as Ctrl+C does, and wait until its port is free."""
        if self.server is None:
            return
        self.server.terminate()
        self.server.wait(processes.PATIENCE_SECONDS)
        self.server = None
        port = int(self.environment[PORT])
        assert processes.eventually(lambda: not _listens(port))


@contextmanager
def following(page: Page, folder: Path, warm: Warm) -> Iterator[PageRun]:
    """A shell to follow a page with, as a reader has it who begins in an empty folder."""
    port = _free_port()
    environment = plain_environment() | {
        "PATH": f"{warm.path}:/usr/local/bin:/usr/bin:/bin",
        "COLUMNS": "80",
        "QUICKSHOP_PASSWORD_COST": "10",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        PORT: str(port),
    }
    shell = subprocess.Popen(
        ["bash", "--noprofile", "--norc", "-eu"],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )
    run = PageRun(page, folder, environment, shell)
    try:
        yield run
    finally:
        with shell:
            shell.kill()
        run.stop()


def differs(shown: Block, printed: str) -> str:
    """Why what was printed is not what the page shows; empty when it is."""
    if shown.language == "json":
        return _json_differs(json.loads(shown.text), _last_json(printed), "")
    wanted = "\n".join(line.rstrip() for line in shown.text.strip().splitlines())
    found = "".join(f"{line.rstrip()}\n" for line in printed.strip().splitlines())
    return "" if re.fullmatch(_pattern(wanted), found) else "the page shows another output"


def _pattern(text: str) -> str:
    """The text as a pattern: a line of `…` is any lines, `…` in a line any text."""
    lines = (
        r"(?:.*\n)*?" if line == ANYTHING else re.escape(line).replace(ANYTHING, ".*?") + r"\n"
        for line in text.splitlines()
    )
    return "".join(lines)


def _last_json(printed: str) -> Any:
    decoder, rest, value = json.JSONDecoder(), printed.strip(), None
    while rest:
        value, end = decoder.raw_decode(rest)
        rest = rest[end:].strip()
    return value


def _json_differs(shown: Any, found: Any, place: str) -> str:
    """Where and how; `"…"` is any value, and in an object or list, anything more."""
    match shown, found:
        case "…", _:
            return ""
        case dict(), dict():
            return _objects_differ(shown, found, place)
        case list(), list():
            return _lists_differ(shown, found, place)
    return "" if shown == found else f"{place}: {found!r}"


def _objects_differ(shown: dict[str, Any], found: dict[str, Any], place: str) -> str:
    named = shown.keys() - {ANYTHING}
    if not named <= found.keys():
        return f"{place}: there is no {named - found.keys()}"
    if ANYTHING not in shown and found.keys() != named:
        return f"{place}: there is {found.keys() - named}, too"
    differences = (_json_differs(shown[key], found[key], f"{place}/{key}") for key in named)
    return next(filter(None, differences), "")


def _lists_differ(shown: list[Any], found: list[Any], place: str) -> str:
    if shown[-1:] == [ANYTHING]:
        shown, found = shown[:-1], found[: len(shown) - 1]
    if len(shown) != len(found):
        return f"{place}: there are {len(found)}"
    pairs = enumerate(zip(shown, found, strict=True))
    differences = (_json_differs(one, other, f"{place}/{n}") for n, (one, other) in pairs)
    return next(filter(None, differences), "")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
