"""Seeded market makers: ordinary accounts with deep pockets that keep a book alive around a wandering price.

One quotes several levels on both sides; another trades with it now and then, so that tickers, trades and candles move.
Every step is a function of the seed and of what the book then holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from random import Random

import attrs

from exchange_core.connector.simulation import SimMarket, SimOrder, SimRefused, SimRequest
from exchange_core.errors import ConfigError
from exchange_core.model.number import ceil_to, floor_to
from exchange_core.model.order import OrderType, TimeInForce
from exchange_core.model.side import Side
from exchange_core.simulator.exchange import SimulatedExchange

QUOTER = "market-maker"
TRADER = "market-taker"

_POCKETS = Decimal(10) ** 12
_KEPT = 1000
_FINE = 1000  # the wandering price is kept in thousandths of a tick


@attrs.frozen(kw_only=True)
class MakerSettings:
    """How a market behaves.

    Attributes:
        spread: Distance between the best quotes, relative to the price.
        gap: Average distance between two levels, relative to the price.
        levels: Quotes on each side.
        depth: What a level is worth on average, in the asset that prices are commonly in (a dollar, say).
        volatility: Largest move of the price in one step, relative.
        pull: Part of the way back to the start price that each step goes.
        trade_chance: How likely a step makes a trade.
        requotes: Quotes on each side that a step renews.
    """

    spread: Decimal = Decimal("0.0002")
    gap: Decimal = Decimal("0.0001")
    levels: int = 25
    depth: Decimal = Decimal(20_000)
    volatility: Decimal = Decimal("0.0002")
    pull: Decimal = Decimal("0.01")
    trade_chance: Decimal = Decimal("0.3")
    requotes: int = 2


class MarketMaker:
    """Keeps one market alive; :meth:`step` is one move."""

    def __init__(
        self,
        exchange: SimulatedExchange,
        market: SimMarket,
        *,
        seed: int | str,
        settings: MakerSettings | None = None,
        quote_worth: Decimal = Decimal(1),
    ) -> None:
        """Args:
        quote_worth: What one unit of the market's quote asset is worth, in the same asset as the settings' depth.
        """
        self.settings = settings or MakerSettings()
        self._depth = self.settings.depth / quote_worth
        self._exchange = exchange
        self._market = market
        self._instrument = market.instrument
        self._random = Random(seed)
        self._tick = market.instrument.tick_size
        self._start = int(market.start_price / self._tick * _FINE)
        if self._start < _FINE:
            raise ConfigError(f"{market.instrument.symbol}: start price {market.start_price} is below one tick")
        self._at = self._start
        self._quotes: dict[Side, list[SimOrder]] = {Side.BUY: [], Side.SELL: []}
        self._begun = False

    def resume(self) -> None:
        """Go on where an earlier maker of the same market stopped: at its price, with its quotes."""
        symbol = self._instrument.symbol
        self._at = max(_FINE, int(self._exchange.index_price(symbol) / self._tick * _FINE))
        for order in self._exchange.open_orders(QUOTER):
            if order.request.symbol == symbol:
                self._quotes[order.request.side].append(order)
        self._begun = True

    @property
    def price(self) -> Decimal:
        """Where the market wanders now."""
        return self._tick * self._at / _FINE

    def step(self, now: datetime) -> None:
        """Move the price, renew some quotes, and perhaps let someone trade. *now* is not looked at.

        The price that the quotes stand around is the market's index price.
        """
        self._wander()
        self._exchange.set_index(self._instrument.symbol, self.price)
        for side in Side:
            self._withdraw(side)
        for side in Side:
            self._quote(side)
        if not self._begun or self._chance(self.settings.trade_chance):
            self._trade()
        self._begun = True

    def _wander(self) -> None:
        settings = self.settings
        largest = int(self._at * settings.volatility)
        back = int((self._start - self._at) * settings.pull)
        self._at = max(_FINE, self._at + self._random.randint(-largest, largest) + back)

    def _withdraw(self, side: Side) -> None:
        """Cancel quotes that the price has left behind, and a few more to renew."""
        best, worst = self._price(side, 0), self._price(side, self.settings.levels)
        sign = side.sign
        stay: list[SimOrder] = []
        leave: list[SimOrder] = []
        for quote in self._quotes[side]:
            if quote.status.is_final:
                continue
            price = quote.request.price
            assert price is not None
            inside = (best - price) * sign >= 0 and (price - worst) * sign >= 0
            (stay if inside else leave).append(quote)
        self._random.shuffle(stay)
        renewed = min(self.settings.requotes, len(stay))
        for quote in leave + stay[:renewed]:
            self._exchange.cancel(QUOTER, quote.id)
        self._quotes[side] = stay[renewed:]

    def _quote(self, side: Side) -> None:
        """Fill the side up to its number of levels: the best price first, the rest where there is room."""
        quotes = self._quotes[side]
        taken = {quote.request.price for quote in quotes}
        for level in range(self.settings.levels):
            price = self._price(side, level)
            if len(quotes) < self.settings.levels and price > 0 and price not in taken:
                self._place(side, price)

    def _place(self, side: Side, price: Decimal) -> None:
        request = SimRequest(
            symbol=self._instrument.symbol,
            side=side,
            type=OrderType.LIMIT,
            quantity=self._quantity(price, self._depth),
            price=price,
        )
        try:
            order = self._exchange.place(QUOTER, request)
        except SimRefused:
            return  # closed for now, or its own quote is in the way; the next step tries again
        if not order.status.is_final:
            self._quotes[side].append(order)

    def _trade(self) -> None:
        """Let the trader take part of the best level, or as much of it as is there."""
        side = Side.BUY if self._random.getrandbits(1) else Side.SELL
        bids, asks = self._exchange.book(self._instrument.symbol, 1)
        levels = asks if side is Side.BUY else bids
        if not levels:
            return
        price = levels[0].price
        request = SimRequest(
            symbol=self._instrument.symbol,
            side=side,
            type=OrderType.LIMIT,
            quantity=self._quantity(price, self._depth / 10),
            price=price,
            time_in_force=TimeInForce.IOC,
        )
        try:
            self._exchange.place(TRADER, request)
        except SimRefused:
            return  # closed for now

    def _price(self, side: Side, level: int) -> Decimal:
        """Return the price of a level, on a tick and away from the middle."""
        middle = self.price
        gap = max(middle * self.settings.gap, self._tick)
        away = middle * self.settings.spread / 2 + gap * level
        if side is Side.BUY:
            return floor_to(middle - away, self._tick)
        return ceil_to(middle + away, self._tick)

    def _quantity(self, price: Decimal, worth: Decimal) -> Decimal:
        """Return a quantity worth about *worth*, on a lot, and enough for the market's minimums."""
        instrument = self._instrument
        unit = instrument.contract_size if instrument.is_inverse else instrument.notional(Decimal(1), price)
        wanted = worth * self._random.randint(300, 1700) / 1000 / unit
        least = instrument.min_quantity
        if instrument.min_cost is not None:
            least = max(least, instrument.min_cost / price)
        return max(floor_to(wanted, instrument.lot_size), ceil_to(least, instrument.lot_size))

    def _chance(self, chance: Decimal) -> bool:
        return self._random.randrange(1000) < chance * 1000


def open_pockets(exchange: SimulatedExchange) -> bool:
    """Open the makers' accounts; return whether they are new."""
    if QUOTER in exchange.parts.accounts:
        return False
    pockets = {asset.code: _POCKETS for asset in exchange.assets()}
    for name in (QUOTER, TRADER):
        exchange.add_account(name, pockets, keep=_KEPT)
    return True


def market_makers(
    exchange: SimulatedExchange, *, seed: int, settings: MakerSettings | None = None
) -> Sequence[MarketMaker]:
    """Open the makers' accounts and return a maker for every market; in a restored exchange they go on."""
    restored = not open_pockets(exchange)
    markets = exchange.markets()
    worth = {market.instrument.symbol.base: market.start_price for market in markets}
    makers = [
        MarketMaker(
            exchange,
            market,
            seed=f"{seed} {market.instrument.symbol}",
            settings=settings,
            quote_worth=worth.get(market.instrument.symbol.quote, Decimal(1)),
        )
        for market in markets
    ]
    if restored:
        for maker in makers:
            maker.resume()
    return makers
