"""Harmless HTML, by nh3 (the ammonia library)."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

import nh3
from typing_extensions import override

from quickshop.ports.rich_text import HtmlSanitizer

_DROPPED_WHOLE: Final = frozenset(
    "script style iframe object embed noscript noembed noframes template title textarea select "
    "svg math xmp plaintext".split()
)
_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel"})
_ATTEMPTS: Final = 4
_MAX_DEPTH: Final = 1_000
# Elements that are never open around another of their kind, so they add no depth.
_FLAT: Final = frozenset(
    "area br col dd dt hr img input li link meta p source td th tr wbr".split()
)
_TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")

_RICH: Final = nh3.Cleaner(clean_content_tags=set(_DROPPED_WHOLE), url_schemes=set(_SCHEMES))
_PLAIN: Final = nh3.Cleaner(tags=set(), clean_content_tags=set(_DROPPED_WHOLE))


@dataclass(frozen=True, slots=True)
class NhHtmlSanitizer(HtmlSanitizer):
    """Keeps text, links, pictures, lists and tables; links get `rel="noopener noreferrer"`."""

    @override
    def __call__(self, html: str) -> str:
        """The same text with only harmless markup; markup nested past all reason is dropped.

        Cleaning what is clean changes nothing.
        """
        if _depth(html) > _MAX_DEPTH:
            html = re.sub(r"<[^<>]*>", " ", html)
        cleaned = _RICH.clean(html)
        for _ in range(_ATTEMPTS):
            # Broken markup can read differently once it has been written out well.
            again = _RICH.clean(cleaned)
            if again == cleaned:
                return cleaned
            cleaned = again
        return _PLAIN.clean(cleaned)


def _depth(html: str) -> int:
    """How deep elements are nested, at most: the parser takes the square of that in time."""
    deepest = depth = 0
    unclosed: Counter[str] = Counter()
    for slash, written in _TAG.findall(html):
        name = written.lower()
        if name in _FLAT:
            continue
        if not slash:
            unclosed[name] += 1
            depth += 1
            deepest = max(deepest, depth)
        elif unclosed[name]:
            unclosed[name] -= 1
            depth -= 1
    return deepest
