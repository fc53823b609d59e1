"""What a feed tells the core: one small class a kind of news.

Market data comes as the model itself (``Trade``, ``Ticker``, ``Candle``, ``OrderBook``); the classes here are for
news that has no model of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import attrs

from exchange_core.errors import ExchangeError, LockedOut
from exchange_core.model.account import Balance, Position
from exchange_core.model.book import BookByOrder, OrderBook
from exchange_core.model.fill import Fill
from exchange_core.model.instrument import Instrument
from exchange_core.model.ledger import LedgerEntry
from exchange_core.model.market import Candle, Ticker, Trade
from exchange_core.model.order import OrderRequest, OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol


class Channel(StrEnum):
    """What can be subscribed to."""

    TICKER = "ticker"
    TRADES = "trades"
    BOOK = "book"
    BOOK_BY_ORDER = "book_by_order"
    CANDLES = "candles"
    INSTRUMENTS = "instruments"
    STATUS = "status"
    ORDERS = "orders"
    FILLS = "fills"
    BALANCES = "balances"
    POSITIONS = "positions"
    LEDGER = "ledger"
    NOTICES = "notices"


class TickerTrigger(StrEnum):
    """What makes a venue send a ticker: a change of the best prices, or a trade."""

    BBO = "bbo"
    TRADES = "trades"


@attrs.frozen(cache_hash=True)
class Subscription:
    """One thing to be told about. Equal ones are one subscription.

    Attributes:
        symbol: None for account-wide channels.
        depth: Of a book, in levels; None takes the venue's default.
        interval: Of candles, in minutes.
        trigger: Of a ticker; None takes the venue's default.
        variant: Which of several feeds that a venue has for the channel, in its own word; None takes the fullest.
    """

    channel: Channel
    symbol: Symbol | None = None
    depth: int | None = None
    interval: int | None = None
    trigger: TickerTrigger | None = None
    variant: str | None = None

    def __str__(self) -> str:
        option = self.depth or self.interval or self.trigger or self.variant or ""
        parts = [str(self.channel), str(self.symbol or ""), str(option)]
        return " ".join(part for part in parts if part)


@attrs.frozen(kw_only=True)
class Subscribed:
    """The venue acknowledged a subscription."""

    subscription: Subscription


@attrs.frozen(kw_only=True)
class SubscriptionRefused:
    """The venue said no to a subscription: it finds fault with what was asked for, and will every time."""

    subscription: Subscription
    reason: str
    codes: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class SubscriptionUnanswered:
    """The venue says neither yes nor no to it for long; it stays wanted, and is asked for ever more slowly."""

    subscription: Subscription
    reason: str


@attrs.frozen(kw_only=True)
class LockoutTold:
    """The venue said over this connection that it ignores the key for a while: nothing is to be sent meanwhile."""

    error: LockedOut


@attrs.frozen(kw_only=True)
class BookDesynced:
    """A book failed its check; nothing of it is published until a fresh snapshot verified.

    Attributes:
        channel: Which of the symbol's books: BOOK or BOOK_BY_ORDER.
    """

    symbol: Symbol
    reason: str
    channel: Channel = Channel.BOOK


@attrs.frozen(kw_only=True)
class SubscriptionSilent:
    """The venue had stopped sending what it had acknowledged: asked afresh, it showed news that had not come.

    What was missed is healed from the fresh start. *reason* says what it was.
    """

    subscription: Subscription
    reason: str


@attrs.frozen(kw_only=True)
class OrderUpdate:
    """What one message said of one of our orders. None is "not said here", never "cleared".

    Attributes:
        filled: Cumulative quantity.
        spent: Of an order for an amount: what that cost, in the quote asset.
        price: The limit; of a triggered order, of what fires.
        snapshot: True when it is part of the list of open orders that a subscription starts with.
        sequence_time: When the venue made the change; an older one never overwrites a newer one.
        request: All its terms, where the message has them: what an order that was not placed here is shown with.
        continues: The venue's id under which the same order was known before, such as a trigger's that fired. (An
            edit that ends one order and makes another is no such thing: these are two.)
    """

    venue_order_id: str | None = None
    client_order_id: str | None = None
    status: OrderStatus | None = None
    symbol: Symbol | None = None
    side: Side | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    display_quantity: Decimal | None = None
    filled: Decimal | None = None
    average_price: Decimal | None = None
    spent: Decimal | None = None
    reason: str | None = None
    snapshot: bool = False
    sequence_time: datetime | None = None
    request: OrderRequest | None = None
    continues: str | None = None


@attrs.frozen(kw_only=True)
class OpenOrdersSnapshot:
    """All orders that are open now; what we hold open and is not here ended while we were away."""

    orders: tuple[OrderUpdate, ...]


@attrs.frozen(kw_only=True)
class BalancesUpdate:
    """New totals.

    Attributes:
        complete: True when assets that are not listed are zero; False when they are unchanged.
    """

    balances: tuple[Balance, ...]
    complete: bool = False


@attrs.frozen(kw_only=True)
class PositionsUpdate:
    """Positions; with *complete*, what is not listed is flat."""

    positions: tuple[Position, ...]
    complete: bool = False


@attrs.frozen(kw_only=True)
class LedgerUpdate:
    """News of the account's ledger, oldest first; each entry is told once.

    Attributes:
        entries: What changed balances.
        own: All that was told, in the plugin's own words: rows that change no balance (of positions, say) are here too.
        snapshot: True for the past entries that a subscription starts with.
    """

    entries: tuple[LedgerEntry, ...]
    own: tuple[Any, ...] = ()
    snapshot: bool = False


@attrs.frozen(kw_only=True)
class Notice:
    """What the venue has to say to its customers: maintenance, news of markets.

    Attributes:
        id: The venue's; a notice that comes again, changed, has the same. None where it has none.
        kind, priority: The venue's own words.
        effective: When what it tells of happens.
        downtime: How long that is expected to take.
    """

    text: str
    id: str | None = None
    kind: str = ""
    priority: str = ""
    effective: datetime | None = None
    downtime: timedelta | None = None
    venue: str = ""


@attrs.frozen(kw_only=True)
class InstrumentsUpdate:
    """Instruments that are new or changed."""

    instruments: tuple[Instrument, ...]


class VenueState(StrEnum):
    """What the venue as a whole accepts."""

    ONLINE = "online"
    POST_ONLY = "post_only"
    CANCEL_ONLY = "cancel_only"
    MAINTENANCE = "maintenance"


@attrs.frozen(kw_only=True)
class StatusUpdate:
    """The venue changed its mode. *text* is its own word."""

    state: VenueState
    text: str = ""


@attrs.frozen(kw_only=True)
class SequenceGap:
    """A stream lost messages: what they said must be fetched again.

    Attributes:
        symbol: Whose, where the channel has symbols; trades or candles of it are missing.
    """

    channel: Channel
    reason: str
    symbol: Symbol | None = None


@attrs.frozen(kw_only=True)
class Answered:
    """The answer to a request that went over this connection.

    Attributes:
        request_id: As ``RequestFeed.ask`` returned it.
        value: What ``Dialect.decode`` would make of the same answer over REST.
        error: What ``Dialect.decode`` would raise, instead of a value; ConnectFailed when the request was not looked
            at for the connection's sake (its session is gone), so that it may go another way.
    """

    request_id: int
    value: Any = None
    error: ExchangeError | None = None


@attrs.frozen(kw_only=True)
class LimitLevel:
    """The venue's own count of one of its limits. *pool* and *key* are those of the plugin's costs."""

    pool: str
    level: float
    key: str = ""


@attrs.frozen(kw_only=True)
class TierUpdate:
    """The venue told the level of the account, which its limits depend on. *tier* is a word of the config's."""

    tier: str


@attrs.frozen(kw_only=True)
class Ignored:
    """A frame that is known and carries no news: a heartbeat, a pong, an echo. *kind* names it."""

    kind: str


@attrs.frozen(kw_only=True)
class Unrecognised:
    """A frame or an entry that the plugin does not know. It is counted and reported, never fatal.

    Attributes:
        kind: What could be told of it, such as a channel name.
        detail: Why, for a human; never contains credentials.
    """

    kind: str
    detail: str = ""


Event = (
    OrderBook
    | BookByOrder
    | Trade
    | Ticker
    | Candle
    | Fill
    | OrderUpdate
    | OpenOrdersSnapshot
    | BalancesUpdate
    | PositionsUpdate
    | LedgerUpdate
    | Notice
    | InstrumentsUpdate
    | StatusUpdate
    | SequenceGap
    | Subscribed
    | SubscriptionRefused
    | SubscriptionUnanswered
    | LockoutTold
    | SubscriptionSilent
    | BookDesynced
    | Answered
    | LimitLevel
    | TierUpdate
    | Ignored
    | Unrecognised
)
Events = Sequence[Event]
