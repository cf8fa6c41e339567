"""What long-running commands say while they run."""

from __future__ import annotations

import logging
from collections.abc import Sequence


def log_to_stderr(*, facts: Sequence[str] = (), filters: Sequence[logging.Filter] = ()) -> None:
    """Log QuickShop's own news, and the warnings of everything below it.

    `facts` are attributes of records that stand in every line; `filters` see to them.
    """
    shown = "".join(f" %({fact})s" for fact in facts)
    handler = logging.StreamHandler()
    handler.setFormatter(
        logging.Formatter(f"%(asctime)s %(levelname)s %(name)s{shown}: %(message)s")
    )
    for one in filters:
        handler.addFilter(one)
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("quickshop").setLevel(logging.INFO)
