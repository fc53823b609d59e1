"""What docs/trading.md shows works, and it names every term of a request."""

import re
from pathlib import Path

import attrs
import pytest

from exchange_core.model.order import OrderRequest
from exchange_core.model.terms import OrderType, TimeInForce, TriggerBy

PAGE = Path(__file__).resolve().parents[2] / "docs" / "trading.md"
TEXT = PAGE.read_text("utf-8")


@pytest.mark.parametrize("code", re.findall(r"^```python\n(.*?)^```$", TEXT, re.M | re.S))
def test_the_example_runs(code: str) -> None:
    exec(compile(code, str(PAGE), "exec"), {"__name__": "example"})


def test_every_term_is_named() -> None:
    plain = {"symbol", "side", "quantity", "price", "client_order_id"}
    names = {field.name for field in attrs.fields(OrderRequest)} - plain
    words = {word.value for kind in (OrderType, TimeInForce, TriggerBy) for word in kind}
    assert [name for name in sorted(names | words) if f"`{name}`" not in TEXT] == []
