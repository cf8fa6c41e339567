"""How the HTTP API is served does not depend on what else is installed."""

from __future__ import annotations

import asyncio

import uvloop

from quickshop.entrypoints.cli.server import server_config


def test_the_api_runs_on_the_loop_of_asyncio_where_another_is_installed() -> None:
    assert uvloop.new_event_loop  # a server that chose by itself would take this one
    loop = server_config(app=None).get_loop_factory()
    assert loop is not None
    made = loop()
    made.close()
    assert isinstance(made, asyncio.SelectorEventLoop)
