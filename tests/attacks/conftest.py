"""Servers for the attacks on a shop that keeps things in them, and which attacks need a quiet run.

What a clock decides is no part of a landing: other processes would decide it, too. Those modules
run in `nox -s attacks`, or when they are named.
"""

from __future__ import annotations

from tests import landing
from tests.integration.conftest import (
    database_template,
    database_url,
    databases,
    postgres_server,
    valkey_server,
)

__all__ = [
    "database_template",
    "database_url",
    "databases",
    "postgres_server",
    "valkey_server",
]

collect_ignore = [] if landing.whole() else ["test_flood.py", "test_timing.py"]
