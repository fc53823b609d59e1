"""What is remembered of accounts and markets, in the order in which it happened.

See https://docs.kraken.com/api/docs/futures-api/history/get-execution-events
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

import attrs

from exchange_core.connector.saved_state import AsTold
from exchange_core.connector.simulation import SimFill, SimLedgerEntry, SimOrder, SimPosition
from exchange_core.model.symbol import Symbol
from kraken_futures.simulator.past.account_log import LogRow

T = TypeVar("T")

KEPT = 100_000
KEPT_OF_MARKETS = 1_000


@attrs.frozen(kw_only=True)
class Row:
    """An element of a history.

    Attributes:
        millis: When it happened.
        element: What the history shows.
        flags: What filters may ask for.
    """

    symbol: Symbol
    millis: int
    element: AsTold
    flags: frozenset[str] = frozenset()


@attrs.define
class Stream(Generic[T]):
    """Rows that are numbered from 0 for ever; the oldest are forgotten, their numbers are not given out again."""

    most: int = KEPT
    rows: deque[T] = attrs.field(factory=deque)
    count: int = 0

    def add(self, row: T) -> int:
        """Take a row; return how many there have been with it."""
        self.rows.append(row)
        if len(self.rows) > self.most:
            self.rows.popleft()
        self.count += 1
        return self.count

    def __len__(self) -> int:
        return len(self.rows)

    def numbered(self) -> Iterator[tuple[int, T]]:
        return enumerate(self.rows, self.count - len(self.rows))


@attrs.define
class Record:
    """One account's past.

    Attributes:
        held: Its positions as they were last told.
        filled: The fill whose money is still to be told.
        booked: The entry of a trade or settlement whose position is still to be told.
        funded: The funding that was realised because that trade changed the position.
    """

    log: Stream[LogRow] = attrs.field(factory=Stream)
    executions: Stream[Row] = attrs.field(factory=Stream)
    orders: Stream[Row] = attrs.field(factory=Stream)
    triggers: Stream[Row] = attrs.field(factory=Stream)
    positions: Stream[Row] = attrs.field(factory=Stream)
    held: dict[Symbol, SimPosition] = attrs.field(factory=dict)
    filled: SimFill | None = None
    booked: SimLedgerEntry | None = None
    funded: SimLedgerEntry | None = None
    sold: SimLedgerEntry | None = None


@attrs.define
class MarketRecord:
    """One market's past.

    Attributes:
        orders: What happened to orders, and how they were then; shown only when somebody asks.
        liquidations: Numbers of the trades that closed somebody's position.
    """

    orders: Stream[tuple[str, SimOrder]] = attrs.field(factory=lambda: Stream(KEPT_OF_MARKETS))
    prices: Stream[Row] = attrs.field(factory=lambda: Stream(KEPT_OF_MARKETS))
    liquidations: deque[int] = attrs.field(factory=lambda: deque(maxlen=KEPT_OF_MARKETS))
