"""As much of curl as the documentation uses, so that its tests need nothing but Python."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit


def main(words: Sequence[str], *, port: str) -> None:
    """Send one request to this machine, and print the answer."""
    parser = ArgumentParser(prog="curl", allow_abbrev=False)
    parser.add_argument("-s", "--silent", action="store_true")
    parser.add_argument("-D", "--dump-header", choices=["-"])
    parser.add_argument("-X", "--request")
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("-d", "--data")
    parser.add_argument("--data-binary")
    parser.add_argument("-o", "--output")
    parser.add_argument("url")
    asked = parser.parse_args(words)
    url = urlsplit(asked.url if "://" in asked.url else f"http://{asked.url}")
    assert (url.hostname, url.port) == ("localhost", 8000), (
        "the documented shop is on this machine"
    )
    body = _body(asked.data_binary if asked.data is None else asked.data)
    headers = dict(header.split(": ", maxsplit=1) for header in asked.header)
    if body is not None:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    method = asked.request or ("GET" if body is None else "POST")
    connection = HTTPConnection("127.0.0.1", int(port), timeout=30)
    path = url.path + (f"?{url.query}" if url.query else "")
    connection.request(method, path, body, {"Host": "localhost:8000", **headers})
    answer = connection.getresponse()
    if asked.dump_header:
        lines = [f"HTTP/1.1 {answer.status} {answer.reason}"]
        lines += [f"{name}: {value}" for name, value in answer.getheaders()]
        sys.stdout.write("\n".join([*lines, "", ""]))
    text = answer.read()
    sys.stdout.flush()
    if asked.output:
        Path(asked.output).write_bytes(text)
    else:
        sys.stdout.buffer.write(text)


def _body(data: str | None) -> bytes | None:
    if data is None:
        return None
    return Path(data[1:]).read_bytes() if data.startswith("@") else data.encode()
