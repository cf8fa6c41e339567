"""The port that sanitizes HTML from untrusted sources."""

from typing import Protocol


class HtmlSanitizer(Protocol):
    """Makes HTML safe to show."""

    def __call__(self, html: str) -> str:
        """Return the text with only safe markup: no scripts, styles, frames or event handlers.

        Sanitizing sanitized HTML changes nothing.
        """
        ...
