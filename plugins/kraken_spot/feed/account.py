"""Our own orders, fills, balances and entries of the ledger, from the private channels.

After its first record an order's messages say only what changed, so what was said is kept by order id. A fill is
told once, whatever is delivered again; a hole in the numbering means that the rest must be asked for.
See https://docs.kraken.com/api/docs/websocket-v2/executions and /balances
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal, localcontext

import msgspec

from exchange_core.connector.naming import UNLISTED
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError
from exchange_core.model.account import Balance
from exchange_core.model.event import (
    BalancesUpdate,
    Channel,
    Event,
    LedgerUpdate,
    OpenOrdersSnapshot,
    OrderUpdate,
    SequenceGap,
    Unrecognised,
)
from exchange_core.model.fill import Fill
from exchange_core.model.ledger import LedgerEntry
from exchange_core.model.number import EXACT
from exchange_core.model.order import OrderStatus
from exchange_core.model.time import from_rfc3339
from kraken_spot.feed.counts import levels
from kraken_spot.feed.orders import KnownOrder
from kraken_spot.naming import usable
from kraken_spot.parse import feed as parse
from kraken_spot.parse import ledger as parse_ledger
from kraken_spot.parse.common import number
from kraken_spot.types.history import LedgerEntry as SpotEntry
from kraken_spot.wire import feed as wire

REMEMBERED = 10_000
"""How many finished orders, fills and ledger entries are kept to know them again. A snapshot repeats 50 fills."""

EXEC_TYPES = frozenset(
    {
        "pending_new",
        "new",
        "trade",
        "filled",
        "iceberg_refill",
        "canceled",
        "expired",
        "amended",
        "restated",
        "status",
    }
)

_SPOT = "spot"
_execution = msgspec.json.Decoder(wire.Execution).decode


class Sequence:
    """The numbers of one subscription's messages."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._last_kind = ""

    def restart(self) -> None:
        """The subscription is a new one: its numbers, and its snapshot, begin anew."""
        self._last, self._last_kind = None, ""

    def spoil(self) -> None:
        """The message just taken could not be used: the next one is to show a hole."""
        self._last = -1

    def take(self, kind: str, sequence: int | None) -> tuple[bool, str | None]:
        """Take the number of a message.

        Returns:
            Whether it is a snapshot that goes on with the one just before, as large accounts may get; and what is
            wrong with its number, or None.
        """
        last, self._last = self._last, sequence
        continues = kind == self._last_kind == "snapshot"
        self._last_kind = kind
        # Open point: whether numbers go on or start again after a second subscription; its snapshot settles it.
        if kind == "snapshot" or last is None or sequence is None or sequence in (last, last + 1):
            return continues, None
        return continues, f"message {sequence} came after {last}"


class Seen:
    """Ids that came before; the oldest are forgotten."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._ids: dict[str, None] = {}

    def is_new(self, name: str) -> bool:
        """Note *name*; return whether it is the first time."""
        if name in self._ids:
            return False
        self._ids[name] = None
        if len(self._ids) > self._remembered:
            del self._ids[next(iter(self._ids))]
        return True


class Executions:
    """Orders and fills of the account."""

    def __init__(self, context: VenueContext, remembered: int = REMEMBERED) -> None:
        self._context = context
        self._remembered = remembered
        self._known: dict[str, KnownOrder] = {}
        self._finished: deque[str] = deque()
        self._fills = Seen(remembered)
        self._open: tuple[OrderUpdate, ...] = ()

    def receive(self, message: wire.Executions, *, continues: bool) -> list[Event]:
        """Take one message.

        Args:
            continues: For a snapshot: it goes on with the one before.
        """
        is_snapshot = message.type == "snapshot"
        events: list[Event] = []
        orders: list[OrderUpdate] = []
        for raw in message.data:
            try:
                self._entry(_execution(raw), is_snapshot, events, orders)
            except (ProtocolError, msgspec.MsgspecError) as error:
                # It may have been a fill: what is missing must be fetched.
                events += gap(f"an entry could not be read: {error}", Channel.ORDERS, Channel.FILLS)
                events.append(Unrecognised(kind="execution", detail=str(error)))
        if is_snapshot:
            self._open = (*self._open, *orders) if continues else tuple(orders)
            # What is missing comes last: after the list, all would seem to be heard of.
            gaps = [event for event in events if isinstance(event, SequenceGap)]
            told: list[Event] = [event for event in events if not isinstance(event, SequenceGap)]
            events = [*_oldest_fills_first(told), OpenOrdersSnapshot(orders=self._open), *gaps]
        return events

    def _entry(self, raw: wire.Execution, is_snapshot: bool, events: list[Event], orders: list[OrderUpdate]) -> None:
        known = self._merge(raw)
        if (unlisted := self._unlisted(raw)) is not None and unlisted not in events:
            events.append(unlisted)
        if raw.exec_type not in EXEC_TYPES:
            events.append(Unrecognised(kind=f"exec_type {raw.exec_type:.20}", detail=f"order {raw.order_id:.20}"))
        status = parse.ORDER_STATUSES.get(raw.order_status)
        if status is None:
            events.append(Unrecognised(kind=f"order_status {raw.order_status:.20}", detail=f"order {raw.order_id:.20}"))
        if raw.exec_type == "trade":
            self._fill(raw, known, events)
        # A past fill of the snapshot is no order; one that is has its quantity, or its amount.
        is_order = raw.exec_type != "trade" or raw.order_qty is not None or raw.cash_order_qty is not None
        if not is_snapshot:
            events.append(self._update(raw, known, status))
            events += levels(raw, known.symbol, self._context)
        elif is_order and (status is None or not status.is_final):
            orders.append(self._update(raw, known, status, snapshot=True))
        if status is not None and status.is_final:
            self._finish(raw.order_id)

    def _merge(self, raw: wire.Execution) -> KnownOrder:
        """Return all that is known of the order now. What is not said is unchanged."""
        known = self._known.setdefault(raw.order_id, KnownOrder())
        known.learn(raw, self._context.symbols)
        return known

    def _unlisted(self, raw: wire.Execution) -> Event | None:
        """Have the lists asked for again, once, for a pair that is in none; what is said of it is told at once."""
        name, symbols = raw.symbol, self._context.symbols
        if name is None or self._context.provisional or symbols.get(name) is not None or symbols.miss(name):
            return None
        return Unrecognised(kind=UNLISTED, detail=f"{name[:60]!r} is in no list of pairs; shown as the feed calls it")

    def _fill(self, raw: wire.Execution, known: KnownOrder, events: list[Event]) -> None:
        if known.symbol is None or known.side is None:
            raise ProtocolError(f"execution of order {raw.order_id}: a trade without symbol or side")
        fill = parse.fill(raw, known.symbol, known.side, known.client_order_id, self._context.venue)
        self._note_assets(raw)
        if self._fills.is_new(fill.id):
            events.append(fill)

    def _note_assets(self, raw: wire.Execution) -> None:
        """Count the assets of fees that are in no table; they stay as the feed calls them, which is our name too."""
        for fee in raw.fees or ():
            if self._context.assets.get(fee.asset) is None:
                self._context.assets.code(fee.asset)

    @staticmethod
    def _update(
        raw: wire.Execution, known: KnownOrder, status: OrderStatus | None, *, snapshot: bool = False
    ) -> OrderUpdate:
        filled = None if raw.cum_qty is None else number(raw.cum_qty, "cum_qty")
        average = None if raw.avg_price is None else number(raw.avg_price, "avg_price")
        return OrderUpdate(
            venue_order_id=raw.order_id,
            client_order_id=known.client_order_id,
            status=status,
            symbol=known.symbol,
            side=known.side,
            quantity=known.quantity,
            price=known.price,
            trigger_price=known.fires_at,
            display_quantity=known.display_quantity,
            filled=filled,
            average_price=average or None,
            spent=None if known.quote_amount is None or raw.cum_cost is None else number(raw.cum_cost, "cum_cost"),
            reason=raw.reason,
            snapshot=snapshot,
            sequence_time=from_rfc3339(raw.timestamp),
            request=known.request(),
        )

    def _finish(self, order_id: str) -> None:
        self._finished.append(order_id)
        if len(self._finished) > self._remembered:
            self._known.pop(self._finished.popleft(), None)


class Balances:
    """What the account holds, by asset and wallet."""

    def __init__(self, context: VenueContext) -> None:
        self._context = context
        self._wallets: dict[str, dict[str, Decimal]] = {}
        self._entries = Seen()
        self._is_whole = False

    def receive(self, message: wire.Balances, *, continues: bool, ledger: bool = False) -> list[Event]:
        """Take one message: all totals, or entries of the ledger.

        Args:
            ledger: Tell the entries themselves, too.
        """
        with localcontext(EXACT):
            if message.type == "snapshot":
                told = self._ledger_begins() if ledger and not continues else []
                return [self._snapshot(message.data, continues=continues), *told]
            new = [raw for raw in message.data if raw.ledger_id is None or self._is_new(raw.ledger_id)]
            balances = tuple(self._entry(raw) for raw in new)
        events: list[Event] = self._entries_told(new, balances) if ledger else []
        if self._is_whole and not all(balance.wallet == _SPOT for balance in balances):
            # REST divides what earns by other words than the feed: beside those, one wallet of these would count twice.
            return [self._all(), *events]
        return [BalancesUpdate(balances=balances), *events] if balances else events

    def _ledger_begins(self) -> list[Event]:
        """Entries are told as they come: none of before, and of those without a connection only what they sum up to."""
        if self._is_whole:
            return gap("entries of before the new snapshot are not told", Channel.LEDGER)
        return [LedgerUpdate(entries=(), snapshot=True)]

    def _entries_told(self, entries: list[wire.BalanceData], after: tuple[Balance, ...]) -> list[Event]:
        good: list[tuple[SpotEntry, LedgerEntry]] = []
        bad: list[Event] = []
        for raw, balance in zip(entries, after, strict=True):
            try:
                own = parse_ledger.told(raw, self._context.assets)
            except ProtocolError as error:
                bad += gap(str(error), Channel.LEDGER)
                continue
            # Without a snapshot nobody knows what of the total is in which wallet.
            total = balance.total if self._is_whole else None
            good.append((own, parse_ledger.entry(own, total, self._context.venue)))
        if not good:
            return bad
        return [LedgerUpdate(entries=tuple(one for _, one in good), own=tuple(own for own, _ in good)), *bad]

    def _is_new(self, ledger_id: str) -> bool:
        return self._entries.is_new(ledger_id)

    def _snapshot(self, entries: list[wire.BalanceData], *, continues: bool) -> BalancesUpdate:
        if not continues:
            self._wallets.clear()
        for raw in entries:
            wallets: dict[str, Decimal] = {}
            for wallet in raw.wallets:
                wallets[wallet.type] = wallets.get(wallet.type, Decimal(0)) + number(wallet.balance, "balance")
            # Assets that cannot be traded any more come with a total and no wallet.
            total = number(raw.balance, "balance")
            self._wallets[self._context.assets.code(raw.asset)] = wallets or {_SPOT: total}
        self._is_whole = True
        return self._all()

    def _all(self) -> BalancesUpdate:
        balances = [
            self._balance(asset, wallet, total)
            for asset, wallets in self._wallets.items()
            for wallet, total in wallets.items()
        ]
        return BalancesUpdate(balances=tuple(balances), complete=True)

    def _entry(self, raw: wire.BalanceData) -> Balance:
        """The entry has the asset's new total over all wallets; one entry changes one wallet."""
        asset = self._context.assets.code(raw.asset)
        wallets = self._wallets.setdefault(asset, {})
        wallet = raw.wallet_type or _SPOT
        others = sum((total for name, total in wallets.items() if name != wallet), Decimal(0))
        wallets[wallet] = number(raw.balance, "balance") - others
        return self._balance(asset, wallet, wallets[wallet])

    def _balance(self, asset: str, wallet: str, total: Decimal) -> Balance:
        return Balance(asset=asset, total=total, wallet=wallet, usable=usable(wallet), venue=self._context.venue)


def _oldest_fills_first(events: list[Event]) -> list[Event]:
    """Open point: which way round a snapshot lists the fills. It tells those of a time without a connection."""
    fills = sorted((event for event in events if isinstance(event, Fill)), key=lambda fill: fill.time)
    return [*fills, *(event for event in events if not isinstance(event, Fill))]


def gap(reason: str, *channels: Channel) -> list[Event]:
    """Return the news that messages of *channels* are missing."""
    return [SequenceGap(channel=channel, reason=reason) for channel in channels]
