"""HTML sanitizing with nh3 (the ammonia library)."""

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
# Elements that never contain another of their kind, so they add no depth.
_FLAT: Final = frozenset(
    "area br col dd dt hr img input li link meta p source td th tr wbr".split()
)
_TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")

_RICH: Final = nh3.Cleaner(clean_content_tags=set(_DROPPED_WHOLE), url_schemes=set(_SCHEMES))
_PLAIN: Final = nh3.Cleaner(tags=set(), clean_content_tags=set(_DROPPED_WHOLE))


@dataclass(frozen=True, slots=True)
class NhHtmlSanitizer(HtmlSanitizer):
    """Keeps text, links, images, lists and tables; links get `rel="noopener noreferrer"`."""

    @override
    def __call__(self, html: str) -> str:
        """Return the text with safe markup only; markup that is nested too deep is removed.

        Sanitizing a result again does not change it.
        """
        if _depth(html) > _MAX_DEPTH:
            html = re.sub(r"<[^<>]*>", " ", html)
        cleaned = _RICH.clean(html)
        for _ in range(_ATTEMPTS):
            # Broken markup can parse differently after it was serialized.
            again = _RICH.clean(cleaned)
            if again == cleaned:
                return cleaned
            cleaned = again
        return _PLAIN.clean(cleaned)


def _depth(html: str) -> int:
    """Return the maximum depth of nested elements: parsing time grows with its square."""
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
