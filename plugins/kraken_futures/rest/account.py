"""Kraken Futures' own account calls, reached as ``operations.account``; none of them changes anything.

See https://docs.kraken.com/api/docs/futures-api/trading/get-accounts and the pages beside it
"""

from __future__ import annotations

import attrs

from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import VenueContext
from kraken_futures import naming
from kraken_futures.limits import units
from kraken_futures.numbers import number
from kraken_futures.pages import Backwards, Page, Pages, Rows
from kraken_futures.parse import account as parse_account
from kraken_futures.parse import words
from kraken_futures.parse.rows import made, readable, rows, word
from kraken_futures.rest.calls import private
from kraken_futures.rest.market import contracts
from kraken_futures.types.account import (
    Access,
    FillKind,
    FuturesFill,
    KeyInfo,
    Notice,
    NoticeKind,
    OpenPosition,
    Priority,
    UnwindRank,
    Wallet,
)
from kraken_futures.types.market import Contract, ContractType
from kraken_futures.wire import account as wire
from kraken_futures.wire import market as wire_market

_PAGE = 100  # fills in one answer
_KEY_CHECK = "/api/auth/v1/api-keys/v3/check"


@attrs.frozen
class AccountCalls:
    """What the account has, and what the venue says of it."""

    _context: VenueContext

    def wallets(self) -> Flow[tuple[Wallet, ...]]:
        """Return all wallets with their margins: cash, one for each inverse pair, and the multi-collateral one."""
        reply: wire.Accounts = yield private("accounts", wire.Accounts)
        return tuple(parse_account.wallet(name, raw, self._context) for name, raw in reply.accounts.items())

    def positions(self) -> Flow[Rows[OpenPosition]]:
        """Return positions with the venue's own figures. Those that matured wait here for their settlement too."""
        reply: wire.Positions = yield private("openpositions", wire.Positions)
        context = self._context
        what = f"{context.venue}: openpositions"
        return rows(reply.open_positions, wire.Position, lambda raw: parse_account.position(raw, context), what)

    def fills(self) -> Pages[FuturesFill]:
        """Page through our fills, newest first. Pages after the first cost 25 units instead of 2."""

        def fetch(cursor: str | None) -> Flow[Page[FuturesFill]]:
            place = Backwards.of(cursor)
            params, cost = ({}, "fills") if place.text is None else ({"lastFillTime": place.text}, "fills before")
            reply: wire.FillRows = yield private("fills", wire.FillRows, params, cost)
            found, bad = readable(
                reply.fills, wire.FillRow, lambda row: fill(row, self._context), f"{self._context.venue}: fills"
            )
            return place.page(found, bad, _PAGE)

        return Pages(fetch)

    def contracts(self, *types: ContractType) -> Flow[tuple[Contract, ...]]:
        """List what this account may trade, with the margins that apply to it."""
        reply: wire_market.Contracts = yield private(
            "trading/instruments", wire_market.Contracts, {"contractType": [*types]}
        )
        return contracts(reply.instruments, self._context)

    def unwind_queue(self) -> Flow[Rows[UnwindRank]]:
        """Tell how near our positions are to being unwound. This costs 200 units of the 500 in ten seconds."""
        reply: wire.Queue = yield private("unwindqueue", wire.Queue)
        symbols = self._context.symbols

        def rank(row: wire.QueueRow) -> UnwindRank:
            return made(UnwindRank, row, symbol=naming.told(symbols, row.symbol))

        return rows(reply.queue, wire.QueueRow, rank, f"{self._context.venue}: unwindqueue")

    def notifications(self) -> Flow[Rows[Notice]]:
        """Return notices of the platform; maintenance of high priority is downtime."""
        reply: wire.Notices = yield private("notifications", wire.Notices)

        def notice(row: wire.Notice) -> Notice:
            return made(Notice, row, type=word(NoticeKind, row.type), priority=word(Priority, row.priority))

        return rows(reply.notifications, wire.Notice, notice, f"{self._context.venue}: notifications")

    def key(self) -> Flow[KeyInfo]:
        """Tell what our key may do: the cheapest way to see if it works."""
        reply: wire.KeyCheck = yield RestCall(
            method="GET", path=_KEY_CHECK, reply=wire.KeyCheck, private=True, costs=units("key check")
        )
        networks = reply.allowed_cidr_blocks or ([reply.allowed_cidr_block] if reply.allowed_cidr_block else [])
        return made(
            KeyInfo,
            reply,
            general=word(Access, reply.permissions.general),
            withdrawal=word(Access, reply.permissions.transfer),
            networks=tuple(networks),
        )


def fill(row: wire.FillRow, context: VenueContext) -> FuturesFill:
    """Read a row of the list of fills."""
    return made(
        FuturesFill,
        row,
        id=row.fill_id,
        client_order_id=row.cli_ord_id,
        symbol=naming.told(context.symbols, row.symbol),
        side=words.side(row.side),
        quantity=number(row.size, "size"),
        time=row.fill_time,
        kind=word(FillKind, row.fill_type),
    )
