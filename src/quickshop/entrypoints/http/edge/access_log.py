"""One log record per request: what was asked for and what came of it, and no secret."""

from __future__ import annotations

import logging
from typing import Final

from starlette.types import Scope

from quickshop.ports.identity import Caller

logger: Final = logging.getLogger("quickshop.http")

CALLER_KEY: Final = "quickshop.caller"
"""Where a request keeps who is behind it, once that is known."""
NOWHERE: Final = "(no route)"
"""Instead of a path that leads nowhere: it may hold a secret that was put in the wrong place."""
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


def log_access(scope: Scope, status: int, *, client: str, seconds: float) -> None:
    """Tell of a request that is over. Health checks are not told of.

    `status` is 0 when the caller went away before there was an answer. The path is that of the
    route, so it holds nothing that anyone made up; headers, query and body are not told.
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
