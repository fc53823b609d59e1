"""Which price is taken, over which path, and which is no price at all."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from exchange_core.model.book import BookHealth, BookSnapshot
from exchange_core.model.market import Level, Ticker
from exchange_core.model.symbol import Symbol
from exchange_core.portfolio import MarketPrice, PriceSource, PriceTable
from exchange_core.portfolio.prices import Routes

D = Decimal


def price(symbol: str, value: str, source: PriceSource = PriceSource.TICKER, venue: str = "") -> MarketPrice:
    return MarketPrice(symbol=Symbol.parse(symbol), price=D(value), source=source, venue=venue)


def ticker(symbol: str, **numbers: str) -> Ticker:
    return Ticker(symbol=Symbol.parse(symbol), **{name: D(number) for name, number in numbers.items()})


def book(
    bid: str | None, ask: str | None, health: BookHealth = BookHealth.LIVE, symbol: str = "BTC/USD"
) -> BookSnapshot:
    sides: Sequence[tuple[Level, ...]] = [() if each is None else (Level(D(each), D(1)),) for each in (bid, ask)]
    return BookSnapshot(symbol=Symbol.parse(symbol), bids=sides[0], asks=sides[1], health=health)


def test_a_live_book_is_worth_its_middle() -> None:
    found = MarketPrice.from_book(book("59999.9", "60000"), "kraken")
    assert found == price("BTC/USD", "59999.95", PriceSource.BOOK, "kraken")
    assert str(found) == "BTC/USD book at kraken"


@pytest.mark.parametrize(
    "unusable",
    [
        pytest.param(book("59999", "60000", BookHealth.DESYNCED), id="desynced"),
        pytest.param(book("59999", "60000", BookHealth.STALE), id="stale"),
        pytest.param(book(None, "60000"), id="nobody buys"),
        pytest.param(book("59999", None), id="nobody sells"),
        pytest.param(book("1", "900"), id="as wide as a barn door"),
        pytest.param(book("59999", "60000", symbol="BTC/USD:USD"), id="a contract is no asset"),
    ],
)
def test_other_books_are_worth_nothing(unusable: BookSnapshot) -> None:
    assert MarketPrice.from_book(unusable) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            ticker("BTC/USD", bid="10", ask="11", last="12"), price("BTC/USD", "10.5", PriceSource.TICKER), id="middle"
        ),
        pytest.param(ticker("BTC/USD", last="12"), price("BTC/USD", "12", PriceSource.LAST_TRADE), id="last trade"),
        pytest.param(
            ticker("BTC/USD", bid="1", ask="900", last="12"),
            price("BTC/USD", "12", PriceSource.LAST_TRADE),
            id="too wide, last trade",
        ),
        pytest.param(ticker("BTC/USD", bid="0", ask="0", last="0"), None, id="zeros mean that there is none"),
        pytest.param(ticker("BTC/USD"), None, id="silence"),
        pytest.param(
            ticker("BTC/USD:USD", bid="10", ask="11", mark_price="10.4", index_price="10.6"),
            price("BTC/USD", "10.6", PriceSource.INDEX),
            id="a contract's index",
        ),
        pytest.param(
            ticker("BTC/USD:USD", bid="10", ask="11", mark_price="10.4"), None, id="a mark is not a spot price"
        ),
    ],
)
def test_tickers(given: Ticker, expected: MarketPrice | None) -> None:
    assert MarketPrice.from_ticker(given) == expected


def test_the_better_source_wins_then_the_earlier_one() -> None:
    last = price("BTC/USD", "1", PriceSource.LAST_TRADE)
    middle, other = price("BTC/USD", "2", venue="a"), price("BTC/USD", "3", venue="b")
    for given, expected in (([last, middle, other], middle), ([other, middle], other), ([middle, last], middle)):
        rate = PriceTable(given).rate("BTC", "USD")
        assert rate is not None
        assert rate.path == (expected,)


def test_a_direct_market_is_taken_where_there_is_one() -> None:
    table = PriceTable([price("BTC/USDT", "7"), price("USDT/USD", "2"), price("BTC/USD", "60000")])
    rate = table.rate("BTC", "USD")
    assert rate is not None
    assert (rate.rate, [str(step.symbol) for step in rate.path]) == (D("60000"), ["BTC/USD"])


def test_a_cross_multiplies_and_names_its_path() -> None:
    """1 XYZ is 0.5 EUR and 1 EUR is 1.1 USD."""
    table = PriceTable([price("XYZ/EUR", "0.5", venue="a"), price("EUR/USD", "1.1", venue="b")])
    rate = table.rate("XYZ", "USD")
    assert rate is not None
    assert rate.rate == D("0.55")
    assert str(rate) == "XYZ/EUR ticker at a × EUR/USD ticker at b"


def test_a_market_can_be_gone_through_the_other_way() -> None:
    """USD in EUR over EUR/USD at 1.25 is 0.8; a third of a unit has 34 digits."""
    rate = PriceTable([price("EUR/USD", "1.25")]).rate("USD", "EUR")
    assert rate is not None
    assert rate.rate == D("0.8")
    third = PriceTable([price("EUR/USD", "3")]).rate("USD", "EUR")
    assert third is not None
    assert third.rate == D("0." + "3" * 34)


def test_the_market_that_is_quoted_our_way_is_preferred() -> None:
    table = PriceTable([price("USD/EUR", "0.9"), price("EUR/USD", "1.1")])
    for asset, other, expected in (("EUR", "USD", "1.1"), ("USD", "EUR", "0.9")):
        rate = table.rate(asset, other)
        assert rate is not None
        assert rate.rate == D(expected)


def test_an_asset_is_worth_itself() -> None:
    rate = PriceTable().rate("USD", "USD")
    assert rate is not None
    assert (rate.rate, rate.path, str(rate)) == (1, (), "itself")


@pytest.mark.parametrize(
    ("markets", "path"),
    [
        pytest.param(["X/EUR", "EUR/USD", "X/USDT", "USDT/USD"], "X/USDT USDT/USD", id="USDT before EUR"),
        pytest.param(["X/BTC", "BTC/USD", "X/EUR", "EUR/USD"], "X/EUR EUR/USD", id="EUR before BTC"),
        pytest.param(["X/B", "B/USD", "X/A", "A/USD"], "X/A A/USD", id="then the alphabet"),
        pytest.param(["X/A", "A/B", "B/USD"], "X/A A/B B/USD", id="three steps"),
        pytest.param(["X/A", "A/B", "B/C", "C/USD"], None, id="not four"),
        pytest.param(["X/Y", "EUR/USD"], None, id="no way"),
        pytest.param(["X/USD:USD"], None, id="a contract leads nowhere"),
    ],
)
def test_paths(markets: list[str], path: str | None) -> None:
    for given in (markets, markets[::-1]):
        found = Routes(map(Symbol.parse, given)).path("X", "USD")
        assert (None if found is None else " ".join(map(str, found))) == path
