"""A market of the simulated exchange whose liquidity comes from outside: from a recording, or from a real venue.

What stands outside rests here as orders of the market makers' account, so that orders placed here meet it. Nobody
outside knows of those, so this is what they would have got if nobody had minded them:

- An outside level that grows, grows behind whoever waits here at its price. One that shrinks loses its newest part
  first: who waits here keeps what stood before it as long as the rest of the level goes.
- An outside level that reaches an order that rests here trades with it, at that order's price.
- What was taken here from an outside level stays taken until that level is shown with another quantity.
- A trade outside fills what rests here at better prices, and at its own price as the queue has it, up to its quantity.
  Outside levels that are better than its price are old news and leave. The tape shows all of the trade.
- A trade and the change of the book that it makes are one piece of news told twice, in either order. After a trade the
  level counts as smaller by what traded, so that the book says nothing new. A level that shrank first is remembered for
  a second: a trade that comes then has eaten what the level lost, first of all what stood before whoever waits here,
  and takes that from nobody again. What it ate beyond that comes back at the end of the queue, as the book shows it.

Doubt is decided against who waits here. Prices between two ticks are moved away from the middle, quantities are cut to
lots. While the market here takes no orders, outside levels only get less, and nothing trades.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal

import attrs

from exchange_core.connector.simulation import SimAmendment, SimOrder, SimRefused, SimRequest, SimTrade
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.order import OrderType, TimeInForce
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.engine.ladder import Resting
from exchange_core.simulator.engine.matching import Plan
from exchange_core.simulator.engine.prices import MICRO
from exchange_core.simulator.engine.units import floor_steps, whole_steps
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.makers.maker import QUOTER, TRADER, open_pockets

_BELATED = timedelta(seconds=1)
_TRADES = (InstrumentStatus.ONLINE, InstrumentStatus.LIMIT_ONLY, InstrumentStatus.REDUCE_ONLY)
_ANY_NUMBER = 10**60  # of lots


@attrs.define
class _Level:
    """One price of one side outside.

    Attributes:
        shown: Lots that stand there: as last shown, less what traded since.
        orders: What rests here for it, oldest first.
        lost: Lots by which it shrank lately, without a trade so far that explains them.
        before: Those of them that stood before the last who waits here.
        when: It shrank last.
    """

    shown: int = 0
    orders: list[Resting] = attrs.field(factory=list)
    lost: int = 0
    before: int = 0
    when: datetime | None = None

    def shrank(self, lots: int, before: int, when: datetime) -> None:
        self.forget(when)
        self.lost += lots
        self.before += before
        self.when = when

    def explain(self, lots: int) -> None:
        """A trade of *lots* was the reason."""
        self.lost = max(0, self.lost - lots)
        self.before = max(0, self.before - lots)

    def forget(self, now: datetime) -> None:
        """What was lost long ago was no trade."""
        if self.when is not None and abs(now - self.when) > _BELATED:
            self.lost = self.before = 0


class Mirror:
    """One market whose liquidity comes from outside: its book stands as resting orders, its trades are carried out.

    The times *at* are those of the outside, by its own clock; without them the exchange's time is taken.
    """

    def __init__(self, exchange: SimulatedExchange, symbol: Symbol) -> None:
        """Whatever the market's maker had there leaves.

        Raises:
            SimRefused: There is no such market.
        """
        exchange.market(symbol)
        self._exchange = exchange
        self._symbol = symbol
        self._market = exchange.parts.markets[symbol]
        self._book = self._market.book
        self._levels: dict[Side, dict[int, _Level]] = {side: {} for side in Side}
        # What was shown last, by price: quantity, ticks, lots. Most of it is shown again.
        self._read: dict[Side, dict[Decimal, tuple[Decimal, int, int]]] = {side: {} for side in Side}
        open_pockets(exchange)
        for order in exchange.open_orders(QUOTER):
            if order.request.symbol == symbol:
                exchange.cancel(QUOTER, order.id)

    def show(
        self,
        bids: Iterable[tuple[Decimal, Decimal]],
        asks: Iterable[tuple[Decimal, Decimal]],
        *,
        at: datetime | None = None,
    ) -> None:
        """Let the whole outside book be this, best first."""
        wanted = {Side.BUY: self._on_grid(Side.BUY, bids), Side.SELL: self._on_grid(Side.SELL, asks)}
        bid, ask = max(wanted[Side.BUY], default=0), min(wanted[Side.SELL], default=0)
        if bid >= ask > 0:  # no market is like that: the bids are believed
            wanted[Side.SELL] = {ticks: lots for ticks, lots in wanted[Side.SELL].items() if ticks > bid}
        elif bid and ask:
            middle = (self._market.price(bid) + self._market.price(ask)) / 2
            self._exchange.set_index(self._symbol, middle)
        changed = [change for side in Side for change in self._changes(side, wanted[side])]
        now = at or self._exchange.now()
        with self._exchange.together():
            for side, ticks, level, lots in changed:
                self._lessen(side, ticks, level, lots, now)
            for side, ticks, level, lots in changed:
                self._fill_up(side, ticks, level, lots)
        self._prune(now)

    def trade(self, side: Side, price: Decimal, quantity: Decimal, *, at: datetime | None = None) -> None:
        """Carry out a trade that was made outside; the taker's *side* traded."""
        half = side.opposite
        ticks, lots = self._ticks(half, price), floor_steps(quantity, self._market.lot)
        if ticks <= 0 or lots <= 0 or self._market.status not in _TRADES:
            return
        now = at or self._exchange.now()
        level = self._levels[half].get(ticks) or _Level()
        level.forget(now)
        told = min(lots, level.lost)
        taken = level.shown - self._rest(level)
        with self._exchange.together():
            meets = self._meets_others(side, ticks)
            aside = self._step_aside(half, ticks) if meets or told < lots else []
            filled = self._fill(side, ticks, lots, level.before) if meets else 0
            self._print(side, ticks, lots - filled)
            level.explain(lots)
            level.shown = max(0, level.shown - lots + told)
            stays = max(0, level.shown - taken)
            self._cut(half, ticks, level, self._rest(level) - stays)
            self._stand(half, ticks, level, stays - self._rest(level))
            for other, old, lots_before in aside:
                if told < lots:
                    del self._levels[half][other]
                else:  # the book is newer than the trade
                    self._stand(half, other, old, lots_before)

    def withdraw(self) -> None:
        """What stands outside is not known just now: nothing of it rests here."""
        with self._exchange.together():
            for levels in self._levels.values():
                for level in levels.values():
                    self._leave(level)
                levels.clear()

    def _changes(self, side: Side, wanted: dict[int, int]) -> list[tuple[Side, int, _Level, int]]:
        """Return the levels that are shown with another quantity than is known, best first."""
        levels = self._levels[side]
        prices = [ticks for ticks, level in levels.items() if level.shown != wanted.get(ticks, 0)]
        prices += [ticks for ticks in wanted if ticks not in levels]
        prices.sort(reverse=side is Side.BUY)
        return [(side, ticks, levels.setdefault(ticks, _Level()), wanted.get(ticks, 0)) for ticks in prices]

    def _lessen(self, side: Side, ticks: int, level: _Level, lots: int, now: datetime) -> None:
        """Take away what stands here of a level beyond *lots*."""
        before = self._cut(side, ticks, level, self._rest(level) - lots)
        if lots < level.shown:
            level.shrank(level.shown - lots, before, now)
        else:
            level.lost = level.before = 0

    def _fill_up(self, side: Side, ticks: int, level: _Level, lots: int) -> None:
        level.shown = lots
        self._stand(side, ticks, level, lots - self._rest(level))

    def _cut(self, side: Side, ticks: int, level: _Level, lots: int) -> int:
        """Take *lots* from the newest of a level; return how many of them stood before the last who waits there."""
        if lots <= 0:
            return 0
        last = max((each.place for each in self._book.queue(side, ticks) if each.owner != QUOTER), default=None)
        before = 0
        for resting in reversed(level.orders):
            part = min(lots, resting.remaining)
            if last is None or resting.place < last:
                before += part
            if part == resting.remaining:
                self._exchange.cancel(QUOTER, resting.id)
            elif part:
                self._shrink(resting, part)
            lots -= part
            if not lots:
                break
        return before

    def _shrink(self, resting: Resting, lots: int) -> None:
        order = self._exchange.order(QUOTER, resting.id)
        assert order is not None
        whole = order.request.quantity - self._market.quantity(lots)
        self._exchange.amend(QUOTER, resting.id, SimAmendment(quantity=whole))
        order.amends = ()  # nobody asks for them, and a level may change for days

    def _stand(self, side: Side, ticks: int, level: _Level, lots: int) -> None:
        """Put *lots* behind whoever waits at a price; they meet what rests here and reaches them."""
        if lots <= 0:
            return
        post_only = self._market.status is InstrumentStatus.POST_ONLY
        try:
            order = self._place(QUOTER, side, ticks, lots, post_only=post_only)
        except SimRefused:
            level.shown = self._rest(level)  # the next show tries again
            return
        resting = self._book.get(order.id)
        if resting is not None:
            level.orders.append(resting)

    def _leave(self, level: _Level) -> None:
        for resting in level.orders:
            if self._book.get(resting.id) is not None:
                self._exchange.cancel(QUOTER, resting.id)
        level.orders.clear()

    def _step_aside(self, half: Side, ticks: int) -> list[tuple[int, _Level, int]]:
        """Take out the outside orders that are better than a price; return what they were."""
        better = [
            (other, level, self._rest(level))
            for other, level in self._levels[half].items()
            if (other - ticks) * half.sign > 0
        ]
        for _, level, _ in better:
            self._leave(level)
        return better

    def _meets_others(self, side: Side, ticks: int) -> bool:
        """Return whether a taker would meet orders that were placed here."""
        plan = self._plan(side, ticks, _ANY_NUMBER)
        return any(match.maker.owner != QUOTER for match in plan.matches)

    def _fill(self, side: Side, ticks: int, lots: int, gone: int) -> int:
        """Let a taker meet what rests here; return the lots that traded.

        Args:
            gone: Of the trade's own price, what it ate that has left already.
        """
        plan = self._plan(side, ticks, lots)
        first = sum(match.quantity for match in plan.matches if match.maker.price != ticks)
        wanted = min(lots - plan.remaining, lots - min(gone, lots - first))
        if wanted:
            with suppress(SimRefused):
                order = self._place(TRADER, side, ticks, wanted, time_in_force=TimeInForce.IOC)
                return floor_steps(order.filled, self._market.lot)
        return 0

    def _plan(self, side: Side, ticks: int, lots: int) -> Plan:
        return self._book.plan(side, ticks, lots, TRADER, self._exchange.parts.accounts.reducible(self._market))

    def _place(
        self,
        account: str,
        side: Side,
        ticks: int,
        lots: int,
        *,
        post_only: bool = False,
        time_in_force: TimeInForce = TimeInForce.GTC,
    ) -> SimOrder:
        request = SimRequest(
            symbol=self._symbol,
            side=side,
            type=OrderType.LIMIT,
            quantity=self._market.quantity(lots),
            price=self._market.price(ticks),
            post_only=post_only,
            time_in_force=time_in_force,
            any_size=True,
        )
        return self._exchange.place(account, request)

    def _print(self, side: Side, ticks: int, lots: int) -> None:
        """Let the tape show what others traded outside."""
        if not lots:
            return
        market, parts = self._market, self._exchange.parts
        market.tape.count += 1
        trade = SimTrade(
            trade_id=market.tape.count,
            uid=parts.accounts.new_id(),
            symbol=self._symbol,
            side=side,
            taker_type=OrderType.LIMIT,
            price=market.price(ticks),
            quantity=market.quantity(lots),
            time=self._exchange.now(),
        )
        market.tape.add(trade, ticks, lots)
        market.prices.last = ticks * MICRO
        if market.waiting:
            market.prices.path.append(ticks)
        parts.settlement.told.trade(trade)

    def _rest(self, level: _Level) -> int:
        """Return the lots that rest here for a level."""
        level.orders = [resting for resting in level.orders if self._book.get(resting.id) is resting]
        return sum(resting.remaining for resting in level.orders)

    def _prune(self, now: datetime) -> None:
        for levels in self._levels.values():
            gone = [
                ticks
                for ticks, level in levels.items()
                if not level.shown and (level.when is None or abs(now - level.when) > _BELATED)
            ]
            for ticks in gone:
                del levels[ticks]

    def _on_grid(self, side: Side, levels: Iterable[tuple[Decimal, Decimal]]) -> dict[int, int]:
        found: dict[int, int] = {}
        before, read = self._read[side], {}
        for price, quantity in levels:
            row = before.get(price)
            if row is None or row[0] != quantity:
                row = quantity, self._ticks(side, price), floor_steps(quantity, self._market.lot)
            read[price] = row
            _, ticks, lots = row
            if ticks > 0 and lots > 0:
                found[ticks] = found.get(ticks, 0) + lots
        self._read[side] = read
        return found

    def _ticks(self, side: Side, price: Decimal) -> int:
        """Return a price in ticks, moved away from the middle."""
        tick = self._market.tick
        return floor_steps(price, tick) + (side is Side.SELL and whole_steps(price, tick) is None)
