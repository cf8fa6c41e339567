"""Whether a shop is fit for production, its database included."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from quickshop import production
from quickshop.container.databases import durability_warnings
from quickshop.domain.errors import QuickShopError
from quickshop.settings import PREFIX, Settings, SettingsError


def require_fit_for_production(settings: Settings, *, given: Collection[str] = ()) -> None:
    """Refuse what is only good enough to try a shop.

    Raises:
        SettingsError: tells every reason, one a line.
        TransientError: the database cannot be asked, and all else is as it should be.
    """
    if reasons := reasons_against_production(settings, given=given):
        raise SettingsError("\n".join(reasons))


def reasons_against_production(
    settings: Settings, *, given: Collection[str] = ()
) -> Sequence[str]:
    """Why this is not fit for production: one line each, with what would be right.

    `given` are ports that whoever opens the shop fills with an object of their own.

    Raises:
        TransientError: the database cannot be asked, and all else is as it should be.
    """
    reasons = production.reasons_against(settings, given=given)
    try:
        doubts = durability_warnings(settings)
    except QuickShopError:
        if not reasons:
            raise
        return reasons
    return [*reasons, *(f"{PREFIX}DATABASE_URL: {doubt}" for doubt in doubts)]
