"""Orders by hand with all their terms: read, checked, amended; and never sent by a check."""

import json
from decimal import Decimal
from typing import Any

import pytest

BUY = ("place", "spot", "buy", "BTC/USD", "0.01")


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (["--type", "stop", "--trigger", "90000"], {"type": "stop", "trigger_price": "90000"}),
        (
            ["--type", "stop-limit", "--trigger", "90000", "--price", "90100", "--trigger-by", "index"],
            {"type": "stop_limit", "price": "90100", "trigger_by": "index"},
        ),
        (["--type", "take_profit", "--trigger", "70000"], {"type": "take_profit"}),
        (["--trail", "2%"], {"type": "trailing_stop", "trail": "2%"}),
        (["--trail", "150", "--limit-offset", "-5"], {"type": "trailing_stop_limit", "limit_offset": "-5"}),
        (["--price", "50000", "--display", "0.002"], {"type": "limit", "display_quantity": "0.002"}),
        (["--price", "50000", "--leverage", "2"], {"leverage": 2}),
        (["--price", "50000", "--self-trade", "cancel_oldest"], {"self_trade": "cancel_oldest"}),
        (
            ["--price", "50000", "--expires", "2099-01-01T00:00:00Z"],
            {"time_in_force": "gtd", "expires": "2099-01-01T00:00:00.000000Z"},
        ),
    ],
)
def test_terms_are_read_and_a_check_sends_nothing(exchange: Any, options: list[str], shown: dict[str, Any]) -> None:
    answer = exchange(*BUY, *options, "--validate", "--json")
    assert (answer.status, answer.error) == (0, "")
    [row] = answer.rows
    assert row["valid"] is True
    assert {name: row[name] for name in shown} == shown
    assert exchange("orders", "spot", "--json").rows == []


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (["--type", "limit", "--terms", '{"price_offset": "-5%"}'], {"type": "limit", "price": None}),
        (["--type", "stop", "--terms", '{"trigger_offset": "+5"}'], {"type": "stop", "trigger_price": None}),
        (["--price", "50000", "--terms", '{"userref": 7}'], {"price": "50000"}),
    ],
)
def test_terms_of_the_venues_own_are_read_too(exchange: Any, options: list[str], shown: dict[str, Any]) -> None:
    answer = exchange(*BUY, *options, "--validate", "--json")
    assert (answer.status, answer.error) == (0, "")
    [row] = answer.rows
    assert {name: row[name] for name in shown} == shown


def test_an_order_by_an_offset_is_placed_listed_and_canceled(exchange: Any) -> None:
    placed = exchange(*BUY, "--type", "limit", "--terms", '{"price_offset": "-50%", "userref": 7}', "--json").rows[0]
    try:
        [listed] = exchange("orders", "spot", "--json").rows
        assert listed["order_id"] == placed["order_id"]
        assert (listed["type"], Decimal(listed["price"]) > 0, listed["terms"]) == ("limit", True, {"userref": 7})
    finally:
        [ended] = exchange("cancel", "spot", placed["order_id"], "--json").rows
    assert ended["status"] == "canceled"


def test_an_order_for_an_amount_shows_what_it_spent(exchange: Any) -> None:
    answer = exchange("place", "spot", "buy", "BTC/USD", "--amount", "100", "--wait", "10", "--json")
    assert (answer.status, answer.error) == (0, "")
    row = answer.rows[-1]
    assert (row["status"], row["quantity"], row["remaining"], row["quote_amount"]) == ("filled", None, None, "100")
    assert 99 < Decimal(row["spent"]) <= 100
    assert Decimal(row["spent"]) + Decimal(row["unspent"]) == 100
    assert 0 < Decimal(row["filled"]) < 1


@pytest.mark.parametrize(
    ("size", "match"),
    [
        ([], "quantity is missing; give it, or quote_amount"),
        (["0.01", "--amount", "100"], "for a quantity or for a quote_amount, not for both"),
        (["--amount", "-1"], "quote_amount: -1 is not above zero"),
        (["--amount", "100", "--price", "50000"], "quantity_in_quote"),
    ],
)
def test_an_order_is_for_a_quantity_or_for_an_amount(exchange: Any, size: list[str], match: str) -> None:
    answer = exchange("place", "spot", "buy", "BTC/USD", *size)
    assert answer.status == 1
    assert match in answer.error
    assert exchange("orders", "spot", "--json").rows == []


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--trigger", "90000"], "--trigger goes with --type: stop, stop_limit, take_profit or take_profit_limit"),
        (["--type", "iceberg"], "'iceberg' is none of market, limit"),
        (["--trail", "far"], "'far' is none"),
        (["--tif", "gtd", "--price", "1"], "time in force gtd needs expires"),
        (["--expires", "tomorrow", "--price", "1"], "--expires: 'tomorrow' is no time"),
        (["--expires", "2020-01-01", "--price", "50000"], "expires: 2020-01-01T00:00:00.000Z has passed"),
        (["--price", "50000", "--terms", "[1]"], "no JSON object"),
        (["--price", "50000", "--terms", "{"], "is no JSON"),
        (["--price", "50000", "--terms", '{"no_such_term": 1}'], "no_such_term"),
    ],
)
def test_what_cannot_be_meant_is_refused(exchange: Any, options: list[str], match: str) -> None:
    answer = exchange(*BUY, *options)
    assert answer.status == 1
    assert match in answer.error
    assert exchange("orders", "spot", "--json").rows == []


def test_an_order_is_amended_and_keeps_its_id(exchange: Any) -> None:
    placed = exchange(*BUY, "--price", "50000", "--json").rows[0]
    try:
        amended = exchange("amend", "spot", placed["order_id"], "--price", "50001", "--quantity", "0.02", "--json")
        assert amended.error == ""
        [row] = amended.rows
        assert (row["order_id"], Decimal(row["price"]), Decimal(row["quantity"])) == (
            placed["order_id"],
            50001,
            Decimal("0.02"),
        )
        [listed] = exchange("orders", "spot", "--json").rows
        assert Decimal(listed["price"]) == 50001
    finally:
        exchange("cancel-all", "spot")


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["OAAAAA-AAAAA-AAAAAA", "--price", "1"], "OAAAAA-AAAAA-AAAAAA"),
        (["OAAAAA-AAAAA-AAAAAA"], "an amendment without any change"),
        (["OAAAAA-AAAAA-AAAAAA", "--quantity", "1", "--post-only"], "post_only goes with a new price"),
    ],
)
def test_what_cannot_be_amended_is_said(exchange: Any, arguments: list[str], match: str) -> None:
    answer = exchange("amend", "spot", *arguments)
    assert answer.status == 1
    assert match in answer.error


def test_cancel_all_ends_all(exchange: Any) -> None:
    for price in ("50000", "50001"):
        exchange(*BUY, "--price", price)
    rows = [json.loads(line) for line in exchange("cancel-all", "spot", "--json").out.splitlines()]
    assert [row["status"] for row in rows] == ["canceled", "canceled"]
    assert exchange("orders", "spot", "--json").rows == []


def test_a_market_order_that_is_waited_for_shows_its_fill(exchange: Any) -> None:
    answer = exchange("place", "spot", "buy", "ETH/USD", "0.02", "--wait", "20", "--json")
    assert (answer.status, answer.error) == (0, "")
    last = answer.rows[-1]
    assert (last["status"], Decimal(last["filled"])) == ("filled", Decimal("0.02"))
    assert Decimal(last["average_price"]) > 0
    assert last["fees"]


def test_an_order_that_rests_is_waited_for_so_long_and_stands(exchange: Any) -> None:
    answer = exchange(*BUY, "--price", "50000", "--wait", "0", "--json")
    try:
        first, last = answer.rows
        assert answer.status == 1
        assert first["order_id"] == last["order_id"]
        assert (last["status"], last["filled"]) == ("open", "0")
        assert f"order {last['order_id']} is open after 0 s" in answer.error
        assert [row["order_id"] for row in exchange("orders", "spot", "--json").rows] == [last["order_id"]]
    finally:
        exchange("cancel-all", "spot")


@pytest.mark.parametrize(("venue", "symbol"), [("spot", "BTC/USD"), ("futures", "BTC/USD:USD")])
def test_what_became_of_an_order_of_another_program(exchange: Any, venue: str, symbol: str) -> None:
    """One command is one program: each knows no more than the id."""
    placed = exchange("place", venue, "buy", symbol, "0.01", "--price", "50000", "--json").rows[0]
    [listed] = exchange("orders", venue, "--json").rows
    assert listed["created"] is not None
    ended = exchange("cancel", venue, placed["order_id"], "--json").rows[0]
    again = exchange("cancel", venue, placed["order_id"], "--json")
    assert (ended["status"], again.status, again.error) == ("canceled", 0, "")
    assert again.rows[0]["status"] == "canceled"
    assert placed["created"] <= again.rows[0]["updated"]


def test_a_filled_order_is_not_said_to_be_canceled(exchange: Any) -> None:
    filled = exchange("place", "spot", "sell", "ETH/USD", "0.01", "--wait", "20", "--json").rows[-1]
    answer = exchange("cancel", "spot", filled["order_id"])
    assert (answer.status, answer.error) == (1, "")
    assert "Nothing was canceled: it is filled." in answer.out


def test_the_dead_mans_switch_is_set_and_ended(exchange: Any) -> None:
    for venue in ("spot", "futures"):
        [row] = exchange("cancel-all-after", venue, "60", "--json").rows
        assert row["seconds"] == 60
        assert row["cancels_at"]
        assert exchange("cancel-all-after", venue, "0", "--json").rows == [{"seconds": 0, "cancels_at": None}]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (["--display", "0.002"], "is no iceberg, and cannot be made one"),
        (["--trail", "5"], "shows as a limit order: no distance that it trails by is known of it"),
    ],
)
def test_what_an_order_does_not_have_is_not_amended(exchange: Any, change: list[str], match: str) -> None:
    placed = exchange(*BUY, "--price", "50000", "--json").rows[0]
    try:
        answer = exchange("amend", "spot", placed["order_id"], *change)
        assert answer.status == 1
        assert match in answer.error
    finally:
        exchange("cancel-all", "spot")


def test_the_help_of_amend_speaks_of_changes(exchange: Any) -> None:
    said = " ".join(exchange("amend", "--help").out.split())
    assert "--type" not in said
    assert "New price that sets a stop or take_profit off." in said


def test_people_see_an_order_that_is_waited_for_once(exchange: Any) -> None:
    answer = exchange(*BUY, "--price", "50001", "--wait", "0")
    [line] = [line for line in answer.out.splitlines() if line.startswith("order ") and "waiting" in line]
    order_id = line.removeprefix("order ").partition(":")[0]
    assert exchange("cancel", "spot", order_id).status == 0
    assert answer.out.count("BTC/USD") == 1
