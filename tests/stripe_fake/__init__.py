"""A Stripe of our own: what the shop needs of its API, over HTTP, with a book that is true.

Run it as a process, or in a thread of the tests (`StripeFake`, see `running.py`):

    python -m tests.stripe_fake --port 9301 --book stripe.db \
        [--api-key sk_test_fake] [--webhook-url URL --webhook-secret whsec_...] \
        [--seed 8123 --lies 0.05 --lie-seconds 30]

It prints one line when it serves. It may be killed at any time and started again on its book.

API (form-encoded, `Authorization: Bearer KEY`, Stripe-shaped errors):

    POST /v1/payment_intents                 amount currency payment_method capture_method
                                             metadata[..] payment_method_types[..] confirm
                                             return_url
    GET  /v1/payment_intents[?limit=&created[gte]=]     newest first
    GET  /v1/payment_intents/search?query=metadata['NAME']:'VALUE'
    GET  /v1/payment_intents/ID
    POST /v1/payment_intents/ID/confirm      payment_method return_url
    POST /v1/payment_intents/ID/capture      amount_to_capture (the rest is let go)
    POST /v1/payment_intents/ID/cancel       cancellation_reason
    POST /v1/refunds                         payment_intent amount metadata[..] reason
    GET  /v1/refunds[?payment_intent=ID], GET /v1/refunds/ID

Payment methods: `pm_card_visa` and any other name is paid; `pm_card_visa_chargeDeclined` and
its kin (see `cards.py`) are declined; `pm_card_threeDSecure2Required` and
`pm_card_authenticationRequired` require action. `pm_card_refundFail` is paid and its refunds fail;
`pm_missing` does not exist.

Idempotency keys are kept as Stripe keeps them: same key and same parameters, the stored answer
with `Idempotent-Replayed: true`, also when it was a decline or a 500; other parameters, 400
`idempotency_error`; still running, 409 `idempotency_key_in_use`. What fails validation is not
kept.

Book (SQLite, WAL; each change is committed before it is answered; read it with any client):

    intents           id quickshop_key amount currency capture_method status captured
                      payment_method created (amounts in Stripe's units; captured is what
                      moved, at most once)
    refunds           id intent_id quickshop_key amount currency status created
    idempotency_keys  key path digest status body
    events            id type intent_id body due_at deliveries done
    lies              kind told

Administration (no API key; JSON in and out):

    POST /_admin/intents/ID/authenticate   {"success": true}   3-D Secure is passed, or not
    POST /_admin/lies      {"kind": K, "times": 1, "seconds": 30, "path": "confirm"}
                           the next calls (whose path contains `path`) meet this lie
    POST /_admin/plan      {"seed": 8123, "rate": 0.05, "seconds": 30, "kinds": [...]}
                           each call meets a lie with this probability
    POST /_admin/webhooks  {"url": U, "secret": S, "duplicate": 0.1, "lose": 0.1, "delay": 0.2,
                            "delay_seconds": 2, "corrupt": 0.0, "seed": 1}
                           where webhooks go, and what becomes of them (probabilities); what was
                           lost is never sent, what is delayed is overtaken by others
    POST /_admin/resend    {"id": "evt_..."}      send an event once more
    POST /_admin/forget_keys                      as Stripe does after a day
    POST /_admin/heal                             no more lies; webhooks go straight again
    GET  /_admin/lies      {"hang_after": 3, ...}  how many of each were told
    GET  /_admin/book      {"intents": [...], "refunds": [...], "events": [...]}

Kinds of lie: `error_before` (500, nothing happened), `error_after` (500, it happened, a repeat is
told the truth), `stored_error` (500, it happened, and so says every repeat with this key),
`hang_before` and `hang_after` (no answer for `seconds`), `slow` (the truth, after `seconds`, the
key in use meanwhile), `rate_limited` (429, nothing happened). Webhook lies are counted as
`webhook_duplicated`, `webhook_lost`, `webhook_delayed` and `webhook_corrupted`.
"""
