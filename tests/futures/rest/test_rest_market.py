"""Kraken's own market data calls: what is asked, and what the answers mean."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange_core.errors import BadRequest, InvalidValue, ProtocolError, UnknownSymbol, VenueError
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_futures.limits import units
from kraken_futures.rest.operations import FuturesRest
from kraken_futures.types.market import ContractType, Dislocation, FundingRate, MarginLevel, TradeKind

LINEAR, INVERSE = Symbol.parse("BTC/USD:USD"), Symbol.parse("BTC/USD:BTC")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
STATUS = {
    "tradeable": "PF_XBTUSD",
    "experiencingDislocation": True,
    "priceDislocationDirection": "ABOVE_UPPER_BOUND",
    "experiencingExtremeVolatility": True,
    "extremeVolatilityInitialMarginMultiplier": 3,
}


def recorded(captures: Path, name: str) -> bytes:
    return (captures / "futures/rest" / name).read_bytes()


# Contracts.


def test_the_recorded_contracts_in_full(rest: FuturesRest, run: Any, captures: Path) -> None:
    found, (call,) = run(rest.market.contracts(), recorded(captures, "instruments_5_2026-09.json"))
    assert call.params == {"contractType": [], "expired": None}
    assert not call.private
    assert [one.venue_id for one in found] == [
        "PF_XBTUSD",
        "PF_DOGEUSD",
        "FF_XBTUSD_261225",
        "PI_XBTUSD",
        "FI_XBTUSD_261225",
    ]
    linear, doge, dated, inverse, _ = found
    assert linear.symbol == LINEAR
    assert linear.type is ContractType.FLEXIBLE
    assert (linear.impact_mid_size, linear.max_position_size) == (Decimal("0.08"), Decimal("1200.0"))
    assert linear.opening_date == datetime(2022, 3, 22, 13, 15, 36, tzinfo=UTC)
    assert linear.margin_levels[2] == MarginLevel(
        lower_bound=Decimal("3000000.0"), initial_margin=Decimal("0.04"), maintenance_margin=Decimal("0.02")
    )
    assert linear.margin_levels[0].max_leverage == 100
    assert (linear.funding_rate_coefficient, linear.max_relative_funding_rate) == (8, Decimal("0.005"))
    assert (linear.base, linear.quote, linear.isin) == ("BTC", "USD", "GB00BQ84JX13")
    assert linear.mtf
    assert not linear.tradfi
    assert doge.tick_size == Decimal("0.00001")
    assert doge.symbol == "PF_DOGEUSD"  # in no list that was loaded: the venue's own name
    assert dated.last_trading_time == datetime(2026, 12, 25, 8, tzinfo=UTC)
    assert dated.funding_rate_coefficient is None
    assert inverse.underlying == "rr_xbtusd"
    assert inverse.margin_levels[1].lower_bound == 500000
    assert inverse.maker_protection_millis == 20


def test_contracts_of_a_kind_and_those_that_ended(rest: FuturesRest, run: Any) -> None:
    flow = rest.market.contracts(ContractType.INVERSE, ContractType.FLEXIBLE, expired=True)
    _, (call,) = run(flow, {"instruments": []})
    assert call.params == {"contractType": ["futures_inverse", "flexible_futures"], "expired": True}


def test_new_kinds_and_margin_schedules_are_kept_and_a_damaged_entry_hides_no_other(
    rest: FuturesRest, run: Any
) -> None:
    level = {"numNonContractUnits": 0, "initialMargin": 0.5, "maintenanceMargin": 0.25}
    new = {
        "symbol": "XX_NEW",
        "type": "quantum_futures",
        "tickSize": 1,
        "marginSchedules": {"PRO": {"retail": [level]}},
        "category": "DeFi",
    }
    (found,), _ = run(rest.market.contracts(), {"instruments": [{"symbol": 5}, {**new, "tickSize": 1e300}, new]})
    assert (found.symbol, found.type, found.category) == ("XX_NEW", "quantum_futures", "DeFi")
    assert found.margin_schedules["PRO"]["retail"][0].max_leverage == 2


# States.


def test_the_recorded_states(rest: FuturesRest, run: Any, captures: Path) -> None:
    (found,), (call,) = run(rest.market.statuses(), recorded(captures, "instruments_status_2024-05.json"))
    assert call.path == "/derivatives/api/v3/instruments/status"
    assert found.symbol == "PF_COMPUSD"
    assert not found.experiencing_dislocation
    assert found.price_dislocation_direction is None
    assert not found.experiencing_extreme_volatility
    assert found.extreme_volatility_initial_margin_multiplier == 1


def test_the_state_of_one_market_stands_at_the_top(rest: FuturesRest, run: Any) -> None:
    found, (call,) = run(rest.market.status("BTC/USD:USD"), STATUS)
    assert call.path == "/derivatives/api/v3/instruments/PF_XBTUSD/status"
    assert found.symbol == LINEAR
    assert found.price_dislocation_direction is Dislocation.ABOVE
    assert found.extreme_volatility_initial_margin_multiplier == 3
    sideways, _ = run(rest.market.status(LINEAR), {**STATUS, "priceDislocationDirection": "SIDEWAYS"})
    assert sideways.price_dislocation_direction == "SIDEWAYS"


# Tickers.


def test_the_recorded_tickers_in_full(rest: FuturesRest, run: Any, captures: Path) -> None:
    found, _ = run(rest.market.tickers(), recorded(captures, "tickers_2025-11.json"))
    inverse, ether = found.contracts
    assert inverse.symbol == INVERSE
    assert inverse.tag == "perpetual"
    assert inverse.mark_price == Decimal("91506.6009839176")
    assert (inverse.bid, inverse.bid_size) == (Decimal("91415.0"), Decimal("4960.0"))
    assert (inverse.ask, inverse.ask_size) == (Decimal("91490.5"), Decimal("5020.0"))
    assert (inverse.last, inverse.last_size) == (Decimal("91415.0"), Decimal("3240.0"))
    assert inverse.last_time == datetime(2025, 11, 17, 0, 31, 1, 835715, tzinfo=UTC)
    assert (inverse.open24h, inverse.high24h, inverse.low24h) == (90000, 92000, 89000)
    assert (inverse.vol24h, inverse.volume_quote) == (Decimal("21118140.0"), Decimal("260138.8647"))
    assert inverse.open_interest == Decimal("21279580.0")
    assert inverse.funding_rate == Decimal("-3.995839963e-09")
    assert inverse.funding_rate_prediction == Decimal("6.272058425e-08")
    assert inverse.change24h == Decimal("1.57")
    assert inverse.relative_funding_rate == Decimal("-3.995839963e-09") * Decimal("91468.38")
    assert str(ether.symbol) == "ETH/USD:USD"
    assert abs(ether.relative_funding_rate_prediction - Decimal("1.2e-05") / Decimal("3202.75")) < Decimal("1e-20")


def test_indices_are_told_apart_and_markets_may_be_silent(rest: FuturesRest, run: Any) -> None:
    rows = [
        {"symbol": "in_xbtusd", "last": 91468, "lastTime": "2025-11-17T00:31:01Z"},
        {"symbol": "pf_xbtusd", "tag": "perpetual"},
        {"symbol": "PF_ETHUSD", "tag": "perpetual", "bid": "many"},
    ]
    found, (call,) = run(rest.market.tickers(LINEAR, "ETH/USD:USD"), {"tickers": rows})
    assert call.params == {"symbol": ["PF_XBTUSD", "PF_ETHUSD"], "contractType": []}
    (index,) = found.indices
    assert (index.name, index.last) == ("in_xbtusd", 91468)
    (ticker,) = found.contracts
    assert (ticker.symbol, ticker.bid, ticker.relative_funding_rate) == (LINEAR, None, None)


def test_one_ticker_by_its_own_path(rest: FuturesRest, run: Any) -> None:
    found, (call,) = run(rest.market.ticker(LINEAR), {"ticker": {"symbol": "PF_XBTUSD", "tag": "perpetual", "bid": 7}})
    assert call.path == "/derivatives/api/v3/tickers/PF_XBTUSD"
    assert not call.params
    assert found.bid == 7
    with pytest.raises(BadRequest, match="notFound"):
        run(rest.market.ticker(LINEAR), {"result": "error", "error": "notFound"})


def test_an_option_has_its_greeks(rest: FuturesRest, run: Any) -> None:
    row = {"symbol": "OF_ETHUSD_240101_1000_C", "tag": "month", "greeks": {"iv": -1.0, "delta": 0.5}}
    found, _ = run(rest.market.tickers(), {"tickers": [row]})
    assert found.contracts[0].greeks.iv == -1
    assert found.contracts[0].greeks.rho is None


# Trades.


def trade(number: int, millis: int, **more: Any) -> dict[str, Any]:
    time = (NOON + timedelta(milliseconds=millis)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"time": time, "price": 1.5, "size": "25", "side": "sell", "type": "fill", "uid": f"u{number}", **more}


def test_the_recorded_trade_in_full(rest: FuturesRest, run: Any, captures: Path) -> None:
    page, (call,) = run(rest.market.trades(INVERSE).page(), recorded(captures, "history_trades_2024-05.json"))
    assert call.params == {"symbol": "PI_XBTUSD", "lastTime": None}
    (found,) = page.items
    assert found.id == "d0692c0c-742e-4d88-862c-8bd63533e067"
    assert (found.price, found.quantity, found.side) == (61081, 25, Side.SELL)
    assert found.time == datetime(2024, 5, 3, 13, 5, 43, 974000, tzinfo=UTC)
    assert found.kind is TradeKind.FILL
    assert page.cursor is None


def test_trades_go_on_where_a_page_ended_without_repeating_it(rest: FuturesRest, run: Any) -> None:
    trades = rest.market.trades(LINEAR)
    first, _ = run(trades.page(), {"history": [trade(n, 300 - n // 2) for n in range(100)]})
    assert first.cursor == "2026-01-05T12:00:00.252Z~u98~u99"
    again = [trade(99, 251), trade(98, 251), trade(100, 251), trade(101, 7, type="liquidation")]
    second, (call,) = run(trades.page(first.cursor), {"history": again})
    assert call.params["lastTime"] == "2026-01-05T12:00:00.252Z"
    assert [one.id for one in second.items] == ["u100", "u101"]
    assert second.items[1].kind is TradeKind.LIQUIDATION
    assert second.cursor is None


def test_a_damaged_trade_is_told_and_hides_no_other(rest: FuturesRest, run: Any) -> None:
    rows = [trade(1, 3), trade(2, 2, side="sideways"), trade(3, 1, type="barter")]
    page, _ = run(rest.market.trades(LINEAR).page(), {"history": rows})
    assert [one.id for one in page.items] == ["u1", "u3"]
    assert page.items[1].kind == "barter"
    (damaged,) = page.unreadable
    assert "sideways" in damaged.problem
    assert b"u2" in damaged.raw


# Funding.


def test_the_recorded_funding_comes_from_the_path_that_answers(rest: FuturesRest, run: Any, captures: Path) -> None:
    not_there = {"status": "NOT_FOUND", "result": "error", "errors": [{"code": 0, "message": "404 NOT_FOUND"}]}
    rates, calls = run(
        rest.market.funding_rates(LINEAR), not_there, recorded(captures, "historical_funding_rates_v4.json")
    )
    assert [call.path for call in calls] == [
        "/derivatives/api/v3/historical-funding-rates",
        "/derivatives/api/v4/historicalfundingrates",
    ]
    assert all(call.params == {"symbol": "PF_XBTUSD"} for call in calls)
    assert [rate.time.hour for rate in rates] == [8, 9, 10]
    assert rates[0] == FundingRate(
        symbol=LINEAR,
        time=datetime(2025, 9, 24, 8, tzinfo=UTC),
        absolute=Decimal("1.3285114808978307"),
        relative=Decimal("1.1795815277778e-05"),
    )


def test_funding_is_sorted_whatever_the_venue_does(rest: FuturesRest, run: Any) -> None:
    rows = [
        {"timestamp": f"2025-09-24T{hour}:00:00Z", "fundingRate": 0, "relativeFundingRate": 0} for hour in ("09", "08")
    ]
    rates, calls = run(rest.market.funding_rates(LINEAR), {"rates": rows})
    assert len(calls) == 1
    assert [rate.time.hour for rate in rates] == [8, 9]


def test_a_contract_without_funding_is_no_reason_to_ask_elsewhere(rest: FuturesRest, run: Any) -> None:
    with pytest.raises(VenueError, match="invalidArgument"):
        run(rest.market.funding_rates("BTC/USD:BTC-261225"), {"result": "error", "error": "invalidArgument: symbol"})


# Fees.


def test_the_recorded_fees_are_fractions(rest: FuturesRest, run: Any, captures: Path) -> None:
    found, (call,) = run(rest.market.fee_schedules(), recorded(captures, "feeschedules.json"))
    assert not call.private
    assert [one.name for one in found] == [
        "MTF Linear Rebate Fees",
        "Linear Multi-Collateral Rebate Fees",
        "Inverse Single-Collateral Rebate Fees",
    ]
    assert found[2].uid == "a6cbc326-9477-4a6c-911a-d4cb3ed7481e"
    low, high = found[0].tiers
    assert (low.maker, low.taker, low.usd_volume) == (Decimal("0.0002"), Decimal("0.0005"), 0)
    assert (high.maker, high.taker, high.usd_volume) == (Decimal("0.000175"), Decimal("0.00045"), 5000000)


def test_volumes_are_the_accounts(rest: FuturesRest, run: Any) -> None:
    found, (call,) = run(rest.market.fee_volumes(), {"volumesByFeeSchedule": {"a-b": 12.5}})
    assert found == {"a-b": Decimal("12.5")}
    assert call.private
    assert call.costs == units("feeschedules/volumes")


# What cannot be asked.


@pytest.mark.parametrize(
    ("symbol", "error"), [("SOL/USD:USD", UnknownSymbol), ("PF_XBTUSD", InvalidValue), (5, InvalidValue)]
)
def test_only_listed_contracts_under_our_names_are_asked_for(rest: FuturesRest, symbol: Any, error: type) -> None:
    with pytest.raises(error):
        next(rest.market.ticker(symbol))
    with pytest.raises(error):
        rest.market.trades(symbol)


@pytest.mark.parametrize(
    "ask",
    [
        lambda market: market.contracts(),
        lambda market: market.statuses(),
        lambda market: market.tickers(),
        lambda market: market.trades(LINEAR).page(),
        lambda market: market.funding_rates(LINEAR),
        lambda market: market.fee_schedules(),
        lambda market: market.fee_volumes(),
    ],
)
def test_a_success_without_its_list_is_an_error_and_never_nothing(rest: FuturesRest, run: Any, ask: Any) -> None:
    with pytest.raises(ProtocolError):
        run(ask(rest.market), {})
