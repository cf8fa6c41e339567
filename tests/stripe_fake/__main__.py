"""`python -m tests.stripe_fake --port P --book FILE`: see the package."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

import uvicorn

from tests.stripe_fake.app import Api
from tests.stripe_fake.book import Book
from tests.stripe_fake.lies import Lies
from tests.stripe_fake.running import API_KEY
from tests.stripe_fake.webhooks import Road


def _arguments() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.stripe_fake")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--book", required=True)
    parser.add_argument("--api-key", default=API_KEY)
    parser.add_argument("--webhook-url", default="")
    parser.add_argument("--webhook-secret", default="")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lies", type=float, default=0, help="probability per call")
    parser.add_argument("--lie-seconds", type=float, default=30)
    return parser.parse_args()


def main() -> None:
    """Serve until told to stop."""
    given = _arguments()
    api = Api(
        Book(given.book),
        api_key=given.api_key,
        lies=Lies(given.seed, given.lies, given.lie_seconds),
        road=Road(url=given.webhook_url, secret=given.webhook_secret, seed=given.seed),
    )
    print(f"stripe fake on http://127.0.0.1:{given.port}", flush=True)  # noqa: T201
    uvicorn.run(
        api.app(),
        host="127.0.0.1",
        port=given.port,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
