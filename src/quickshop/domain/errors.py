"""Errors of the shop, one class for each failure that callers handle differently.

There are three families. Show a `DomainError` to the shopper. Repeat after a `TransientError`.
Alert the operator of any other `AdapterError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class QuickShopError(Exception):
    """The base of every error that this library raises on purpose."""

    code: ClassVar[str] = "quickshop_error"
    """A stable, machine-readable name; safe to show and to match on."""


class DomainError(QuickShopError):
    """The request is understood, but a rule of the shop forbids it."""

    code = "rule_broken"


class InvalidValueError(DomainError, ValueError):
    """A field does not allow this value.

    `field` is the dotted path of the field, and `rule` says what would be right. The message never
    repeats the value, so this error is safe to show and to log.
    """

    code = "invalid_value"

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class NotFoundError(DomainError):
    """The object does not exist, or the caller may not see it."""

    code = "not_found"

    def __init__(self, kind: str) -> None:
        super().__init__(f"there is no such {kind}")
        self.kind = kind


class ConflictError(DomainError):
    """Another request changed the same object first; read it again and repeat."""

    code = "conflict"

    def __init__(self, kind: str) -> None:
        super().__init__(f"another request changed the {kind}; read it again and repeat")
        self.kind = kind


class AlreadyExistsError(DomainError):
    """A value that must be unique is already in use."""

    code = "already_exists"

    def __init__(self, kind: str, field: str) -> None:
        super().__init__(f"another {kind} already has this {field}")
        self.kind = kind
        self.field = field


class CategoryInUseError(DomainError):
    """The category still contains products or categories."""

    code = "category_in_use"

    def __init__(self) -> None:
        super().__init__(
            "the category still contains products or categories; move them elsewhere first"
        )


class CurrencyMismatchError(DomainError):
    """Two amounts have different currencies."""

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
    """Fewer units are available than were requested."""

    code = "out_of_stock"

    def __init__(self, sku: str, *, requested: int, available: int) -> None:
        super().__init__(f"{sku}: {requested} requested, {available} available")
        self.sku = sku
        self.requested = requested
        self.available = available


class CartStateError(DomainError):
    """The cart has become an order and cannot change."""

    code = "cart_completed"

    def __init__(self) -> None:
        super().__init__("this cart has been checked out; start a new one")


class EmptyCartError(DomainError):
    """The cart has no lines."""

    code = "cart_empty"

    def __init__(self) -> None:
        super().__init__("the cart is empty; add a line first")


class PriceChangedError(DomainError):
    """The total is not the one that the shopper confirmed. Amounts are in minor units."""

    code = "price_changed"

    def __init__(self, *, expected_minor: int, actual_minor: int) -> None:
        super().__init__(
            "prices have changed since the cart was shown; show it again and ask the shopper"
        )
        self.expected_minor = expected_minor
        self.actual_minor = actual_minor


class OrderStateError(DomainError):
    """The status of the order does not allow this action."""

    code = "order_state"

    def __init__(self, number: str, status: str, action: str) -> None:
        super().__init__(f"order {number} is {status} and cannot be {action}")
        self.status = status


class PaymentStateError(DomainError):
    """The status of the payment does not allow this action."""

    code = "payment_state"

    def __init__(self, status: str, action: str) -> None:
        super().__init__(f"the payment is {status} and cannot be {action}")
        self.status = status


class RefundTooLargeError(DomainError):
    """The refund is larger than the amount that can still be refunded."""

    code = "refund_too_large"

    def __init__(self, requested: str, refundable: str, *, refundable_minor: int) -> None:
        super().__init__(f"{requested} is more than the {refundable} that can still be refunded")
        self.refundable_minor = refundable_minor


class PaymentDeclinedError(DomainError):
    """The gateway declined the charge and no money moved; another card may work."""

    code = "payment_declined"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the payment was declined: {reason}")
        self.reason = reason


class IdempotencyMismatchError(DomainError):
    """The idempotency key was already used for another request."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("this idempotency key was used for another request; use a new one")


class WebhookRejectedError(DomainError):
    """A webhook message was not signed by the payment gateway, or is too old.

    `verdict` is `forged`, `stale` or `unreadable`.
    """

    code = "webhook_rejected"

    def __init__(self, verdict: str) -> None:
        super().__init__(f"the webhook message was rejected: {verdict}")
        self.verdict = verdict


class NotSignedInError(DomainError):
    """The caller is not signed in. The message does not say what is wrong with the token."""

    code = "not_signed_in"

    def __init__(self) -> None:
        super().__init__("sign in first, or refresh the session")


class InvalidCredentialsError(DomainError):
    """The credentials are wrong. The message is the same for every reason."""

    code = "invalid_credentials"

    def __init__(self) -> None:
        super().__init__(
            "the email address or the password is wrong, or the address is not confirmed yet"
        )


class InvalidTokenError(DomainError):
    """The one-time token is unknown, used, expired, or for another purpose."""

    code = "invalid_token"

    def __init__(self) -> None:
        super().__init__("this link is no longer valid; request a new one")


class PermissionDeniedError(DomainError):
    """The caller does not have the permission `permission`."""

    code = "permission_denied"

    def __init__(self, permission: str) -> None:
        super().__init__(f"you do not have permission to do this: {permission} is required")
        self.permission = permission


class PrivilegeEscalationError(DomainError):
    """Callers cannot grant permissions they lack, or change accounts that have more."""

    code = "privilege_escalation"

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(f"you do not have these permissions yourself: {', '.join(missing)}")
        self.missing = tuple(missing)


class LastAdminError(DomainError):
    """The shop must keep at least one admin who can sign in."""

    code = "last_admin"

    def __init__(self) -> None:
        super().__init__("this is the last admin; add another admin first")


class AccountHasRolesError(DomainError):
    """An account with roles cannot be erased."""

    code = "account_has_roles"

    def __init__(self) -> None:
        super().__init__("this account has roles; revoke them before you erase it")


class RoleInUseError(DomainError):
    """A role cannot be deleted while accounts have it."""

    code = "role_in_use"

    def __init__(self, name: str) -> None:
        super().__init__(f"accounts have the role {name}; revoke it from them first")
        self.name = name


class OrdersInProgressError(DomainError):
    """Orders in progress need the address that would be erased. `numbers` lists some of them."""

    code = "orders_in_progress"

    def __init__(self, numbers: Sequence[str]) -> None:
        super().__init__(f"orders {', '.join(numbers)} are in progress; ship or cancel them first")
        self.numbers = tuple(numbers)


class TooManyImportsError(DomainError):
    """The maximum number of imports is waiting or running."""

    code = "too_many_imports"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"{limit} imports are waiting or running; try again when one has finished"
        )
        self.limit = limit


class FileFormatError(DomainError):
    """The file does not have the declared format. Nothing was imported from it.

    `rule` says what is wrong and what would be right. Only the message also quotes the file.
    """

    code = "file_format"

    def __init__(self, name: str, what: str, *, seen: str = "", advice: str = "") -> None:
        end = f". {advice}" if advice else ""
        super().__init__(f"{name} {what}{seen and f'; it begins with {seen}'}{end}")
        self.rule = what + end


class AdapterError(QuickShopError):
    """A system outside the shop failed. The cause is chained."""

    code = "unavailable"


class TransientError(AdapterError):
    """The operation failed, but may succeed when repeated unchanged."""

    code = "try_again"


class ContentionError(TransientError):
    """The database aborted this transaction in favor of another; repeat the whole transaction."""

    code = "contention"


class OverloadedError(TransientError):
    """The request was refused because too many are running."""

    code = "overloaded"

    def __init__(self) -> None:
        super().__init__("too many sign-ins are running; try again in a moment")


class IdempotencyInProgressError(TransientError):
    """Another request with the same idempotency key is still running."""

    code = "idempotency_in_progress"

    def __init__(self) -> None:
        super().__init__(
            "a request with this idempotency key is still running; repeat it in a moment"
        )


class PaymentUnknownError(TransientError):
    """The gateway did not answer, so it is unknown whether the money moved.

    To find out, repeat the call with the same key.
    """

    code = "payment_unknown"


class SourcingPlanError(AdapterError):
    """The sourcing strategy of the shop returned an invalid plan. Nothing was allocated."""

    code = "sourcing_plan"

    def __init__(self, rule: str) -> None:
        super().__init__(f"a sourcing strategy {rule}")


class GatewayAnswerError(AdapterError):
    """A payment gateway returned an invalid answer. Nothing was recorded."""

    code = "gateway_answer"

    def __init__(self, rule: str) -> None:
        super().__init__(f"the answer of a payment gateway {rule}")


class SchemaError(AdapterError):
    """The database schema is not at the version that this code needs."""

    code = "schema_outdated"


class MissingExtraError(AdapterError):
    """An optional package is required but not installed."""

    code = "missing_extra"

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs an extra: pip install 'quickshop[{extra}]'")
        self.extra = extra
