"""What the account has and did, in lists of which each entry is read by itself: one that is damaged hides no other.

What does not read is handed on beside the rest, because a list that lacks something proves no absence.
See https://docs.kraken.com/api/docs/futures-api/trading/get-open-orders and the pages beside it
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import msgspec

from exchange_core.connector.partial import listed
from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ExchangeError, ProtocolError
from exchange_core.model.account import Balance, Position
from exchange_core.model.fill import Fill
from exchange_core.model.instrument import Instrument
from exchange_core.model.number import EXACT
from exchange_core.model.order import Order
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_rfc3339, to_rfc3339
from kraken_futures import naming
from kraken_futures.numbers import number, optional
from kraken_futures.pages import Rows, Unreadable
from kraken_futures.parse import feed as parse
from kraken_futures.parse.rows import DAMAGE, decoder, readable
from kraken_futures.rest import orders as rest_orders
from kraken_futures.rest.calls import private, public
from kraken_futures.rest.doubts import name_of
from kraken_futures.wire import common as wire

_PAGE = 100  # fills in one answer

_log = logging.getLogger(__name__)


@attrs.frozen
class AccountLists:
    """The lists of one account.

    Attributes:
        skipped: What of each list did not read the last time, and what was in contracts that are listed nowhere, by
            its name and why; the latter is shown under a stand-in for the contract.
    """

    _context: VenueContext
    _instruments: Callable[[], Flow[list[Instrument]]]
    skipped: dict[str, dict[str, str]] = attrs.field(factory=dict)

    def open_orders(self) -> Flow[Rows[Order]]:
        """List what is open, triggers among them."""
        reply: wire.OpenOrders = yield private("openorders", wire.OpenOrders)
        yield from self._learn(reply.open_orders)
        orders, bad = readable(reply.open_orders, wire.OpenOrder, self._order, self._what("openorders"))
        self._note("order", bad)
        return Rows.of((order for order in orders if order is not None), bad)

    def positions(self) -> Flow[list[Position]]:
        """List positions."""
        reply: wire.OpenPositions = yield private("openpositions", wire.OpenPositions)
        what = self._what("openpositions")
        yield from self._learn(reply.open_positions)
        rows, bad = readable(reply.open_positions, wire.OpenPosition, self._position, what)
        marks: Mapping[str, Decimal | None] = {}
        if rows:
            tickers: wire.Tickers = yield public("tickers", wire.Tickers, symbol=[row.symbol for row, *_ in rows])
            marks = dict(_marks(tickers))
        self._note("position", bad)
        positions = (
            attrs.evolve(
                parse.make_position(
                    instrument, quantity, entry, mark=marks.get(row.symbol.upper()), venue=self._context.venue
                ),
                unrealised_funding=row.unrealized_funding,
            )
            for row, instrument, quantity, entry in rows
        )
        return listed(positions, _problems("position", bad))

    def balances(self) -> Flow[list[Balance]]:
        """List what is in each wallet."""
        reply: wire.Accounts = yield private("accounts", wire.Accounts)
        bad: dict[str, str] = {}
        found: list[Balance] = []
        for wallet, raw in reply.accounts.items():
            try:
                account = decoder(wire.Account).decode(raw)
            except DAMAGE as problem:
                bad[f"wallet {wallet[:60]}"] = str(problem)
                continue
            found += self._wallet(wallet, account, bad)
        for name, why in bad.items():
            _log.warning("%s: %s does not read as documented: %s", self._context.venue, name, why)
        self.skipped["wallet"] = bad
        return listed(found, (f"{name}: {why}" for name, why in bad.items()))

    def fills(self, since: datetime | None) -> Flow[Rows[Fill]]:
        """Page backwards: each page holds what was before a time, so pages overlap by a millisecond.

        There is no fee here; the fills feed tells it.
        """
        found: dict[str, tuple[datetime, Fill]] = {}
        damaged: dict[bytes, Unreadable] = {}
        before: datetime | None = None
        while True:
            params = {} if before is None else {"lastFillTime": to_rfc3339(before)}
            page: wire.Fills = yield private("fills", wire.Fills, params, "fills before" if before else "fills")
            yield from self._learn(page.fills)
            rows, bad = readable(page.fills, wire.RestFill, self._fill, self._what("fills"))
            damaged.update((each.raw, each) for each in bad)
            fresh = [row for row in rows if row[0] not in found]
            found.update((name, (time, fill)) for name, time, fill in fresh)
            if since is None or not rows:
                break
            oldest = min(time for _, time, _ in rows)
            if oldest < since or len(page.fills) < _PAGE:
                break
            if fresh:
                before = oldest + timedelta(milliseconds=1)
            elif before != oldest:
                before = oldest  # a whole page within one millisecond
                _log.warning("%s: more than %d fills at %s: some may be missing", self._context.venue, _PAGE, oldest)
            else:
                break
        self._note("fill", damaged.values())
        fills = [fill for _, fill in reversed(found.values())]
        fills.sort(key=lambda fill: fill.time)
        return Rows.of((fill for fill in fills if since is None or fill.time >= since), tuple(damaged.values()))

    def _order(self, raw: wire.OpenOrder) -> Order | None:
        instrument = self._instrument(raw.symbol, f"order {raw.order_id}")
        return rest_orders.open_order(raw, instrument, self._context.venue)

    def _position(self, raw: wire.OpenPosition) -> tuple[wire.OpenPosition, Instrument, Decimal, Decimal]:
        sign = {"long": 1, "short": -1}.get(raw.side)
        if sign is None:
            raise ProtocolError(f"{self._context.venue}: position side {raw.side[:20]!r} is neither long nor short")
        quantity = EXACT.multiply(number(raw.size, "size"), sign)
        raw.unrealized_funding = optional(raw.unrealized_funding, "unrealizedFunding")
        return raw, self._instrument(raw.symbol, "position"), quantity, number(raw.price, "price")

    def _fill(self, raw: wire.RestFill) -> tuple[str, datetime, Fill]:
        instrument, time = self._instrument(raw.symbol, f"fill {raw.fill_id}"), from_rfc3339(raw.fill_time)
        fill = Fill(
            id=raw.fill_id,
            symbol=instrument.symbol,
            side=parse.side(raw.side),
            price=number(raw.price, "price"),
            quantity=number(raw.size, "size"),
            time=time,
            venue=self._context.venue,
            venue_order_id=raw.order_id,
            client_order_id=raw.cli_ord_id,
            liquidity=parse.liquidity(raw.fill_type),
            kind=parse.fill_kind(raw.fill_type),
        )
        return raw.fill_id, time, fill

    def _wallet(self, wallet: str, account: wire.Account, bad: dict[str, str]) -> Iterator[Balance]:
        assets, venue = self._context.assets, self._context.venue
        for name, raw in (account.currencies or {}).items():
            try:
                row: wire.FlexCurrency = decoder(wire.FlexCurrency).decode(raw)
                balance = parse.make_balance(naming.asset(assets, name), row.quantity, row.available, wallet, venue)
            except DAMAGE as problem:
                bad[f"wallet {wallet[:60]}: {name[:60]}"] = str(problem)
            else:
                yield balance
        for name, raw in (account.balances or {}).items():
            if "_" in name:
                continue  # margin accounts list their positions, by contract, among their coins
            is_margin = account.auxiliary is not None and name.lower() == (account.currency or "").lower()
            available = account.auxiliary.af if is_margin and account.auxiliary is not None else None
            try:
                total: Decimal = decoder(Decimal).decode(raw)
                balance = parse.make_balance(naming.asset(assets, name), total, available, wallet, venue)
            except DAMAGE as problem:
                bad[f"wallet {wallet[:60]}: {name[:60]}"] = str(problem)
            else:
                yield balance

    def _learn(self, raws: Iterable[msgspec.Raw]) -> Flow[None]:
        """Ask for the contracts again where a row is of one that is in no list: the list may be older than that."""
        if None not in tuple(self._symbols(raws)):
            return
        try:
            yield from self._instruments()
        except ExchangeError as error:
            _log.warning("%s: the contracts could not be asked for again: %s", self._context.venue, error)

    def _symbols(self, raws: Iterable[msgspec.Raw]) -> Iterator[Symbol | None]:
        for raw in raws:
            # What does not read is told where it is read.
            with suppress(*DAMAGE):
                yield naming.account_symbol(self._context.symbols, decoder(wire.InstrumentName).decode(raw).symbol)

    def _instrument(self, name: str, what: str) -> Instrument:
        symbols = self._context.symbols
        symbol = naming.account_symbol(symbols, name)
        if symbol is None:
            raise ProtocolError(
                f"{what}: {name[:60]!r} is in no instrument list, and that could not be asked for again"
            )
        if symbol not in symbols:
            venue = self._context.venue
            _log.warning("%s: %s: %r is in no instrument list; shown as %s", venue, what, name[:60], symbol)
            strangers = self.skipped.setdefault("stranger", {})
            strangers[f"{what.partition(' ')[0]} in {name[:60]}"] = f"the contract is in no instrument list: {symbol}"
        return naming.account_instrument(symbols, symbol)

    def _what(self, call: str) -> str:
        return f"{self._context.venue}: {call}"

    def _note(self, kind: str, bad: Iterable[Unreadable]) -> None:
        self.skipped[kind] = {f"{kind} {name_of(each.raw) or number}": each.problem for number, each in enumerate(bad)}


def readable_tickers(tickers: wire.Tickers) -> Iterator[wire.Ticker]:
    """Yield the rows that are tickers of contracts; one that is damaged does not hide the others."""
    rows, _ = readable(tickers.tickers, wire.Ticker, lambda row: row, "tickers")
    return (row for row in rows if row.tag is not None)  # indices have none


def _marks(tickers: wire.Tickers) -> Iterator[tuple[str, Decimal | None]]:
    for row in readable_tickers(tickers):
        try:
            yield row.symbol.upper(), optional(row.mark_price, "markPrice")
        except ProtocolError as problem:
            _log.warning("tickers: %s: %s", row.symbol[:60], problem)


def _problems(kind: str, bad: Iterable[Unreadable]) -> Iterator[str]:
    return (f"{kind} {name_of(each.raw) or '?'}: {each.problem}" for each in bad)


def partial(kind: str, rows: Rows[Any]) -> list[Any]:
    """Return *rows* as a list, as a partial one where some do not read."""
    return listed(rows, _problems(kind, rows.unreadable))
