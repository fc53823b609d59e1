"""A margin position of a spot market: bought or sold with what the exchange lends.

Whoever trades on margin pays nothing but the fee and gets nothing but the position; the house's pool pays and gets
instead. A trade back books the profit; :meth:`~exchange_core.simulator.engine.desk.Desk.settle` pays with own money.
The margin that is used is each trade's value by its leverage, in the quote asset, which alone is the collateral.
"""

from __future__ import annotations

from datetime import datetime

import attrs

from exchange_core.model.side import Side
from exchange_core.simulator.engine.exposure import Exposure
from exchange_core.simulator.engine.units import RATE, ceil_div, rate


@attrs.define(kw_only=True)
class Leveraged(Exposure):
    """Attributes:
    used: Fine units of margin that the position uses.
    paid_until: Rollover is paid up to then.
    """

    used: int = 0
    paid_until: datetime | None = None

    def margin(self, side: Side | None = None, lots: int = 0, value: int = 0, margin: int = 0) -> int:
        fine, orders = self.used, self.reducing
        for each, open_side in self.sides.items():
            open_lots, open_value, open_margin = open_side.lots, open_side.value, open_side.margin
            if each is side:
                open_lots += lots
                open_value += value
                open_margin += margin
            orders += open_value
            larger = open_lots - self.reducible(each)
            if larger > 0:
                fine += ceil_div(open_margin * larger, open_lots)
        fine = fine * RATE + orders * max(0, self.market.rates().taker)
        return ceil_div(fine, RATE * self.market.per_unit)

    def position_margin(self) -> int:
        return ceil_div(self.used, self.market.per_unit)

    def maintenance(self) -> int:
        stop = rate(self.market.market.margin_stop, "margin_stop")
        return ceil_div(self.used * stop, RATE * self.market.per_unit)

    def trade(self, side: Side, lots: int, value: int, now: datetime, leverage: int = 1) -> int:
        before = abs(self.lots)
        if self.lots * side.sign >= 0:
            self.used += ceil_div(value, leverage)
        else:
            closed = min(before, lots)
            self.used -= self.used * closed // before
            if lots > closed:
                self.used += ceil_div(value * (lots - closed), lots * leverage)
        return super().trade(side, lots, value, now)
