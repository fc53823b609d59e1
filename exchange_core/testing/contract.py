"""What every venue plugin promises, as tests that its author inherits::

    from exchange_core.testing.contract import VenueContract
    from my_exchange.plugin import MY_EXCHANGE

    class TestContract(VenueContract):
        spec = MY_EXCHANGE

The plugin is run against its own simulated side, in process. Where a promise cannot hold for a venue, override the test
and say why. This is the one module of the package that needs pytest. With
``pytest.register_assert_rewrite("exchange_core.testing.contract")`` in a ``conftest.py`` failures show their values.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from decimal import ROUND_CEILING, Decimal
from random import Random
from typing import Any, ClassVar

import attrs
import pytest

from exchange_core.connector.auth import Credentials
from exchange_core.connector.pages import History
from exchange_core.connector.rest import RestCall
from exchange_core.connector.spec import FeedSpec, VenueSpec
from exchange_core.connector.support import TERMS, Support
from exchange_core.errors import AuthenticationError, OrderNotFound, OrderRefused, ProtocolError, UnknownSymbol
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.event import BookDesynced, Channel, OrderUpdate, Subscribed, Subscription
from exchange_core.model.fill import Fill
from exchange_core.model.instrument import Instrument
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.symbol import Symbol
from exchange_core.testing.order_contract import OrderContract
from exchange_core.testing.walking import take, walk
from exchange_core.testing.world import Client, Line, World

JUNK: tuple[str | bytes, ...] = ("", "no JSON", "null", "[]", "{}", '{"a":', "[" * 5000, "1e999999", b"\xff\xfe")
"""What is no frame at all."""
STRANGE: tuple[Any, ...] = (None, True, -1, 10**30, 1.5, "", "NaN", "1e999999", "٣", [], [[]], {}, {"a": 1})
"""What no field of a frame should hold."""

_PATIENCE = 60
"""Seconds within which a broken book must be whole again."""


class VenueContract(OrderContract):
    """Inherit, and set ``spec`` to a venue with a simulated side. The class's name must begin with ``Test``."""

    spec: ClassVar[VenueSpec]

    @pytest.fixture
    def world(self) -> World:
        return World(self.spec)

    @pytest.fixture
    def me(self, world: World) -> Client:
        return world.client("me")

    @pytest.fixture
    def other(self, world: World) -> Client:
        return world.client("other")

    @pytest.fixture
    def book(self, me: Client, other: Client) -> Line:
        """Follow the book of the first market, in which someone stands on both sides."""
        other.place("buy", self.quantity, self.price("0.99"))
        other.place("sell", self.quantity, self.price("1.01"))
        return me.line(self.book_subscription)

    @property
    def instrument(self) -> Instrument:
        assert self.spec.simulator is not None, f"{self.spec.name}: the contract is tested against a simulated side"
        return self.spec.simulator.markets[0].instrument

    @property
    def book_subscription(self) -> Subscription:
        return Subscription(Channel.BOOK, self.instrument.symbol, depth=next(iter(self.spec.book_depths), None))

    @property
    def quantity(self) -> Decimal:
        """A small order that the venue takes at any price used here."""
        instrument = self.instrument
        least = instrument.min_quantity
        if instrument.min_cost is not None:
            least = max(least, instrument.min_cost / self.price("0.5"))
        return (least * 2 / instrument.lot_size).to_integral_value(ROUND_CEILING) * instrument.lot_size

    def price(self, factor: str) -> Decimal:
        """Return the simulated market's start price times *factor*."""
        assert self.spec.simulator is not None
        return self.instrument.round_price(self.spec.simulator.markets[0].start_price * Decimal(factor))

    # Words and names

    def test_support_is_said_in_words_that_exist(self) -> None:
        assert set(self.spec.support) <= set(TERMS)
        assert set(self.spec.support.values()) <= {Support.HONOURED, Support.EMULATED, Support.REFUSED}

    def test_every_name_maps_to_a_symbol_and_back(self, me: Client) -> None:
        symbols = me.context.symbols
        assert self.instrument.symbol in symbols
        for instrument in symbols:
            for name in (symbols.venue_id(instrument.symbol), symbols.wire(instrument.symbol)):
                assert symbols.from_venue(name) == instrument.symbol

    def test_what_the_simulated_side_lists_is_read_as_it_is(self, me: Client) -> None:
        read = me.context.symbols.instrument(self.instrument.symbol)
        for name in ("tick_size", "lot_size", "min_quantity", "contract_size", "status"):
            assert getattr(read, name) == getattr(self.instrument, name), name

    def test_an_unknown_symbol_is_refused_before_anything_is_sent(self, world: World, me: Client) -> None:
        nowhere, before = Symbol("NOWHERE", "USD"), len(world.asked)
        for ask in (lambda: me.run(me.rest.ticker(nowhere)), lambda: me.place("buy", "1", "1", symbol=nowhere)):
            with pytest.raises(UnknownSymbol, match="NOWHERE"):
                ask()
        assert len(world.asked) == before

    def test_client_ids_differ_and_come_back_as_they_were_sent(self, me: Client) -> None:
        random = Random(1)
        ids = [self.spec.client_order_id(random.getrandbits(128)) for _ in range(1000)]
        assert len(set(ids)) == len(ids)
        for wanted in ids[:3]:
            assert me.place("buy", self.quantity, self.price("0.9"), client_order_id=wanted).client_order_id == wanted
        assert {order.client_order_id for order in me.run(me.rest.open_orders())} == set(ids[:3])

    # Orders

    def test_an_order_rests_is_found_by_either_id_and_is_canceled(self, me: Client) -> None:
        order = me.place("buy", self.quantity, self.price("0.9"))
        assert order.status in (OrderStatus.OPEN, OrderStatus.PENDING)
        assert [open_.venue_order_id for open_ in me.run(me.rest.open_orders())] == [order.venue_order_id]
        by_ours = Order(request=order.request, client_order_id=order.request.client_order_id)
        for known in (order, by_ours):
            found = me.run(me.rest.find(known))
            assert (found.venue_order_id, found.status) == (order.venue_order_id, OrderStatus.OPEN)
        me.run(me.rest.cancel(order))
        assert me.run(me.rest.find(order)).status is OrderStatus.CANCELED
        assert me.run(me.rest.open_orders()) == []
        with pytest.raises(OrderNotFound):
            me.run(me.rest.cancel(order))

    def test_an_order_that_never_arrived_is_nowhere(self, me: Client) -> None:
        """Otherwise an order without an answer could never be told from one that lives."""
        ours = self.spec.client_order_id(2**100)
        symbol, price = self.instrument.symbol, self.price("1")
        request = OrderRequest(symbol=symbol, side="buy", quantity=self.quantity, price=price, client_order_id=ours)
        assert me.run(me.rest.find(Order(request=request, client_order_id=ours))) is None

    def test_a_refused_order_did_not_happen(self, me: Client) -> None:
        with pytest.raises(OrderRefused):
            me.place("buy", self.quantity, self.price("1") + self.instrument.tick_size / 2)
        assert me.run(me.rest.open_orders()) == []

    def test_a_trade_is_told_alike_by_order_and_fills(self, me: Client, other: Client) -> None:
        other.place("sell", self.quantity * 2, self.price("1"))
        placed = me.place("buy", self.quantity, self.price("1"))
        order, fills = me.run(me.rest.find(placed)), me.run(me.rest.fills(None))
        assert (order.status, order.filled) == (OrderStatus.FILLED, self.quantity)
        assert sum(fill.quantity for fill in fills) == self.quantity
        assert {fill.venue_order_id for fill in fills} == {placed.venue_order_id}
        assert {fill.price for fill in fills} == {self.price("1")}

    def test_its_histories_are_whole(self, world: World, me: Client, other: Client) -> None:
        """Where there are any: walked in one go and with a cursor after each entry, they tell what the account does."""
        if self.spec.history is None:
            pytest.skip(f"{self.spec.name}: shows no histories")
        for _ in range(3):
            other.place("sell", self.quantity, self.price("1"))
            me.place("buy", self.quantity, self.price("1"))
            world.clock.forward(1.0)
        past = self.spec.history(me.context)
        histories: list[History[Any]] = [past.fills(None, None), past.trades(self.instrument.symbol, None, None)]
        for history in histories:
            whole: list[Any] = take(walk(history, me.answer))
            assert [one.time for one in whole] == sorted(one.time for one in whole)
            assert sum(one.quantity for one in whole) == self.quantity * 3
            pieces: list[Any] = []
            cursor: str | None = None
            while part := take(stream := walk(history, me.answer, cursor), 1):
                pieces, cursor = pieces + part, stream.cursor
            assert pieces == whole

    def test_every_call_that_changes_something_says_so(self, world: World, me: Client, other: Client) -> None:
        """What does not say so may be sent twice."""
        other.place("sell", self.quantity, self.price("1"))
        me.place("buy", self.quantity, self.price("1"))
        resting = me.place("buy", self.quantity, self.price("0.9"))
        for ask in (me.rest.find(resting), me.rest.open_orders(), me.rest.fills(None), me.rest.balances()):
            me.run(ask)
        me.run(me.rest.cancel(resting))
        assert not [asked.call for asked in world.asked if asked.changed and not asked.call.changes_state]
        assert not [asked.call for asked in world.asked if asked.call.changes_state and not asked.call.private]
        assert sum(asked.changed for asked in world.asked) >= 4

    # Secrets

    def test_a_wrong_secret_is_no_entry(self, world: World, me: Client) -> None:
        wrong = Credentials(api_key=me.signer.public_key, api_secret=world.credentials("other").api_secret)
        stranger = Client(world, wrong)
        with pytest.raises(AuthenticationError):
            stranger.run(stranger.rest.balances())

    def test_secrets_do_not_show(self, world: World, me: Client) -> None:
        secret, calls = world.credentials("me").api_secret, world.asked
        me.place("buy", self.quantity, self.price("0.9"))
        assert secret in me.signer.secrets()
        shown = [repr(part) for part in (me.signer, me.context, me.dialect, me.rest, *calls)]
        shown += [repr(signed) for signed in self._signed(me, (asked.call for asked in calls))]
        assert not [text for text in shown if secret in text or me.signer.public_key in text.split("'")]

    @staticmethod
    def _signed(client: Client, calls: Iterable[RestCall]) -> Iterator[object]:
        for nonce, call in enumerate(calls, 10**6):
            if call.private:
                yield client.signer.sign(call, nonce if client.signer.needs_nonce else None)

    # Feeds

    def test_a_book_becomes_live_and_agrees_with_the_rest_side(self, me: Client, other: Client, book: Line) -> None:
        assert Subscribed(subscription=self.book_subscription) in book.news
        assert book.feed.is_active(self.book_subscription)
        other.place("buy", self.quantity, self.price("0.995"))
        assert [event.symbol for event in book.carry() if isinstance(event, OrderBook)] == [self.instrument.symbol]
        self._is_right(me, book)
        assert book.feed.stats.verified == book.feed.stats.books > 1

    def test_a_lost_message_is_noticed_and_the_book_heals(self, me: Client, other: Client, book: Line) -> None:
        view = book.feed.book(self.instrument.symbol)
        other.place("buy", self.quantity, self.price("0.995"))
        book.carry(spoil=lambda frame: None)
        other.place("buy", self.quantity, self.price("0.996"))
        assert [event.symbol for event in book.carry() if isinstance(event, BookDesynced)] == [self.instrument.symbol]
        self._heal(book)
        self._is_right(me, book)
        assert book.feed.book(self.instrument.symbol) is view
        assert book.feed.stats.resyncs == 1

    def test_a_lost_connection_shows_no_levels_until_the_next(self, me: Client, book: Line) -> None:
        view = book.feed.book(self.instrument.symbol)
        assert view is not None
        assert not [event for event in book.close() if isinstance(event, OrderBook)]
        assert (view.health, view.best_bid, view.asks()) == (BookHealth.STALE, None, [])
        assert not book.feed.is_active(self.book_subscription)
        book.open()
        book.carry()
        self._is_right(me, book)

    def test_an_ended_subscription_says_no_more(self, other: Client, book: Line) -> None:
        book.feed.unsubscribe([self.book_subscription], book.client.world.clock.monotonic())
        book.carry()
        other.place("buy", self.quantity, self.price("0.995"))
        assert not [event for event in book.carry() if isinstance(event, OrderBook)]
        assert list(book.feed.subscriptions()) == []

    def test_the_account_hears_of_its_orders_and_fills_and_no_others(self, me: Client, other: Client) -> None:
        wanted = [Subscription(channel) for channel in (Channel.ORDERS, Channel.FILLS) if self.spec.feed_for(channel)]
        if len(wanted) < 2:
            pytest.skip("the venue has no such feeds")
        line = me.line(*wanted)
        assert [event.subscription for event in line.news if isinstance(event, Subscribed)] == wanted
        other.place("sell", self.quantity, self.price("1"))
        order = me.place("buy", self.quantity, self.price("1"))
        events = line.carry()
        told = {event.client_order_id for event in events if isinstance(event, OrderUpdate | Fill)}
        assert told == {order.client_order_id}
        assert sum(event.quantity for event in events if isinstance(event, Fill)) == self.quantity

    def test_no_frame_raises_anything_but_a_protocol_error(self, me: Client, other: Client) -> None:
        """Neither junk, nor what the venue says with a part cut off or a field that is not what it should be."""
        for spec in self.spec.feeds:
            frames = [*JUNK, *(damaged for frame in self._frames(spec, me, other) for damaged in _damaged(frame))]
            for provisional in (False, True):
                feed = spec.make(attrs.evolve(me.context, provisional=provisional))
                feed.opened(0.0)
                feed.subscribe(map(self._subscription, sorted(spec.channels)), 0.0)
                for frame in frames:
                    with suppress(ProtocolError):
                        feed.receive(frame, 0.0)

    def _frames(self, spec: FeedSpec, me: Client, other: Client) -> list[str]:
        """Return all that the venue says on a connection on which everything is asked for."""
        frames: list[str] = []

        def keep(frame: str) -> str:
            frames.append(frame)
            return frame

        line = Line(me, spec)
        line.feed.subscribe(map(self._subscription, sorted(spec.channels)), 0.0)
        line.carry(keep)
        other.place("sell", self.quantity, self.price("1"))
        me.place("buy", self.quantity, self.price("1"))
        line.carry(keep)
        assert frames, f"nothing came on the {spec.name} feed"
        return frames

    def _subscription(self, channel: Channel) -> Subscription:
        symbol = self.instrument.symbol
        match channel:
            case Channel.BOOK:
                return self.book_subscription
            case Channel.TICKER | Channel.TRADES | Channel.BOOK_BY_ORDER:
                return Subscription(channel, symbol)
            case Channel.CANDLES:
                return Subscription(channel, symbol, interval=1)
            case _:
                return Subscription(channel)

    def _heal(self, book: Line) -> None:
        for _ in range(_PATIENCE):
            view = book.feed.book(self.instrument.symbol)
            if view is not None and view.health is BookHealth.LIVE:
                return
            book.wait(1)

    def _is_right(self, me: Client, book: Line) -> None:
        view = book.feed.book(self.instrument.symbol)
        assert view is not None
        assert (view.health, view.checked > 0) == (BookHealth.LIVE, True)
        shown = me.run(me.rest.book(self.instrument.symbol, None))
        assert (tuple(view.bids(5)), tuple(view.asks(5))) == (shown.bids[:5], shown.asks[:5])


def _damaged(frame: str) -> Iterator[str]:
    """Return *frame* cut off, and with each of its fields replaced in turn, or left out."""
    yield frame[: len(frame) // 2]
    message = json.loads(frame)
    for holder, key in list(_fields(message)):
        kept = holder[key]
        for strange in STRANGE:
            holder[key] = strange
            yield json.dumps(message)
        if isinstance(holder, dict):
            del holder[key]
            yield json.dumps(message)
        holder[key] = kept


def _fields(part: Any) -> Iterator[tuple[Any, Any]]:
    keys: Iterable[Any] = part if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
    for key in keys:
        yield part, key
        yield from _fields(part[key])
