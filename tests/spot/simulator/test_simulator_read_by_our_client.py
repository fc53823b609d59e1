"""Our own client reads every answer of the simulated venue, and none holds a field that it does not know."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import attrs
import msgspec
import pytest

from exchange_core.model.book import BookByOrder
from exchange_core.model.event import (
    BalancesUpdate,
    BookDesynced,
    Channel,
    OrderUpdate,
    SequenceGap,
    Subscription,
    SubscriptionRefused,
    Unrecognised,
)
from exchange_core.model.symbol import Symbol
from exchange_core.testing.world import Client, World
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.orders.terms import Amendment, ConditionalClose, Edit, SpotOrder
from kraken_spot.plugin import KRAKEN_SPOT
from kraken_spot.simulator.markets.traded import public_id
from kraken_spot.types.account import ReportKind
from kraken_spot.types.history import SpotOrderType as T
from kraken_spot.wire import account as wire_account
from kraken_spot.wire import earn as wire_earn
from kraken_spot.wire import funding as wire_funding
from kraken_spot.wire import history as wire_history
from kraken_spot.wire import market as wire_market
from kraken_spot.wire import trading as wire_trading

BTC = Symbol("BTC", "USD")
STAKED = "ESSOL02-BONDE-SOLSOL"


class Watching:
    """A protocol that keeps every answer's result, by method."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self.results: dict[str, list[Any]] = {}

    def http(self, request: Any) -> Any:
        reply = self._protocol.http(request)
        if reply.headers["content-type"].startswith("application/json"):
            envelope = json.loads(reply.body)
            if "result" in envelope:
                name = request.target.partition("?")[0].split("/", 3)[3]
                self.results.setdefault(name, []).append(envelope["result"])
        return reply

    def session(self, path: str) -> Any:
        return self._protocol.session(path)


@pytest.fixture
def world() -> World:
    world = World(attrs.evolve(KRAKEN_SPOT, config=lambda: KrakenSpotConfig(allow_withdrawals=True)))
    world.protocol = Watching(world.protocol)
    return world


@pytest.fixture
def taker(world: World) -> Client:
    """A client with a life behind it: fills, a margin position, orders of every kind."""
    taker = world.client("taker")
    live(world, taker)
    return taker


def live(world: World, taker: Client) -> None:
    maker = world.client("maker")
    maker.place("sell", "0.3", "60000")
    taker.place("buy", "0.1", "60000")
    trading = taker.rest.trading
    for number, terms in enumerate(
        (
            {"type": T.LIMIT, "limit_price": "50000", "quantity": "0.01"},
            {"type": T.LIMIT, "limit_price": "60000", "quantity": "0.1", "leverage": 5},
            {"type": T.STOP_LOSS, "trigger_price": "70000"},
            {"type": T.TAKE_PROFIT, "trigger_price": "#20%", "trigger": "index"},
            {"type": T.STOP_LOSS_LIMIT, "trigger_price": "70000", "limit_price": "70100"},
            {"type": T.TAKE_PROFIT_LIMIT, "trigger_price": "50000", "limit_price": "50100"},
            {"type": T.TRAILING_STOP, "trigger_price": "+5%"},
            {"type": T.TRAILING_STOP_LIMIT, "trigger_price": "+500", "limit_price": "+10"},
            {"type": T.ICEBERG, "limit_price": "40000", "display_quantity": "0.005"},
            {"type": T.LIMIT, "limit_price": "40000", "expire": timedelta(seconds=600), "time_in_force": "GTD"},
            {"type": T.LIMIT, "limit_price": "40000", "start": timedelta(seconds=600)},
            {
                "type": T.LIMIT,
                "limit_price": "40000",
                "close": ConditionalClose(type=T.STOP_LOSS_LIMIT, trigger_price="39000", limit_price="38900"),
            },
        )
    ):
        order = {
            "symbol": BTC,
            "side": "buy",
            "quantity": "0.01",
            "client_order_id": KRAKEN_SPOT.client_order_id(100 + number),
        }
        taker.run(trading.add(SpotOrder(**order | terms)))  # type: ignore[arg-type]


ROWS: dict[str, tuple[tuple[str, ...], type]] = {
    "OpenOrders": (("open", "*"), wire_history.Order),
    "ClosedOrders": (("closed", "*"), wire_history.Order),
    "QueryOrders": (("*",), wire_history.Order),
    "TradesHistory": (("trades", "*"), wire_history.Trade),
    "QueryTrades": (("*",), wire_history.Trade),
    "Ledgers": (("ledger", "*"), wire_history.LedgerEntry),
    "QueryLedgers": (("*",), wire_history.LedgerEntry),
    "OrderAmends": (("amends", "*"), wire_history.Amend),
    "OpenPositions": (("*",), wire_account.Position),
    "TradeBalance": ((), wire_account.TradeBalance),
    "TradeVolume": ((), wire_account.TradeVolume),
    "ExportStatus": (("*",), wire_account.Export),
    "AddOrder": ((), wire_trading.Added),
    "AddOrderBatch": ((), wire_trading.Batch),
    "AmendOrder": ((), wire_trading.Amended),
    "EditOrder": ((), wire_trading.Edited),
    "CancelAll": ((), wire_trading.Canceled),
    "CancelOrderBatch": ((), wire_trading.Canceled),
    "CancelAllOrdersAfter": ((), wire_trading.CancelAllAfter),
    "GroupedBook": ((), wire_market.GroupedBook),
    "Level3": ((), wire_market.Level3),
    "SystemStatus": ((), wire_market.SystemStatus),
    "DepositMethods": (("*",), wire_funding.DepositMethod),
    "DepositAddresses": (("*",), wire_funding.DepositAddress),
    "DepositStatus": (("deposits", "*"), wire_funding.Transaction),
    "WithdrawMethods": (("*",), wire_funding.WithdrawMethod),
    "WithdrawAddresses": (("*",), wire_funding.WithdrawAddress),
    "WithdrawInfo": ((), wire_funding.WithdrawInfo),
    "WithdrawStatus": (("withdrawals", "*"), wire_funding.Transaction),
    "AccountTransfer": ((), wire_funding.AccountTransfer),
    "Earn/Strategies": (("items", "*"), wire_earn.Strategy),
    "Earn/Allocations": (("items", "*"), wire_earn.Allocation),
    "Earn/AllocateStatus": ((), wire_earn.Status),
}
# Told by the venue, or by this simulation of it, and of no use to the client.
NOT_READ = {"Level3": {"pair"}, "EditOrder": {"newuserref", "olduserref"}}


def rows_at(result: Any, path: tuple[str, ...]) -> list[Any]:
    found = [result]
    for step in path:
        if step == "*":
            found = [row for part in found for row in (part.values() if isinstance(part, dict) else part)]
        else:
            found = [part[step] for part in found]
    return found


def unknown(value: Any, kind: msgspec.inspect.Type) -> set[str]:
    """Return the fields of a JSON value that a type does not have."""
    if isinstance(kind, msgspec.inspect.UnionType):
        return min((unknown(value, one) for one in kind.types), key=len)
    if isinstance(kind, msgspec.inspect.StructType) and isinstance(value, dict):
        known = {field.encode_name: field.type for field in kind.fields}
        inner = (unknown(value[name], known[name]) for name in value.keys() & known.keys())
        return set(value) - set(known) | set[str]().union(*inner)
    if isinstance(kind, msgspec.inspect.ListType) and isinstance(value, list):
        return set[str]().union(*(unknown(one, kind.item_type) for one in value))
    return set()


def check_fields(world: World) -> None:
    watching: Any = world.protocol
    for name, (path, struct) in ROWS.items():
        assert name in watching.results, f"{name} was not asked for"
        for result in watching.results[name]:
            for row in rows_at(result, path):
                extra = unknown(row, msgspec.inspect.type_info(struct)) - NOT_READ.get(name, set())
                assert not extra, (name, extra)


def whole(listing: Any) -> Any:
    assert not listing.unreadable, listing.unreadable
    return listing.items


def test_every_answer(world: World, taker: Client) -> None:
    look_at_orders(taker)
    change_orders(world, taker)
    look_at_the_account(world, taker)
    look_at_the_market(taker)
    move_money(world, taker)
    check_fields(world)
    world.exchange.check_invariants()


def test_every_frame(world: World) -> None:
    """The feeds follow the same life, and more: nothing in it is unknown to them, and no book goes wrong."""
    taker = world.client("taker")
    account = taker.line(*(Subscription(channel=channel) for channel in (Channel.ORDERS, Channel.BALANCES)))
    book = taker.line(Subscription(channel=Channel.BOOK_BY_ORDER, symbol=BTC, depth=10))
    live(world, taker)
    news = [*account.news, *account.carry(), *book.news, *book.carry()]
    maker = world.client("maker")
    for price in ("61000", "64000", "70000", "75000"):
        maker.place("sell", "0.01", price)
        maker.place("buy", "0.01", price)
        world.clock.forward(1)
        world.exchange.step()
        news += [*account.carry(), *book.carry()]
    look_at_orders(taker, opened=None)
    change_orders(world, taker)
    world.clock.forward(600)
    world.exchange.step()
    news += [*account.carry(), *book.carry()]
    kinds = {type(event) for event in news}
    assert kinds >= {OrderUpdate, BalancesUpdate, BookByOrder}
    assert not kinds & {Unrecognised, BookDesynced, SequenceGap, SubscriptionRefused}, news


def look_at_orders(taker: Client, opened: int | None = 11) -> None:
    history = taker.rest.history
    found = whole(taker.run(history.open_orders(trades=True)))
    if opened is None:
        return
    assert len(found) == opened
    assert {order.type for order in found} >= {T.TRAILING_STOP, T.STOP_LOSS_LIMIT, T.ICEBERG}
    closed = whole(taker.run(history.closed_orders_page()))
    assert len(whole(taker.run(history.orders(*(order.id for order in (*found, *closed)))))) == 13
    trades = whole(taker.run(history.trades_page()))
    assert {trade.quantity for trade in trades} == {Decimal("0.1")}
    assert whole(taker.run(history.trades(trades[0].id)))
    ledgers = whole(taker.run(history.ledgers_page()))
    assert whole(taker.run(history.ledgers(ledgers[0].id)))


def change_orders(world: World, taker: Client) -> None:
    trading, history = taker.rest.trading, taker.rest.history
    first = next(
        order for order in whole(taker.run(history.open_orders())) if order.type is T.LIMIT and order.status == "open"
    )
    assert taker.run(trading.amend(Amendment(symbol=BTC, txid=first.id, limit_price="49000", quantity="0.02")))
    assert len(whole(taker.run(history.amends(first.id)))) == 2
    plain = {"symbol": BTC, "side": "buy", "type": T.LIMIT, "quantity": "0.01", "limit_price": "41000"}
    placed = taker.run(trading.add(SpotOrder(**plain, userref=7)))
    edited = taker.run(trading.edit(Edit(symbol=BTC, txid=placed.id, type=T.LIMIT, limit_price="42000", userref=8)))
    assert edited.id != placed.id
    batch = taker.run(
        trading.add_batch([SpotOrder(**plain, client_order_id=KRAKEN_SPOT.client_order_id(200 + n)) for n in range(3)])
    )
    assert len(batch.placed) == 3
    assert taker.run(trading.cancel_batch(symbol=BTC, txids=[edited.id])).count == 1
    assert taker.run(trading.cancel_all_after(timedelta(seconds=60)))
    world.clock.forward(1)
    assert taker.run(trading.cancel_all()).count > 10


def look_at_the_account(world: World, taker: Client) -> None:
    account, exports = taker.rest.account, taker.rest.exports
    assert taker.run(account.credit_lines()) is None
    assert taker.run(account.trade_balance()).margin > 0
    [position] = whole(taker.run(account.open_positions(calculate=True)))
    assert (position.symbol, position.quantity) == (BTC, Decimal("0.1"))
    assert whole(taker.run(account.positions_by_market(calculate=True)))
    volume = taker.run(account.trade_volume(BTC, fee_schedule=True))
    assert volume.volume > 0
    assert not volume.unreadable
    assert taker.run(account.key_info()).permissions
    report = taker.run(exports.add(ReportKind.TRADES, "all"))
    whole(taker.run(exports.statuses(ReportKind.TRADES)))
    world.clock.forward(5)
    assert taker.run(exports.retrieve(report))[:2] == b"PK"
    assert taker.run(exports.delete(report)) is True


def look_at_the_market(taker: Client) -> None:
    market = taker.rest.market
    taker.run(market.system_status())
    assert whole(taker.run(market.maintenance_schedule())) == ()
    assert taker.run(market.grouped_book(BTC, grouping=10)).asks
    assert taker.run(market.level3(BTC)).asks
    assert taker.run(market.pre_trade(BTC)).asks
    assert not taker.run(market.post_trade_page(BTC)).unreadable


def move_money(world: World, taker: Client) -> None:
    funding, earn, transfers = taker.rest.funding, taker.rest.earn, taker.rest.transfers
    assert whole(taker.run(funding.deposit_methods("BTC")))
    assert whole(taker.run(funding.new_deposit_address("BTC", "Bitcoin")))
    assert taker.run(funding.deposits_page(limit=2)).cursor
    assert whole(taker.run(funding.withdraw_methods()))
    assert whole(taker.run(funding.withdraw_addresses("BTC")))
    assert taker.run(funding.withdraw_info("BTC", "my btc", "0.1")).fee > 0
    reference = taker.run(funding.withdraw("BTC", "my btc", "0.1"))
    assert whole(taker.run(funding.withdrawals_page()))[0].reference == reference
    assert taker.run(funding.cancel_withdrawal("BTC", reference)) is True
    assert whole(taker.run(funding.withdrawals_page()))[0].detail == "canceled"
    assert taker.run(transfers.to_futures("USD", "1"))
    assert taker.run(transfers.create_subaccount("desk", "desk@example.com")) is True
    sent = transfers.between_accounts("USD", "1", source=public_id("taker"), destination=public_id("desk"))
    assert taker.run(sent).status == "complete"
    assert whole(taker.run(earn.strategies(asset="SOL")))
    taker.run(earn.allocate(STAKED, "5"))
    assert taker.run(earn.allocate_pending(STAKED)) is True
    world.clock.forward(2)
    assert taker.run(earn.allocate_pending(STAKED)) is False
    taker.run(earn.deallocate(STAKED, "2"))
    [allocation] = whole(taker.run(earn.allocations()))
    assert allocation.total.native == 5
    assert allocation.unbonding.count == 1
    wallets = {(balance.asset, balance.wallet) for balance in taker.run(taker.rest.account.balance())}
    assert len({wallet for asset, wallet in wallets if asset == "SOL"}) == 2
