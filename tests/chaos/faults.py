"""What may happen to a shop. Each kind is a generator: it does harm, yields how long to go on with
other things, undoes the harm, and returns what showed that it was felt, or nothing if nothing did.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import redis

from tests.chaos.crew import Member
from tests.chaos.gateway import WEBHOOK_SECRET
from tests.chaos.mailbox import Mood
from tests.chaos.stage import VISIBILITY_SECONDS, Stage, is_alive
from tests.fault_proxy import FaultProxy
from tests.servers import Server, ServerError

Harm = Generator[float, None, str]
Inflict = Callable[[Stage, Random], Harm]
LOOK_SECONDS: Final = 0.1
FELT_SECONDS: Final = 20
"""How long a fault waits for its effect to show."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of harm, and to what; two kinds never harm the same thing at once."""

    name: str
    target: str
    inflict: Inflict


def _until(condition: Callable[[], bool]) -> Generator[float, None, bool]:
    """Go on with other things until it is true; returns whether it became so."""
    waited = 0.0
    while not condition():
        if waited >= FELT_SECONDS:
            return False
        waited += LOOK_SECONDS
        yield LOOK_SECONDS
    return True


# -- Processes


def _killing(role: str) -> Inflict:
    def inflict(stage: Stage, random: Random) -> Harm:
        member = random.choice(stage.crew.members(role))
        starts, pid, ended = member.starts, member.pid, len(member.exit_codes)
        os.kill(pid, signal.SIGKILL)
        came_back = yield from _until(lambda: member.starts > starts and _works(stage, member))
        died = -signal.SIGKILL in member.exit_codes[ended:]
        return f"{member.name}: {pid} died, {member.pid} took over" if died and came_back else ""

    return inflict


def _works(stage: Stage, member: Member) -> bool:
    role, _, number = member.name.partition("-")
    if role == "api":
        return is_alive(stage.api_ports[int(number)])
    if role == "gateway":
        return stage.gateway.answers
    return member.process is not None and member.process.poll() is None


def kill_pool_child(stage: Stage, random: Random) -> Harm:
    yield from _until(lambda: bool(_at_work(stage)))
    member = random.choice(_at_work(stage))
    child, before = random.choice(member.children), set(member.children)
    os.kill(child, signal.SIGKILL)
    replaced = yield from _until(lambda: _has_new_child(member, before, child))
    return f"{member.name}: its child {child} died and was replaced" if replaced else ""


def _has_new_child(member: Member, before: set[int], dead: int) -> bool:
    now = set(member.children)
    return dead not in now and bool(now - before)


def _pausing(role: str, seconds: float) -> Inflict:
    def inflict(stage: Stage, random: Random) -> Harm:
        member = random.choice(stage.crew.members(role))
        family = [member.pid, *member.children]
        member.paused = True
        _signal(family, signal.SIGSTOP)
        yield 0.1
        stopped = [pid for pid in family if _state(pid) == "T"]
        yield seconds
        still = [pid for pid in stopped if _state(pid) == "T"]
        _signal(family, signal.SIGCONT)
        member.paused = False
        return f"{member.name}: {len(still)} processes stood still for {seconds:g} s" * bool(still)

    return inflict


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _state(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return "gone"


def stop_worker(stage: Stage, random: Random) -> Harm:
    yield from _until(lambda: bool(_at_work(stage)))
    member = random.choice(_at_work(stage))
    starts, pid = member.starts, member.pid
    os.kill(pid, signal.SIGTERM)
    replaced = yield from _until(lambda: member.starts > starts)
    return f"{member.name}: {pid} ended with {member.exit_codes[-1]}" if replaced else ""


def _at_work(stage: Stage) -> list[Member]:
    return [member for member in stage.crew.members("worker") if member.children]


# -- PostgreSQL


def _cutting_commits(name: str) -> Inflict:
    def inflict(stage: Stage, random: Random) -> Harm:
        proxy, before = stage.to_database, stage.to_database.commits_cut
        for number in range(1, random.randint(2, 4) + 1):
            getattr(proxy, name)()
            yield from _until(lambda n=number: proxy.commits_cut >= before + n)  # type: ignore[misc]
        cut = proxy.commits_cut - before
        return f"{cut} COMMITs met it" if cut else ""

    return inflict


def _cutting(proxy_of: Callable[[Stage], FaultProxy]) -> Inflict:
    def inflict(stage: Stage, _random: Random) -> Harm:
        proxy = proxy_of(stage)
        cut, made = proxy.cut_links, proxy.accepted
        proxy.cut()
        yield from _until(lambda: proxy.accepted > made)
        lost = proxy.cut_links - cut
        return f"{lost} connections cut" if lost and proxy.accepted > made else ""

    return inflict


def _black_holing(proxy_of: Callable[[Stage], FaultProxy]) -> Inflict:
    def inflict(stage: Stage, random: Random) -> Harm:
        proxy = proxy_of(stage)
        before = proxy.swallowed
        proxy.black_hole()
        yield random.uniform(1, 2.5)
        proxy.forward()
        lost = proxy.swallowed - before
        return f"{lost} messages swallowed" if lost else ""

    return inflict


def _refusing(proxy_of: Callable[[Stage], FaultProxy]) -> Inflict:
    def inflict(stage: Stage, random: Random) -> Harm:
        proxy = proxy_of(stage)
        cut, made = proxy.cut_links, proxy.accepted
        proxy.refuse()
        yield random.uniform(0.5, 2)
        refused_all = proxy.accepted == made
        proxy.forward()
        came_back = yield from _until(lambda: proxy.accepted > made)
        lost = proxy.cut_links - cut
        return f"{lost} connections cut, none made until it ended" * (refused_all and came_back)

    return inflict


def _crashing_database(how: signal.Signals) -> Inflict:
    def inflict(stage: Stage, random: Random) -> Harm:
        before = stage.postgres.pid
        stage.postgres.crash(how)
        yield random.uniform(0.1, 1)
        for _ in range(20):
            with suppress(ServerError):  # backends of the old one may still be ending
                stage.postgres.start()
                break
            yield 0.5
        up = stage.ask_database("SELECT 1")
        return f"{before} crashed by {how.name}, {stage.postgres.pid} recovered" if up else ""

    return inflict


# -- Valkey


def _run_id(server: Server) -> str:
    with redis.Redis.from_url(server.url, socket_timeout=2) as connection:
        info: dict[str, Any] = connection.info("server")
        return str(info["run_id"])


def _killing_valkey(server_of: Callable[[Stage], Server]) -> Inflict:
    def inflict(stage: Stage, random: Random) -> Harm:
        server = server_of(stage)
        before = _run_id(server)
        server.kill()
        yield random.uniform(0.3, 1.5)
        server.start()
        return f"{before[:8]} killed, {_run_id(server)[:8]} knows nothing of it"

    return inflict


def _flushing(server_of: Callable[[Stage], Server]) -> Inflict:
    def inflict(stage: Stage, _random: Random) -> Harm:
        with redis.Redis.from_url(server_of(stage).url, socket_timeout=2) as connection:
            forgotten = 0
            for _ in range(20):  # until there was something to forget
                pipeline = connection.pipeline(transaction=True)
                pipeline.dbsize()
                pipeline.flushall()
                forgotten += pipeline.execute()[0]
                if forgotten:
                    break
                yield LOOK_SECONDS
        return f"{forgotten} keys forgotten" if forgotten else ""

    return inflict


# -- Mail


def _spoiling_mail(mood: Mood, counter: str) -> Inflict:
    def inflict(stage: Stage, random: Random) -> Harm:
        mailbox = stage.mailbox
        before = getattr(mailbox, counter)
        mailbox.mood = mood
        yield from _until(lambda: getattr(mailbox, counter) > before)
        yield random.uniform(0.1, 1)
        mailbox.mood = Mood.WILLING
        spoiled = getattr(mailbox, counter) - before
        return f"{spoiled} mails {counter.replace('_', ' ')}" if spoiled else ""

    return inflict


def refuse_mail(stage: Stage, _random: Random) -> Harm:
    stage.to_mail.refuse()
    yield from _until(lambda: _unsent(stage) > 0)
    unsent = _unsent(stage)
    stage.to_mail.forward()
    return f"{unsent} mails could not be handed over" if unsent else ""


def _unsent(stage: Stage) -> int:
    row = stage.ask_database(
        "SELECT count(*) FROM jobs WHERE effect LIKE 'mail%' AND error LIKE '%reached%'"
    )
    return int(row[0]) if row else 0


# -- The payment gateway


def _lying(kind: str) -> Inflict:
    def inflict(stage: Stage, random: Random) -> Harm:
        gateway, times = stage.gateway, random.randint(2, 5)
        before = gateway.lies.get(kind, 0)
        gateway.press("lies", kind=kind, times=times, seconds=random.uniform(1.5, 4))
        yield from _until(lambda: gateway.lies.get(kind, 0) >= before + times)
        lies = gateway.lies.get(kind, 0) - before
        return f"{lies} calls met it" if lies else ""

    return inflict


def spoil_webhooks(stage: Stage, random: Random) -> Harm:
    gateway = stage.gateway
    before = sum(gateway.lies.get(kind, 0) for kind in _WEBHOOK_LIES)
    odds = {"duplicate": 0.4, "delay": 0.4, "delay_seconds": 2, "lose": 0.2, "corrupt": 0.1}
    gateway.press("webhooks", url=stage.webhook_url, secret=WEBHOOK_SECRET, **odds)
    yield random.uniform(3, 6)
    gateway.press("webhooks", url=stage.webhook_url, secret=WEBHOOK_SECRET)
    lies = sum(gateway.lies.get(kind, 0) for kind in _WEBHOOK_LIES) - before
    return f"{lies} webhooks doubled, lost, delayed or forged" if lies else ""


_WEBHOOK_LIES: Final = tuple(
    f"webhook_{kind}" for kind in ("duplicated", "lost", "delayed", "corrupted")
)


def _gateway(stage: Stage) -> FaultProxy:
    return stage.gateway.proxy


def _database(stage: Stage) -> FaultProxy:
    return stage.to_database


def _cache(stage: Stage) -> FaultProxy:
    return stage.to_cache


def _broker(stage: Stage) -> FaultProxy:
    return stage.to_broker


_KINDS: Final[Mapping[str, tuple[str, Inflict]]] = {
    "api killed": ("api", _killing("api")),
    "worker killed": ("worker", _killing("worker")),
    "pool child killed": ("worker", kill_pool_child),
    "relay killed": ("relay", _killing("relay")),
    "worker paused": ("pause", _pausing("worker", VISIBILITY_SECONDS + 1)),
    "relay paused": ("relay", _pausing("relay", 3)),
    "worker stopped": ("worker", stop_worker),
    "COMMIT cut before": ("database", _cutting_commits("cut_before_commit")),
    "COMMIT cut after": ("database", _cutting_commits("cut_after_commit")),
    "database connections cut": ("database", _cutting(_database)),
    "database black-holed": ("database", _black_holing(_database)),
    "database refused": ("database", _refusing(_database)),
    "database restarted at once": ("database", _crashing_database(signal.SIGQUIT)),
    "database killed": ("database", _crashing_database(signal.SIGKILL)),
    "cache black-holed": ("cache", _black_holing(_cache)),
    "cache flushed": ("cache", _flushing(lambda stage: stage.cache)),
    "cache killed": ("cache", _killing_valkey(lambda stage: stage.cache)),
    "broker black-holed": ("broker", _black_holing(_broker)),
    "broker refused": ("broker", _refusing(_broker)),
    "broker flushed": ("broker", _flushing(lambda stage: stage.broker)),
    "broker killed": ("broker", _killing_valkey(lambda stage: stage.broker)),
    "mail refused": ("mail", _spoiling_mail(Mood.REFUSING, "refused")),
    "mail unanswered": ("mail", _spoiling_mail(Mood.DYING, "left_unanswered")),
    "mail unreachable": ("mail", refuse_mail),
    "gateway hangs after success": ("gateway", _lying("hang_after")),
    "gateway hangs": ("gateway", _lying("hang_before")),
    "gateway fails after success": ("gateway", _lying("error_after")),
    "gateway fails": ("gateway", _lying("error_before")),
    "gateway repeats its failure": ("gateway", _lying("stored_error")),
    "gateway slow": ("gateway", _lying("slow")),
    "gateway busy": ("gateway", _lying("rate_limited")),
    "gateway killed": ("gateway", _killing("gateway")),
    "gateway refused": ("gateway", _refusing(_gateway)),
    "gateway black-holed": ("gateway", _black_holing(_gateway)),
    "webhooks spoiled": ("webhooks", spoil_webhooks),
}
FAULTS: Final = tuple(Fault(name, target, inflict) for name, (target, inflict) in _KINDS.items())
"""Every kind there is."""
