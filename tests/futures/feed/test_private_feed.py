"""The private connection: a challenge each time, and news of orders, fills, positions and balances."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.connector.naming import UNLISTED, AssetMap, SymbolMap
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ConfigError, NotSupported
from exchange_core.model.account import Balance
from exchange_core.model.event import (
    BalancesUpdate,
    Channel,
    Event,
    Ignored,
    PositionsUpdate,
    SequenceGap,
    Subscribed,
    Subscription,
    SubscriptionRefused,
    SubscriptionUnanswered,
    Unrecognised,
)
from exchange_core.model.fill import Fee, Fill, Liquidity
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_futures.config import FuturesConfig
from kraken_futures.feed.connections import FuturesFeed, private_feed

PF, PI = Symbol.parse("BTC/USD:USD"), Symbol.parse("BTC/USD:BTC")
ORDERS, FILLS = Subscription(Channel.ORDERS), Subscription(Channel.FILLS)
BALANCES, POSITIONS = Subscription(Channel.BALANCES), Subscription(Channel.POSITIONS)

CHALLENGE = "c100b894-1729-464d-ace1-52dbce11db42"
SIGNED = "4JEpF3ix66GA2B+ooK128Ift4XQVtc137N9yeg4Kqsn9PI0Kpzbysl9M1IeCEdjg0zl00wkVqcsnG4bmnlMb3A=="
ASK_CHALLENGE = {"event": "challenge", "api_key": "the-key"}


def sent(feed: FuturesFeed) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in feed.outbox()]


def say(connection: FuturesFeed, now: float = 0.0, /, **frame: Any) -> list[Event]:
    return list(connection.receive(json.dumps(frame), now))


def ack(feed: FuturesFeed, name: str, **more: Any) -> list[Event]:
    echoed = {"api_key": "the-key", "original_challenge": CHALLENGE, "signed_challenge": SIGNED}
    return say(feed, event="subscribed", feed=name, **echoed, **more)


def signed_request(name: str, event: str = "subscribe", challenge: str = CHALLENGE) -> dict[str, Any]:
    request = {"event": event, "feed": name, "api_key": "the-key", "original_challenge": challenge}
    return request | ({"signed_challenge": SIGNED} if challenge == CHALLENGE else {})


def without_signature(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in frame.items() if name != "signed_challenge"} for frame in requests]


@pytest.fixture
def feed(private: FuturesFeed) -> FuturesFeed:
    """Connected, challenged, and subscribed to everything."""
    private.subscribe([ORDERS, FILLS, BALANCES, POSITIONS], 0.0)
    private.opened(0.0)
    say(private, event="challenge", message=CHALLENGE)
    for name in ("open_orders_verbose", "fills", "balances", "open_positions", "heartbeat"):
        ack(private, name)
    private.outbox()
    return private


def test_a_challenge_comes_first_and_signs_each_subscription_in_turn(private: FuturesFeed) -> None:
    private.subscribe([ORDERS, FILLS], 0.0)
    private.opened(0.0)
    assert sent(private) == [ASK_CHALLENGE]
    assert say(private, event="info", version=1) == [Ignored(kind="info")]
    assert not private.outbox()
    say(private, event="challenge", message=CHALLENGE)
    assert sent(private) == [signed_request("open_orders_verbose")]
    assert ack(private, "open_orders_verbose") == [Subscribed(subscription=ORDERS)]
    assert sent(private) == [signed_request("fills")]
    assert ack(private, "fills", product_ids=["FI_XBTUSD_200925"]) == [Subscribed(subscription=FILLS)]
    assert sent(private) == [{"event": "subscribe", "feed": "heartbeat"}]
    assert private.is_active(FILLS)


def test_each_connection_gets_its_own_challenge(feed: FuturesFeed) -> None:
    """A challenge belongs to its connection: signed ones of an old connection are refused."""
    feed.closed(1.0)
    assert not feed.is_active(ORDERS)
    feed.opened(2.0)
    assert sent(feed) == [ASK_CHALLENGE]
    say(feed, event="challenge", message="another")
    assert without_signature(sent(feed)) == [signed_request("open_orders_verbose", challenge="another")]


def test_what_is_wanted_later_uses_the_same_challenge(private: FuturesFeed) -> None:
    private.subscribe([ORDERS], 0.0)
    private.opened(0.0)
    private.subscribe([FILLS], 0.0)
    assert sent(private) == [ASK_CHALLENGE]
    say(private, event="challenge", message=CHALLENGE)
    ack(private, "open_orders_verbose")
    ack(private, "fills")
    ack(private, "heartbeat")
    private.outbox()
    private.subscribe([BALANCES], 5.0)
    assert sent(private) == [signed_request("balances")]


def test_with_nothing_wanted_there_is_no_challenge(private: FuturesFeed) -> None:
    private.opened(0.0)
    assert sent(private) == [{"event": "subscribe", "feed": "heartbeat"}]
    private.subscribe([FILLS], 1.0)
    ack(private, "heartbeat")
    assert sent(private) == [ASK_CHALLENGE]


def test_ending_is_signed_too(feed: FuturesFeed) -> None:
    feed.unsubscribe([BALANCES], 1.0)
    assert sent(feed) == [signed_request("balances", event="unsubscribe")]


def test_a_stale_challenge_is_replaced_once(private: FuturesFeed) -> None:
    """How long a challenge lasts is not documented."""
    private.subscribe([FILLS], 0.0)
    private.opened(0.0)
    say(private, event="challenge", message="stale")
    private.outbox()
    events = say(private, event="alert", message="Failed to subscribe to authenticated feed")
    assert [type(event) for event in events] == [Ignored]
    assert sent(private) == [ASK_CHALLENGE]
    say(private, event="challenge", message=CHALLENGE)
    assert sent(private) == [signed_request("fills")]
    (refused,) = say(private, event="alert", message="Failed to subscribe to authenticated feed")
    assert isinstance(refused, SubscriptionRefused)
    assert refused.subscription == FILLS
    assert "authenticated" in refused.reason
    assert list(private.subscriptions()) == []


def test_a_challenge_that_became_stale_in_silence_is_replaced_too(private: FuturesFeed) -> None:
    """A try that got no answer is none that was refused."""
    private.subscribe([FILLS], 0.0)
    private.opened(0.0)
    say(private, event="challenge", message=CHALLENGE)
    private.outbox()
    private.tick(11.0)
    private.outbox()
    ack(private, "heartbeat")
    assert sent(private) == [signed_request("fills")]
    events = say(private, 12.0, event="alert", message="Failed to subscribe to authenticated feed")
    assert [type(event) for event in events] == [Ignored]
    assert sent(private) == [ASK_CHALLENGE]
    assert list(private.subscriptions()) == [FILLS]


def test_a_refused_challenge_refuses_everything_private(private: FuturesFeed) -> None:
    private.subscribe([ORDERS, FILLS], 0.0)
    private.opened(0.0)
    private.outbox()
    events = say(private, event="error", message="Invalid api key")
    assert [event.subscription for event in events if isinstance(event, SubscriptionRefused)] == [ORDERS, FILLS]
    assert not private.outbox()


def test_a_request_that_could_not_be_read_is_sent_again(private: FuturesFeed) -> None:
    """It was damaged on its way, and is no reason to give up the account; not for ever, though."""
    private.subscribe([ORDERS, FILLS], 0.0)
    private.opened(0.0)
    for _ in range(2):
        assert sent(private) == [ASK_CHALLENGE]
        assert [type(event) for event in say(private, event="error", message="Json Error")] == [Ignored]
    assert sent(private) == [ASK_CHALLENGE]
    events = say(private, event="error", message="Json Error")
    assert [event.subscription for event in events if isinstance(event, SubscriptionRefused)] == [ORDERS, FILLS]
    assert not private.outbox()


def ticked(feed: FuturesFeed) -> tuple[list[dict[str, Any]], list[Event]]:
    """Let nothing come for a minute; return what was asked, and what was told."""
    frames, events = sent(feed), []
    for second in range(1, 60):
        events += feed.tick(float(second))
        frames += sent(feed)
    return frames, events


def test_without_an_answer_to_its_challenge_a_connection_is_of_no_use(private: FuturesFeed) -> None:
    """Silence is no refusal: what is wanted stays wanted, for the next connection."""
    private.subscribe([ORDERS], 0.0)
    private.opened(0.0)
    frames, events = ticked(private)
    assert (frames, events) == ([ASK_CHALLENGE] * 3, [])
    assert private.is_dead(59.0) == "challenge: no answer within 10 s, three times"
    private.closed(60.0)
    private.opened(61.0)
    assert private.is_dead(61.0) is None
    assert sent(private) == [ASK_CHALLENGE]


@pytest.mark.parametrize(
    ("wanted", "name"),
    [(ORDERS, "open_orders_verbose"), (attrs.evolve(ORDERS, variant="open_orders"), "open_orders"), (FILLS, "fills")],
)
def test_a_connection_that_is_silent_about_own_orders_or_fills_is_of_no_use(
    private: FuturesFeed, wanted: Subscription, name: str
) -> None:
    private.subscribe([wanted], 0.0)
    private.opened(0.0)
    private.outbox()
    say(private, event="challenge", message=CHALLENGE)
    frames, events = ticked(private)
    assert [frame for frame in frames if frame["feed"] == name] == [signed_request(name)] * 3
    assert events == []
    assert private.is_dead(59.0) == f"{name}: no answer within 10 s, three times"
    assert list(private.subscriptions()) == [wanted]


def test_silence_about_another_feed_of_the_account_costs_no_more_than_that(private: FuturesFeed) -> None:
    """Orders are told of, so that the connection stays; what is not answered stays wanted and is asked for beside."""
    private.subscribe([ORDERS, BALANCES], 0.0)
    private.opened(0.0)
    say(private, event="challenge", message=CHALLENGE)
    ack(private, "open_orders_verbose")
    frames, events = ticked(private)
    asked = [frame for frame in frames if frame.get("feed") == "balances"]
    assert len(asked) == 3
    assert [event.subscription for event in events if isinstance(event, SubscriptionUnanswered)] == [BALANCES]
    assert not [event for event in events if isinstance(event, SubscriptionRefused)]
    reason = private.is_dead(59.0)
    assert reason is None or "balances" not in reason
    assert list(private.subscriptions()) == [ORDERS, BALANCES]
    assert ack(private, "balances") == [Subscribed(subscription=BALANCES)]


def test_a_challenge_that_nobody_asked_for_is_not_signed(feed: FuturesFeed) -> None:
    assert say(feed, event="challenge", message="sign this") == [Ignored(kind="challenge")]
    assert not feed.outbox()


def test_it_needs_credentials_and_private_channels(context: VenueContext, private: FuturesFeed) -> None:
    bare = private_feed(VenueContext(venue="f", config=FuturesConfig(), symbols=SymbolMap("f"), assets=AssetMap("f")))
    bare.opened(0.0)
    with pytest.raises(ConfigError, match="api_key"):
        bare.subscribe([FILLS], 0.0)
    with pytest.raises(NotSupported):
        private.subscribe([Subscription(Channel.BOOK, PF)], 0.0)


def test_echoed_signatures_are_in_no_event(feed: FuturesFeed) -> None:
    events = ack(feed, "fills")
    assert SIGNED not in repr(events)
    assert "the-key" not in repr(events)


# Fills.

FILL = {
    "instrument": "PF_XBTUSD",
    "time": 1767614400003,
    "price": 73110.0,
    "seq": 36,
    "buy": True,
    "qty": 0.001,
    "remaining_order_qty": 0.0,
    "order_id": "o-1",
    "cli_ord_id": "c-1",
    "fill_id": "f-1",
    "fill_type": "taker",
    "fee_paid": 0.001581,
    "fee_currency": "USD",
}


def fills(feed: FuturesFeed, *rows: dict[str, Any], name: str = "fills") -> list[Event]:
    return say(feed, feed=name, username="u", fills=list(rows))


def test_a_fill_has_its_fee(feed: FuturesFeed) -> None:
    assert fills(feed, FILL) == [
        Fill(
            id="f-1",
            symbol=PF,
            side=Side.BUY,
            price=Decimal("73110.0"),
            quantity=Decimal("0.001"),
            time=datetime(2026, 1, 5, 12, 0, 0, 3000, tzinfo=UTC),
            venue="futures",
            venue_order_id="o-1",
            client_order_id="c-1",
            fee=Fee(asset="USD", amount=Decimal("0.001581")),
            liquidity=Liquidity.TAKER,
        )
    ]


def test_a_rebate_is_a_negative_fee_in_the_asset_it_is_paid_in(feed: FuturesFeed) -> None:
    (fill,) = fills(feed, {**FILL, "fee_paid": -0.00009142857, "fee_currency": "XBT", "fill_type": "maker"})
    assert isinstance(fill, Fill)
    assert fill.fee == Fee(asset="BTC", amount=Decimal("-0.00009142857"))
    assert fill.liquidity is Liquidity.MAKER


@pytest.mark.parametrize(
    ("fill_type", "kind"),
    [
        ("maker", ""),
        ("takerAfterEdit", ""),
        ("liquidation", "liquidation"),
        ("assignee", "assignee"),
        pytest.param("of tomorrow", "of tomorrow", id="a word of tomorrow"),
    ],
)
def test_what_no_order_of_ours_wished_for_says_so(feed: FuturesFeed, fill_type: str, kind: str) -> None:
    (fill,) = fills(feed, {**FILL, "fill_type": fill_type})
    assert isinstance(fill, Fill)
    assert fill.kind == kind
    assert (fill.liquidity is None) == bool(kind)


@pytest.mark.parametrize("missing", ["fee_paid", "fee_currency"])
def test_a_fee_that_is_not_told_is_not_zero(feed: FuturesFeed, missing: str) -> None:
    (fill,) = fills(feed, {name: value for name, value in FILL.items() if name != missing})
    assert isinstance(fill, Fill)
    assert fill.fee is None


def test_a_fill_is_told_once_across_snapshots_and_connections(feed: FuturesFeed) -> None:
    second = {**FILL, "fill_id": "f-2"}
    assert len(fills(feed, FILL, FILL)) == 1
    assert fills(feed, FILL) == [Ignored(kind="no new fills")]
    feed.closed(1.0)
    feed.opened(2.0)
    (fill,) = fills(feed, second, FILL, name="fills_snapshot")
    assert isinstance(fill, Fill)
    assert fill.id == "f-2"


ASK_FILLS = [signed_request("fills", "unsubscribe"), signed_request("fills")]


def numbered(number: int) -> dict[str, Any]:
    return {**FILL, "seq": number, "fill_id": f"f-{number}"}


def fill_ids(events: list[Event]) -> list[str]:
    return [event.id for event in events if isinstance(event, Fill)]


def test_a_hole_in_the_numbers_of_fills_is_filled_from_the_list(feed: FuturesFeed) -> None:
    fills(feed, numbered(36))
    assert fill_ids(fills(feed, numbered(39))) == ["f-39"]
    feed.tick(1.0)
    assert sent(feed) == ASK_FILLS
    events = fills(feed, *map(numbered, (36, 37, 38, 39)), name="fills_snapshot")
    assert [type(event) for event in events] == [Fill, Fill]
    assert fill_ids(events) == ["f-37", "f-38"]
    assert feed.stats.gaps == 0


def test_what_the_list_is_too_short_for_is_asked_for_elsewhere(feed: FuturesFeed) -> None:
    fills(feed, numbered(36))
    fills(feed, numbered(39))
    events = fills(feed, numbered(38), numbered(39), name="fills_snapshot")
    gap = next(event for event in events if isinstance(event, SequenceGap))
    assert gap.channel is Channel.FILLS
    assert fill_ids(events) == ["f-38"]
    assert feed.stats.gaps == 1


def test_holes_in_the_venues_own_list_prove_that_they_mean_nothing(feed: FuturesFeed) -> None:
    """The documentation's own snapshot goes from 36 to 39."""
    fills(feed, numbered(36), numbered(39), name="fills_snapshot")
    assert fill_ids(fills(feed, numbered(99))) == ["f-99"]
    feed.tick(1.0)
    assert not feed.outbox()
    assert feed.stats.gaps == 0


def test_where_no_list_can_be_had_a_hole_is_told_at_once(context: VenueContext) -> None:
    """A feed that nobody subscribed to, as in replays."""
    bare = private_feed(context)
    bare.opened(0.0)
    fills(bare, numbered(36))
    gap, fill = fills(bare, numbered(39))
    assert isinstance(gap, SequenceGap)
    assert isinstance(fill, Fill)
    assert bare.stats.gaps == 1


def test_a_fill_of_an_unknown_product_is_reported_beside_the_others(feed: FuturesFeed) -> None:
    stranger = {**FILL, "fill_id": "f-2", "instrument": "PV_XRPXBT"}
    unknown, known = fills(feed, stranger, FILL)
    assert isinstance(unknown, Unrecognised)
    assert unknown.kind == UNLISTED
    assert "f-2" in unknown.detail
    assert isinstance(known, Fill)


# Positions.

POSITION = {
    "instrument": "PF_XBTUSD",
    "balance": 0.04,
    "pnl": 119.56244985549435,
    "entry_price": 26911.75,
    "mark_price": 29900.81124638736,
    "liquidation_threshold": 9572.804662403718,
}


def positions(feed: FuturesFeed, *rows: dict[str, Any]) -> PositionsUpdate:
    (event,) = say(feed, feed="open_positions", account="a", positions=list(rows), seq=4, timestamp=1)
    assert isinstance(event, PositionsUpdate)
    return event


def test_positions_are_the_whole_list_with_the_profit_worked_out(feed: FuturesFeed) -> None:
    inverse = {
        **POSITION,
        "instrument": "PI_XBTUSD",
        "balance": -10000.0,
        "entry_price": 50000.0,
        "mark_price": 55000.0,
    }
    found = positions(feed, POSITION, {**inverse, "liquidation_threshold": 0.0})
    assert found.complete
    linear, inverse_position = found.positions
    assert linear.unrealised is not None
    assert abs(linear.unrealised - Decimal("119.56244985549435")) < Decimal("1e-12")
    assert linear.liquidation_price == Decimal("9572.804662403718")
    assert inverse_position.symbol == PI
    assert inverse_position.quantity == -10000
    assert str(inverse_position.unrealised).startswith("-0.018181818")
    assert inverse_position.liquidation_price is None


def test_no_positions_is_flat(feed: FuturesFeed) -> None:
    assert positions(feed) == PositionsUpdate(positions=(), complete=True)
    assert positions(feed, {**POSITION, "balance": 0.0}) == PositionsUpdate(positions=(), complete=True)


def test_a_position_in_an_unknown_product_is_reported(feed: FuturesFeed) -> None:
    frame = {"feed": "open_positions", "positions": [{**POSITION, "instrument": "PV_X"}, POSITION]}
    known, unknown = say(feed, **frame)
    assert isinstance(known, PositionsUpdate)
    assert len(known.positions) == 1
    assert isinstance(unknown, Unrecognised)


# Balances.


def balance(asset: str, total: str, held: str | None, wallet: str) -> Balance:
    held_amount = None if held is None else Decimal(held)
    return Balance(asset=asset, total=Decimal(total), held=held_amount, wallet=wallet, venue="futures")


MARGIN = {"name": "F-XBT:USD", "pair": "XBT/USD", "unit": "XBT", "balance": 0.12, "available": 0.1, "pnl": 0.0}
FLEX = {"currencies": {"USD": {"quantity": 5000.0, "value": 5000.0, "available": 4800.5}}, "balance_value": 5000.0}


def test_the_first_message_has_every_wallet(feed: FuturesFeed) -> None:
    frame = {"account": "a", "seq": 0, "holding": {"XBT": 0.5}, "futures": {"F-XBT:USD": MARGIN}, "flex_futures": FLEX}
    assert say(feed, feed="balances_snapshot", **frame) == [
        BalancesUpdate(
            balances=(
                balance("BTC", "0.5", "0", "cash"),
                balance("BTC", "0.12", "0.02", "fi_xbtusd"),
                balance("USD", "5000.0", "199.5", "flex"),
            ),
            complete=True,
        )
    ]


def test_a_change_has_the_changed_sections_only(feed: FuturesFeed) -> None:
    say(feed, feed="balances_snapshot", account="a", seq=0, holding={}, futures={}, flex_futures=FLEX)
    assert say(feed, feed="balances", account="a", seq=1, holding={"USD": 7.0}, futures={}) == [
        BalancesUpdate(balances=(balance("USD", "7.0", "0", "cash"),), complete=False)
    ]
    assert say(feed, feed="balances", account="a", seq=2, holding={}, futures={}) == [
        BalancesUpdate(balances=(), complete=False)
    ]
    assert feed.stats.gaps == 0


def test_a_lost_change_of_balances_is_told(feed: FuturesFeed) -> None:
    say(feed, feed="balances_snapshot", account="a", seq=0)
    gap, news = say(feed, feed="balances", account="a", seq=2, holding={"USD": 7.0})
    assert isinstance(gap, SequenceGap)
    assert gap.channel is Channel.BALANCES
    assert isinstance(news, BalancesUpdate)
    assert len(say(feed, feed="balances", account="a", seq=3)) == 1
    feed.closed(1.0)
    feed.opened(2.0)
    assert len(say(feed, feed="balances_snapshot", account="a", seq=0)) == 1
    assert len(say(feed, feed="balances", account="a", seq=1)) == 1
    assert feed.stats.gaps == 1


# Damage.


def order(**more: Any) -> dict[str, Any]:
    return {
        "instrument": "PF_XBTUSD",
        "time": 1767614400000,
        "last_update_time": 1767614401330,
        "qty": 0.2,
        "filled": 0.1,
        "limit_price": 73110.0,
        "stop_price": 0.0,
        "type": "limit",
        "order_id": "o-1",
        "cli_ord_id": "c-1",
        "direction": 1,
        "reduce_only": False,
        **more,
    }


@pytest.mark.parametrize(
    ("frame", "channel"),
    [
        pytest.param({"feed": "open_positions", "account": "a"}, Channel.POSITIONS, id="no list is not flat"),
        pytest.param({"feed": "open_positions", "positions": [{**POSITION, "balance": "NaN"}]}, Channel.POSITIONS),
        pytest.param({"feed": "fills", "fills": None}, Channel.FILLS, id="no fills"),
        pytest.param({"feed": "fills", "fills": [{**FILL, "price": "x"}]}, Channel.FILLS, id="fill without a price"),
        pytest.param({"feed": "fills", "fills": [{**FILL, "qty": "1e99"}]}, Channel.FILLS, id="absurd fill"),
        pytest.param({"feed": "fills_snapshot"}, Channel.FILLS, id="no list of fills"),
        pytest.param({"feed": "open_orders_snapshot"}, Channel.ORDERS, id="no list is not nothing open"),
        pytest.param({"feed": "open_orders_verbose_snapshot", "orders": [{}]}, Channel.ORDERS, id="a part of the list"),
        pytest.param({"feed": "open_orders", "is_cancel": True}, Channel.ORDERS, id="of which order"),
        pytest.param({"feed": "open_orders", "order": order(direction=2), "is_cancel": False}, Channel.ORDERS),
        pytest.param({"feed": "balances", "account": "a"}, Channel.BALANCES, id="no sequence"),
        pytest.param({"feed": "balances", "account": "a", "seq": 1, "holding": {"USD": "Infinity"}}, Channel.BALANCES),
    ],
)
def test_a_private_message_that_cannot_be_read_is_a_hole_to_be_filled(
    feed: FuturesFeed, frame: dict[str, Any], channel: Channel
) -> None:
    events = say(feed, **frame)
    (gap,) = (event for event in events if isinstance(event, SequenceGap))
    assert gap.channel is channel
    assert sum(isinstance(event, Unrecognised) for event in events) == 1
    assert not any(isinstance(event, Fill) or getattr(event, "complete", False) for event in events)
    assert sum(feed.stats.unknown.values()) == 1


def test_a_fill_of_a_damaged_message_is_told_when_it_comes_whole(feed: FuturesFeed) -> None:
    damaged = {**FILL, "fill_id": "f-2", "price": "NaN"}
    assert fill_ids(fills(feed, FILL, damaged)) == ["f-1"]
    assert fill_ids(fills(feed, FILL, {**FILL, "fill_id": "f-2"})) == ["f-2"]
