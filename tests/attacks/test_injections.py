"""Texts that break other software are put into every place that takes text, and break nothing.

A landing puts each text into each operation once, and something into each place. Which text comes
to which place depends on the commit. `nox -s attacks` puts every text into every place.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import product, repeat
from urllib.parse import quote
from uuid import uuid4

import pytest

from tests import landing
from tests.attacks.direct import Answer
from tests.attacks.payloads import PAYLOADS
from tests.attacks.stage import Stage, known_operations, open_stage
from tests.attacks.surface import Call, Operation, texts_of

pytestmark = pytest.mark.sampled

Put = Callable[[Call, str], Call]

_LONGEST_IN_ADDRESS = 2_000
"""Servers and clients alike take no more in one line."""
_SHORTEST_ECHO = 6


@pytest.fixture(autouse=True)
def silent() -> Iterator[None]:
    """To format what pytest would keep of the log takes longer than the requests."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


def area_of(operation: Operation) -> str:
    """What an operation is about: as much of its path as tests share a process for."""
    return "/".join(operation.path.split("/")[1 : 4 if "admin" in operation.path else 3])


OPERATIONS = known_operations()
AREAS = sorted({area_of(operation) for operation in OPERATIONS})
USED_UP = {401, 404, 409}
"""How a request is refused that was right once."""


def places(call: Call) -> Iterator[tuple[str, Put]]:
    """Where text can be put into a call, and how."""
    for name in call.operation.query:
        yield (
            f"query {name}",
            lambda to, text, n=name: to.but(query={**to.query, n: text[:_LONGEST_IN_ADDRESS]}),
        )
    for name in call.operation.path_names:
        yield (
            f"path {name}",
            lambda to, text, n=name: to.but(
                path_values={**to.path_values, n: text[:_LONGEST_IN_ADDRESS]}
            ),
        )
    for name in call.operation.headers:
        yield f"header {name}", lambda to, text, n=name: to.but(headers={**to.headers, n: text})
    for path in texts_of(call.body):
        yield f"body {path}", lambda to, text, p=path: to.with_body_at(p, text)


def repeats(answer: Answer, text: str) -> bool:
    """Whether a refusal says again what was sent, in its body or in a header."""
    said = answer.body.decode() + repr(answer.headers)
    written = {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    return any(each[:2_000] in said for each in written if len(each) >= _SHORTEST_ECHO)


def smuggles(answer: Answer) -> bool:
    """Whether a header was built from what was sent."""
    names = [name for name, _ in answer.headers]
    odd = any(c in value for _, value in answer.headers for c in (b"\r", b"\n", b"\0"))
    return odd or b"evil" in repr(answer.headers).encode() or b"bcc" in names


def tries(call: Call) -> Iterator[tuple[str, Put, str, str]]:
    """What to put where: place, how, name of the text, and the text."""
    found, texts = [*places(call)], [*PAYLOADS.items()]
    if landing.whole():
        pairs = [*product(found, texts)]
    else:
        turn = landing.seed()
        pairs = [
            (found[n % len(found)], texts[(n + turn) % len(texts)])
            for n in range(max(len(found), len(texts)) if found else 0)
        ]
    for (place, put), (name, text) in pairs:
        yield place, put, name, text


def cheapest(stage: Stage, calls: Iterable[Call]) -> float:
    return min(stage.ask(call).cpu_seconds for call in calls)


def is_slow(stage: Stage, operation: Operation, who: str, put: Put, text: str) -> bool:
    """Whether it takes twice the CPU of plain text of its length, and of a good request."""
    good = [stage.call(operation, who) for _ in range(3)]
    letter = "a" if text.isascii() else "ä"
    plain = letter * (len(quote(text, errors="surrogatepass")) // len(quote(letter)))
    limit = 2 * max(cheapest(stage, repeat(put(good[0], plain), 5)), cheapest(stage, good))
    return cheapest(stage, repeat(put(stage.call(operation, who), text), 5)) > limit


def attack(stage: Stage, operation: Operation) -> list[str]:
    """What was wrong with the answers."""
    who = min(operation.audience)
    found, timed, used = [], [], False
    call = stage.call(operation, who)
    for place, put, name, text in tries(call):
        answer = stage.ask(put(another(call), text))
        if used and answer.status in USED_UP:
            call = stage.call(operation, who)
            answer = stage.ask(put(call, text))
        used = answer.status < 400
        about = f"{operation.id}, {name} in {place}: {answer.status}"
        timed.append((answer.cpu_seconds, put, text, about))
        found += wrong(answer, text, about)
    usual = sorted(seconds for seconds, *_ in timed)[len(timed) // 2] if timed else 0
    found += [
        f"{about} is slow"
        for seconds, put, text, about in timed
        if seconds > 3 * usual and all(is_slow(stage, operation, who, put, text) for _ in range(8))
    ]
    return found


def another(call: Call) -> Call:
    """The same again, as another request, not as a repetition."""
    if "Idempotency-Key" not in call.headers:
        return call
    return call.but(headers={**call.headers, "Idempotency-Key": uuid4().hex})


def wrong(answer: Answer, text: str, about: str) -> Iterator[str]:
    """What is wrong with one answer."""
    if answer.status >= 500:
        yield f"{about} {answer.body!r}"
    if answer.status >= 400 and repeats(answer, text):
        yield f"{about} repeats it: {answer.body!r}"
    if smuggles(answer):
        yield f"{about} makes a header of it: {answer.headers}"


@pytest.mark.parametrize("area", AREAS)
def test_no_text_breaks_anything_or_is_repeated_or_takes_long(area: str) -> None:
    found = []
    with open_stage() as stage:
        for operation in OPERATIONS:
            if area_of(operation) == area:
                found += attack(stage, operation)
    assert found == []
