"""The route for webhooks of payment gateways."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request

from quickshop.entrypoints.http.dependencies import ShopDependency
from quickshop.entrypoints.http.edge.audience import PUBLIC, open_to
from quickshop.entrypoints.http.edge.guard import GuardedRoute
from quickshop.entrypoints.http.edge.problems import problems
from quickshop.entrypoints.http.models import Output
from quickshop.ports.payment_webhooks import MAX_PROVIDER_LENGTH, Verdict

router = APIRouter(prefix="/v1/payments", tags=["payments"], route_class=GuardedRoute)

_SIGNED_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The event, as the provider sends and signs it.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


class WebhookOut(Output):
    """The result of a webhook. Only a forged, stale or unreadable one is an error."""

    verdict: Verdict


async def _raw_body(request: Request) -> bytes:
    return await request.body()


@router.post(
    "/webhooks/{provider}",
    operation_id="receive_payment_webhook",
    response_model=WebhookOut,
    responses=problems(400, 404, 413, 503),
    openapi_extra=_SIGNED_BODY,
)
@open_to(PUBLIC)
def receive(
    shop: ShopDependency,
    request: Request,
    provider: Annotated[
        str, Path(max_length=MAX_PROVIDER_LENGTH, description="For example `stripe`.")
    ],
    body: Annotated[bytes, Depends(_raw_body)],
) -> WebhookOut:
    """Receive a webhook of a payment gateway. The signature covers the raw body."""
    return WebhookOut(verdict=shop.payments.receive_webhook(provider, body, request.headers))
