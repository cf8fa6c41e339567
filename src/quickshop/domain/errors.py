"""Every failure that a caller may want to tell apart.

Three families, because callers do three different things with them: show a `DomainError` to the
shopper, repeat on a `TransientError`, and page someone for any other `AdapterError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class QuickShopError(Exception):
    """Base of every error that this library raises on purpose."""

    code: ClassVar[str] = "quickshop_error"
    """Stable, machine-readable name; safe to show and to match on."""


class DomainError(QuickShopError):
    """The request was understood, and the rules of the shop forbid it."""

    code = "rule_broken"


class InvalidValueError(DomainError, ValueError):
    """A value is not what its field allows.

    `field` names it by a dotted path, and `rule` says what would be right; the offending value is
    never repeated, so this error can be shown and logged.
    """

    code = "invalid_value"

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class NotFoundError(DomainError):
    """No such thing, or none that this caller may see."""

    code = "not_found"

    def __init__(self, kind: str) -> None:
        super().__init__(f"there is no such {kind}")
        self.kind = kind


class ConflictError(DomainError):
    """Someone else changed the same thing first; read it again and repeat."""

    code = "conflict"

    def __init__(self, kind: str) -> None:
        super().__init__(f"the {kind} was changed by someone else meanwhile; read it again")
        self.kind = kind


class AlreadyExistsError(DomainError):
    """A name that must be unique is taken."""

    code = "already_exists"

    def __init__(self, kind: str, field: str) -> None:
        super().__init__(f"another {kind} already has this {field}")
        self.kind = kind
        self.field = field


class CategoryInUseError(DomainError):
    """The category still has something in it."""

    code = "category_in_use"

    def __init__(self) -> None:
        super().__init__(
            "the category still has products or categories in it; move them elsewhere first"
        )


class CurrencyMismatchError(DomainError):
    """Two amounts of different currencies met."""

    code = "currency_mismatch"

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} and {other} cannot be mixed")


class NotForSaleError(DomainError):
    """The SKU exists, but its product is not published."""

    code = "not_for_sale"

    def __init__(self, sku: str) -> None:
        super().__init__(f"{sku} is not for sale")
        self.sku = sku


class OutOfStockError(DomainError):
    """Fewer units can be bought than were asked for."""

    code = "out_of_stock"

    def __init__(self, sku: str, *, requested: int, available: int) -> None:
        super().__init__(f"{sku}: {requested} requested, {available} available")
        self.sku = sku
        self.requested = requested
        self.available = available


class CartStateError(DomainError):
    """The cart has become an order and no longer changes."""

    code = "cart_completed"

    def __init__(self) -> None:
        super().__init__("this cart has been checked out; start a new one")


class EmptyCartError(DomainError):
    """There is nothing in the cart to buy."""

    code = "cart_empty"

    def __init__(self) -> None:
        super().__init__("the cart is empty; add a line first")


class PriceChangedError(DomainError):
    """The total is not the one that the shopper agreed to. Amounts are minor units."""

    code = "price_changed"

    def __init__(self, *, expected_minor: int, actual_minor: int) -> None:
        super().__init__("prices changed since the cart was shown; show it again and ask")
        self.expected_minor = expected_minor
        self.actual_minor = actual_minor


class OrderStateError(DomainError):
    """The order is past the point where this can be done to it."""

    code = "order_state"

    def __init__(self, number: str, status: str, action: str) -> None:
        super().__init__(f"order {number} is {status} and cannot be {action}")
        self.status = status


class PaymentStateError(DomainError):
    """The payment has already gone another way."""

    code = "payment_state"

    def __init__(self, status: str, action: str) -> None:
        super().__init__(f"the payment is {status} and cannot be {action}")
        self.status = status


class RefundTooLargeError(DomainError):
    """More is asked back than is left of what was captured. Amounts are minor units."""

    code = "refund_too_large"

    def __init__(self, requested_minor: int, *, refundable_minor: int) -> None:
        super().__init__(
            f"{requested_minor} minor units are more than the {refundable_minor} that are left"
        )
        self.requested_minor = requested_minor
        self.refundable_minor = refundable_minor


class PaymentDeclinedError(DomainError):
    """The gateway refused the charge and no money moved; another card may work."""

    code = "payment_declined"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the payment was declined: {reason}")
        self.reason = reason


class IdempotencyMismatchError(DomainError):
    """The idempotency key was used before, for another request."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("this idempotency key was used for another request; use a new one")


class WebhookRejectedError(DomainError):
    """A message that claims to come from a payment gateway does not, or not just now.

    `verdict` is `forged`, `stale` or `unreadable`.
    """

    code = "webhook_rejected"

    def __init__(self, verdict: str) -> None:
        super().__init__(f"the message was not accepted: {verdict}")
        self.verdict = verdict


class NotSignedInError(DomainError):
    """Nobody is signed in, or not any more. What was wrong with a token is not told."""

    code = "not_signed_in"

    def __init__(self) -> None:
        super().__init__("sign in first, or refresh the session")


class InvalidCredentialsError(DomainError):
    """What was given to sign in with does not. The same for every reason."""

    code = "invalid_credentials"

    def __init__(self) -> None:
        super().__init__(
            "the e-mail address or the password is wrong, or the address was not confirmed yet"
        )


class InvalidTokenError(DomainError):
    """A one-time token is unknown, was used, is too old, or is for something else."""

    code = "invalid_token"

    def __init__(self) -> None:
        super().__init__("this link is not valid any more; ask for a new one")


class PermissionDeniedError(DomainError):
    """Whoever asks may not do this. `permission` is what they lack."""

    code = "permission_denied"

    def __init__(self, permission: str) -> None:
        super().__init__(f"this needs the permission {permission}")
        self.permission = permission


class PrivilegeEscalationError(DomainError):
    """Somebody meant to give more than they have, or to change someone who has more."""

    code = "privilege_escalation"

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(f"you do not hold {', '.join(missing)} yourself")
        self.missing = tuple(missing)


class LastAdminError(DomainError):
    """Without this account nobody could manage the shop any more."""

    code = "last_admin"

    def __init__(self) -> None:
        super().__init__("this is the last admin: make another one first")


class AccountHasRolesError(DomainError):
    """Whoever is in a role cannot be erased."""

    code = "account_has_roles"

    def __init__(self) -> None:
        super().__init__("whoever works here is taken out of their roles before they are erased")


class RoleInUseError(DomainError):
    """A role cannot go while accounts are in it."""

    code = "role_in_use"

    def __init__(self, name: str) -> None:
        super().__init__(f"accounts are in the role {name}: take them out of it first")
        self.name = name


class OrdersInProgressError(DomainError):
    """Orders on their way need the address that would be erased. `numbers` names some."""

    code = "orders_in_progress"

    def __init__(self, numbers: Sequence[str]) -> None:
        super().__init__(
            f"orders {', '.join(numbers)} are on their way: have them delivered or canceled first"
        )
        self.numbers = tuple(numbers)


class TooManyImportsError(DomainError):
    """As many files wait to be imported as may."""

    code = "too_many_imports"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"{limit} files are waiting or being imported: hand this one in when one is done"
        )
        self.limit = limit


class FileFormatError(DomainError):
    """A file is not in the format that it was said to be in. Nothing was read from it.

    `rule` says what is wrong and what would be right; only the message also quotes the file.
    """

    code = "file_format"

    def __init__(self, name: str, what: str, *, seen: str = "", advice: str = "") -> None:
        end = f". {advice}" if advice else ""
        super().__init__(f"{name} {what}{seen and f'; it begins with {seen}'}{end}")
        self.rule = what + end


class AdapterError(QuickShopError):
    """Something outside the shop failed. The cause is chained."""

    code = "unavailable"


class TransientError(AdapterError):
    """Failed now, may succeed if tried again unchanged."""

    code = "try_again"


class ContentionError(TransientError):
    """The database chose this transaction to lose a race; the whole of it may be repeated."""

    code = "contention"


class OverloadedError(TransientError):
    """More is asked at once than can be done without slowing everybody else down."""

    code = "overloaded"

    def __init__(self) -> None:
        super().__init__("too many are signing in right now; try again in a moment")


class IdempotencyInProgressError(TransientError):
    """Another request with the same idempotency key is still being worked on."""

    code = "idempotency_in_progress"

    def __init__(self) -> None:
        super().__init__("a request with this idempotency key is still running; ask again soon")


class PaymentUnknownError(TransientError):
    """The gateway gave no answer: the money may have moved or not.

    Only asking again with the same key can tell.
    """

    code = "payment_unknown"


class SourcingPlanError(AdapterError):
    """The sourcing strategy of the shop made a plan that cannot be. Nothing was allocated."""

    code = "sourcing_plan"

    def __init__(self, rule: str) -> None:
        super().__init__(f"a sourcing strategy {rule}")


class GatewayAnswerError(AdapterError):
    """A payment gateway gave an answer that cannot be. Nothing of it was recorded."""

    code = "gateway_answer"

    def __init__(self, rule: str) -> None:
        super().__init__(f"the answer of a payment gateway {rule}")


class SchemaError(AdapterError):
    """The database is not at the version that this code needs."""

    code = "schema_outdated"


class MissingExtraError(AdapterError):
    """An optional package is needed and not installed."""

    code = "missing_extra"

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs an extra: pip install 'quickshop[{extra}]'")
        self.extra = extra
