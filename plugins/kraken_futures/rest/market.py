"""Kraken Futures' own market data calls, reached as ``operations.market``.

What the normalised calls give already (books, latest trades, candles) is not repeated here.
See https://docs.kraken.com/api/docs/futures-api/trading/get-instruments and the pages beside it
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from urllib.parse import quote

import attrs
import msgspec

from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import VenueError
from exchange_core.model.symbol import Symbol
from kraken_futures import naming
from kraken_futures.numbers import fraction, number
from kraken_futures.pages import Backwards, Page, Pages, Rows, Unreadable
from kraken_futures.parse import feed as parse
from kraken_futures.parse.rows import aware, made, optional_word, readable, rows, word
from kraken_futures.rest.calls import API_V4, private, public
from kraken_futures.types.market import (
    Contract,
    ContractType,
    Dislocation,
    FeeSchedule,
    FeeTier,
    FundingRate,
    FuturesTicker,
    Greeks,
    IndexTicker,
    MarginLevel,
    MarketStatus,
    MarketTrade,
    Tickers,
    TradeKind,
)
from kraken_futures.wire import market as wire

_PAGE = 100  # trades in one answer
_NOT_THERE = frozenset({"404", "404 NOT_FOUND", "notFound"})


def funding(
    context: VenueContext, symbol: Symbol | str
) -> Flow[tuple[tuple[FundingRate, ...], tuple[Unreadable, ...]]]:
    """Return ``funding_rates``, and the rows that could not be read."""
    ours = Symbol.of(symbol)
    venue_id = naming.venue_id(context.symbols, ours)
    try:
        reply: wire.FundingRows = yield public("historical-funding-rates", wire.FundingRows, symbol=venue_id)
    except VenueError as problem:
        # Open point: this is the documented path, and live it was seen to answer 404 where the older one answers.
        if _NOT_THERE.isdisjoint(problem.codes):
            raise
        older = API_V4 + "historicalfundingrates"
        reply = yield RestCall(method="GET", path=older, params={"symbol": venue_id}, reply=wire.FundingRows)
    what = f"{context.venue}: funding of {ours}"
    rates, bad = readable(reply.rates, wire.FundingRow, lambda row: _funding(row, ours), what)
    return tuple(sorted(rates, key=lambda rate: rate.time)), bad


@attrs.frozen
class MarketCalls:
    """Calls about markets; none needs a key but ``fee_volumes``."""

    _context: VenueContext

    def contracts(self, *types: ContractType, expired: bool = False) -> Flow[tuple[Contract, ...]]:
        """List contracts with their margins and all other particulars.

        Args:
            types: All kinds of futures without.
            expired: With those that have ended.
        """
        listed: wire.Contracts = yield public(
            "instruments", wire.Contracts, contractType=[*types], expired=True if expired else None
        )
        return contracts(listed.instruments, self._context)

    def statuses(self, *types: ContractType) -> Flow[tuple[MarketStatus, ...]]:
        """Tell of all markets whether their price is out of its band."""
        listed: wire.Statuses = yield public("instruments/status", wire.Statuses, contractType=[*types])
        rows, _ = readable(listed.instrument_status, wire.Status, self._status, self._what("instruments/status"))
        return tuple(rows)

    def status(self, symbol: Symbol | str) -> Flow[MarketStatus]:
        """Tell it of one market."""
        venue_id = self._venue_id(symbol)
        row: wire.Status = yield public(f"instruments/{quote(venue_id, safe='')}/status", wire.Status)
        return self._status(row)

    def tickers(self, *symbols: Symbol | str, types: Iterable[ContractType] = ()) -> Flow[Tickers]:
        """Return tickers in full, of all contracts and indices or of some contracts."""
        wanted = [self._venue_id(symbol) for symbol in symbols]
        listed: wire.TickerRows = yield public("tickers", wire.TickerRows, symbol=wanted, contractType=[*types])
        rows, _ = readable(listed.tickers, wire.TickerRow, self._any_ticker, self._what("tickers"))
        return Tickers(
            contracts=tuple(row for row in rows if isinstance(row, FuturesTicker)),
            indices=tuple(row for row in rows if isinstance(row, IndexTicker)),
        )

    def ticker(self, symbol: Symbol | str) -> Flow[FuturesTicker]:
        """Return one ticker in full.

        Raises:
            BadRequest: With ``notFound`` for a contract that is not there any more.
        """
        venue_id = self._venue_id(symbol)
        reply: wire.OneTicker = yield public(f"tickers/{quote(venue_id, safe='')}", wire.OneTicker)
        return self._ticker(reply.ticker, reply.ticker.tag or "")

    def trades(self, symbol: Symbol | str) -> Pages[MarketTrade]:
        """Page through public trades, newest first.

        They reach back seven days, or to the last restart of the venue's engine; ``history.market_executions`` has
        all.
        """
        ours = Symbol.of(symbol)
        venue_id, what = self._venue_id(ours), self._what(f"history of {ours}")

        def fetch(cursor: str | None) -> Flow[Page[MarketTrade]]:
            place = Backwards.of(cursor)
            reply: wire.TradeRows = yield public("history", wire.TradeRows, symbol=venue_id, lastTime=place.text)
            rows, bad = readable(reply.history, wire.TradeRow, lambda row: _trade(row, ours), what)
            return place.page(rows, bad, _PAGE)

        return Pages(fetch)

    def funding_rates(self, symbol: Symbol | str) -> Flow[tuple[FundingRate, ...]]:
        """Return the funding of each hour, oldest first, as far as the venue keeps it.

        Raises:
            BadRequest: For a contract that is no perpetual.
        """
        rates, _ = yield from funding(self._context, symbol)
        return rates

    def fee_schedules(self) -> Flow[Rows[FeeSchedule]]:
        """Return the venue's fee lists.

        Deprecated by the venue: since 22 June 2026 it charges by its central fee service instead, which only tells
        Spot keys.
        """
        reply: wire.FeeSchedules = yield public("feeschedules", wire.FeeSchedules)

        def schedule(raw: wire.FeeSchedule) -> FeeSchedule:
            return FeeSchedule(uid=raw.uid, name=raw.name, tiers=tuple(_tier(tier) for tier in raw.tiers))

        return rows(reply.fee_schedules, wire.FeeSchedule, schedule, self._what("feeschedules"))

    def fee_volumes(self) -> Flow[dict[str, Decimal]]:
        """Return the account's volume of 30 days in dollars, by the uid of a fee list; deprecated as they are."""
        reply: wire.FeeVolumes = yield private("feeschedules/volumes", wire.FeeVolumes)
        return {uid: number(volume, "volume") for uid, volume in reply.volumes_by_fee_schedule.items()}

    def _what(self, endpoint: str) -> str:
        return f"{self._context.venue}: {endpoint}"

    def _venue_id(self, symbol: Symbol | str) -> str:
        return naming.venue_id(self._context.symbols, symbol)

    def _status(self, row: wire.Status) -> MarketStatus:
        return made(
            MarketStatus,
            row,
            symbol=naming.told(self._context.symbols, row.tradeable),  # the market's name, and no flag
            price_dislocation_direction=optional_word(Dislocation, row.price_dislocation_direction),
        )

    def _any_ticker(self, row: wire.TickerRow) -> FuturesTicker | IndexTicker:
        # Indices and reference rates have no tag.
        return made(IndexTicker, row, name=row.symbol) if row.tag is None else self._ticker(row, row.tag)

    def _ticker(self, row: wire.TickerRow, tag: str) -> FuturesTicker:
        return made(
            FuturesTicker,
            row,
            symbol=naming.told(self._context.symbols, row.symbol),
            tag=tag,
            greeks=None if row.greeks is None else made(Greeks, row.greeks),
        )


def contracts(rows: Iterable[msgspec.Raw], context: VenueContext) -> tuple[Contract, ...]:
    """Read contracts of ``instruments``, or of the account's own list."""
    found, _ = readable(rows, wire.Contract, lambda row: _contract(row, context), f"{context.venue}: instruments")
    return tuple(found)


def _contract(row: wire.Contract, context: VenueContext) -> Contract:
    return made(
        Contract,
        row,
        symbol=naming.told(context.symbols, row.symbol),
        venue_id=row.symbol,
        type=word(ContractType, row.type),
        base=None if row.base is None else naming.asset_code(row.base),
        quote=None if row.quote is None else naming.asset_code(row.quote),
        margin_levels=_levels(row.margin_levels),
        retail_margin_levels=_levels(row.retail_margin_levels),
        margin_schedules={
            platform: {who: _levels(levels) for who, levels in schedules.items()}
            for platform, schedules in row.margin_schedules.items()
        },
    )


def _levels(rows: Iterable[wire.MarginLevel]) -> tuple[MarginLevel, ...]:
    levels = (
        made(MarginLevel, row, lower_bound=number(row.contracts or row.num_non_contract_units or 0, "margin level"))
        for row in rows
    )
    return tuple(sorted(levels, key=lambda level: level.lower_bound))


def _trade(row: wire.TradeRow, symbol: Symbol) -> MarketTrade:
    return made(
        MarketTrade,
        row,
        symbol=symbol,
        id=row.uid,
        side=parse.side(row.side),
        quantity=number(row.size, "size"),
        kind=word(TradeKind, row.type),
    )


def _funding(row: wire.FundingRow, symbol: Symbol) -> FundingRate:
    return FundingRate(
        symbol=symbol,
        time=aware(row.timestamp),
        absolute=number(row.funding_rate, "fundingRate"),
        relative=number(row.relative_funding_rate, "relativeFundingRate"),
    )


def _tier(row: wire.FeeTier) -> FeeTier:
    # Percent: 0.02 is two hundredths of a percent.
    return FeeTier(
        maker=fraction(row.maker_fee, "makerFee"),
        taker=fraction(row.taker_fee, "takerFee"),
        usd_volume=number(row.usd_volume, "usdVolume"),
    )
