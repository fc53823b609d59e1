"""Tidepool's plugin against Tidepool's simulated side: no network, no waiting, literals in and literals out."""

import json
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from exchange_tidepool import wire
from exchange_tidepool.config import TidepoolConfig
from exchange_tidepool.plugin import TIDEPOOL
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.connector.auth import Credentials
from exchange_core.connector.limits import Cost
from exchange_core.connector.rest import HttpReply, HttpRequest, RestCall
from exchange_core.errors import (
    AuthenticationError,
    BadRequest,
    ConfigError,
    ExchangeError,
    InsufficientFunds,
    NonceRejected,
    NotSupported,
    OrderNotFound,
    OrderRefused,
    OutcomeUnknown,
    ProtocolError,
    VenueUnavailable,
)
from exchange_core.model.book import BookHealth
from exchange_core.model.event import (
    BookDesynced,
    Channel,
    OpenOrdersSnapshot,
    OrderUpdate,
    SequenceGap,
    Subscribed,
    Subscription,
    SubscriptionRefused,
    Unrecognised,
)
from exchange_core.model.fill import Fill
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.symbol import Symbol
from exchange_core.storage.replay import replay_files
from exchange_core.testing.world import NOON, Client, Line, World

BTC = Symbol.parse("BTC/USD")
ETH = Symbol.parse("ETH/USD")


@pytest.fixture
def world() -> World:
    return World(TIDEPOOL)


@pytest.fixture
def me(world: World) -> Client:
    return world.client("me")


@pytest.fixture
def other(world: World) -> Client:
    return world.client("other")


@pytest.fixture
def public(me: Client, other: Client) -> Line:
    """A public connection that follows the book, on which one seller stands."""
    other.place("sell", "0.5", "60000")
    return me.line(Subscription(Channel.BOOK, BTC))


def best_ask(line: Line) -> Any:
    return line.feed.book(BTC).best_ask


# Names


def test_coins_and_markets_get_our_names_by_table(me: Client) -> None:
    """Tidepool's ETHER is our ETH."""
    assert me.context.symbols.venue_id(ETH) == "ETHER-USD"
    assert me.context.assets.code("ETHER") == "ETH"


def test_an_unknown_tier_names_those_that_exist() -> None:
    with pytest.raises(ConfigError, match=r"minnow.*default, whale"):
        TIDEPOOL.limits(TIDEPOOL.config(tier="minnow"))


def test_a_cancel_finds_room_when_other_calls_used_theirs() -> None:
    limits = TIDEPOOL.limits(TIDEPOOL.config())
    limits.spend([Cost("rest", 18)], 0.0)
    assert limits.delay([Cost("rest")], 0.0) == pytest.approx(0.1)
    assert limits.delay([Cost("rest", urgent=True)], 0.0) == 0


# Signing


def test_a_signature_that_was_computed_elsewhere() -> None:
    """``printf '7 GET /orders ' | openssl dgst -sha256 -hmac secret``"""
    signer = TIDEPOOL.signer(Credentials(api_key="key", api_secret="secret"), TidepoolConfig())
    request = signer.sign(RestCall(method="GET", path="/orders", private=True), 7)
    assert request.headers["Tide-Sign"] == "f43f3ef031f958ad4f09584676306bc902e4ecb6f72bbe70c5508203c7f1e908"


def test_a_wrong_secret_is_refused(world: World, me: Client) -> None:
    stranger = Client(world, Credentials(api_key=me.signer.public_key, api_secret="guessed"))
    with pytest.raises(AuthenticationError) as caught:
        stranger.run(stranger.rest.balances())
    assert caught.value.codes == ("sign",)


def test_a_nonce_works_once(world: World, me: Client) -> None:
    world.nonces = iter([50, 50])
    me.run(me.rest.balances())
    with pytest.raises(NonceRejected):
        me.run(me.rest.balances())


def test_secrets_do_not_show(me: Client) -> None:
    call = RestCall(method="POST", path="/orders", params={"ref": "x"}, private=True, json=True)
    assert me.world.credentials("me").api_secret not in f"{me.context!r} {me.signer!r} {me.signer.sign(call, 1)!r}"
    assert me.world.credentials("me").api_secret in me.signer.secrets()


# Orders


def test_an_order_rests_and_is_found_by_either_id_and_canceled(me: Client) -> None:
    order = me.place("buy", "0.01", "50000", client_order_id="mine")
    assert (order.status, order.client_order_id) == (OrderStatus.OPEN, "mine")
    assert me.run(me.rest.open_orders())[0].venue_order_id == order.venue_order_id
    unanswered = Order(request=order.request, client_order_id="mine")
    assert me.run(me.rest.find(unanswered)).venue_order_id == order.venue_order_id
    me.run(me.rest.cancel(order))
    assert me.run(me.rest.find(order)).status is OrderStatus.CANCELED
    with pytest.raises(OrderNotFound):
        me.run(me.rest.cancel(order))


def test_an_order_that_never_arrived_is_nowhere(me: Client) -> None:
    request = OrderRequest(symbol=BTC, side="buy", quantity="1", price="1", client_order_id="lost / one")
    order = Order(request=request, client_order_id="lost / one")
    assert me.run(me.rest.find(order)) is None


def test_a_trade_moves_the_balances_to_the_last_digit(me: Client, other: Client) -> None:
    other.place("sell", "0.5", "60000")
    order = me.place("buy", "0.1", None)
    assert (order.status, order.filled, order.average_price) == (OrderStatus.FILLED, Decimal("0.1"), Decimal(60000))
    (fill,) = me.run(me.rest.fills(None))
    assert (fill.price, fill.quantity, fill.fee.asset, fill.fee.amount) == (60000, Decimal("0.1"), "USD", 12)
    balances = {b.asset: b.total for b in me.run(me.rest.balances())}
    assert balances == {"USD": 100_000 - 6_000 - 12, "BTC": Decimal("2.1"), "ETH": 20}


def test_fills_are_paged(me: Client, other: Client) -> None:
    for _ in range(205):
        other.place("sell", "0.0001", "60000")
    me.place("buy", "0.0205", "60000")
    fills = me.run(me.rest.fills(NOON))
    assert len({fill.id for fill in fills}) == len(fills) == 205
    assert me.run(me.rest.fills(NOON + timedelta(seconds=1))) == []


@pytest.mark.parametrize(
    ("order", "error", "code"),
    [
        pytest.param(("buy", "1", "60000.2"), OrderRefused, "refused", id="between two ticks"),
        pytest.param(("buy", "100", "60000"), InsufficientFunds, "funds", id="too dear"),
        pytest.param(("buy", "0.1", "60000", {"post_only": True}), OrderRefused, "refused", id="would take"),
        pytest.param(("buy", "0.1", "50000", {"client_order_id": "used"}), OrderRefused, "ref", id="id in use"),
        pytest.param(
            ("buy", "0.1", "50000", {"deadline": NOON - timedelta(seconds=1)}), OrderRefused, "refused", id="late"
        ),
    ],
)
def test_the_exchange_refuses(me: Client, other: Client, order: Any, error: type[ExchangeError], code: str) -> None:
    other.place("sell", "0.5", "60000")
    me.place("buy", "0.1", "50000", client_order_id="used")
    side, quantity, price, *more = order
    with pytest.raises(error) as caught:
        me.place(side, quantity, price, **(more[0] if more else {}))
    assert caught.value.codes == (code,)


@pytest.mark.parametrize("wish", [{"time_in_force": "fok"}, {"reduce_only": True}])
def test_what_the_exchange_cannot_do_is_not_sent(me: Client, wish: dict[str, Any]) -> None:
    with pytest.raises(NotSupported):
        me.place("buy", "0.1", "50000", **wish)


PAGE = HttpReply(502, {}, b"<html>Bad gateway</html>")


@pytest.mark.parametrize(
    ("reply", "write", "error"),
    [
        (PAGE, False, VenueUnavailable),
        (PAGE, True, OutcomeUnknown),
        (HttpReply(503, {}, b'{"code": "away", "text": "back soon"}'), True, OutcomeUnknown),
        (HttpReply(400, {}, b'{"code": "new", "text": "a code of tomorrow"}'), True, OrderRefused),
        (HttpReply(400, {}, b'{"code": "new", "text": "a code of tomorrow"}'), False, BadRequest),
        (HttpReply(200, {}, b"{"), False, ProtocolError),
        (HttpReply(200, {}, b'{"bids": [["1", "\xff"]], "asks": []}'), False, ProtocolError),
    ],
)
def test_an_answer_that_is_none(me: Client, reply: HttpReply, write: bool, error: type[ExchangeError]) -> None:
    """Whatever comes to a write without a readable no leaves it open whether the order lives."""
    call = RestCall(method="POST" if write else "GET", path="/x", reply=wire.Levels, changes_state=write)
    with pytest.raises(error):
        me.dialect.decode(call, reply)


# Books


def test_a_book_is_whole_then_follows(me: Client, other: Client, public: Line) -> None:
    assert best_ask(public) == (60000, Decimal("0.5"))
    me.place("buy", "0.2", "60000")
    other.place("sell", "0.1", "59999.5")
    (book,) = public.carry()
    assert book.best_ask == (Decimal("59999.5"), Decimal("0.1"))
    assert (book.health, book.checked) == (BookHealth.LIVE, 2)


def test_each_channel_is_acknowledged_or_refused(me: Client) -> None:
    line = Line(me, TIDEPOOL.feeds[0])
    book, trades = Subscription(Channel.BOOK, BTC), Subscription(Channel.TRADES, BTC)
    line.feed.subscribe([book, trades], 0.0)
    assert not line.feed.is_active(book)
    assert [event.subscription for event in line.carry() if isinstance(event, Subscribed)] == [book, trades]
    assert line.feed.is_active(book)


def test_a_private_channel_needs_a_signature(world: World, me: Client) -> None:
    stranger = Client(world, Credentials(api_key=me.signer.public_key, api_secret="guessed"))
    line = stranger.line(Subscription(Channel.FILLS))
    (refused,) = (event for event in line.news if isinstance(event, SubscriptionRefused))
    assert refused.codes == ("sign",)
    assert not list(line.feed.subscriptions())


SPOILED = [
    pytest.param(lambda frame: None if '"book"' in frame else frame, "1 was due", id="a lost message"),
    pytest.param(lambda frame: frame.replace("0.4", "0.3"), "check is", id="a wrong quantity"),
    pytest.param(lambda frame: frame.replace("60000.0", "6000O.0"), "6000O.0", id="a letter in a price"),
]


@pytest.mark.parametrize(("spoil", "reason"), SPOILED)
def test_a_book_that_fails_is_asked_for_once_and_heals(me: Client, public: Line, spoil: Any, reason: str) -> None:
    me.place("buy", "0.1", "60000")
    public.socket.tick()
    lost = [spoil(frame) for frame in public.socket.take()]
    me.place("buy", "0.1", "60000")
    public.socket.tick()
    came = (*lost, *public.socket.take())
    events = [event for frame in came if frame for event in public.feed.receive(frame, 0.0)]
    (failed,) = (event for event in events if isinstance(event, BookDesynced))
    assert reason in failed.reason
    assert public.feed.book(BTC).health is BookHealth.DESYNCED
    assert best_ask(public) is None
    assert public.feed.outbox() == ['{"op":"sub","ch":"book.BTC-USD"}']
    public.socket.say('{"op":"sub","ch":"book.BTC-USD"}')
    public.carry()
    assert best_ask(public) == (60000, Decimal("0.3"))
    assert public.feed.stats.resyncs == 1


def test_one_bad_book_does_not_disturb_the_others(other: Client, public: Line) -> None:
    public.feed.subscribe([Subscription(Channel.BOOK, ETH)], 0.0)
    public.carry()
    other.place("sell", "0.1", "60001")
    other.place("sell", "1", "3000", symbol=ETH)
    public.socket.tick()
    for frame in public.socket.take():
        public.feed.receive(frame.replace("60001", "60002"), 0.0)
    assert public.feed.book(BTC).health is BookHealth.DESYNCED
    assert public.feed.book(ETH).best_ask == (3000, 1)


def test_a_fresh_start_that_is_wrong_too_waits_for_the_tick(other: Client, public: Line) -> None:
    """Otherwise the two sides would ask and answer as fast as the line allows."""
    other.place("sell", "0.1", "60001")

    def spoil(frame: str) -> str:
        return frame.replace('"check":', '"check":1')

    public.carry(spoil=spoil)
    assert public.feed.book(BTC).health is BookHealth.DESYNCED
    assert public.feed.outbox() == []
    public.wait(1)
    assert public.feed.book(BTC).health is BookHealth.LIVE


def test_a_lost_connection_makes_books_stale_until_the_next(public: Line) -> None:
    assert public.close() == []
    book = public.feed.book(BTC)
    assert (book.health, book.best_ask) == (BookHealth.STALE, None)
    public.open()
    public.carry()
    assert best_ask(public) == (60000, Decimal("0.5"))


def test_silence_is_noticed(public: Line) -> None:
    public.wait(1)
    assert public.feed.is_dead(11.0) is None
    assert public.feed.is_dead(11.5) == "silent for 10 s"


def test_what_is_not_answered_is_asked_again(me: Client) -> None:
    line = Line(me, TIDEPOOL.feeds[0])
    line.feed.subscribe([Subscription(Channel.BOOK, BTC)], 0.0)
    line.feed.receive(line.socket.take()[0], 0.0)
    asked = line.feed.outbox()
    line.feed.tick(9.0)
    assert line.feed.outbox() == []
    line.feed.tick(10.0)
    assert line.feed.outbox() == asked


def test_nothing_comes_after_unsubscribing(other: Client, public: Line) -> None:
    other.place("sell", "0.1", "60001")
    public.socket.tick()
    late = public.socket.take()[-1]
    public.feed.unsubscribe([Subscription(Channel.BOOK, BTC)], 0.0)
    public.feed.receive(late, 0.0)
    assert public.feed.stats.ignored["late news"] == 1
    public.carry()
    other.place("sell", "0.1", "60001")
    assert public.carry() == []


def test_a_recording_replays(world: World, me: Client, other: Client, public: Line, tmp_path: Path) -> None:
    line = Line(other, TIDEPOOL.feeds[0])
    line.feed.subscribe([Subscription(Channel.BOOK, BTC)], 0.0)
    frames: list[str] = []
    line.carry(spoil=lambda frame: frames.append(frame) or frame)
    me.place("buy", "0.1", "60000")
    line.carry(spoil=lambda frame: frames.append(frame) or frame)
    recording = tmp_path / "book.jsonl"
    recording.write_text("\n".join(frames))
    listing = world.protocol.http(HttpRequest("GET", "/markets", {})).body
    (report,) = replay_files(TIDEPOOL, [recording], listing)
    assert (report.seen.books, report.seen.verified, report.seen.unknown, report.unhealthy) == (2, 2, {}, {})


# The account


def test_the_account_is_told_of_its_orders_and_fills_and_no_others(me: Client, other: Client) -> None:
    me.place("sell", "0.2", "61000", client_order_id="before")
    line = me.line(Subscription(Channel.ORDERS), Subscription(Channel.FILLS))
    (snapshot,) = (event for event in line.news if isinstance(event, OpenOrdersSnapshot))
    assert [update.client_order_id for update in snapshot.orders] == ["before"]
    other.place("buy", "0.2", "61000", client_order_id="theirs")
    events = line.carry()
    updates = [event for event in events if isinstance(event, OrderUpdate)]
    assert {update.client_order_id for update in updates} == {"before"}
    assert (updates[-1].status, updates[-1].filled) == (OrderStatus.FILLED, Decimal("0.2"))
    (fill,) = (event for event in events if isinstance(event, Fill))
    assert (fill.client_order_id, fill.quantity, fill.fee.amount) == ("before", Decimal("0.2"), Decimal("12.2"))


def test_fills_of_while_we_were_away_are_told_again(me: Client, other: Client) -> None:
    line = me.line(Subscription(Channel.FILLS))
    other.place("sell", "0.5", "60000")
    me.place("buy", "0.1", "60000")
    events = line.carry(spoil=lambda frame: None)
    assert events == []
    me.place("buy", "0.2", "60000")
    events = line.carry()
    (gap,) = (event for event in events if isinstance(event, SequenceGap))
    assert gap.channel is Channel.FILLS
    assert [event.quantity for event in events if isinstance(event, Fill)] == [Decimal("0.1"), Decimal("0.2")]


# What nobody expects


@pytest.mark.parametrize("frame", ["", "no JSON", "[]", '{"on": 1}', '{"on":"book","ch":"book.BTC-USD"}', b"\xff"])
def test_a_frame_that_does_not_read_is_a_protocol_error(public: Line, frame: str) -> None:
    with pytest.raises(ProtocolError):
        public.feed.receive(frame, 0.0)
    assert best_ask(public) == (60000, Decimal("0.5"))


def test_a_frame_of_a_new_kind_is_reported(public: Line) -> None:
    assert public.feed.receive('{"on":"weather","sky":"blue"}', 0.0) == [
        Unrecognised(kind="weather", detail="Tidepool's protocol has no such frame")
    ]
    assert public.feed.stats.unknown == {"weather": 1}


NEWS = (
    '{"on":"book","ch":"book.BTC-USD","seq":1,"full":false,"bids":[["1.0","2.0"]],"asks":[],"check":1,"at":1}',
    '{"on":"trades","ch":"trades.BTC-USD","seq":0,"full":true,"trades":'
    '[{"id":1,"side":"buy","price":"1","qty":"1","at":1}]}',
    '{"on":"fills","ch":"fills","seq":0,"full":true,"fills":[{"id":"F","order":"T","ref":"","market":"BTC-USD",'
    '"side":"buy","price":"1","qty":"1","fee":"0","coin":"USD","maker":true,"at":1}]}',
)
JSON = (
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["NaN", "1e999", "book", "BTC-USD", [], {}])
)


@given(st.sampled_from(NEWS), st.data())
def test_a_frame_with_a_wrong_field_is_a_protocol_error_or_reported(frame: str, data: st.DataObject) -> None:
    message = json.loads(frame)
    part = message
    while True:
        name = data.draw(st.sampled_from(sorted(part)))
        rows = part[name]
        if not isinstance(rows, list) or not rows or not isinstance(rows[0], dict):
            break
        part = rows[0]
    part[name] = data.draw(JSON)
    feed = TIDEPOOL.feeds[0].make(evolve(World(TIDEPOOL).client("me").context, provisional=data.draw(st.booleans())))
    with suppress(ProtocolError):
        feed.receive(json.dumps(message), 0.0)


@given(st.text() | st.binary())
def test_no_frame_raises_anything_else(frame: str | bytes) -> None:
    feed = TIDEPOOL.feeds[0].make(World(TIDEPOOL).client("me").context)
    with suppress(ProtocolError):
        feed.receive(frame, 0.0)


@given(st.sampled_from(["GET", "POST", "DELETE"]), st.text(), st.binary())
def test_the_exchange_answers_whatever_a_client_sends(method: str, path: str, body: bytes) -> None:
    world = World(TIDEPOOL)
    assert world.protocol.http(HttpRequest(method, "/" + path, {}, body)).status in (200, 400)
    session = world.protocol.session("/stream")
    session.receive(path, 0.0)
