"""Seeded market makers: ordinary accounts with deep pockets that keep a book alive around a wandering price.

One quotes several levels on both sides; another trades with it now and then, so that tickers, trades and candles move.
Every step is a function of the seed and of what the book then holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Context, Decimal
from random import Random
from typing import Any

import attrs

from exchange_core.connector.saved_state import dump, load
from exchange_core.connector.simulation import SimMarket, SimOrder, SimRefused, SimRequest
from exchange_core.errors import ConfigError
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.number import ceil_to, floor_to
from exchange_core.model.order import OrderType, TimeInForce
from exchange_core.model.side import Side
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.makers.settings import MakerSettings

__all__ = ["QUOTER", "TRADER", "MakerSettings", "MarketMaker", "open_pockets"]

QUOTER = "market-maker"
TRADER = "market-taker"

_POCKETS = Decimal(10) ** 12
_KEPT = 1000
_QUOTED = (InstrumentStatus.ONLINE, InstrumentStatus.LIMIT_ONLY)
_FINE = 1000  # prices are kept in thousandths of a tick
_SHORT = Context(prec=15)


@attrs.define
class _Way:
    """How a market came to its price: *middle*, times what it has in common with others, times what is its own.

    Attributes:
        drifted: The drift that *shared* has taken in.
        steps: How many it made.
    """

    middle: Decimal
    shared: Decimal = Decimal(0)
    own: Decimal = Decimal(0)
    drifted: Decimal = Decimal(0)
    steps: int = 0


class MarketMaker:
    """Keeps one market alive; :meth:`step` is one move.

    Attributes:
        settings: How it behaves; can be changed at any time.
        symbol: Its market.
    """

    def __init__(
        self,
        exchange: SimulatedExchange,
        market: SimMarket,
        *,
        seed: int | str,
        settings: MakerSettings | None = None,
        quote_worth: Decimal = Decimal(1),
        drift: Callable[[datetime], Decimal] = lambda now: Decimal(0),
    ) -> None:
        """Args:
        quote_worth: What one unit of the market's quote asset is worth, in the same asset as the settings' depth.
        drift: What its price has in common with that of other markets; see :class:`~.tides.Tides`.
        """
        self.settings = settings or MakerSettings()
        self.symbol = market.instrument.symbol
        self._quote_worth = quote_worth
        self._exchange = exchange
        self._instrument = market.instrument
        self._seed = seed
        self._random = Random()
        self._tick = market.instrument.tick_size
        self._drift = drift
        self._quotes: dict[Side, list[SimOrder]] = {Side.BUY: [], Side.SELL: []}
        self._way = _Way(middle=market.start_price, drifted=drift(exchange.now()))
        self._check(market.start_price)
        self._price = market.start_price

    @property
    def price(self) -> Decimal:
        """Where the market wanders now. Setting it moves the market there, and is where it wanders from then on."""
        return self._price

    @price.setter
    def price(self, price: Decimal) -> None:
        self._check(price)
        self._price = self._way.middle = price
        self._way.shared = self._way.own = Decimal(0)

    def _check(self, price: Decimal) -> None:
        if price < self._tick:
            raise ConfigError(f"{self.symbol}: price {price} is below one tick, {self._tick}")

    def saved(self) -> dict[str, Any]:
        """Return what it needs to go on later, beside the exchange's state, as JSON."""
        return {"settings": dump(self.settings, MakerSettings), "way": dump(self._way, _Way)}

    def resume(
        self, quotes: Iterable[SimOrder], saved: Mapping[str, Any] | None, *, settings: MakerSettings | None = None
    ) -> None:
        """Go on where an earlier maker of the same market stopped.

        Args:
            quotes: Its open orders.
            saved: What that said; without, the index price tells what it can.
            settings: What it shall do, whatever it did before.

        Raises:
            InvalidValue: What was saved does not read.
        """
        index = self._exchange.index_price(self.symbol)
        if saved is None:
            self._way.own = index / self._way.middle - 1
            self._way.steps = 1
        else:
            self.settings = settings or load(saved.get("settings"), MakerSettings)
            self._way = load(saved.get("way"), _Way)
        self._price = self._here()
        for order in quotes:
            self._quotes[order.request.side].append(order)

    def step(self, now: datetime) -> None:
        """Move the price, renew some quotes, and perhaps let someone trade.

        The price that the quotes stand around is the market's index price. A market that takes no quotes stands still.
        """
        if self._exchange.market(self.symbol).instrument.status not in _QUOTED:
            return
        is_first = not self._way.steps
        self._way.steps += 1
        self._random.seed(f"{self._seed} {self._way.steps}")
        self._wander(now)
        self._exchange.set_index(self.symbol, self._price)
        for side in Side:
            self._withdraw(side)
        for side in Side:
            self._quote(side)
        if is_first or self._chance(self.settings.trade_chance):
            self._trade()

    def _wander(self, now: datetime) -> None:
        settings, way = self.settings, self._way
        drifted = self._drift(now)
        way.shared += (drifted - way.drifted) * settings.volatility * settings.correlation
        way.drifted = drifted
        alone = (1 - settings.correlation**2).sqrt(_SHORT)
        move = settings.volatility * alone * self._random.randint(-1000, 1000) / 1000
        way.own = _SHORT.plus(way.own + move - way.own * settings.pull)
        self._price = self._here()

    def _here(self) -> Decimal:
        """Return the price, in thousandths of a tick."""
        price = self._way.middle * (1 + self._way.shared) * (1 + self._way.own)
        return max(self._tick, floor_to(price, self._tick / _FINE))

    def _withdraw(self, side: Side) -> None:
        """Cancel quotes that the price has left behind, and a few more to renew."""
        best, worst = self._level(side, 0), self._level(side, self.settings.levels)
        sign = side.sign
        stay: list[SimOrder] = []
        leave: list[SimOrder] = []
        # By price, so that it is the same order in a venue that was restored.
        for quote in sorted(self._quotes[side], key=_price_of):
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
            price = self._level(side, level)
            if len(quotes) < self.settings.levels and price > 0 and price not in taken:
                self._place(side, price)

    def _place(self, side: Side, price: Decimal) -> None:
        request = SimRequest(
            symbol=self.symbol,
            side=side,
            type=OrderType.LIMIT,
            quantity=self._quantity(price, self._depth()),
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
        bids, asks = self._exchange.book(self.symbol, 1)
        levels = asks if side is Side.BUY else bids
        if not levels:
            return
        price = levels[0].price
        request = SimRequest(
            symbol=self.symbol,
            side=side,
            type=OrderType.LIMIT,
            quantity=self._quantity(price, self._depth() / 10),
            price=price,
            time_in_force=TimeInForce.IOC,
        )
        try:
            self._exchange.place(TRADER, request)
        except SimRefused:
            return  # closed for now

    def _level(self, side: Side, level: int) -> Decimal:
        """Return the price of a level, on a tick and away from the middle."""
        middle = self._price
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

    def _depth(self) -> Decimal:
        return self.settings.depth / self._quote_worth

    def _chance(self, chance: Decimal) -> bool:
        return self._random.randrange(1000) < chance * 1000


def open_pockets(exchange: SimulatedExchange) -> bool:
    """Open the makers' accounts; return whether they are new."""
    if QUOTER in exchange.parts.accounts:
        return False
    pockets = dict.fromkeys(exchange.spec.traded_assets(), _POCKETS)
    for name in (QUOTER, TRADER):
        exchange.add_account(name, pockets, keep=_KEPT)
    return True


def _price_of(quote: SimOrder) -> Decimal:
    return quote.request.price or Decimal(0)
