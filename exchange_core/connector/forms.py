"""Write form bodies and queries."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from urllib.parse import quote_plus

# What quoting leaves as it is, and the colon of times, which is quoted in one go. That is nearly all that orders are
# made of, and quoting costs many times as much as this look.
_is_plain = re.compile(r"[A-Za-z0-9_.~:&=-]*").fullmatch


def form_text(pairs: Sequence[tuple[str, str]], quote: Callable[..., str] = quote_plus) -> str:
    """Return *pairs* as ``urllib.parse.urlencode`` writes them, with no character safe.

    Args:
        quote: Writes a blank as ``+``, or as ``%20`` with ``urllib.parse.quote``.
    """
    parts = list(map("=".join, pairs))
    whole = "&".join(parts)
    # With so many of them, no & and no = is part of a name or text.
    if _is_plain(whole) and whole.count("=") == len(parts) and whole.count("&") == max(0, len(parts) - 1):
        return whole.replace(":", "%3A")
    return "&".join([f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in pairs])
