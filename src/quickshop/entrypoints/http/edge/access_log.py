"""The access log: one record per request, without secrets."""

from __future__ import annotations

import logging
from typing import Final

from starlette.types import Scope

from quickshop.ports.identity import Caller

logger: Final = logging.getLogger("quickshop.http")

CALLER_KEY: Final = "quickshop.caller"
"""The scope key of the authenticated caller, set after authentication."""
NOWHERE: Final = "(no route)"
"""Logged instead of the path when no route matches: such a path may contain a misplaced secret."""
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


def log_access(scope: Scope, status: int, *, client: str, seconds: float) -> None:
    """Log a finished request. Health checks are not logged.

    `status` is 0 if the client disconnected before the response. The path is the route's template,
    so it contains no client input. Headers, query and body are not logged.
    """
    if not logger.isEnabledFor(logging.INFO) or scope["path"].startswith("/health/"):
        return
    route = scope.get("route")
    path = getattr(route, "path", None) or NOWHERE
    method = scope["method"] if scope["method"] in _METHODS else "(other)"
    facts: dict[str, object] = {
        "method": method,
        "path": path,
        "status": status,
        "duration_ms": round(1000 * seconds, 2),
        "client": client,
    }
    caller: Caller | None = scope.get(CALLER_KEY)
    if caller is not None:
        facts["account_id"] = caller.account_id
        if caller.api_key_id is not None:
            facts["api_key_id"] = caller.api_key_id
    logger.info("%s %s: %d", method, path, status, extra=facts)
