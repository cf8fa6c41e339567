"""The destination and the format of log records."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Final

from quickshop.adapters.observability.records import JsonLines

_log: Final = logging.getLogger("quickshop.process")


def log_to_stderr(
    *,
    filters: Sequence[logging.Filter] = (),
    secrets_of: Callable[[], Iterable[str]] = tuple,
) -> None:
    """Log QuickShop's records from INFO, and all others from WARNING, as lines of JSON.

    This includes Python's warnings and uncaught exceptions. `filters` see every record;
    `confidential` returns the texts to remove, as in `JsonLines`. If logging is already set up,
    nothing changes.
    """
    if logging.getLogger().handlers:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines(secrets_of))
    for one in filters:
        handler.addFilter(one)
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("quickshop").setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    sys.unraisablehook = _log_unraisable
    threading.excepthook = _log_uncaught_in_thread


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        _log.info("interrupted")
    else:
        _log.critical("uncaught exception", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    error = args.exc_value
    if error is not None and not isinstance(error, SystemExit):
        _log_uncaught(args.exc_type, error, args.exc_traceback)


def _log_unraisable(args: sys.UnraisableHookArgs) -> None:
    _log.error("an exception could not be raised", exc_info=args.exc_value)
