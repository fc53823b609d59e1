"""One simulated market that follows a real one: what the real venue says of it goes in, nothing comes out.

It is known while the real book is live. Else nothing of the outside rests here, nothing fills, and the market takes
no orders; cancels it does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.market import Ticker, Trade
from exchange_core.model.number import nearest
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.outside.mirror import Mirror

_FINEST_RATE = Decimal("1e-12")


class FollowedMarket:
    """Carries news of a real market into a simulated one.

    Attributes:
        symbol: Its name here.
        known: Set while what stands outside is known.
    """

    def __init__(
        self,
        exchange: SimulatedExchange,
        symbol: Symbol,
        depth: int | None,
        *,
        say: Callable[[str], None],
        now: Callable[[], datetime] | None = None,
    ) -> None:
        """Args:
        depth: Levels of each side that are shown; all without.
        say: Told when it is not known any more, and when it is again.
        now: Tells the time of the real market; that of the exchange unless given.
        """
        self.symbol = symbol
        self.known = asyncio.Event()
        self._exchange = exchange
        self._mirror = Mirror(exchange, symbol)
        self._depth = depth
        self._say = say
        self._now = now or exchange.now
        self._accepts = InstrumentStatus.ONLINE
        self._set: InstrumentStatus | None = None
        self._since: datetime | None = None
        self._was_known = False
        self._has_mark = False
        self._index: Decimal | None = None
        self.end()  # a restored exchange may hold what was shown when it was saved

    def book(self, view: OrderBook) -> None:
        """Show the real book as it is now, or nothing of it where it is not live."""
        if view.health is not BookHealth.LIVE:
            self.withdraw(f"its book is {view.health}")
            return
        is_back = not self.known.is_set()
        if is_back:
            # Trades from before are in the book already. A book that tells no time is taken to be of this moment.
            self._since = view.time or self._now()
            self.known.set()
            self._set_status()
        self._mirror.show(view.bids(self._depth), view.asks(self._depth), at=view.time or self._now())
        if self._index is not None:
            self._exchange.set_index(self.symbol, self._index)
        if is_back:
            self._came_back()

    def trade(self, trade: Trade) -> None:
        """Carry out a real trade, unless it was made before the book was known.

        One of a special kind, such as a block trade or a liquidation, may have been made beside the book: it fills
        nothing.
        """
        is_news = self.known.is_set() and self._since is not None and trade.time > self._since
        if is_news and not trade.kind:
            self._mirror.trade(trade.side, trade.price, trade.quantity, at=trade.time)

    def ticker(self, ticker: Ticker) -> None:
        """Take over what a real contract is valued at, and what it pays for funding."""
        if ticker.mark_price:
            self._has_mark = True
            self._exchange.set_mark(self.symbol, ticker.mark_price)
        if ticker.index_price:
            self._index = ticker.index_price
            self._exchange.set_index(self.symbol, ticker.index_price)
        if ticker.funding_rate is not None and self.symbol.expiry is None:
            self._exchange.set_funding(self.symbol, nearest(ticker.funding_rate, _FINEST_RATE))

    def accept(self, status: InstrumentStatus) -> None:
        """Take the orders that the real market takes now."""
        if status is not self._accepts:
            self._accepts = status
            self._set_status()
            self._say(f"{self.symbol} is {status}")

    def withdraw(self, why: str) -> None:
        """Show nothing, and fill nothing, until there is a live book again."""
        if self.known.is_set():
            self.end()
            self._say(f"{self.symbol} is not known just now: {why}; nothing fills, and it takes no orders")

    def end(self) -> None:
        """Follow no more."""
        if not self._has_mark:
            # Else it would be the middle of the orders that are left, and could ruin accounts.
            self._exchange.set_mark(self.symbol, self._exchange.mark_price(self.symbol))
        self.known.clear()
        self._mirror.withdraw()
        self._set_status()

    def _came_back(self) -> None:
        if not self._has_mark:
            self._exchange.set_mark(self.symbol, None)
        if self._was_known:
            self._say(f"{self.symbol} is followed again; what was traded meanwhile filled nothing")
        self._was_known = True

    def _set_status(self) -> None:
        """Say what the market takes, where that has changed: someone else may have set it meanwhile."""
        wanted = self._accepts
        if not self.known.is_set() and wanted is not InstrumentStatus.OFFLINE:
            wanted = InstrumentStatus.CANCEL_ONLY
        if wanted is not self._set:
            self._set = wanted
            self._exchange.set_status(self.symbol, wanted)
