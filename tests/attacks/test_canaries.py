"""Secrets are sent wherever a request can hold them, and turn up nowhere that anyone keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quickshop.domain.errors import TransientError
from quickshop.domain.money import Money
from quickshop.domain.payments import PaymentSource
from quickshop.ports.notifications import AccountMessage, Message
from tests import landing
from tests.attacks.canaries import (
    carried,
    hatch,
    leaking,
    logging_as_served,
    nowhere,
    placements,
    settings_with_canaries,
    spoken,
    sung,
)
from tests.attacks.stage import SKU, open_stage, quick_settings
from tests.attacks.tables import dump

pytestmark = pytest.mark.sampled

PARTS = 4
"""Of the requests with secrets, so that a landing sends one part of them."""
SINGING = quick_settings(**settings_with_canaries())


def test_secrets_in_any_place_of_any_request_are_neither_logged_nor_repeated() -> None:
    with logging_as_served() as log, open_stage(SINGING) as stage:
        canaries = hatch(stage)
        calls = landing.share([*placements(stage, canaries)], PARTS)
        answers = [stage.send(call) for call in calls]
        answers += nowhere(stage, canaries)
        stage.web.shop.run_jobs()
    assert max(answer.status_code for answer in answers) < 500
    refusals = [answer for answer in answers if answer.status_code >= 400]
    assert set().union(*(sung(spoken(answer), canaries) for answer in refusals)) == set()
    records = [json.loads(line) for line in log.text.splitlines()]
    assert (
        len([each for each in records if each["logger"] == "quickshop.http"])
        >= len(refusals)
        > len(calls) / 3
    )
    assert sung(log.text, canaries) == set()


@pytest.mark.parametrize("error", [RuntimeError, TransientError])
def test_no_failure_gives_away_what_it_was_told_in_confidence(error: type[Exception]) -> None:
    with logging_as_served() as log, open_stage(SINGING) as stage:
        web, shop = stage.web, stage.web.shop
        failed = 0
        for operation in stage.operations:
            for who in operation.audience:
                call = stage.call(operation, who)
                secrets = carried(call)
                web.client.app.state.shop = leaking(
                    shop, error, secrets.values(), but="authenticate"
                )
                answer = stage.send(call)
                web.client.app.state.shop = shop
                failed += answer.status_code >= 500
                assert answer.status_code >= 500 or operation.path.startswith("/health/")
                assert sung(spoken(answer) + log.text, secrets) == set(), operation.id
    assert log.text.count("cannot do it with") >= failed > 40


def test_a_job_that_fails_keeps_no_secret_for_staff_to_read(tmp_path: Path) -> None:
    class Gossip:
        """A gateway and a mail server that repeat their input when they fail."""

        def charge(self, amount: Money, source: PaymentSource, **more: object) -> None:
            raise RuntimeError(f"cannot charge {amount}, {source} {more}: {source.token}")

        def send(self, message: Message) -> None:
            secret = message.secret if isinstance(message, AccountMessage) else ""
            heard.append(secret)
            raise RuntimeError(f"cannot mail {message} to {message.recipient}: {secret}")

    heard: list[str] = []
    database = f"sqlite:///{tmp_path / 'shop.db'}"
    settings = quick_settings(**settings_with_canaries(), database_url=database)
    gossip = Gossip()
    with (
        logging_as_served() as log,
        open_stage(settings, payment_gateway=gossip, notifier=gossip) as stage,
    ):
        shop = stage.web.shop
        cart = shop.carts.create()
        shop.carts.add_line(cart.cart.id, cart.token, sku=SKU, quantity=1)
        stage.place(cart.cart.id, cart.token, "tok_c4n4ry0of0a0payment")
        shop.accounts.register(email="ada@example.com", password="c4n4ry horse staple")
        shop.run_jobs()
        jobs = repr(dump(database)["jobs"])
    secrets = {"payment": "tok_c4n4ry", "password": "c4n4ry horse", "mail": heard[0]}
    assert "RuntimeError: cannot charge" in jobs
    assert "RuntimeError: cannot mail" in jobs
    assert sung(jobs, secrets) == set()
    assert sung(log.text, secrets) == set()
