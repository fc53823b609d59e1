"""What a plan is, worked out by hand."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.errors import (
    ConfigError,
    InsufficientFunds,
    InvalidValue,
    NotSupported,
    OrderRefused,
    PluginError,
    UnknownSymbol,
)
from exchange_core.model.book import BookHealth
from exchange_core.model.instrument import Instrument, InstrumentStatus
from exchange_core.model.order import OrderRequest, OrderType, TimeInForce
from exchange_core.routing import Plan, Rejection, Split, VenueQuote, collect, plan
from exchange_core.routing.policies import choose, single_venue

D = Decimal
QuoteMaker = Callable[..., VenueQuote]


def buy(quantity: str, price: str | None = None, **changes: Any) -> OrderRequest:
    return OrderRequest(symbol="BTC/USD", side="buy", quantity=quantity, price=price, **changes)


def sell(quantity: str, price: str | None = None, **changes: Any) -> OrderRequest:
    return OrderRequest(symbol="BTC/USD", side="sell", quantity=quantity, price=price, **changes)


def legs(result: Plan) -> dict[str, tuple[str, str]]:
    return {leg.venue: (f"{leg.quantity.normalize():f}", f"{leg.request.price:f}") for leg in result.legs}


def test_a_buy_is_split_where_that_is_cheaper_after_fees(quote: QuoteMaker, now: datetime) -> None:
    """A asks 60000 for 0.2 and then 60100, at 0.26 %; B asks 60010 and 60050 for 0.2 each, at 0.16 %.

    With fees that is A 60156 and 60256.26, B 60106.016 and 60146.08: B, B, then A's first level.
    """
    a = quote("a", asks=[("60000", "0.2"), ("60100", "1")], fee="0.0026")
    b = quote("b", asks=[("60010", "0.2"), ("60050", "0.2")], fee="0.0016")
    result = plan(buy("0.5"), [a, b], now=now)
    assert legs(result) == {"a": ("0.1", "60000"), "b": ("0.4", "60050")}
    assert result.notional == D("30012")  # 6000 + 12002 + 12010
    assert result.fees == D("54.0192")  # 15.6 + 38.4192
    assert result.total == D("30066.0192")
    assert result.all_in_price == D("60132.0384")
    assert result.average_price == D("60024")
    assert result.unfilled == 0
    assert result.best_alternative is not None
    assert (result.best_alternative.venue, result.best_alternative.total) == ("a", D("30108.078"))
    assert result.saving == D("42.0588")


def test_a_sell_goes_where_it_earns_most_after_fees(quote: QuoteMaker, now: datetime) -> None:
    """A bids 60020 at 0.26 %, which is 59863.948 in hand; B bids 60000 at 0.16 %, 59904."""
    a = quote("a", bids=[("60020", "1")], fee="0.0026")
    b = quote("b", bids=[("60000", "0.3"), ("59900", "1")], fee="0.0016")
    result = plan(sell("0.5"), [a, b], now=now)
    assert legs(result) == {"a": ("0.2", "60020"), "b": ("0.3", "60000")}
    assert result.notional == D("30004")
    assert result.fees == D("60.0104")  # 12004 × 0.0026 + 18000 × 0.0016
    assert result.total == D("29943.9896")
    assert result.saving == D("11.9576")  # B alone brings 17971.2 + 11960.832


def test_legs_take_at_once_and_never_without_a_limit(quote: QuoteMaker, now: datetime) -> None:
    deadline = now + timedelta(seconds=3)
    result = plan(buy("0.5", deadline=deadline), [quote("a", asks=[("60000", "1")])], now=now)
    leg = result.legs[0].request
    assert (leg.type, leg.time_in_force, leg.price) == (OrderType.LIMIT, TimeInForce.IOC, D("60000"))
    assert (leg.deadline, leg.client_order_id, leg.post_only) == (deadline, None, False)


def test_nothing_beyond_the_limit_is_planned(quote: QuoteMaker, now: datetime) -> None:
    """What a limit leaves over is reported, not sent."""
    a = quote("a", asks=[("60000", "0.2"), ("60100", "1")])
    b = quote("b", asks=[("60050.1", "1")])
    result = plan(buy("1", "60050"), [a, b], now=now)
    assert legs(result) == {"a": ("0.2", "60000")}
    assert result.unfilled == D("0.8")
    assert result.rejections == (Rejection(venue="b", reason="its best price 60050.1 is beyond the limit 60050"),)
    assert "0.8 cannot be filled now; it is not sent and nothing rests in a book" in result.explain()


def test_a_buy_never_needs_more_than_is_free(quote: QuoteMaker, now: datetime) -> None:
    """A venue holds the whole order at its limit plus the fee: 1 % of 10100 USD leaves 10000 for 1 lot of 100 × 100."""
    a = quote("a", asks=[("100", "40"), ("200", "100")], fee="0.01", free_quote=D("10100"))
    result = plan(buy("100"), [a], now=now)
    # At a limit of 200, 10100 / 202 is 50; at 100 only 40 are there.
    assert legs(result) == {"a": ("50", "200")}
    leg = result.legs[0]
    assert leg.request.price is not None
    assert leg.quantity * leg.request.price * D("1.01") == D("10100")


def test_a_deeper_level_that_cannot_be_held_is_left_alone(quote: QuoteMaker, now: datetime) -> None:
    """40 at 100 is affordable with 4500; a limit of 200 would hold 8000 for them."""
    a = quote("a", asks=[("100", "40"), ("200", "100")], free_quote=D("4500"))
    assert legs(plan(buy("100"), [a], now=now)) == {"a": ("40", "100")}


def test_a_sell_never_gives_more_than_is_free(quote: QuoteMaker, now: datetime) -> None:
    a = quote("a", bids=[("60000", "5")], free_base=D("0.12345"))
    result = plan(sell("1"), [a], now=now)
    assert legs(result) == {"a": ("0.1234", "60000")}
    assert result.unfilled == D("0.8766")


def test_a_leg_below_the_minimum_goes_to_the_others(quote: QuoteMaker, now: datetime) -> None:
    """A has a little at 100, less than its minimum, and the rest at 900: B alone is cheaper."""
    a = quote("a", asks=[("100", "0.0005"), ("900", "1")])
    b = quote("b", asks=[("101", "1")])
    result = plan(buy("0.1"), [a, b], now=now)
    assert legs(result) == {"b": ("0.1", "101")}
    assert result.notes == ("a: a leg of 0.0005 would be below its minimum of 0.001; its quantity went to the others",)


def test_a_leg_below_the_minimum_is_raised_where_that_is_cheaper(
    quote: QuoteMaker, make_instrument: Callable[..., Instrument], now: datetime
) -> None:
    """B is the cheaper one and has all but 0.0005. A takes 0.5 USD or more, so B gives up what A must have."""
    a = quote("a", asks=[("101", "1")])
    b = quote("b", asks=[("100", "0.0995")])
    result = plan(buy("0.1"), [a, b], now=now)
    assert legs(result) == {"a": ("0.005", "101"), "b": ("0.095", "100")}  # 0.505 USD; 0.0049 would be 0.4949
    assert result.notes == ("a: a leg of 0.0005 would be below its minimum of 0.005; it was raised",)
    costly = quote("a", asks=[("101", "1")], instrument=make_instrument(min_cost=D("5")))
    result = plan(buy("0.1"), [costly, b], now=now)
    assert legs(result) == {"a": ("0.0496", "101"), "b": ("0.0504", "100")}  # 0.0496 × 101 is 5.0096


def test_lots_of_different_sizes_fill_up(
    quote: QuoteMaker, make_instrument: Callable[..., Instrument], now: datetime
) -> None:
    """The cheap 3.5 are taken back to 3 so that whole lots of 1 make up the 10."""
    fine = quote("fine", asks=[("100", "3.5")])
    coarse = make_instrument(lot_size=D(1), min_quantity=D(1))
    result = plan(buy("10"), [fine, quote("coarse", asks=[("101", "20")], instrument=coarse)], now=now)
    assert legs(result) == {"fine": ("3", "100"), "coarse": ("7", "101")}


def test_equal_offers_go_to_the_one_named_first(quote: QuoteMaker, now: datetime) -> None:
    same = [("100", "5"), ("101", "5")]
    for names in (["a", "b"], ["b", "a"]):
        result = plan(buy("3"), [quote(name, asks=same) for name in names], now=now)
        assert list(legs(result)) == names[:1]


def test_a_rebate_is_part_of_the_price(quote: QuoteMaker, now: datetime) -> None:
    """100.1 with 0.2 % back costs 99.8998."""
    a, b = quote("a", asks=[("100", "9")]), quote("b", asks=[("100.1", "9")], fee="-0.002")
    result = plan(buy("1"), [a, b], now=now)
    assert legs(result) == {"b": ("1", "100.1")}
    assert result.fees == D("-0.2002")
    assert result.total == D("99.8998")


def test_linear_contracts_count_their_size_and_need_no_free_balance(
    quote: QuoteMaker, make_instrument: Callable[..., Instrument], now: datetime
) -> None:
    contract = make_instrument("BTC/USD:USD", contract_size=D("0.01"), lot_size=D(1), min_quantity=D(1), min_cost=None)
    offer = quote("a", asks=[("60000", "9")], fee="0.0005", instrument=contract, free_base=None, free_quote=None)
    result = plan(OrderRequest(symbol="BTC/USD:USD", side="buy", quantity=5), [offer], now=now)
    assert (result.notional, result.fees, result.cost_asset) == (D("3000"), D("1.5"), "USD")
    assert result.average_price == D("60000")


@pytest.mark.parametrize(
    ("side", "first", "notional", "total", "price"),
    [
        # 1000 contracts of 1 USD at 50000 are 0.02 BTC. A buy wants many BTC for them, a sell few.
        pytest.param("buy", "a", "0.02", "0.01998", "50050.05", id="buy low: 50000 at 0.1 %"),
        pytest.param("sell", "b", "0.0198019802", "0.0198019802", "50500", id="sell high: 50500 without a fee"),
    ],
)
def test_inverse_contracts_count_in_the_base_asset(
    quote: QuoteMaker,
    make_instrument: Callable[..., Instrument],
    now: datetime,
    side: str,
    first: str,
    notional: str,
    total: str,
    price: str,
) -> None:
    contract = make_instrument("BTC/USD:BTC", lot_size=D(1), min_quantity=D(1), min_cost=None, tick_size=D("0.5"))
    quotes = [
        quote("a", asks=[("50000", "5000")], bids=[("49990", "5000")], fee="0.001", instrument=contract),
        quote("b", asks=[("50600", "5000")], bids=[("50500", "5000")], instrument=contract),
    ]
    result = plan(OrderRequest(symbol="BTC/USD:BTC", side=side, quantity=1000), quotes, now=now)
    assert [leg.venue for leg in result.legs] == [first]
    assert result.cost_asset == "BTC"
    assert round(result.notional, 10) == D(notional)
    assert round(result.total, 10) == D(total)
    assert round(result.all_in_price, 2) == D(price)
    assert result.saving == 0


def test_the_explanation_says_what_and_why(quote: QuoteMaker, now: datetime) -> None:
    a = quote("a", asks=[("60000", "0.2"), ("60100", "1")], fee="0.0026")
    b = quote("b", asks=[("60010", "0.2"), ("60050", "0.2")], fee="0.0016")
    dead = quote("c", asks=[("1", "1")], health=BookHealth.DESYNCED)
    assert plan(buy("0.5", "60100"), [a, b, dead], now=now).explain() == (
        "buy 0.5 BTC/USD at 60100 or better, split by best_price",
        "a: 0.1, limit 60000, for 6000 USD and a fee of 15.6 (0.26 %)",
        "b: 0.4, limit 60050, for 24012 USD and a fee of 38.4192 (0.16 %)",
        "all legs: 0.5 for 30012 and 54.0192 fees; spends 30066.0192 USD, 60132.0384 a unit",
        "a alone: 0.5 for 30108.078 USD, 60216.156 a unit",
        "b alone: 0.4 for 24050.4192 USD, 60126.048 a unit",
        "saves 42.0588 USD over the best single venue",
        "c is not used: its book is desynced, not live",
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"health": BookHealth.SYNCING}, "its book is syncing, not live", id="syncing"),
        pytest.param({"health": BookHealth.STALE}, "its book is stale, not live", id="stale"),
        pytest.param({"age": 6}, "its quote is 6 s old; 5 s are allowed", id="old"),
        pytest.param({"fee": None}, "its taker fee is not known; set taker_fee in its configuration", id="no fee"),
        pytest.param({"asks": []}, "nobody sells there", id="empty side"),
        pytest.param({"free_quote": None}, "its free balance of USD is not known", id="unknown funds"),
        pytest.param({"bids": [("101", "1")]}, "its book is crossed: bid 101, ask 100", id="crossed"),
        pytest.param(
            {"asks": [("100", "0.0001")]},
            "only 0.0001 can be had at this price, less than its minimum of 0.005",
            id="too little for the minimum cost",
        ),
        pytest.param(
            {"free_quote": D("0.3"), "fee": "0.01"},
            "0.3 USD are free; its smallest order of 0.005 needs 0.505 USD",
            id="too poor",
        ),
    ],
)
def test_a_venue_that_cannot_be_used_is_named_with_the_reason(
    quote: QuoteMaker, now: datetime, changes: dict[str, Any], reason: str
) -> None:
    age = changes.pop("age", 0)
    bad = quote("bad", **({"asks": [("100", "1")]} | changes))
    bad = attrs.evolve(bad, taken=now - timedelta(seconds=age))
    good = quote("good", asks=[("200", "1")])
    assert plan(buy("0.5"), [bad, good], now=now).rejections == (Rejection(venue="bad", reason=reason),)
    with pytest.raises(OrderRefused, match="no venue can buy it now: bad: "):
        plan(buy("0.5"), [bad], now=now)


@pytest.mark.parametrize("status", [InstrumentStatus.POST_ONLY, InstrumentStatus.CANCEL_ONLY, InstrumentStatus.OFFLINE])
def test_a_venue_that_takes_no_such_order_is_not_used(
    quote: QuoteMaker, make_instrument: Callable[..., Instrument], now: datetime, status: InstrumentStatus
) -> None:
    closed = quote("a", asks=[("100", "1")], instrument=make_instrument(status=status))
    with pytest.raises(OrderRefused, match=f"a: the venue says {status}"):
        plan(buy("0.5"), [closed], now=now)


def test_only_a_want_of_money_is_insufficient_funds(quote: QuoteMaker, now: datetime) -> None:
    poor = quote("poor", asks=[("100", "1")], free_quote=D(0))
    with pytest.raises(InsufficientFunds):
        plan(buy("0.5"), [poor], now=now)
    with pytest.raises(OrderRefused) as refused:
        plan(buy("0.5"), [poor, quote("empty")], now=now)
    assert not isinstance(refused.value, InsufficientFunds)


def test_spot_and_perpetual_are_never_mixed(
    quote: QuoteMaker, make_instrument: Callable[..., Instrument], now: datetime
) -> None:
    perpetual = quote("b", asks=[("1", "9")], instrument=make_instrument("BTC/USD:USD"))
    result = plan(buy("0.5"), [quote("a", asks=[("100", "1")]), perpetual], now=now)
    assert list(legs(result)) == ["a"]
    assert result.rejections == (Rejection(venue="b", reason="the quote is for BTC/USD:USD"),)


def test_contracts_of_different_sizes_are_never_mixed(
    quote: QuoteMaker, make_instrument: Callable[..., Instrument], now: datetime
) -> None:
    quotes = [
        quote(name, asks=[("100", "1")], instrument=make_instrument("BTC/USD:USD", contract_size=D(size)))
        for name, size in (("a", "1"), ("b", "0.001"))
    ]
    with pytest.raises(OrderRefused, match=r"contracts of different sizes cannot be one order: a 1, b 0\.001"):
        plan(OrderRequest(symbol="BTC/USD:USD", side="buy", quantity="0.5"), quotes, now=now)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        pytest.param({"post_only": True, "price": "100"}, "post_only", id="post-only"),
        pytest.param({"time_in_force": "fok", "price": "100"}, "time in force fok", id="all or nothing"),
        pytest.param({"reduce_only": True}, "reduce_only", id="reduce-only"),
        pytest.param({"client_order_id": "mine"}, "client_order_id", id="an id for several orders"),
    ],
)
def test_what_cannot_be_promised_is_refused(
    quote: QuoteMaker, now: datetime, changes: dict[str, Any], what: str
) -> None:
    with pytest.raises(NotSupported, match=what):
        plan(buy("0.5", **changes), [quote("a", asks=[("100", "1")])], now=now)


def test_refusals_name_what_is_wrong(quote: QuoteMaker, now: datetime) -> None:
    a = quote("a", asks=[("100", "1")])
    with pytest.raises(UnknownSymbol, match="no venue trades BTC/USD"):
        plan(buy("1"), [], now=now)
    with pytest.raises(InvalidValue, match="a venue is named twice among a, a"):
        plan(buy("1"), [a, a], now=now)
    with pytest.raises(OrderRefused, match=r"0\.0001 is below every minimum: a takes 0\.005 or more"):
        plan(buy("0.0001"), [a], now=now)
    failed = [Rejection(venue="b", reason="no connection")]
    with pytest.raises(OrderRefused, match="no venue can buy it now: b: no connection"):
        plan(buy("1"), [], now=now, rejections=failed)


def test_a_price_off_the_tick_is_counted_at_the_next_one(quote: QuoteMaker, now: datetime) -> None:
    """A leg's limit must be a price that the venue takes."""
    a = quote("a", asks=[("100.05", "1"), ("100.1", "1")])
    assert legs(plan(buy("1.5"), [a], now=now)) == {"a": ("1.5", "100.1")}


def test_the_other_policy_stays_on_one_venue(quote: QuoteMaker, now: datetime) -> None:
    a = quote("a", asks=[("100", "1"), ("103", "9")])
    b = quote("b", asks=[("101", "1"), ("102", "9")])
    result = plan(buy("2"), [a, b], now=now, policy=single_venue, policy_name="single_venue")
    assert legs(result) == {"a": ("2", "103")}  # 203, as at b, and named first


@pytest.mark.parametrize(
    "quantities",
    [
        pytest.param({"nowhere": "0.5"}, id="unknown venue"),
        pytest.param({"a": "0.50001"}, id="not in lots"),
        pytest.param({"a": "-0.5"}, id="below zero"),
        pytest.param({"a": "2"}, id="more than there is"),
        pytest.param({"a": "0.0001"}, id="below the minimum"),
        pytest.param({"a": "0.9", "b": "0.9"}, id="more than was asked for"),
    ],
)
def test_a_policy_that_is_wrong_is_not_followed(quote: QuoteMaker, now: datetime, quantities: dict[str, str]) -> None:
    quotes = [quote(name, asks=[("100", "1")]) for name in ("a", "b")]
    split = Split(quantities={venue: D(quantity) for venue, quantity in quantities.items()})
    with pytest.raises(PluginError, match="routing policy mine: "):
        plan(buy("1"), quotes, now=now, policy=lambda request, offers: split, policy_name="mine")


def test_policies_have_one_name_each() -> None:
    policies = collect([[("mine", single_venue)]])
    assert sorted(policies) == ["best_price", "mine", "single_venue"]
    with pytest.raises(PluginError, match="two routing policies are called 'best_price'"):
        collect([[("best_price", single_venue)]])
    with pytest.raises(ConfigError, match="no routing policy 'fast'; there are best_price, mine, single_venue"):
        choose("fast", policies)
