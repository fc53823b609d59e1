"""The simulated exchange's values in Tidepool's JSON, and who is who."""

from collections.abc import Iterable
from decimal import Decimal
from hmac import compare_digest

from exchange_core.connector.simulation import (
    Refusal,
    SimExchange,
    SimFill,
    SimMarket,
    SimOrder,
    SimRefused,
    SimTrade,
)
from exchange_core.errors import AuthenticationError, ExchangeError
from exchange_core.model.fill import Liquidity
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.number import plain
from exchange_core.model.order import OrderStatus
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import to_millis
from exchange_tidepool import auth, checksum, naming, wire

CODES = {
    Refusal.UNKNOWN_MARKET: "market",
    Refusal.INSUFFICIENT_FUNDS: "funds",
    Refusal.UNKNOWN_ORDER: "order",
    Refusal.DUPLICATE_CLIENT_ID: "ref",
}
STATES = {status: word for word, status in naming.STATUS.items()} | {OrderStatus.PENDING: "resting"}


def refusal(error: Exception) -> wire.Refusal:
    """Say no with Tidepool's code: by table for the exchange's own reasons, ``bad`` for what makes no sense."""
    if isinstance(error, SimRefused):
        return wire.Refusal(CODES.get(error.refusal, "refused"), str(error))
    codes = error.codes if isinstance(error, ExchangeError) else ()
    return wire.Refusal(codes[0] if codes else "bad", str(error))


def account_of(exchange: SimExchange, api_key: str, sign: str, text: bytes) -> str:
    """Return the account whose key signed *text*."""
    key = exchange.key(api_key)
    if key is None:
        raise AuthenticationError("no such key", codes=["key"])
    if not compare_digest(sign.encode(), auth.signature(key.api_secret, text).encode()):
        raise AuthenticationError("the signature is not the key's", codes=["sign"])
    return key.account


class Words:
    """The exchange's values in Tidepool's JSON."""

    def __init__(self, exchange: SimExchange) -> None:
        self._exchange = exchange
        self._coins = {asset.code: asset.venue_id for asset in exchange.assets()}
        self._symbols = {market.instrument.venue_id: market.instrument.symbol for market in exchange.markets()}

    def symbol(self, name: str) -> Symbol:
        if name not in self._symbols:
            raise SimRefused(Refusal.UNKNOWN_MARKET, name)
        return self._symbols[name]

    def name(self, symbol: Symbol) -> str:
        return self._exchange.market(symbol).instrument.venue_id

    def markets(self) -> wire.Markets:
        coins = [wire.Coin(asset.venue_id, asset.decimals) for asset in self._exchange.assets()]
        return wire.Markets(coins, [self._market(market) for market in self._exchange.markets()])

    def _market(self, market: SimMarket) -> wire.Market:
        instrument = market.instrument
        return wire.Market(
            name=instrument.venue_id,
            base=self._coins[instrument.symbol.base],
            quote=self._coins[instrument.symbol.quote],
            tick=plain(instrument.tick_size),
            lot=plain(instrument.lot_size),
            least=plain(instrument.min_quantity),
            maker=plain(market.fees.maker),
            taker=plain(market.fees.taker),
            open=instrument.status is InstrumentStatus.ONLINE,
        )

    def rows(self, symbol: Symbol, levels: Iterable[tuple[Decimal, Decimal]]) -> list[wire.Row]:
        instrument = self._exchange.market(symbol).instrument
        price, qty = f".{instrument.price_decimals}f", f".{instrument.quantity_decimals}f"
        return [wire.Row(format(at, price), format(quantity, qty)) for at, quantity in levels]

    def levels(self, symbol: Symbol, depth: int | None = None) -> wire.Levels:
        bids, asks = self._exchange.book(symbol, depth)
        return wire.Levels(self.rows(symbol, bids), self.rows(symbol, asks))

    def check(self, symbol: Symbol) -> int:
        levels = self.levels(symbol, checksum.LEVELS)
        return checksum.check(
            *([_digits(row.price) + _digits(row.qty) for row in rows] for rows in (levels.asks, levels.bids))
        )

    def trade(self, trade: SimTrade) -> wire.Trade:
        return wire.Trade(
            id=trade.trade_id,
            side=trade.side.value,
            price=plain(trade.price),
            qty=plain(trade.quantity),
            at=to_millis(trade.time),
        )

    def order(self, order: SimOrder) -> wire.Order:
        request = order.request
        return wire.Order(
            id=order.id,
            ref=request.client_order_id or "",
            market=self.name(request.symbol),
            side=request.side.value,
            how=naming.HOW[request.type, request.time_in_force, request.post_only],
            qty=plain(request.quantity),
            price=None if request.price is None else plain(request.price),
            done=plain(order.filled),
            avg=plain(round(order.cost / order.filled, 12)) if order.filled else None,
            state=STATES[order.status],
            why=order.reason,
            at=to_millis(order.updated),
        )

    def fill(self, fill: SimFill) -> wire.Fill:
        return wire.Fill(
            id=fill.id,
            order=fill.order_id,
            ref=fill.client_order_id or "",
            market=self.name(fill.symbol),
            side=fill.side.value,
            price=plain(fill.price),
            qty=plain(fill.quantity),
            fee=plain(fill.fee),
            coin=self._coins[fill.fee_asset],
            maker=fill.liquidity is Liquidity.MAKER,
            at=to_millis(fill.time),
        )

    def balances(self, account: str) -> list[wire.Balance]:
        balances = self._exchange.balances(account)
        return [wire.Balance(self._coins[b.asset], plain(b.total), plain(b.held)) for b in balances]


def _digits(number: str) -> str:
    return number.replace(".", "").lstrip("0")
