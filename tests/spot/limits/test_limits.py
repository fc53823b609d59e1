"""The venue's counters as published, per tier."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from exchange_core.connector.limits import Cost, DecayingCounter
from exchange_core.errors import ConfigError
from exchange_core.model.order import Order, OrderRequest
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.limits import (
    adding,
    amending,
    cancel_penalty,
    cancelling,
    cancelling_many,
    change,
    editing,
    limits,
    private,
    public,
    tier_told,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def counter(tier: str, pool: str) -> DecayingCounter:
    found = limits(KrakenSpotConfig(tier=tier)).limiters[pool]
    assert isinstance(found, DecayingCounter)
    return found


@pytest.mark.parametrize(
    ("tier", "private", "engine"),
    [
        ("starter", (15, 0.33), (60, 1)),
        ("intermediate", (20, 0.5), (125, 2.34)),
        ("pro", (20, 1), (180, 3.75)),
    ],
)
def test_tiers(tier: str, private: tuple[float, float], engine: tuple[float, float]) -> None:
    found = counter(tier, "private")
    assert (found.maximum, found.decay) == private
    found = counter(tier, "engine")
    assert (found.maximum, found.decay) == engine


def test_an_unknown_tier_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match=r"'gold'.*starter, intermediate, pro"):
        KrakenSpotConfig(tier="gold")


@pytest.mark.parametrize("option", ["history_cost", "stale_after"])
def test_a_cost_or_patience_is_above_zero(option: str) -> None:
    with pytest.raises(ConfigError, match=option):
        KrakenSpotConfig(**{option: 0})


def test_calls_pass_until_the_counter_is_full_and_again_as_it_drains() -> None:
    made = limits(KrakenSpotConfig(tier="starter"))
    for _ in range(12):
        assert made.delay(private(), 0.0) == 0
        made.spend(private(), 0.0)
    # Two points are kept, and two seconds' worth, by which the venue's counter may be behind.
    assert made.delay(private(), 0.0) == pytest.approx((12 + 1 - (15 - 2)) / 0.33 + 2.05)
    assert made.delay(private(urgent=True), 0.0) == 0, "two points are kept for what is urgent"


def test_the_published_example_of_a_short_life() -> None:
    """Add, amend after 7 s, cancel 36 s after that: 8 points."""
    costs = [
        *adding("XBTUSD"),
        *amending("XBTUSD", timedelta(seconds=7)),
        Cost("engine", cancel_penalty(timedelta(seconds=36)), key="XBTUSD"),
    ]
    assert [cost.amount for cost in costs] == [1, 3, 4]


def test_the_published_example_of_a_burst() -> None:
    """50 orders at once, and 10 s later, on the intermediate tier."""
    engine = counter("intermediate", "engine")
    for _ in range(50):
        engine.spend(adding("XBTUSD")[0], 0.0)
    assert engine.level("XBTUSD", 10.0) == pytest.approx(26.6)


@pytest.mark.parametrize(
    ("seconds", "amend", "edit"),
    [(4.9, 4, 7), (5, 3, 6), (10, 2, 5), (14.9, 2, 5), (15, 1, 3), (45, 1, 2), (90, 1, 1), (9999, 1, 1)],
)
def test_a_change_costs_by_age(seconds: float, amend: float, edit: float) -> None:
    age = timedelta(seconds=seconds)
    assert amending("XBTUSD", age) == (Cost("engine", amend, key="XBTUSD"),)
    assert editing("XBTUSD", age) == (Cost("engine", edit, key="XBTUSD"),)
    assert amending("XBTUSD", None)[0].amount == 4
    assert editing("XBTUSD", None)[0].amount == 7


def test_a_batch_of_cancels_goes_however_full_the_counter_is_and_fills_it() -> None:
    made = limits(KrakenSpotConfig(tier="starter"))
    batch = cancelling_many("XBTUSD", 50, timedelta(seconds=20))
    assert batch == (Cost("engine", 200, key="XBTUSD", urgent=True, overshoots=True),)
    made.pause(adding("XBTUSD"), 30, 0.0)
    assert made.delay(batch, 0.0) == 0
    made.hold(batch, 0.0)
    made.settle(batch, 0.0)
    assert made.delay(batch, 0.0) == 0
    assert made.delay(adding("XBTUSD"), 0.0) > 150


@pytest.mark.parametrize(
    ("maximum", "tier"),
    [(60, "starter"), (125, "intermediate"), (180, "pro"), (500, "pro"), (100, "starter"), (9, None)],
)
def test_the_venues_maximum_tells_the_tier(maximum: float, tier: str | None) -> None:
    assert tier_told(maximum) == tier


@pytest.mark.parametrize(("tier", "most"), [("starter", 60), ("intermediate", 80), ("pro", 225)])
def test_open_orders(tier: str, most: int) -> None:
    assert limits(KrakenSpotConfig(tier=tier)).open_orders == most


def test_only_public_calls_are_counted_by_address() -> None:
    assert limits(KrakenSpotConfig()).per_address == {"public"}


def test_changes_over_rest_count_on_the_private_counter_as_configured() -> None:
    """The page says that all calls but AddOrder and CancelOrder do; other clients count nothing."""
    assert change(KrakenSpotConfig()) == (Cost("private", 1),)
    assert change(KrakenSpotConfig(change_cost=0)) == ()
    with pytest.raises(ConfigError, match="change_cost"):
        KrakenSpotConfig(change_cost=-1)


@pytest.mark.parametrize(
    ("seconds", "points"),
    [(0, 8), (4.9, 8), (5, 6), (9.9, 6), (10, 5), (15, 4), (44, 4), (45, 2), (90, 1), (299, 1), (300, 0), (9999, 0)],
)
def test_a_cancel_costs_by_age(seconds: float, points: float) -> None:
    assert cancel_penalty(timedelta(seconds=seconds)) == points


def test_an_order_of_unknown_age_costs_the_most() -> None:
    order = Order(request=OrderRequest(symbol="BTC/USD", side="buy", quantity="1", price="1"))
    assert cancelling("XBTUSD", order, NOW) == (Cost("engine", 8, key="XBTUSD", urgent=True),)
    old = Order(request=order.request, venue_order_id="OA-B-C", created=NOW - timedelta(hours=1))
    assert cancelling("XBTUSD", old, NOW)[0].amount == 0
    assert cancelling("XBTUSD", old, None)[0].amount == 8


def test_an_order_is_as_old_as_its_last_amendment_and_not_older_than_its_answer() -> None:
    """The venue made it when our request arrived, which may be long after we began to send it."""
    request = OrderRequest(symbol="BTC/USD", side="buy", quantity="1", price="1")
    created = NOW - timedelta(seconds=60)
    amended = Order(request=request, venue_order_id="OA-B-C", created=created, touched=NOW - timedelta(seconds=4))
    assert cancelling("XBTUSD", amended, NOW)[0].amount == 8
    unanswered = Order(request=request, created=created)
    assert cancelling("XBTUSD", unanswered, NOW)[0].amount == 8


def test_pairs_count_apart_in_the_engine() -> None:
    made = limits(KrakenSpotConfig(tier="starter"))
    for _ in range(46):
        assert made.delay(adding("XBTUSD"), 0.0) == 0
        made.spend(adding("XBTUSD"), 0.0)
    assert made.delay(adding("XBTUSD"), 0.0) > 0
    assert made.delay(adding("ETHUSD"), 0.0) == 0
    assert made.delay((Cost("engine", 8, key="XBTUSD", urgent=True),), 0.0) == 0, "a cancel still passes"


def test_trades_and_candles_are_counted_by_pair() -> None:
    assert public("XBTUSD") == (Cost("public", 1, key="XBTUSD"),)
    assert public() == (Cost("public", 1),)


def test_a_pair_that_was_refused_holds_up_no_other_pair() -> None:
    """The matching engine counts per pair: EOrder:Rate limit exceeded says nothing of other pairs."""
    made = limits(KrakenSpotConfig(tier="starter"))
    made.pause(adding("XBTUSD"), 30, 0.0)
    assert made.delay(adding("XBTUSD"), 0.0) == 30
    assert made.delay(adding("ETHUSD"), 0.0) == 0
    assert made.delay(adding("XBTUSD"), 30.0) == 0


def test_a_refused_order_holds_up_no_cancel() -> None:
    """A cancel has no fixed cost, so an attempt that is refused makes nothing worse."""
    made = limits(KrakenSpotConfig(tier="starter"))
    order = Order(request=OrderRequest(symbol="BTC/USD", side="buy", quantity="1", price="1"), created=NOW)
    cancel = cancelling("XBTUSD", order, NOW)
    made.pause(adding("XBTUSD"), 30, 0.0)
    assert made.delay(cancel, 0.0) == 0
    made.pause(cancel, 20, 0.0)
    assert made.delay(cancel, 0.0) == 20
    assert made.delay(adding("XBTUSD"), 0.0) == 30, "the longer of two pauses counts"
    assert made.delay(cancelling("ETHUSD", order, NOW), 0.0) == 0


def test_the_end_of_a_pause_is_forgotten() -> None:
    counter = DecayingCounter(maximum=10, decay=1)
    for number in range(1000):
        counter.pause(Cost("engine", key=f"pair {number}"), 5, now=10.0 * number)
    assert len(counter._pauses._until) <= 2
