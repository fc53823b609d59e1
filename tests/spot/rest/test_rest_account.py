"""What an account holds, pays and may do, and its reports, on recorded answers where there are some."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange_core.connector.rest import HttpReply, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import BadRequest, OutcomeUnknown, ProtocolError, VenueUnavailable
from exchange_core.model.number import plain
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_spot.dialect import KrakenSpotDialect
from kraken_spot.limits import PRIVATE
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.types.account import Permission, ReportFormat, ReportKind, ReportStatus

BTC = Symbol("BTC", "USD")


def recorded(captures: Path, name: str) -> bytes:
    return (captures / "spot/rest" / name).read_bytes()


@pytest.fixture
def account(rest: KrakenSpotRest) -> Any:
    return rest.account


@pytest.fixture
def exports(rest: KrakenSpotRest) -> Any:
    return rest.exports


def one_call(run: Any) -> RestCall:
    (call,) = run.calls
    assert isinstance(call, RestCall)
    assert [(cost.pool, cost.amount) for cost in call.costs] == [(PRIVATE, 1)]
    return call


def test_totals_do_not_say_what_is_held(account: Any, run: Any, captures: Path) -> None:
    body = recorded(captures, "private_balance.json")
    balances = run(account.balance(), body)
    raw = json.loads(body)["result"]
    assert len(balances) == len(raw)
    by_place = {(one.asset, one.wallet): one for one in balances}
    assert plain(by_place["BTC", "spot"].total) == raw["XXBT"] == "0.0022698000"
    assert plain(by_place["ATOM", "staked"].total) == raw["ATOM.S"]
    assert plain(by_place["SOL", "spot"].total) == "1.3624452700"
    assert all(one.held is None for one in balances)
    assert {one.free for one in balances if one.usable is not False} == {None}
    # Nothing of what is staked can be used, held or not.
    assert {one.free for one in balances if one.wallet == "staked"} == {Decimal(0)}
    assert one_call(run).path == "/0/private/Balance"


def test_trade_balance(account: Any, run: Any, captures: Path) -> None:
    balance = run(account.trade_balance("USD"), recorded(captures, "private_trade_balance.json"))
    assert plain(balance.equivalent) == "5491.4558"
    assert plain(balance.trade_balance) == plain(balance.equity) == plain(balance.free_margin) == "4204.0545"
    assert plain(balance.unexecuted) == "0.0000"
    assert balance.margin_level is balance.free_margin_for_orders is None
    assert balance.asset == "USD"
    assert one_call(run).params == {"asset": "ZUSD"}


def test_trade_balance_of_2019_and_of_an_account_with_positions(account: Any, run: Any, captures: Path) -> None:
    lines = recorded(captures, "http_open_orders_empty_and_trade_balance.jsonl").splitlines()
    old = run(account.trade_balance(), json.loads(lines[1])["body"].encode())
    assert plain(old.equivalent) == "176.2212"
    assert old.unexecuted is None
    fields = {
        "eb": "1101.3425",
        "tb": "392.2264",
        "m": "7.0354",
        "n": "-10.0232",
        "c": "21.1063",
        "v": "31.1297",
        "e": "382.2032",
        "mf": "375.1678",
        "mfo": "370.0000",
        "ml": "5432.57",
    }
    new = run(account.trade_balance(), fields)
    assert (new.unrealised, new.margin_level) == (Decimal("-10.0232"), Decimal("5432.57"))
    assert plain(new.free_margin_for_orders) == "370.0000"


def test_open_positions(account: Any, run: Any, captures: Path) -> None:
    found = run(account.open_positions(calculate=True), recorded(captures, "private_open_positions.json"))
    assert not found.unreadable
    first = found.items[0]
    assert first.id == "TF5GVO-T7ZZ2-6NBKBI"
    assert (first.symbol, first.side) == (BTC, Side.BUY)
    assert (plain(first.net), plain(first.value)) == ("154186.9728", "258797.5")
    assert plain(first.open_quantity) == "8.62212861"
    assert first.terms == "0.0100% per 4 hours"
    assert first.rollover == datetime.fromtimestamp(1616672637, UTC)
    assert first.opened == datetime(2020, 11, 13, 15, 8, 17, 829400, tzinfo=UTC)
    assert first.order_id == "OLWNFG-LLH4R-D6SFFP"
    assert len(found.items) == 5
    assert one_call(run).params == {"txid": None, "docalcs": True}


@pytest.mark.parametrize("wrap", [lambda row: [row], lambda row: {"XXBTZUSD": row}], ids=["list", "map"])
def test_positions_of_a_market_as_a_list_or_a_map(account: Any, run: Any, wrap: Callable[[Any], Any]) -> None:
    row = {
        "pair": "XXBTZUSD",
        "positions": "3",
        "type": "sell",
        "leverage": "2.00000",
        "cost": "100.0",
        "fee": "0.2",
        "vol": "1",
        "vol_closed": "0",
        "margin": "50",
    }
    (one,) = run(account.positions_by_market(), wrap(row)).items
    assert (one.id, one.symbol, one.side, one.count) == ("", BTC, Side.SELL, 3)
    assert one.opened is None
    assert one_call(run).params["consolidation"] == "market"


def test_volume_and_fees(account: Any, run: Any, captures: Path) -> None:
    volume = run(account.trade_volume(BTC), recorded(captures, "private_trade_volume.json"))
    assert plain(volume.volume) == "294.0219"
    assert volume.asset == "USD"
    fees = volume.of("BTC/USD")
    assert fees is not None
    assert (fees.taker.rate, fees.maker.rate) == (Decimal("0.0026"), Decimal("0.0016"))
    assert (fees.taker.next, fees.taker.lowest) == (Decimal("0.0024"), Decimal("0.001"))
    assert plain(fees.taker.next_volume) == "50000.0000"
    assert volume.of("ETH/USD") is None
    assert one_call(run).params["pair"] == ["XBTUSD"]


def test_fees_in_the_other_spelling_at_the_top_tier_and_with_a_schedule(account: Any, run: Any) -> None:
    answer = {
        "currency": "ZUSD",
        "volume": "200709587.4223",
        "fees": {
            "XXBTZUSD": {"fee": "0.1000", "min_fee": "0.1000", "next_fee": None, "tier_volume": "10000000.0000"},
            "XETHZUSD": {"fee": "NaN"},
        },
        "fees_maker": {"XXBTZUSD": {"fee": "-0.0200"}},
        "inputs": {"domain_spot_volume": "12.5", "assets_on_platform": 3, "nothing": None},
        "volume_subaccounts": [{"iiban": "AA00", "volume": "1.5"}],
        "schedules": [
            {
                "pair": "XXBTZUSD",
                "class": "spot",
                "tiers": [{"maker_fee": "0.40", "taker_fee": "0.80", "min_spot_volume": "0", "active": True}],
            }
        ],
    }
    volume = run(account.trade_volume(BTC, "ETH/USD", fee_schedule=True), answer)
    (fees,) = volume.fees
    assert fees.taker.lowest == Decimal("0.001")
    assert fees.taker.next is None
    assert fees.maker.rate == Decimal("-0.0002"), "a rebate"
    assert volume.inputs == {"domain_spot_volume": Decimal("12.5"), "assets_on_platform": Decimal(3)}
    assert volume.subaccounts == ({"iiban": "AA00", "volume": "1.5"},)
    (schedule,) = volume.schedules
    assert (schedule.symbol, schedule.pair_class) == (BTC, "spot")
    assert (schedule.tiers[0].maker, schedule.tiers[0].taker) == (Decimal("0.004"), Decimal("0.008"))
    assert [bad.id for bad in volume.unreadable] == ["XETHZUSD"]
    assert one_call(run).params["fee_schedule"] is True


def test_without_pairs_there_are_no_fees(account: Any, run: Any) -> None:
    volume = run(account.trade_volume(), {"currency": "ZUSD", "volume": "1", "fees": None, "fees_maker": None})
    assert volume.fees == volume.schedules == ()


def test_pairs_of_another_class_are_named_in_json(account: Any, run: Any) -> None:
    run(account.trade_volume(BTC, asset_class="equity_pair"), {"currency": "ZUSD", "volume": "1"})
    call = one_call(run)
    assert call.json
    assert call.params["pair"] == [{"asset": "XBTUSD", "aclass": "equity_pair"}]


def test_credit_lines(account: Any, run: Any) -> None:
    assert run(account.credit_lines(), b'{"error":[],"result":null}') is None
    answer = {
        "by_asset": {"ZUSD": {"limit": "100.5", "used": "0", "none": None}},
        "totals": {"total": "7", "unset": None},
    }
    lines = run(account.credit_lines(), answer)
    assert lines.assets == {"USD": {"limit": Decimal("100.5"), "used": Decimal(0)}}
    assert lines.totals == {"total": Decimal(7)}


KEY = {
    "apiKeyName": "desk",
    "apiKey": "the-public-half",
    "nonce": "1774350056000",
    "nonceWindow": 15,
    "permissions": ["query-funds", "withdraw-funds", "fly"],
    "iban": "AA88 N84G ABCD EFGH",
    "validUntil": "0",
    "queryFrom": "0",
    "queryTo": "1618230358",
    "createdTime": "1522132642",
    "modifiedTime": "1618230358",
    "ipAllowlist": [""],
    "lastUsed": None,
}


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


@pytest.mark.parametrize("spelling", [str, snake], ids=["camelCase", "snake_case"])
def test_the_key_in_both_spellings(account: Any, run: Any, spelling: Callable[[str], str]) -> None:
    info = run(account.key_info(), {spelling(name): value for name, value in KEY.items()})
    assert (info.name, info.api_key, info.nonce, info.nonce_window) == ("desk", "the-public-half", 1774350056000, 15)
    assert info.permissions == {Permission.QUERY_FUNDS, Permission.WITHDRAW_FUNDS, "fly"}
    assert info.can_withdraw
    assert info.valid_until is info.query_from is info.last_used is None
    assert info.created == datetime.fromtimestamp(1522132642, UTC)
    assert info.ip_allowlist == ()
    assert "the-public-half" not in repr(info)
    assert "N84G" not in repr(info)
    assert one_call(run).params == {"otp": None}


@pytest.mark.parametrize("answer", [{}, [], {**KEY, "nonce": "x"}, {**KEY, "validUntil": "soon"}])
def test_a_key_that_does_not_read(account: Any, run: Any, answer: Any) -> None:
    with pytest.raises(ProtocolError):
        run(account.key_info(), answer)


def test_a_report_from_asking_to_deleting(exports: Any, run: Any) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    asked = exports.add(
        ReportKind.LEDGERS,
        "year",
        format=ReportFormat.TSV,
        fields=["refid", "time"],
        start=start,
        end=start + timedelta(microseconds=1),
    )
    assert run(asked, {"id": "GEHI"}) == "GEHI"
    call = run.calls[0]
    assert call.params == {
        "report": "ledgers",
        "description": "year",
        "format": "TSV",
        "fields": ["refid", "time"],
        "starttm": 1767225600,
        "endtm": 1767225601,
    }
    assert call.changes_state
    rows = [
        {
            "id": "GEHI",
            "descr": "year",
            "format": "CSV",
            "report": "ledgers",
            "subtype": "all",
            "status": "Processed",
            "fields": "refid,time",
            "createdtm": "1698811300",
            "starttm": "1698811301",
            "completedtm": "1698811302",
            "datastarttm": "1698811200",
            "dataendtm": "0",
            "asset": "all",
        },
        {"id": "X"},
    ]
    listing = run(exports.statuses(ReportKind.LEDGERS), rows)
    (report,) = listing.items
    assert report.status is ReportStatus.PROCESSED
    assert report.data_start == datetime.fromtimestamp(1698811200, UTC)
    assert report.data_end is report.expires is None
    assert report.fields == ("refid", "time")
    assert [bad.id for bad in listing.unreadable] == ["1"]
    assert run(exports.delete("GEHI"), {"delete": True}) is True
    assert run(exports.cancel("GEHI"), {"cancel": False}) is False
    assert [call.params["type"] for call in run.calls[2:]] == ["delete", "cancel"]


ZIP = b"PK\x03\x04\x14\x00\x00\x00\xff\xfe"


def test_a_report_comes_as_it_is(exports: Any, run: Any) -> None:
    assert run(exports.retrieve("GEHI"), ZIP) == ZIP
    call = one_call(run)
    assert (call.path, call.params) == ("/0/private/RetrieveExport", {"id": "GEHI"})
    assert not call.changes_state


def test_an_error_in_place_of_a_report_is_one(exports: Any, run: Any) -> None:
    with pytest.raises(BadRequest):
        run(exports.retrieve("GEHI"), b'{"error":["EGeneral:Invalid arguments"]}')


@pytest.mark.parametrize(
    ("status", "body"), [(200, b'{"error":[],"result":"UEs="}'), (520, ZIP), (200, b"<html>")], ids=str
)
def test_what_is_no_report_is_none(context: VenueContext, exports: Any, status: int, body: bytes) -> None:
    call = next(exports.retrieve("GEHI"))
    with pytest.raises(VenueUnavailable):
        KrakenSpotDialect(context).decode(call, HttpReply(status, {}, body))


def test_a_zip_is_no_answer_to_anything_else(context: VenueContext, exports: Any) -> None:
    call = next(exports.delete("GEHI"))
    with pytest.raises(OutcomeUnknown):
        KrakenSpotDialect(context).decode(call, HttpReply(200, {}, ZIP))
