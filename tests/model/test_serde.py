"""Values to JSON and back, and what is said of JSON that does not fit."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core import serde
from exchange_core.connector.spec import VenueConfig
from exchange_core.errors import InvalidValue
from exchange_core.model.account import Balance, Position
from exchange_core.model.book import BookHealth, BookSnapshot, OrderBook
from exchange_core.model.event import OpenOrdersSnapshot, OrderUpdate
from exchange_core.model.fill import Fee, Fill, Liquidity
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Candle, Level, Ticker, Trade
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol

BTC = Symbol.parse("BTC/USD:USD-261225")
NOW = datetime(2026, 1, 1, 12, 30, 0, 123456, tzinfo=UTC)
ONE, TINY = Decimal("1.50"), Decimal("0.00000051")

REQUEST = OrderRequest(symbol=BTC, side="sell", quantity=TINY, price="60000", deadline=NOW)
FILL = Fill(
    id="f1",
    symbol=BTC,
    side=Side.SELL,
    price=ONE,
    quantity=TINY,
    time=NOW,
    fee=Fee(asset="USD", amount=-ONE),
    liquidity=Liquidity.MAKER,
)
VALUES = [
    REQUEST,
    OrderRequest(symbol="BTC/USD", side="buy", quantity="1"),
    Order(request=REQUEST, status=OrderStatus.FILLED, fees=(Fee(asset="USD", amount=ONE),), created=NOW),
    FILL,
    Trade(symbol=BTC, id="1", side=Side.BUY, price=ONE, quantity=TINY, time=NOW),
    Ticker(symbol=BTC, bid=ONE),
    Candle(symbol=BTC, interval=1, start=NOW, open=ONE, high=ONE, low=ONE, close=ONE, volume=TINY, count=3),
    Balance(asset="BTC", total=TINY, held=None),
    Position(symbol=BTC, quantity=-ONE, entry_price=ONE),
    BookSnapshot(symbol=BTC, bids=(Level(ONE, TINY),), asks=(), health=BookHealth.STALE),
    Instrument(symbol=BTC, venue_id="X", tick_size=ONE, lot_size=TINY, min_quantity=TINY, expiry=NOW),
    OpenOrdersSnapshot(orders=(OrderUpdate(venue_order_id="V1", status=OrderStatus.OPEN, sequence_time=NOW),)),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_what_is_written_is_read(value: Any) -> None:
    text = serde.dumps(value)
    assert "\n" not in text
    assert serde.loads(text, type(value)) == value


def test_the_form() -> None:
    data = json.loads(serde.dumps(FILL))
    assert data["symbol"] == "BTC/USD:USD-261225"
    assert (data["price"], data["quantity"], data["fee"]) == ("1.50", "0.00000051", {"asset": "USD", "amount": "-1.50"})
    assert (data["time"], data["side"], data["liquidity"]) == ("2026-01-01T12:30:00.123456Z", "sell", "maker")
    book = BookSnapshot(symbol=BTC, bids=(Level(ONE, TINY),), asks=())
    assert serde.unstructure(book)["bids"] == [["1.50", "0.00000051"]]


def test_a_live_book_is_written_as_it_is_now() -> None:
    class Source:
        symbol, health, checked, time = BTC, BookHealth.LIVE, 2, None

        def bids(self, depth: int | None) -> list[Level]:
            return [Level(ONE, TINY)]

        def asks(self, depth: int | None) -> list[Level]:
            return []

    source: Any = Source()
    assert serde.unstructure(OrderBook(source))["bids"] == [["1.50", "0.00000051"]]


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=18))
def test_no_digit_is_lost(number: Decimal) -> None:
    balance = Balance(asset="BTC", total=number)
    read = serde.loads(serde.dumps(balance), Balance)
    assert read.total.as_tuple() == number.as_tuple()


GOOD = serde.unstructure(Order(request=REQUEST, fees=(Fee(asset="USD", amount=ONE),)))


def changed(path: str, value: Any) -> Any:
    data = json.loads(json.dumps(GOOD))
    *parents, last = path.split(".")
    place = data
    for key in parents:
        place = place[int(key) if key.isdigit() else key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (changed("request.quantity", 0.1), "Order: request.quantity: 0.1 is a float and floats are not exact"),
        (changed("request.quantity", "lots"), "Order: request.quantity: 'lots' is not a number"),
        (changed("request.quantity", "-1"), "Order: request: quantity: -1 is not above zero"),
        (
            changed("request.quantity", None),
            "Order: request: BTC/USD:USD-261225: quantity is missing; give it, or quote_amount",
        ),
        (changed("request", None), "Order: request: missing"),
        (changed("request.symbol", "BTCUSD"), "Order: request.symbol: symbol: 'BTCUSD' is not of the form"),
        (changed("request.side", "up"), "Order: request.side: 'up' is none of buy, sell"),
        (changed("status", "gone"), "Order: status: 'gone' is none of pending, open, partially_filled"),
        (changed("unknown", 1), "Order: unknown: 1 is a whole number; expected true or false"),
        (changed("venue", 5), "Order: venue: 5 is a whole number; expected text"),
        (changed("created", "soon"), "Order: created: time: 'soon' is not RFC 3339"),
        (changed("created", 5), "Order: created: 5 is a whole number; expected a time as RFC 3339 text"),
        (changed("fees.0.amount", "x"), "Order: fees.0.amount: 'x' is not a number"),
        (changed("colour", "red"), "Order: colour: no such field"),
        (changed("request", []), "Order: request: found a list; expected a table of OrderRequest"),
        ([], "Order: found a list; expected a table of Order"),
        ("text", "Order: found text; expected a table of Order"),
        (None, "Order: found nothing; expected a table of Order"),
    ],
)
def test_what_does_not_fit_is_named(data: Any, message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        serde.structure(data, Order)
    assert str(caught.value).startswith(message)


def test_all_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(InvalidValue, match=r"Fee: asset: 5 is a whole number; expected text; amount: missing"):
        serde.structure({"asset": 5}, Fee)


@pytest.mark.parametrize("text", ["", "{", "nul", '{"a": }', b"\xff"])
def test_text_that_is_no_json(text: str | bytes) -> None:
    with pytest.raises(InvalidValue, match="Fee: not JSON"):
        serde.loads(text, Fee)


def test_levels_and_choices_of_a_wrong_kind() -> None:
    with pytest.raises(InvalidValue, match=r"bids\.0: \['1'\] is no level; expected \[price, quantity\]"):
        serde.structure({"symbol": "BTC/USD", "bids": [["1"]], "asks": []}, BookSnapshot)
    with pytest.raises(InvalidValue, match=r"bids\.0: price: 1.5 is a float"):
        serde.structure({"symbol": "BTC/USD", "bids": [[1.5, "1"]], "asks": []}, BookSnapshot)


@attrs.frozen(kw_only=True)
class Options(VenueConfig):
    """What a plugin adds."""

    retries: int = 3
    hosts: list[str] = attrs.field(factory=list)


def test_options_from_a_table() -> None:
    data = {"request_timeout": Decimal("2.5"), "stale_after": 3, "maker_fee": Decimal("0.0025"), "hosts": ["a"]}
    options = serde.structure(data, Options)
    assert (options.request_timeout, options.stale_after, options.maker_fee) == (2.5, 3.0, Decimal("0.0025"))
    assert (options.hosts, options.retries, options.tier) == (["a"], 3, "default")
    with pytest.raises(InvalidValue, match="Options: retries: True is a boolean; expected a whole number"):
        serde.structure({"retries": True}, Options)
    with pytest.raises(InvalidValue, match=r"Options: hosts\.0: 1 is a whole number; expected text"):
        serde.structure({"hosts": [1]}, Options)


@attrs.frozen
class _Start:
    start: datetime | timedelta | None = None


@pytest.mark.parametrize(
    ("start", "text"),
    [
        (timedelta(seconds=90), "PT90S"),
        (timedelta(microseconds=1_500_000), "PT1.5S"),
        (timedelta(days=3), "PT259200S"),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00.000000Z"),
        (None, None),
    ],
)
def test_a_time_and_a_span_of_time_are_told_apart(start: Any, text: Any) -> None:
    assert serde.unstructure(_Start(start)) == {"start": text}
    assert serde.structure({"start": text}, _Start) == _Start(start)


@pytest.mark.parametrize("wrong", ["PT", "P1D", "90", "PT-1S", "PT1.1234567S", 90])
def test_what_is_no_span_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidValue, match="start"):
        serde.structure({"start": wrong}, _Start)


def test_offsets_are_text() -> None:
    request = OrderRequest(
        symbol="BTC/USD", side="buy", quantity=1, trail="2%", limit_offset="-5", type="trailing_stop_limit"
    )
    data = serde.unstructure(request)
    assert (data["trail"], data["limit_offset"]) == ("2%", "-5")
    assert serde.structure(data, OrderRequest) == request
    with pytest.raises(InvalidValue, match="trail"):
        serde.structure({**data, "trail": 1.5}, OrderRequest)
