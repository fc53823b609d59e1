"""The simulated history service and analytics: pages, tokens, filters, the account log."""

import csv
import io
import json
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange_core.connector.rest import HttpRequest
from exchange_core.connector.simulation import SimRequest
from exchange_core.model.order import OrderType
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.testing.world import World
from kraken_futures.simulator.past.record import Stream
from kraken_futures.simulator.protocol import KrakenFutures

LINEAR = Symbol.parse("BTC/USD:USD")
PAST = "/api/history/v3/"


@pytest.fixture
def traded(alice: Any, bobby: Any, clock: Any) -> list[str]:
    """Five buys of alice's, a second apart, then a sale that turns her position around; ids of the executions."""
    bobby.order("lmt", "sell", "0.5", "84000")
    ids = []
    for _ in range(5):
        ids.append(alice.order("mkt", "buy", "0.1")["orderEvents"][0]["executionId"])
        clock.forward(1)
    bobby.order("lmt", "buy", "0.7", "84100")
    ids.append(alice.order("mkt", "sell", "0.7")["orderEvents"][0]["executionId"])
    return ids


def uids(answer: Any) -> list[str]:
    return [element["event"]["Execution"]["execution"]["uid"] for element in answer["elements"]]


class TestPages:
    @pytest.mark.parametrize("sort", ["asc", "desc"])
    def test_tokens_lead_through_all(self, alice: Any, traded: list[str], sort: str) -> None:
        found, more = [], {}
        while True:
            answer = alice.get(f"{PAST}executions", count=4, sort=sort, **more)
            found += uids(answer)
            if "continuationToken" not in answer:
                break
            more = {"continuation_token": answer["continuationToken"]}
        assert found == (traded if sort == "asc" else traded[::-1])

    def test_what_happens_meanwhile_does_not_shift_pages(self, alice: Any, bobby: Any, traded: list[str]) -> None:
        first = alice.get(f"{PAST}executions", count=2)
        bobby.order("lmt", "sell", "0.1", "84200")
        alice.order("mkt", "buy", "0.1")
        rest = alice.get(f"{PAST}executions", continuation_token=first["continuationToken"])
        assert uids(first) + uids(rest) == traded[::-1]

    def test_the_token_is_a_header_too(self, alice: Any, traded: list[str]) -> None:
        reply = alice.raw("GET", f"{PAST}executions", query="count=2")
        assert reply.headers["next-continuation-token"] == json.loads(reply.body)["continuationToken"]

    @pytest.mark.parametrize("token", ["asc.1", "desc.x", "desc.", "1", "desc.-1", "desc.²"])
    def test_a_token_of_another_direction_or_of_none(self, alice: Any, traded: list[str], token: str) -> None:
        answer = alice.get(f"{PAST}executions", sort="desc", continuation_token=token)
        assert answer["error"] == "invalidArgument: continuation_token"

    def test_times_bound_them(self, alice: Any, traded: list[str]) -> None:
        answer = alice.get(f"{PAST}executions", since=1791549016123, before=1791549018123, sort="asc")
        assert uids(answer) == traded[1:3]

    def test_one_account_does_not_see_another(self, alice: Any, bobby: Any, traded: list[str]) -> None:
        ours, theirs = (set(uids(client.get(f"{PAST}executions"))) for client in (alice, bobby))
        assert len(ours) == len(theirs) == 6
        assert not ours & theirs

    def test_what_happened_before_the_first_call_is_there(self, world: World, client_of: Any, bobby: Any) -> None:
        world.credentials("carol")
        bobby.order("lmt", "sell", "0.5", "84000")
        order = SimRequest(symbol=LINEAR, side=Side.BUY, type=OrderType.MARKET, quantity=Decimal("0.1"))
        fill_id = world.exchange.order("carol", world.exchange.place("carol", order).id).fill_ids[0]
        late = client_of("carol")
        assert uids(late.get(f"{PAST}executions")) == [fill_id]
        assert [next(iter(each["event"])) for each in late.get(f"{PAST}orders")["elements"]] == ["OrderPlaced"]
        infos = [row["info"] for row in late.get(f"{PAST}account-log", sort="asc")["logs"]]
        assert infos == ["cross-exchange transfer", "cross-exchange transfer", "futures trade"]


class TestExecutionsAndPositions:
    def test_an_execution_tells_fee_rate_mark_and_position(self, alice: Any, traded: list[str]) -> None:
        [last, *_] = alice.get(f"{PAST}executions")["elements"]
        execution = last["event"]["Execution"]["execution"]
        assert execution["orderData"] == {
            "fee": "29.435",
            "positionSize": "-0.2",
            "feeCalculationInfo": [{"percentageFee": "0.05"}],
        }
        assert (execution["executionType"], execution["limitFilled"]) == ("taker", True)

    def test_a_filled_order_shows_where_it_was_placed(self, alice: Any, traded: list[str]) -> None:
        [last, *_] = alice.get(f"{PAST}orders")["elements"]
        order = last["event"]["OrderPlaced"]["order"]
        assert (order["quantity"], order["filled"], order["orderType"]) == ("0", "0.7", "Market")

    def test_positions_change_step_by_step(self, alice: Any, traded: list[str]) -> None:
        elements = alice.get(f"{PAST}positions", sort="asc")["elements"]
        updates = [element["event"]["PositionUpdate"] for element in elements]
        assert [update["positionChange"] for update in updates] == ["open", *["increase"] * 4, "reverse"]
        assert [update["newPosition"] for update in updates] == ["0.1", "0.2", "0.3", "0.4", "0.5", "-0.2"]
        last = updates[-1]
        assert (last["oldAverageEntryPrice"], last["newAverageEntryPrice"]) == ("84000", "84100")
        assert (last["realizedPnL"], last["fee"], last["feeCurrency"]) == ("50", "29.435", "USD")
        assert last["executionUid"] == traded[-1]

    @pytest.mark.parametrize(
        ("filters", "count"),
        [
            ({"opened": "true"}, 1),
            ({"increased": "true", "reversed": "true"}, 5),
            ({"opened": "true", "trades": "true"}, 1),
            ({"opened": "true", "settlement": "true"}, 0),
            ({"opened": "false", "trades": "false"}, 6),
            ({"tradeable": "pi_xbtusd"}, 0),
        ],
    )
    def test_filters(self, alice: Any, traded: list[str], filters: dict[str, str], count: int) -> None:
        assert len(alice.get(f"{PAST}positions", **filters)["elements"]) == count


class TestAccountLog:
    def test_a_trade_books_a_row_of_the_position_and_one_of_the_money(self, alice: Any, traded: list[str]) -> None:
        logs = alice.get(f"{PAST}account-log", sort="asc")["logs"]
        assert [row["id"] for row in logs] == list(range(1, 15))
        position, money = logs[-2:]
        assert (position["asset"], position["old_balance"], position["new_balance"]) == (
            "pf_xbtusd",
            Decimal("0.5"),
            Decimal("-0.2"),
        )
        assert (position["old_average_entry_price"], position["new_average_entry_price"]) == (84000, 84100)
        assert money["asset"] == "usd"
        assert money["new_balance"] == money["old_balance"] + 50 - Decimal("29.435")
        assert position["execution"] == money["execution"] == traded[-1]
        assert {row["contract"] for row in (position, money)} == {"pf_xbtusd"}

    def test_balances_join(self, alice: Any, traded: list[str]) -> None:
        rows = [row for row in alice.get(f"{PAST}account-log", sort="asc")["logs"] if row["asset"] == "usd"]
        assert all(before["new_balance"] == after["old_balance"] for before, after in pairwise(rows))
        assert rows[-1]["new_balance"] == alice.get("accounts")["accounts"]["flex"]["currencies"]["USD"]["quantity"]

    def test_bounds_by_id_time_and_kind(self, alice: Any, traded: list[str]) -> None:
        def ids(**params: Any) -> list[int]:
            return [row["id"] for row in alice.get(f"{PAST}account-log", **params)["logs"]]

        assert ids(**{"from": 3, "to": 5}) == [5, 4, 3]
        assert ids(count=2) == [14, 13]
        assert ids(since=1791549019123, sort="asc") == [11, 12, 13, 14]
        assert ids(info="cross-exchange transfer") == [2, 1]
        assert ids(info=["settlement", "cross-exchange transfer"]) == [2, 1]
        assert alice.get(f"{PAST}account-log", info="gift")["error"] == "invalidArgument: info"

    def test_the_same_as_csv(self, alice: Any, traded: list[str]) -> None:
        reply = alice.raw("GET", f"{PAST}accountlogcsv")
        rows = list(csv.DictReader(io.StringIO(reply.body.decode())))
        assert reply.headers["content-type"] == "text/csv"
        assert [row["id"] for row in rows] == [str(number) for number in range(14, 0, -1)]
        assert (rows[0]["asset"], rows[0]["fee"]) == ("usd", "29.435")

    def test_the_feed_numbers_as_the_history_does(self, alice: Any, bobby: Any, feed: Any, traded: list[str]) -> None:
        [snapshot] = feed.follow("alice", "account_log")
        assert [row["id"] for row in snapshot["logs"]] == list(range(14, 0, -1))
        bobby.order("lmt", "sell", "0.1", "84200")
        alice.order("mkt", "buy", "0.1")
        assert [frame["new_entry"]["id"] for frame in feed.frames()] == [15, 16]


class TestMarkets:
    def test_orders_without_names(self, alice: Any, bobby: Any) -> None:
        order_id = alice.order("lmt", "buy", "0.1", "80000", cliOrdId="secret")["order_id"]
        alice.post("editorder", orderId=order_id, limitPrice="80001")
        alice.post("cancelorder", order_id=order_id)
        answer = bobby.public(f"{PAST}market/PF_XBTUSD/orders", sort="asc")
        assert [next(iter(element["event"])) for element in answer["elements"]] == [
            "OrderPlaced",
            "OrderUpdated",
            "OrderCancelled",
        ]
        assert not {"accountUid", "filled", "clientId"} & answer["elements"][0]["event"]["OrderPlaced"]["order"].keys()

    def test_mark_prices(self, alice: Any, clock: Any, exchange: Any) -> None:
        symbol = exchange.markets()[0].instrument.symbol
        for price in (84100, 84100, 84200):
            exchange.set_mark(symbol, Decimal(price))
            clock.forward(2)
            alice.public("tickers")
        elements = alice.public(f"{PAST}market/PF_XBTUSD/price", sort="asc")["elements"]
        assert [element["event"]["MarkPriceChanged"]["price"] for element in elements] == ["84100", "84200"]

    def test_unknown_ones(self, alice: Any) -> None:
        assert alice.public(f"{PAST}market/PF_NOPE/orders", 404)["error"] == "notFound"
        assert alice.public(f"{PAST}market/PF_XBTUSD/dreams", 404)["result"] == "error"


class TestAnalytics:
    def test_trades_are_counted_where_they_were(self, alice: Any, traded: list[str]) -> None:
        path = "/api/charts/v1/analytics/PF_XBTUSD/cvd"
        answer = alice.public(path, since=1791548940, interval=60)
        assert answer["errors"] == []
        result = answer["result"]
        assert result["timestamp"] == [1791548940, 1791549000]
        assert result["data"] == {"buyVolume": ["0", "0.5"], "sellVolume": ["0", "0.7"], "cvd": ["0", "-0.2"]}

    def test_long_spans_come_in_pages(self, alice: Any) -> None:
        path = "/api/charts/v1/analytics/liquidity-pool"
        result = alice.public(path, since=1791000000, interval=60)["result"]
        assert (len(result["timestamp"]), result["more"]) == (500, True)

    @pytest.mark.parametrize(
        ("path", "status", "field"),
        [
            ("PF_NOPE/cvd?since=1&interval=60", 404, "symbol"),
            ("PF_XBTUSD/mood?since=1&interval=60", 404, "analytics_type"),
            ("PF_XBTUSD/cvd?since=1&interval=61", 400, "interval"),
            ("PF_XBTUSD/cvd?since=1", 400, "interval"),
            ("PF_XBTUSD/cvd?interval=60", 400, "since"),
            ("PF_XBTUSD/cvd?since=1&interval=60&to=x", 400, "to"),
            ("", 404, "symbol"),
        ],
    )
    def test_its_errors_are_json(self, protocol: KrakenFutures, path: str, status: int, field: str) -> None:
        reply = protocol.http(HttpRequest("GET", f"/api/charts/v1/analytics/{path}", {}))
        body = json.loads(reply.body)
        assert (reply.status, body["result"], body["errors"][0]["field"]) == (status, {}, field)


@settings(max_examples=50, deadline=None)
@given(most=st.integers(1, 5), rows=st.lists(st.integers(), max_size=20))
def test_rows_keep_their_numbers_when_older_ones_go(most: int, rows: list[int]) -> None:
    stream: Stream[int] = Stream(most)
    for row in rows:
        stream.add(row)
    assert list(stream.numbered()) == list(enumerate(rows))[-most:]
