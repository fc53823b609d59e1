"""Give Tidepool's messages meaning: one pure function per message."""

from decimal import Decimal

from exchange_core.connector.spec import VenueContext
from exchange_core.model.account import Balance
from exchange_core.model.book import BookSnapshot
from exchange_core.model.event import OrderUpdate
from exchange_core.model.fill import Fee, Fill, Liquidity
from exchange_core.model.market import Level, Ticker, Trade
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_millis
from exchange_tidepool import naming, wire


def book(raw: wire.Levels, symbol: Symbol, depth: int | None) -> BookSnapshot:
    def levels(rows: list[wire.Row]) -> tuple[Level, ...]:
        return tuple(Level(Decimal(row.price), Decimal(row.qty)) for row in rows[:depth])

    return BookSnapshot(symbol=symbol, bids=levels(raw.bids), asks=levels(raw.asks))


def ticker(raw: wire.Levels, symbol: Symbol) -> Ticker:
    """Tidepool has no ticker; the book's best levels are one."""
    best = book(raw, symbol, 1)
    bid, ask = best.best_bid, best.best_ask
    return Ticker(symbol=symbol, bid=bid and bid.price, ask=ask and ask.price)


def trade(raw: wire.Trade, symbol: Symbol) -> Trade:
    return Trade(
        symbol=symbol,
        id=str(raw.id),
        side=Side(raw.side),
        price=Decimal(raw.price),
        quantity=Decimal(raw.qty),
        time=from_millis(raw.at),
    )


def order(raw: wire.Order, context: VenueContext) -> Order:
    kind, time_in_force, post_only = naming.MEANING[raw.how]
    return Order(
        request=OrderRequest(
            symbol=context.symbols.from_venue(raw.market),
            side=Side(raw.side),
            quantity=raw.qty,
            price=raw.price,
            type=kind,
            time_in_force=time_in_force,
            post_only=post_only,
            client_order_id=raw.ref or None,
        ),
        venue=context.venue,
        status=naming.STATUS[raw.state],
        venue_order_id=raw.id,
        client_order_id=raw.ref or None,
        filled=Decimal(raw.done),
        average_price=_number(raw.avg),
        reason=raw.why or None,
        updated=from_millis(raw.at),
    )


def order_update(raw: wire.Order, context: VenueContext, snapshot: bool) -> OrderUpdate:
    return OrderUpdate(
        venue_order_id=raw.id,
        client_order_id=raw.ref or None,
        status=naming.STATUS[raw.state],
        symbol=context.symbols.get(raw.market),
        side=Side(raw.side),
        quantity=Decimal(raw.qty),
        price=_number(raw.price),
        filled=Decimal(raw.done),
        average_price=_number(raw.avg),
        reason=raw.why or None,
        snapshot=snapshot,
        sequence_time=from_millis(raw.at),
    )


def fill(raw: wire.Fill, context: VenueContext) -> Fill:
    return Fill(
        id=raw.id,
        symbol=context.symbols.from_venue(raw.market),
        side=Side(raw.side),
        price=Decimal(raw.price),
        quantity=Decimal(raw.qty),
        time=from_millis(raw.at),
        venue=context.venue,
        venue_order_id=raw.order,
        client_order_id=raw.ref or None,
        fee=Fee(asset=context.assets.code(raw.coin), amount=Decimal(raw.fee)),
        liquidity=Liquidity.MAKER if raw.maker else Liquidity.TAKER,
    )


def balance(raw: wire.Balance, context: VenueContext) -> Balance:
    return Balance(
        asset=context.assets.code(raw.coin),
        total=Decimal(raw.total),
        held=Decimal(raw.held),
        venue=context.venue,
    )


def _number(text: wire.Number | None) -> Decimal | None:
    return None if text is None else Decimal(text)
