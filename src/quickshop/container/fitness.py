"""The production checks of a shop, including those of its database."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from quickshop import production
from quickshop.container.databases import durability_warnings
from quickshop.domain.errors import QuickShopError
from quickshop.settings import PREFIX, Settings, SettingsError


def require_fit_for_production(settings: Settings, *, given: Collection[str] = ()) -> None:
    """Refuse settings that are only fit for development.

    Raises:
        SettingsError: the settings are not fit for production. Lists every reason, one per line.
        TransientError: the database cannot be reached, and no other check failed.
    """
    if reasons := reasons_against_production(settings, given=given):
        raise SettingsError("\n".join(reasons))


def reasons_against_production(
    settings: Settings, *, given: Collection[str] = ()
) -> Sequence[str]:
    """Return why this is not fit for production: one line each, with the remedy.

    `given` names the ports for which the caller brings its own object.

    Raises:
        TransientError: the database cannot be reached, and no other check failed.
    """
    reasons = production.reasons_against(settings, given=given)
    try:
        warnings = durability_warnings(settings)
    except QuickShopError:
        if not reasons:
            raise
        return reasons
    return [*reasons, *(f"{PREFIX}DATABASE_URL: {warning}" for warning in warnings)]
