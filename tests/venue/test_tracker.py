"""What is known of an order, merged from answers, updates and fills."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.errors import OrderRefused
from exchange_core.model.event import OpenOrdersSnapshot, OrderUpdate
from exchange_core.model.fill import Fee, Fill
from exchange_core.model.order import NEXT_STATUS, Order, OrderRequest, OrderStatus, OrderType
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.venue.orders import OrderTracker

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BTC = Symbol.parse("BTC/USD")
PENDING, OPEN, PARTIAL, FILLED, CANCELED, REJECTED, EXPIRED = OrderStatus

REQUEST = OrderRequest(symbol=BTC, side="buy", quantity="10", price="100", client_order_id="c1")


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def fill(number: int, quantity: str = "1", price: str = "100", **changes: Any) -> Fill:
    fields: dict[str, Any] = {
        "id": f"f{number}",
        "symbol": BTC,
        "side": Side.BUY,
        "price": Decimal(price),
        "quantity": Decimal(quantity),
        "time": at(number),
        "client_order_id": "c1",
        "fee": Fee(asset="USD", amount=Decimal(quantity) / 10),
    }
    return Fill(**(fields | changes))


def answer(status: OrderStatus = OPEN, **changes: Any) -> Order:
    return Order(request=REQUEST, status=status, venue_order_id="V1", client_order_id="c1", **changes)


def update(status: OrderStatus | None = None, **changes: Any) -> OrderUpdate:
    return OrderUpdate(**({"client_order_id": "c1", "venue_order_id": "V1", "status": status} | changes))


@pytest.fixture
def shown() -> list[Order]:
    return []


@pytest.fixture
def tracker(shown: list[Order]) -> OrderTracker:
    return OrderTracker("shop", publish=shown.append)


@pytest.fixture
def sent(tracker: OrderTracker) -> OrderTracker:
    tracker.sending(REQUEST, NOW)
    return tracker


def test_an_order_is_journalled_before_it_exists() -> None:
    journal: list[Order] = []
    tracker = OrderTracker("shop", journal=journal.append)
    order = tracker.sending(REQUEST, NOW)
    assert journal == [order]
    assert (order.status, order.unknown, order.client_order_id, order.venue) == (PENDING, False, "c1", "shop")


def test_a_journal_that_fails_leaves_no_order_behind() -> None:
    def full(order: Order) -> None:
        raise OSError("disk full")

    tracker = OrderTracker("shop", journal=full)
    with pytest.raises(OSError, match="disk full"):
        tracker.sending(REQUEST, NOW)
    assert tracker.get("c1") is None


def test_a_client_id_is_used_once(sent: OrderTracker) -> None:
    """The same request again is how an order is sent twice."""
    with pytest.raises(OrderRefused, match="'c1' belongs to an order that is pending already"):
        sent.sending(REQUEST, NOW)
    sent.apply(update(CANCELED), NOW)
    with pytest.raises(OrderRefused, match="canceled already"):
        sent.sending(REQUEST, NOW)


@pytest.mark.parametrize("first", OrderStatus)
@pytest.mark.parametrize("second", OrderStatus)
def test_status_moves_along_the_table_only(first: OrderStatus, second: OrderStatus) -> None:
    tracker = OrderTracker("shop")
    tracker.sending(REQUEST, NOW)
    tracker.apply(update(first), NOW)
    order = tracker.apply(update(second), NOW)
    assert order is not None
    legal = second is first or second in NEXT_STATUS[first]
    assert order.status is (second if legal else first)
    assert tracker.stats.illegal == (0 if legal else 1)


@pytest.mark.parametrize(
    ("news", "status", "stale"),
    [
        pytest.param([update(PARTIAL, sequence_time=at(2)), update(OPEN, sequence_time=at(1))], PARTIAL, 1, id="older"),
        pytest.param(
            [update(OPEN, sequence_time=at(2)), update(PARTIAL, sequence_time=at(1))], OPEN, 1, id="older step"
        ),
        pytest.param([update(OPEN, sequence_time=at(2)), update(CANCELED, sequence_time=at(1))], CANCELED, 0, id="end"),
        pytest.param([update(OPEN, sequence_time=at(2)), update(PARTIAL)], PARTIAL, 0, id="no time"),
        pytest.param([update(OPEN, sequence_time=at(1)), update(OPEN, sequence_time=at(1))], OPEN, 0, id="twice"),
    ],
)
def test_older_news(sent: OrderTracker, news: list[OrderUpdate], status: OrderStatus, stale: int) -> None:
    """An end is believed however old its stamp is, since nothing comes after an end."""
    for each in news:
        order = sent.apply(each, NOW)
    assert order is not None
    assert (order.status, sent.stats.stale) == (status, stale)


def test_an_execution_may_come_before_the_answer(sent: OrderTracker, shown: list[Order]) -> None:
    assert sent.fill(fill(1, "10"), at(1))
    order = sent.answered(answer(OPEN), at(2))
    assert (order.status, order.filled, order.venue_order_id) == (FILLED, 10, "V1")
    assert [o.status for o in shown] == [PENDING, FILLED, FILLED]


def test_an_execution_that_names_only_the_venues_id_finds_its_order_when_the_answer_comes(
    sent: OrderTracker, shown: list[Order]
) -> None:
    assert sent.fill(fill(1, "4", client_order_id=None, venue_order_id="V1"), NOW)
    assert sent.get("c1") == shown[0]
    order = sent.answered(answer(OPEN), NOW)
    assert (order.status, order.filled, order.client_order_id) == (PARTIAL, 4, "c1")
    assert sent.get("V1") == sent.get("c1") == order
    assert not sent.fill(fill(1, "4"), NOW)


def test_the_most_that_any_voice_can_prove_is_filled(sent: OrderTracker) -> None:
    sent.apply(update(PARTIAL, filled=Decimal(3), average_price=Decimal(99)), NOW)
    order = sent.get("c1")
    assert order is not None
    assert (order.filled, order.average_price) == (3, 99)
    for number in (1, 2, 3, 4):
        sent.fill(fill(number, price=str(100 + number)), NOW)
    order = sent.get("c1")
    assert order is not None
    assert (order.filled, order.average_price, order.status) == (4, Decimal("102.5"), PARTIAL)
    assert order.fees == (Fee(asset="USD", amount=Decimal("0.4")),)
    assert order.remaining == 6


def test_a_fill_counts_once(sent: OrderTracker) -> None:
    assert sent.fill(fill(1), NOW)
    assert not sent.fill(fill(1), NOW)
    assert not sent.fill(fill(1, client_order_id=None, venue_order_id="V1"), NOW)
    assert sent.stats.duplicates == 2


def test_a_fee_that_comes_later_is_added(sent: OrderTracker) -> None:
    """Some venues tell executions over REST without their fee."""
    sent.fill(fill(1, fee=None), NOW)
    order = sent.get("c1")
    assert order is not None
    assert order.fees == ()
    assert not sent.fill(fill(1), NOW)
    order = sent.get("c1")
    assert order is not None
    assert order.fees == (Fee(asset="USD", amount=Decimal("0.1")),)


def test_a_late_fill_of_a_canceled_order_counts(sent: OrderTracker, shown: list[Order]) -> None:
    sent.apply(update(CANCELED, reason="User requested"), NOW)
    assert sent.fill(fill(1, "2"), NOW)
    assert (shown[-1].status, shown[-1].filled, shown[-1].reason) == (CANCELED, 2, "User requested")


def test_a_mean_price_of_inverse_contracts_is_harmonic(tracker: OrderTracker) -> None:
    symbol = Symbol.parse("BTC/USD:BTC")
    tracker.sending(OrderRequest(symbol=symbol, side="buy", quantity="200", price="200", client_order_id="c1"), NOW)
    for number, price in ((1, "100"), (2, "200")):
        tracker.fill(fill(number, "100", price, symbol=symbol), NOW)
    order = tracker.get("c1")
    assert order is not None
    assert order.average_price is not None
    assert order.average_price.quantize(Decimal("1e-20")) == (Decimal(400) / 3).quantize(Decimal("1e-20"))


def test_no_digit_is_lost_in_the_mean_price(sent: OrderTracker) -> None:
    sent.fill(fill(1, "0.00000001", "123456789012345678.12345678"), NOW)
    order = sent.get("c1")
    assert order is not None
    assert order.average_price == Decimal("123456789012345678.12345678")


def test_an_order_of_an_earlier_run_is_taken_up_with_what_the_feed_told_of_it_before(tracker: OrderTracker) -> None:
    """An execution that names its client id is not an order that was placed here with that id."""
    tracker.fill(fill(1, venue_order_id="V1"), NOW)
    order = tracker.resume(Order(request=REQUEST, created=at(-9)), at(2))
    assert (order.venue_order_id, order.filled, order.unknown, order.created) == ("V1", 1, True, at(-9))
    assert order.status is PARTIAL
    with pytest.raises(OrderRefused, match="belongs to an order"):
        tracker.resume(order, at(3))


def test_an_order_of_an_earlier_run_is_one_with_what_has_its_venues_id(tracker: OrderTracker) -> None:
    nameless = {"client_order_id": None, "symbol": BTC, "side": Side.BUY, "quantity": Decimal(10)}
    tracker.apply(update(OPEN, price=Decimal(100), **nameless), NOW)
    order = tracker.resume(answer(), at(2))
    assert tracker.all() == [order]
    assert (order.client_order_id, order.status, order.unknown) == ("c1", OPEN, False)


def test_an_order_without_an_answer_is_unknown_until_the_venue_speaks(sent: OrderTracker) -> None:
    order = sent.lost("c1", NOW)
    assert (order.status, order.unknown) == (PENDING, True)
    known = sent.apply(update(OPEN), NOW)
    assert known is not None
    assert not known.unknown


def test_an_order_that_the_venue_spoke_of_is_not_unknown(sent: OrderTracker) -> None:
    sent.apply(update(OPEN), NOW)
    assert not sent.lost("c1", NOW).unknown


@pytest.mark.parametrize(
    ("news", "status"),
    [
        pytest.param(lambda t: t.apply(update(OPEN), NOW), OPEN, id="open"),
        pytest.param(lambda t: t.apply(update(PENDING), NOW), PENDING, id="pending"),
        pytest.param(lambda t: t.fill(fill(1, "10"), NOW), FILLED, id="filled"),
        pytest.param(lambda t: t.fill(fill(1, "4"), NOW), PARTIAL, id="partly filled"),
        pytest.param(lambda t: t.answered(answer(CANCELED), NOW), CANCELED, id="canceled"),
    ],
)
def test_the_venues_word_overrules_our_conclusion(
    sent: OrderTracker, news: Callable[[OrderTracker], object], status: OrderStatus
) -> None:
    """An order that was thought never to have arrived and then shows up is the one that must not be overlooked."""
    order = sent.lost("c1", NOW)
    assert sent.concluded(order, REJECTED, "never arrived", NOW).reason == "never arrived"
    news(sent)
    order = sent.get("c1")  # type: ignore[assignment]
    assert (order.status, order.reason) == (status, None)


def test_an_announcement_does_not_undo_a_refusal(sent: OrderTracker) -> None:
    """Kraken announces orders as pending before its engine refuses them."""
    sent.refused("c1", "EOrder:Post only order", NOW)
    order = sent.apply(update(PENDING), NOW)
    assert order is not None
    assert (order.status, order.reason) == (REJECTED, "EOrder:Post only order")
    order = sent.apply(update(OPEN), NOW)
    assert order is not None
    assert (order.status, sent.stats.revived) == (OPEN, 1)


@pytest.mark.parametrize("end", [REJECTED, CANCELED, EXPIRED])
def test_the_feed_may_tell_the_end_of_a_refused_order_too(sent: OrderTracker, end: OrderStatus) -> None:
    sent.refused("c1", "postWouldExecute", NOW)
    order = sent.apply(update(end, reason="post_order_failed_because_it_would_filled"), NOW)
    assert order is not None
    assert (order.status, order.reason, sent.stats.revived) == (REJECTED, "postWouldExecute", 0)


def test_a_refusal_after_an_execution_does_not_undo_it(sent: OrderTracker) -> None:
    sent.fill(fill(1, "4"), NOW)
    assert sent.refused("c1", "too late", NOW).status is PARTIAL


def test_an_amendment_from_elsewhere_changes_price_and_quantity(sent: OrderTracker) -> None:
    sent.apply(update(OPEN, quantity=Decimal(5), price=Decimal(90), sequence_time=at(2)), NOW)
    sent.apply(update(quantity=Decimal(7), sequence_time=at(1)), NOW)
    order = sent.get("c1")
    assert order is not None
    assert (order.quantity, order.price) == (5, 90)
    sent.fill(fill(1, "5"), NOW)
    order = sent.get("c1")
    assert order is not None
    assert order.status is FILLED


def test_a_price_that_a_venue_gives_a_market_order_is_not_taken(tracker: OrderTracker) -> None:
    tracker.sending(OrderRequest(symbol=BTC, side="buy", quantity="10", client_order_id="c1"), NOW)
    order = tracker.apply(update(OPEN, price=Decimal(90), sequence_time=at(2)), NOW)
    assert order is not None
    assert (order.price, order.request.type) == (None, OrderType.MARKET)


def test_a_strangers_order_is_shown_when_enough_is_known(tracker: OrderTracker, shown: list[Order]) -> None:
    """It was placed by another program with the same account; the first message may say little."""
    assert tracker.apply(OrderUpdate(venue_order_id="X", status=OPEN), NOW) is None
    tracker.fill(fill(1, "2", client_order_id=None, venue_order_id="X"), NOW)
    assert shown == []
    order = tracker.apply(OrderUpdate(venue_order_id="X", quantity=Decimal(8), price=Decimal(100)), NOW)
    assert order is not None
    assert (order.status, order.filled, order.quantity, order.side) == (PARTIAL, 2, 8, Side.BUY)
    assert shown == [order]


@pytest.mark.parametrize("quantity", [Decimal(0), None])
def test_a_stranger_without_a_quantity_is_not_shown(tracker: OrderTracker, quantity: Decimal | None) -> None:
    update = OrderUpdate(venue_order_id="X", status=FILLED, symbol=BTC, side=Side.BUY, quantity=quantity)
    assert tracker.apply(update, NOW) is None


def test_a_strangers_client_id_may_be_used_again(tracker: OrderTracker) -> None:
    """Kraken keeps client ids apart among open orders only; the venue's own id decides."""
    terms: dict[str, Any] = {"symbol": BTC, "side": Side.BUY, "quantity": Decimal(1), "client_order_id": "bot"}
    tracker.apply(OrderUpdate(venue_order_id="A", status=FILLED, filled=Decimal(1), **terms), NOW)
    tracker.apply(OrderUpdate(venue_order_id="B", status=OPEN, **terms), NOW)
    first, second = tracker.get("A"), tracker.get("B")
    assert first is not None
    assert second is not None
    assert (first.status, second.status, second.filled) == (FILLED, OPEN, 0)


def test_a_fill_from_before_an_order_was_sent_is_not_of_it(sent: OrderTracker) -> None:
    """Fills of an order that had the same client id come again with the snapshot of each new connection."""
    old = fill(1, "10", time=at(-3600), venue_order_id="OLD")
    assert not sent.knows(old)
    sent.fill(old, at(1))
    order = sent.get("c1")
    assert order is not None
    assert (order.status, order.filled, order.venue_order_id) == (PENDING, 0, None)
    order = sent.answered(answer(OPEN), at(2), about=order)
    assert (order.status, order.filled, order.venue_order_id, order.created) == (OPEN, 0, "V1", NOW)


def test_news_from_before_an_order_was_sent_is_not_of_it(sent: OrderTracker) -> None:
    news = update(OPEN, venue_order_id="OLD", sequence_time=at(-3600), quantity=Decimal(7), symbol=BTC, side=Side.BUY)
    sent.apply(news, at(1))
    sent.snapshot(OpenOrdersSnapshot(orders=(news,)), at(1))
    stood = Order(request=REQUEST, status=OPEN, venue_order_id="OLDER", client_order_id="c1", created=at(-7200))
    sent.answered(stood, at(1))
    order = sent.get("c1")
    assert order is not None
    assert (order.status, order.venue_order_id, order.quantity) == (PENDING, None, 10)
    assert sent.refused("c1", "this client id is in use", at(2)).status is REJECTED


def test_an_order_that_was_not_sent_here_shows_when_the_venue_says_it_was_made(tracker: OrderTracker) -> None:
    """Which makes it none of ours: our own keep the time when they were sent."""
    theirs = Order(request=REQUEST, status=OPEN, venue_order_id="V9", created=at(-7200))
    assert tracker.answered(theirs, at(1)).created == at(-7200)
    told = tracker.apply(update(PARTIAL, venue_order_id="V9", client_order_id=None, filled=Decimal(1)), at(2))
    assert told is not None
    assert told.created == at(-7200)
    assert not tracker.knows(fill(1, "1", time=at(-10), venue_order_id="V9", client_order_id=None))
    ours = tracker.sending(REQUEST, at(3))
    told = tracker.answered(attrs.evolve(answer(OPEN), created=at(-1)), at(4), about=ours)
    assert told.created == at(3)


def test_an_order_that_was_over_before_it_was_heard_of_shows_when_that_was(tracker: OrderTracker) -> None:
    theirs = Order(request=REQUEST, status=CANCELED, venue_order_id="V9", created=at(-7200), updated=at(-3600))
    assert tracker.answered(theirs, at(1)).updated == at(-3600)
    tracker.sending(REQUEST, at(2))
    assert tracker.answered(attrs.evolve(answer(CANCELED), updated=at(-3600)), at(3)).updated == at(3)


def test_a_fill_of_a_venue_whose_clock_is_behind_is_of_its_order_all_the_same(sent: OrderTracker) -> None:
    early = fill(1, "10", time=at(-20), venue_order_id="V1")
    assert sent.knows(early)
    sent.fill(early, at(1))
    assert sent.get("V1") == sent.get("c1")
    assert sent.live() == []


def test_a_client_id_that_is_used_again_means_the_order_that_is_live(tracker: OrderTracker) -> None:
    terms = {"symbol": BTC, "side": Side.BUY, "quantity": Decimal(1), "price": Decimal(100)}
    tracker.apply(update(OPEN, **terms), at(1))
    tracker.apply(update(CANCELED), at(2))
    tracker.apply(update(OPEN, venue_order_id="V2", **terms), at(3))
    order = tracker.get("c1")
    assert order is not None
    assert (order.venue_order_id, order.status) == ("V2", OPEN), "canceling it by its client id must not do nothing"
    tracker.fill(fill(1, "1", time=at(1), venue_order_id="V1"), at(4))
    order = tracker.get("c1")
    assert order is not None
    assert (order.venue_order_id, order.filled) == ("V2", 0)


def test_what_we_hold_open_and_the_list_has_not_must_be_asked_for(tracker: OrderTracker) -> None:
    for number in (1, 2, 3):
        request = OrderRequest(symbol=BTC, side="buy", quantity="1", price="1", client_order_id=f"c{number}")
        tracker.sending(request, NOW)
        if number < 3:
            tracker.apply(update(OPEN, client_order_id=f"c{number}", venue_order_id=f"V{number}"), NOW)
    listed = OrderUpdate(venue_order_id="V2", status=PARTIAL, filled=Decimal("0.5"), snapshot=True)
    absent = tracker.snapshot(OpenOrdersSnapshot(orders=(listed,)), NOW)
    assert [order.client_order_id for order in absent] == ["c1"]
    second = tracker.get("c2")
    assert second is not None
    assert second.filled == Decimal("0.5")


def test_an_order_that_is_found_under_another_id_of_the_venue_goes_on(sent: OrderTracker) -> None:
    """As a trigger may that fired: what then comes by the old id, and its end, is older news."""
    stood = sent.answered(answer(OPEN), NOW)
    found = attrs.evolve(stood, venue_order_id="V2", status=PARTIAL, filled=Decimal(1))
    order = sent.answered(found, at(1), about=stood)
    assert (order.venue_order_id, order.status, order.client_order_id) == ("V2", PARTIAL, "c1")
    assert sent.get("V1") == sent.get("V2") == sent.get("c1") == order
    sent.apply(update(CANCELED, venue_order_id="V1"), at(2))
    assert sent.live() == [order]


def test_finished_orders_are_forgotten_oldest_first_and_open_ones_never() -> None:
    tracker = OrderTracker("shop", finished_kept=2)
    for number in range(6):
        request = OrderRequest(symbol=BTC, side="buy", quantity="1", price="1", client_order_id=f"c{number}")
        tracker.sending(request, NOW)
        if number:
            tracker.apply(update(CANCELED, client_order_id=f"c{number}", venue_order_id=f"V{number}"), NOW)
    assert {order.client_order_id for order in tracker.all()} == {"c0", "c4", "c5"}
    assert tracker.get("V1") is None


def test_a_fill_of_a_forgotten_order_still_counts_once() -> None:
    tracker = OrderTracker("shop", finished_kept=1)
    tracker.sending(REQUEST, NOW)
    assert tracker.fill(fill(1, "10"), NOW)
    for number in range(5):
        tracker.apply(OrderUpdate(venue_order_id=f"X{number}", status=FILLED), NOW)
    assert tracker.get("c1") is None
    assert not tracker.fill(fill(1, "10"), NOW)


def test_nothing_is_published_twice(sent: OrderTracker, shown: list[Order]) -> None:
    for _ in range(3):
        sent.apply(update(OPEN), at(1))
    assert len(shown) == 2


# Any order of arrival


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Any], Order]:
    """Draw what a venue says of one order, each at least once and some twice, in any order, and the truth."""
    parts = draw(st.lists(st.integers(1, 4), max_size=4))
    ends = draw(st.sampled_from([None, CANCELED, EXPIRED]))
    filled = min(sum(parts), 10)
    names = st.sampled_from([("c1", "V1"), ("c1", None), (None, "V1")])
    said: list[Any] = []
    total, value = Decimal(0), Decimal(0)

    def say(status: OrderStatus, time: int) -> None:
        client, venue = draw(names)
        said.append(
            OrderUpdate(
                client_order_id=client, venue_order_id=venue, status=status, filled=total, sequence_time=at(time)
            )
        )

    say(OPEN, 0)
    for number, part in enumerate(parts, start=1):
        part = min(part, 10 - int(total))
        if part == 0:
            break
        total += part
        value += part * (100 + number)
        client, venue = draw(names)
        said.append(fill(number, str(part), str(100 + number), client_order_id=client, venue_order_id=venue))
        say(PARTIAL, number)
    status = PARTIAL if total else OPEN
    if filled == 10:
        status = FILLED
        say(FILLED, 10)
    elif ends is not None:
        status = ends
        said.append(update(ends, filled=total, reason="done", sequence_time=at(10)))
    # The answer to sending it joins both names; later answers have what was true at some moment.
    said.append(answer(PENDING))
    said.append(answer(status, filled=total, average_price=(value / total if total else None)))
    heard = draw(st.permutations(said + draw(st.lists(st.sampled_from(said), max_size=6))))
    truth = Order(
        request=REQUEST,
        venue="shop",
        status=status,
        venue_order_id="V1",
        client_order_id="c1",
        filled=total,
        average_price=None if not total else value / total,
        fees=(Fee(asset="USD", amount=total / 10),) if total else (),
        reason="done" if status in (CANCELED, EXPIRED) else None,
        created=NOW,
    )
    return list(heard), truth


@given(histories())
def test_whatever_the_order_of_arrival_the_truth_is_one(history: tuple[list[Any], Order]) -> None:
    heard, truth = history
    shown: list[Order] = []
    news: list[Fill] = []
    tracker = OrderTracker("shop", publish=shown.append)
    tracker.sending(REQUEST, NOW)
    for each in heard:
        if isinstance(each, Fill):
            if tracker.fill(each, NOW):
                news.append(each)
        elif isinstance(each, OrderUpdate):
            tracker.apply(each, NOW)
        else:
            tracker.answered(each, NOW)
    order = tracker.get("c1")
    assert order == tracker.get("V1")
    assert order is not None
    average = order.average_price
    rounded = average if average is None else average.quantize(Decimal("1e-20"))
    expected = truth.average_price if truth.average_price is None else truth.average_price.quantize(Decimal("1e-20"))
    assert rounded == expected
    plain = {"updated": None, "average_price": None}
    assert _with(order, **plain) == _with(truth, **plain)
    assert len(news) == len({f.id for f in news}) == len({f.id for f in heard if isinstance(f, Fill)})
    ours = [o for o in shown if o.client_order_id == "c1"]
    assert all(a.status.may_become(b.status) for a, b in pairwise(ours))
    assert all(a.filled <= b.filled for a, b in pairwise(ours))


def _with(order: Order, **changes: Any) -> Order:

    return attrs.evolve(order, **changes)
