from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exchange_core.connector.forms import form_text

TEXT = st.text() | st.text("aZ09_.~-:&=+ %/")


@pytest.mark.parametrize("way", [quote, quote_plus])
@given(pairs=st.lists(st.tuples(TEXT, TEXT), max_size=5))
@example(pairs=[])
@example(pairs=[("a", "1=2"), ("", "")])
@example(pairs=[("a", "1&b=2")])
@example(pairs=[("deadline", "2026-10-09T00:34:21.904Z"), ("a", "b&c"), ("=", "")])
def test_it_writes_what_urlencode_writes(way: object, pairs: list[tuple[str, str]]) -> None:
    pairs = [
        (name.encode("utf-8", "replace").decode(), text.encode("utf-8", "replace").decode()) for name, text in pairs
    ]
    assert form_text(pairs, way) == urlencode(pairs, safe="", quote_via=way)  # type: ignore[arg-type, call-overload]
