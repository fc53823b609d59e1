"""Settings are set as asked, or it is said that they were not; nothing means something else by being left out."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange_core.errors import BadRequest, InvalidValue, OutcomeUnknown, ProtocolError, UnknownSymbol
from exchange_core.model.symbol import Symbol
from kraken_futures.auth import FuturesSigner
from kraken_futures.limits import units
from kraken_futures.rest.operations import FuturesRest
from kraken_futures.types.account import SelfTradeStrategy

LINEAR = Symbol.parse("BTC/USD:USD")


def recorded(captures: Path, name: str) -> bytes:
    return (captures / "futures/rest" / name).read_bytes()


def test_the_documented_leverage(rest: FuturesRest, run: Any, captures: Path) -> None:
    found, (call,) = run(rest.settings.leverage(), recorded(captures, "doc_leverage_preferences.json"))
    assert found == {LINEAR: 10}
    assert call.method == "GET"
    assert call.costs == units("leveragepreferences")


def test_leverage_may_be_text(rest: FuturesRest, run: Any) -> None:
    rows = [{"symbol": "PF_NEW", "maxLeverage": "2.5"}]
    assert run(rest.settings.leverage(), {"leveragePreferences": rows})[0] == {"PF_NEW": Decimal("2.5")}


def test_leverage_is_put_as_in_the_signature_vector(rest: FuturesRest, run: Any, signer: FuturesSigner) -> None:
    done, (call,) = run(rest.settings.set_leverage(LINEAR, 10), {})
    assert done is None
    assert (call.method, call.path) == ("PUT", "/derivatives/api/v3/leveragepreferences")
    assert call.changes_state
    assert call.costs == units("leveragepreferences change")
    signed = signer.sign(call, 1415957147987)
    assert signed.body == b"symbol=PF_XBTUSD&maxLeverage=10"
    # Computed apart from this code.
    assert signed.headers["Authent"] == (
        "A6pb7IwGkQcqkq1zFFl1XL7QDOKB9I3/L0YyLvEUvVrpXP86BpnBNFN0Ccw7jP42sJSJnSoKpDTl/fBT67+VGQ=="
    )


def test_cross_margin_is_asked_for_by_name(rest: FuturesRest, run: Any) -> None:
    _, (call,) = run(rest.settings.set_cross_margin(LINEAR), {})
    assert call.params == {"symbol": "PF_XBTUSD", "maxLeverage": None}
    for leverage in (None, 0, "-1", 2.5, ""):
        with pytest.raises(InvalidValue, match="max_leverage"):
            next(rest.settings.set_leverage(LINEAR, leverage))  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [41, 87, 88, 89, 90])
def test_a_refused_setting_is_a_bad_request_and_no_refused_order(rest: FuturesRest, run: Any, code: int) -> None:
    body = {"status": "BAD_REQUEST", "result": "error", "errors": [{"code": code, "message": "no"}]}
    for flow in (rest.settings.set_leverage(LINEAR, 2), rest.settings.set_pnl_asset(LINEAR, "BTC")):
        with pytest.raises(BadRequest) as caught:
            run(flow, body)
        assert str(code) in caught.value.codes


def test_the_documented_pnl_assets(rest: FuturesRest, run: Any, captures: Path) -> None:
    found, (call,) = run(rest.settings.pnl_assets(), recorded(captures, "doc_pnl_preferences.json"))
    assert found == {LINEAR: "BTC"}
    assert call.costs == units("pnlpreferences")


def test_the_pnl_asset_is_set_under_its_other_name(rest: FuturesRest, run: Any) -> None:
    _, (call,) = run(rest.settings.set_pnl_asset("BTC/USD:USD", "EUR"), {})
    assert call.method == "PUT"
    assert call.params == {"symbol": "PF_XBTUSD", "pnlPreference": "EUR"}
    assert call.costs == units("pnlpreferences change")
    with pytest.raises(InvalidValue):
        next(rest.settings.set_pnl_asset(LINEAR, ""))


def test_what_trades_with_itself(rest: FuturesRest, run: Any) -> None:
    found, _ = run(rest.settings.self_trade_strategy(), {"strategy": "CANCEL_MAKER_CHILD"})
    assert found is SelfTradeStrategy.CANCEL_MAKER_CHILD
    assert run(rest.settings.self_trade_strategy(), {"strategy": "FLIP_A_COIN"})[0] == "FLIP_A_COIN"
    chosen = SelfTradeStrategy.CANCEL_MAKER_SELF
    found, (call,) = run(rest.settings.set_self_trade_strategy(chosen), {"strategy": "CANCEL_MAKER_SELF"})
    assert found is chosen
    assert (call.method, call.params) == ("PUT", {"strategy": "CANCEL_MAKER_SELF"})
    with pytest.raises(ProtocolError, match="REJECT_TAKER"):
        run(rest.settings.set_self_trade_strategy(chosen), {"strategy": "REJECT_TAKER"})
    with pytest.raises(InvalidValue, match="FLIP_A_COIN"):
        next(rest.settings.set_self_trade_strategy("FLIP_A_COIN"))  # type: ignore[arg-type]


def test_only_contracts_that_are_listed(rest: FuturesRest) -> None:
    with pytest.raises(UnknownSymbol):
        next(rest.settings.set_leverage("SOL/USD:USD", 2))


@pytest.mark.parametrize("body", [b"<html>", {"result": "error", "error": "unknownError"}, {"result": "maybe"}])
def test_without_a_clear_answer_it_is_not_known_whether_it_was_set(rest: FuturesRest, run: Any, body: Any) -> None:
    for flow in (rest.settings.set_leverage(LINEAR, 2), rest.settings.set_cross_margin(LINEAR)):
        with pytest.raises(OutcomeUnknown):
            run(flow, body)


# One row that does not read hides no other.


def test_leverage_that_does_not_read_is_told_and_hides_no_other(rest: FuturesRest, run: Any) -> None:
    """A contract that is not in the list has cross margin; of one whose row does not read nobody must think so."""
    rows = [{"symbol": "PF_XBTUSD", "maxLeverage": 10}, {"symbol": "PI_XBTUSD", "maxLeverage": "much"}, 7]
    found, _ = run(rest.settings.leverage(), {"leveragePreferences": rows})
    assert found == {LINEAR: Decimal(10)}
    assert [b"PI_XBTUSD" in each.raw for each in found.unreadable] == [True, False]


def test_a_pnl_asset_that_does_not_read_is_told_and_hides_no_other(rest: FuturesRest, run: Any) -> None:
    rows = [{"symbol": "PI_XBTUSD"}, {"symbol": "PF_XBTUSD", "pnlCurrency": "XBT"}]
    found, _ = run(rest.settings.pnl_assets(), {"preferences": rows})
    assert found == {LINEAR: "BTC"}
    assert len(found.unreadable) == 1


def test_a_whole_list_of_settings_has_nothing_unreadable(rest: FuturesRest, run: Any) -> None:
    assert run(rest.settings.leverage(), {"leveragePreferences": []})[0].unreadable == ()


def test_a_subaccount_that_does_not_read_hides_no_other(rest: FuturesRest, run: Any) -> None:
    rows = [{"accountUid": "a", "holdingAccounts": [{"currency": "xbt", "amount": "?"}]}, {"accountUid": "b"}]
    found, _ = run(rest.wallets.subaccounts(), {"masterAccountUid": "m", "subaccounts": rows})
    assert [account.uid for account in found.accounts] == ["b"]
    assert [b'"a"' in each.raw for each in found.accounts.unreadable] == [True]


def test_an_assignment_that_does_not_read_hides_no_other(rest: FuturesRest, run: Any) -> None:
    rows = [{"id": 1}, {"id": 2, "participant": {"contractType": "futures_inverse"}}]
    found, _ = run(rest.programs.assignments(), {"participants": rows})
    assert [one.id for one in found] == [2]
    assert len(found.unreadable) == 1


def test_a_fee_schedule_that_does_not_read_hides_no_other(rest: FuturesRest, run: Any) -> None:
    rows = [{"uid": "a", "name": "A", "tiers": [{"makerFee": "free"}]}, {"uid": "b", "name": "B", "tiers": []}]
    found, _ = run(rest.market.fee_schedules(), {"feeSchedules": rows})
    assert [one.uid for one in found] == ["b"]
    assert len(found.unreadable) == 1
