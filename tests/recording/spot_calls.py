"""Kraken Spot's own calls, family by family: a cassette ``FAMILY.CALL`` for each, and one that is refused at least.

Each family has an exchange of its own, so that a change to one leaves the cassettes of the others as they are.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs

from kraken_spot.config import KrakenSpotConfig
from kraken_spot.orders.terms import Amendment, ConditionalClose, Edit, SpotOrder
from kraken_spot.plugin import KRAKEN_SPOT
from kraken_spot.simulator.markets.traded import public_id
from kraken_spot.types.account import ReportKind
from kraken_spot.types.listings import PairInfo
from recording.rig import OURS, PATIENCE, START, Rig, client_id
from recording.scenes import set_the_table

NAME = "BTC/USD"
SPEC = attrs.evolve(KRAKEN_SPOT, config=lambda: KrakenSpotConfig(allow_withdrawals=True, order_deadline=0))
UNKNOWN = "OAAAAA-AAAAA-AAAAAA"
STAKED = "ESSOL02-BONDE-SOLSOL"


async def record(folder: Path) -> None:
    """Record all of it into *folder*."""
    for family in (record_market, record_orders, record_trading, record_margin, record_exports, record_money):
        rig = Rig(SPEC, folder, seed=11)
        await set_the_table(rig, NAME)
        await family(rig)


def spot_order(number: int, side: str, quantity: str, limit_price: str | None = None, **terms: Any) -> SpotOrder:
    """Return an order of ours; a limit order unless *terms* say otherwise."""
    named = {} if "userref" in terms else {"client_order_id": client_id(number)}
    kind = {"type": "market" if limit_price is None else "limit"}
    usual = {"symbol": NAME, "limit_price": limit_price, **kind, **named}
    return SpotOrder(side=side, quantity=quantity, **{**usual, **terms})


async def record_market(rig: Rig) -> None:
    market = rig.operations.market
    await rig.record("market.time", market.time())
    await rig.record("market.system_status", market.system_status())
    await rig.record("market.maintenance_schedule", market.maintenance_schedule())
    await rig.record("market.spread", market.spread(NAME))
    await rig.record("market.grouped_book", market.grouped_book(NAME, depth=10, grouping=250))
    await rig.record("market.level3", market.level3(NAME, depth=10))
    page = await rig.record("market.trades_page", market.trades_page(NAME, since=START, count=2))
    await rig.record("market.trades_page.next", market.trades_page(NAME, page.cursor, count=2))
    await rig.record("market.candles", market.candles(NAME, 1, since=START))
    await rig.record("market.pre_trade", market.pre_trade(NAME))
    told = await rig.record("market.post_trade_page", market.post_trade_page(NAME, since=START, count=1))
    await rig.record("market.post_trade_page.next", market.post_trade_page(NAME, told.cursor, until=rig.clock.now()))
    await rig.record("market.assets", market.assets("BTC", "USD"))
    await rig.record("market.pairs", market.pairs(NAME))
    await rig.record("market.pairs.margin", market.pairs(NAME, info=PairInfo.MARGIN))
    await rig.record("market.tickers", market.tickers(NAME, "ETH/USD"))
    unlisted = Rig(SPEC, rig.folder, seed=11, only="ETH/USD")
    unlisted.learn(rig)
    await unlisted.record_refusal("market.spread.refused", unlisted.operations.market.spread(NAME))


async def record_orders(rig: Rig) -> None:
    """Record the history and the balance of an account that traded a little."""
    do, account = rig.operations, rig.operations.account
    history, trading = do.history, do.trading
    rests = await rig.ask(trading.add(spot_order(1, "buy", "0.05", "83000", post_only=True)))
    await rig.ask(trading.add(spot_order(2, "sell", "0.02", userref=7)))
    await rig.clock.advance(10)
    await rig.ask(trading.add(spot_order(3, "buy", "0.3", "84010", time_in_force="IOC")))
    await rig.ask(trading.amend(Amendment(symbol=NAME, txid=rests.id, quantity="0.04", limit_price="83100")))
    await rig.clock.advance(10)

    await rig.record("history.open_orders", history.open_orders(client_order_id=client_id(1)))
    closed = await rig.record("history.closed_orders_page", history.closed_orders_page(trades=True))
    await rig.record("history.orders", history.orders(rests.id, closed.items[0].id, trades=True))
    await rig.record_refusal("history.orders.refused", history.orders("no-order"))
    trades = await rig.record("history.trades_page", history.trades_page(ledgers=True, limit=1))
    await rig.record("history.trades_page.next", history.trades_page(trades.cursor, ledgers=True, limit=1))
    await rig.record("history.trades", history.trades(trades.items[0].id))
    ledgers = await rig.record("history.ledgers_page", history.ledgers_page(assets=["BTC"]))
    await rig.record("history.ledgers", history.ledgers(ledgers.items[0].id, ledgers.items[1].id))
    await rig.record("history.amends", history.amends(rests.id))

    await rig.record("account.key_info", account.key_info())
    await rig.record("account.balance", account.balance())
    await rig.record("account.credit_lines", account.credit_lines())
    await rig.record("account.trade_volume", account.trade_volume(NAME, "ETH/USD"))
    await rig.record("account.trade_volume.schedule", account.trade_volume(NAME, fee_schedule=True))


async def record_trading(rig: Rig) -> None:
    trading, history = rig.operations.trading, rig.operations.history
    close = ConditionalClose(type="stop-loss-limit", trigger_price="82000", limit_price="81900")
    parent = spot_order(1, "buy", "0.01", "83000", close=close, deadline=rig.clock.now() + PATIENCE)
    await rig.record("trading.add", trading.add(parent))
    kinds: dict[str, dict[str, Any]] = {
        "stop_loss": {"type": "stop-loss", "trigger_price": "80000", "trigger": "index"},
        "stop_loss_limit": {"type": "stop-loss-limit", "trigger_price": "80000", "limit_price": "79900"},
        "take_profit": {"type": "take-profit", "trigger_price": "90000"},
        "take_profit_limit": {"type": "take-profit-limit", "trigger_price": "90000", "limit_price": "-1%"},
        "trailing_stop": {"type": "trailing-stop", "trigger_price": "+2%"},
        "trailing_stop_limit": {"type": "trailing-stop-limit", "trigger_price": "+500", "limit_price": "-10"},
        "iceberg": {"type": "iceberg", "limit_price": "85000", "display_quantity": "0.01"},
        "gtd": {"type": "limit", "limit_price": "85000", "time_in_force": "GTD", "expire": timedelta(seconds=600)},
        "later": {"type": "limit", "limit_price": "85000", "start": timedelta(seconds=600)},
        "market_in_quote": {"type": "market", "side": "buy", "quantity": "50", "quantity_in_quote": True},
    }
    for number, (name, terms) in enumerate(kinds.items(), start=10):
        order = spot_order(number, "sell", "0.05")
        await rig.record(f"trading.add.{name}", trading.add(attrs.evolve(order, **terms)))
    await rig.record("trading.add.open", history.open_orders())
    await rig.record_refusal("trading.add.refused", trading.add(spot_order(30, "sell", "50", "85000")))
    await rig.record("trading.validate", trading.validate(spot_order(31, "buy", "0.01", "83000", close=close)))
    await rig.record_refusal("trading.validate.refused", trading.validate(spot_order(32, "sell", "50", "85000")))

    three = [
        spot_order(41, "buy", "0.01", "82000"),
        spot_order(42, "sell", "50", "85000"),
        spot_order(43, "buy", "0.01", userref=9, type="limit", limit_price="82500"),
    ]
    batch = await rig.record("trading.add_batch", trading.add_batch(three))
    await rig.record("trading.validate_batch", trading.validate_batch(three[::2]))
    first, second = batch.placed
    change = Amendment(symbol=NAME, txid=first.id, quantity="0.02", limit_price="82100")
    await rig.record("trading.amend", trading.amend(change))
    await rig.record_refusal("trading.amend.refused", trading.amend(attrs.evolve(change, txid=UNKNOWN)))
    edit = Edit(symbol=NAME, txid=second.id, type="limit", limit_price="82600", quantity="0.03", userref=10)
    await rig.record("trading.validate_edit", trading.validate_edit(edit))
    edited = await rig.record("trading.edit", trading.edit(edit))
    await rig.record_refusal("trading.edit.refused", trading.edit(edit))
    cancel = trading.cancel_batch(txids=[edited.id], client_order_ids=[client_id(41)], userrefs=[11], symbol=NAME)
    await rig.record("trading.cancel_batch", cancel)
    await rig.record("trading.cancel_all_after", trading.cancel_all_after(timedelta(seconds=60)))
    await rig.record("trading.cancel_all_after.off", trading.cancel_all_after(timedelta(0)))
    await rig.record("trading.cancel_all", trading.cancel_all())


async def record_margin(rig: Rig) -> None:
    account, trading = rig.operations.account, rig.operations.trading
    await rig.ask(trading.add(spot_order(1, "buy", "0.1", leverage=5)))
    await rig.clock.advance(5)
    await rig.ask(trading.add(spot_order(2, "sell", "0.04", leverage=5, reduce_only=True)))
    await rig.clock.advance(5)
    await rig.record("account.trade_balance", account.trade_balance())
    await rig.record("account.open_positions", account.open_positions(calculate=True))
    await rig.record("positions", rig.operations.positions())
    await rig.record("account.positions_by_market", account.positions_by_market(calculate=True))
    humble = Rig(SPEC, rig.folder, seed=11, permissions=["query-funds"])
    humble.learn(rig)
    await humble.record_refusal("account.trade_balance.refused", humble.operations.account.trade_balance())


async def record_exports(rig: Rig) -> None:
    exports = rig.operations.exports
    await rig.ask(rig.operations.trading.add(spot_order(1, "sell", "0.02")))
    report = await rig.record("exports.add", exports.add(ReportKind.TRADES, "all of it", start=START))
    await rig.record_refusal("exports.retrieve.refused", exports.retrieve(report))
    other = await rig.ask(exports.add(ReportKind.TRADES, "in vain", fields=["time", "price"]))
    await rig.record("exports.cancel", exports.cancel(other))
    await rig.clock.advance(5)
    await rig.record("exports.statuses", exports.statuses(ReportKind.TRADES))
    await rig.record("exports.retrieve", exports.retrieve(report))
    await rig.record("exports.delete", exports.delete(report))
    await rig.record_refusal("exports.delete.refused", exports.delete(report))


async def record_money(rig: Rig) -> None:
    funding, transfers, earn = rig.operations.funding, rig.operations.transfers, rig.operations.earn
    await rig.record("funding.deposit_methods", funding.deposit_methods("BTC"))
    await rig.record("funding.new_deposit_address", funding.new_deposit_address("BTC", "Bitcoin"))
    await rig.record("funding.deposit_addresses", funding.deposit_addresses("BTC", "Bitcoin"))
    await rig.record_refusal("funding.deposit_addresses.refused", funding.deposit_addresses("BTC", "Pigeon"))
    page = await rig.record("funding.deposits_page", funding.deposits_page(limit=2))
    await rig.record("funding.deposits_page.next", funding.deposits_page(page.cursor, limit=2))
    await rig.record("funding.withdraw_methods", funding.withdraw_methods("SOL"))
    await rig.record("funding.withdraw_addresses", funding.withdraw_addresses("BTC"))
    await rig.record("funding.withdraw_info", funding.withdraw_info("BTC", "my btc", "0.1"))
    reference = await rig.record("funding.withdraw", funding.withdraw("BTC", "my btc", "0.1", max_fee="0.0001"))
    await rig.record_refusal("funding.withdraw.refused", funding.withdraw("BTC", "my btc", "100"))
    await rig.record("funding.cancel_withdrawal", funding.cancel_withdrawal("BTC", reference))
    await rig.clock.advance(1)
    await rig.ask(funding.withdraw("BTC", "my btc", "0.2"))
    await rig.record("funding.withdrawals_page", funding.withdrawals_page(asset="BTC"))

    await rig.record("transfers.to_futures", transfers.to_futures("USD", "12.5"))
    await rig.record_refusal("transfers.to_futures.refused", transfers.to_futures("USD", "9000000"))
    await rig.record("transfers.create_subaccount", transfers.create_subaccount("desk", "desk@example.com"))
    sent = transfers.between_accounts("USD", "1", source=public_id(OURS), destination=public_id("desk"))
    await rig.record("transfers.between_accounts", sent)

    await rig.record("earn.strategies", earn.strategies(asset="SOL"))
    await rig.record("earn.allocate", earn.allocate(STAKED, "5"))
    await rig.record("earn.allocate_pending", earn.allocate_pending(STAKED))
    await rig.record_refusal("earn.allocate.refused", earn.allocate(STAKED, "1"))
    await rig.clock.advance(2)
    await rig.record("earn.deallocate", earn.deallocate(STAKED, "2"))
    await rig.clock.advance(2)
    await rig.record("earn.deallocate_pending", earn.deallocate_pending(STAKED))
    await rig.record("earn.allocations", earn.allocations(converted_asset="USD"))
