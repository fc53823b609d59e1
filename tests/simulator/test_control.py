"""The control port, asked as curl asks it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from exchange_core.connector.simulation import SimBalance, SimRequest
from exchange_core.model.order import OrderType
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.plugins import load_plugins
from exchange_core.simulator.clock import SteppedClock
from exchange_core.simulator.control.api import ControlServer
from exchange_core.simulator.launch import RunningSimulator, SimulatorLaunch, launch

PAGE = Path(__file__).resolve().parents[2] / "docs" / "simulator.md"
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[dict[str, RunningSimulator]]:
    plugins = load_plugins()
    wanted = {
        section: SimulatorLaunch(spec=plugins.venue(name).simulator, seed=7, moving=False)  # type: ignore[arg-type]
        for section, name in (("spot", "kraken_spot"), ("futures", "kraken_futures"))
    }
    async with launch(wanted, clock=SteppedClock(START)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def control(running: dict[str, RunningSimulator]) -> AsyncIterator[httpx.AsyncClient]:
    clock = running["spot"].exchange.clock
    async with (
        ControlServer(running, clock, save=lambda: "state.json") as server,
        httpx.AsyncClient(base_url=server.url, timeout=20) as client,
    ):
        yield client


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def ask(control: httpx.AsyncClient, method: str, path: str, status: int = 200, /, **body: Any) -> Any:
    reply = await control.request(method, path, content=json.dumps(body) if body else b"")
    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/json"), reply.text
    return reply.json()


async def test_all_that_the_page_shows_works(control: httpx.AsyncClient) -> None:
    lines = re.findall(r"^curl (.*\$CONTROL/.*)", PAGE.read_text("utf-8"), re.M)
    assert len(lines) > 10
    for line in lines:
        words = shlex.split(line, comments=True)
        body = words[words.index("-d") + 1] if "-d" in words else ""
        method = words[words.index("-X") + 1] if "-X" in words else "POST" if body else "GET"
        path = words[-1].removeprefix("$CONTROL")
        reply = await control.request(method, path, content=body)
        assert reply.status_code == 200, f"{line}: {reply.text}"


async def test_it_says_what_there_is(control: httpx.AsyncClient, running: dict[str, RunningSimulator]) -> None:
    told = await ask(control, "GET", "/")
    assert told["venues"]["spot"] == running["spot"].urls
    assert "POST /time" in told["calls"]


async def test_a_fault_comes_counts_and_goes(control: httpx.AsyncClient, running: dict[str, RunningSimulator]) -> None:
    rule = {"http": "/0/public/Time", "action": "bad-gateway", "times": 1}
    added = await ask(control, "POST", "/faults", **rule, name="one")
    assert [(row["venue"], row["fired"]) for row in added] == [("spot", 0), ("futures", 0)]
    async with httpx.AsyncClient(base_url=running["spot"].urls["rest_url"]) as client:
        statuses = [(await client.get("/0/public/Time")).status_code for _ in range(2)]
    assert statuses == [502, 200]
    spot, _ = await ask(control, "GET", "/faults/one")
    assert (spot["matched"], spot["fired"], spot["action"], spot["times"]) == (2, 1, "bad-gateway", 1)
    assert (await ask(control, "POST", "/faults", 400, **rule, name="one"))["error"].startswith(
        "name: there is a fault"
    )
    await ask(control, "DELETE", "/faults/one")
    await ask(control, "GET", "/faults/one", 404)
    assert await ask(control, "GET", "/faults") == []


async def test_faults_without_a_name_get_numbers(control: httpx.AsyncClient) -> None:
    for expected in ("1", "2"):
        added = await ask(control, "POST", "/faults", http="*", action="pass")
        assert {row["name"] for row in added} == {expected}
    await ask(control, "DELETE", "/faults")


async def test_what_can_befall_only_one_of_two_venues_befalls_none(control: httpx.AsyncClient) -> None:
    error = (await ask(control, "POST", "/faults", 400, action="limit_only"))["error"]
    assert error.startswith("futures: limit_only is no state of its markets")
    assert await ask(control, "GET", "/faults") == []


async def test_time_passes_when_told(control: httpx.AsyncClient, running: dict[str, RunningSimulator]) -> None:
    exchange = running["spot"].exchange
    before = exchange.now()
    exchange.cancel_all_after("user", 30)
    told = await ask(control, "POST", "/time", advance=60)
    assert exchange.now() - before == timedelta(seconds=60)
    assert told["venues"]["spot"] == told["venues"]["futures"]
    assert exchange.parts.accounts["user"].dead_man is None
    await ask(control, "POST", "/time", advance=3600)
    assert exchange.now() - before == timedelta(seconds=3660)


async def test_a_market_is_changed_and_shown(control: httpx.AsyncClient, running: dict[str, RunningSimulator]) -> None:
    path = "/markets/spot/BTC/USD"
    told = await ask(control, "POST", path, price="50000", spread="0.02", status="post_only")
    assert told["status"] == "post_only"
    await ask(control, "POST", path, status="online")
    told = await ask(control, "POST", path, price="50000")
    assert Decimal(told["ask"]) - Decimal(told["bid"]) > 900
    assert abs(Decimal(told["mark"]) - 50000) < 100
    perpetual = "/markets/futures/BTC/USD:USD"
    told = await ask(control, "POST", perpetual, mark=70000, funding="0.0002")
    assert (told["mark"], Decimal(told["funding"])) == ("70000", Decimal("0.0002"))
    assert (await ask(control, "POST", perpetual, mark=None))["mark"] != "70000"
    assert "BTC/USD" in (await ask(control, "GET", "/markets"))["spot"]


def money(balances: Sequence[SimBalance]) -> Decimal:
    return next(each.total for each in balances if each.asset == "USD")


async def test_an_account_is_opened_and_trades(
    control: httpx.AsyncClient, running: dict[str, RunningSimulator]
) -> None:
    opened = await ask(control, "POST", "/accounts", name="bob", venue="spot", deposits={"USD": "5000"})
    exchange = running["spot"].exchange
    assert exchange.key(opened["spot"]["api_key"]).account == "bob"  # type: ignore[union-attr]
    ether = Symbol.parse("ETH/USD")
    exchange.place("bob", SimRequest(symbol=ether, side=Side.BUY, type=OrderType.MARKET, quantity=Decimal("0.1")))
    told = (await ask(control, "GET", "/accounts/bob"))["spot"]
    assert [Decimal(fill["quantity"]) for fill in told["fills"]] == [Decimal("0.1")]
    assert {each["asset"]: each["total"] for each in told["balances"]}["ETH"] == "0.1000000000"
    before = exchange.balances("bob")
    await ask(control, "POST", "/accounts/bob/deposit", asset="USD", amount="0.5")
    assert money(exchange.balances("bob")) - money(before) == Decimal("0.5")
    again = await ask(control, "POST", "/accounts", name="bob", venue="spot", permissions=["query-funds"])
    assert again["spot"]["api_key"] != opened["spot"]["api_key"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "complaint"),
    [
        ("GET", "/fautls", "", 404, "GET /fautls is no call; there are: GET /"),
        ("DELETE", "/time", "", 404, "DELETE /time is no call"),
        ("GET", "/faults/none", "", 404, "fault 'none' is none; there are: none"),
        ("POST", "/faults", '{"http":"*"}', 400, "action: None is none; there are: pass"),
        ("POST", "/faults", '{"http":"*","action":"drop"}', 400, "drop does not fit an http request"),
        ("POST", "/faults", '{"venue":"sport","http":"*","action":"pass"}', 400, "did you mean 'spot'"),
        ("POST", "/faults", "http=* action=pass nth=0", 400, "nth: 0 is not above zero"),
        ("POST", "/faults", "http=* action", 400, "'action' does not read; expected KEY=VALUE"),
        ("POST", "/faults", '{"http":', 400, "the body is no JSON"),
        ("POST", "/faults", "[1]", 400, "the body is no JSON object: found [1]"),
        ("POST", "/faults", "[" * 100_000, 400, "the body is no JSON"),
        ("POST", "/faults", '{"action":"skew","offset":1e300}', 400, "offset: 1e+300 is not between"),
        ("POST", "/faults", '{"action":"skew","offset":NaN}', 400, "NaN is no number"),
        ("POST", "/faults", b"\xff", 400, "the body is not UTF-8"),
        ("POST", "/accounts", '{"name":"\\ud800"}', 400, "the body has half a character"),
        ("POST", "/markets/spot/BTC/USD", f'{{"requotes":{10**40}}}', 400, "far too large"),
        ("POST", "/time", "{}", 400, "advance: found None, expected a number"),
        ("POST", "/time", '{"advance":-1}', 400, "advance: -1 is not above zero"),
        ("POST", "/time", '{"advance":1e9}', 400, "more than a day"),
        ("GET", "/markets/sport/BTC/USD", "", 404, "venue 'sport' is none; did you mean 'spot'"),
        ("GET", "/markets/spot/BTC/USX", "", 404, "market of spot 'BTC/USX' is none; did you mean 'BTC/USD'"),
        ("POST", "/markets/spot/BTC/USD", '{"prise":1}', 400, "'prise' is none; did you mean 'price'"),
        ("POST", "/markets/spot/BTC/USD", '{"price":0}', 400, "price: 0 is not above zero"),
        ("POST", "/markets/spot/BTC/USD", '{"price":"1e-9"}', 400, "below one tick"),
        ("POST", "/markets/spot/BTC/USD", '{"volatility":5}', 400, "volatility: 5 is not between"),
        ("POST", "/markets/spot/BTC/USD", '{"status":"shut"}', 400, "status: 'shut' is none; there are: online"),
        ("POST", "/markets/futures/BTC/USD:USD", '{"status":"limit_only"}', 400, "there are: online, post_only"),
        (
            "POST",
            "/markets/spot/BTC/USD",
            '{"index":5}',
            400,
            "index: that of BTC/USD is the price of its",
        ),
        ("POST", "/markets/spot/BTC/USD", '{"funding":"0.1"}', 400, "funding: BTC/USD is no perpetual"),
        ("GET", "/accounts/nobody", "", 404, "account 'nobody' is none; there are:"),
        ("POST", "/accounts", "{}", 400, "name: found None, expected a text"),
        ("POST", "/accounts", '{"name":"user","deposits":{"USD":1}}', 400, "spot has an account 'user'"),
        ("POST", "/accounts", '{"name":"x","deposits":{"DOGE":1}}', 400, "deposits: DOGE is no asset of spot"),
        ("POST", "/accounts", '{"name":"x","deposits":{"USD":"-1"}}', 400, "USD: -1 is not above zero"),
        ("POST", "/accounts", '{"name":"x","deposits":5}', 400, "deposits: found 5, expected an object"),
        ("POST", "/accounts", '{"name":"x","permissions":["fly"]}', 400, "each venue has its own words"),
        ("POST", "/accounts", '{"name":"x","venue":"spot","permissions":["fly"]}', 400, "'fly' is no permission"),
        ("POST", "/accounts", '{"name":"x","venue":"spot","tier":"gold"}', 400, "'gold' is no tier"),
        ("POST", "/accounts/user/deposit", '{"asset":"USD","amount":1}', 400, "an account at each of spot, futures"),
        (
            "POST",
            "/accounts/user/deposit",
            '{"venue":"spot","asset":"XX","amount":1}',
            404,
            "asset of spot 'XX' is",
        ),
        ("POST", "/accounts/user/deposit", '{"venue":"spot","asset":"USD","amount":0.1e-20}', 400, "USD"),
        ("POST", "/accounts/user/deposit", '{"venue":"spot","asset":"USD","amount":true}', 400, "amount: found True"),
    ],
)
async def test_bad_input_is_named_and_stops_nothing(
    control: httpx.AsyncClient, method: str, path: str, body: str | bytes, status: int, complaint: str
) -> None:
    reply = await control.request(method, path, content=body)
    assert reply.status_code == status, reply.text
    assert complaint in reply.json()["error"]
    assert (await control.get("/")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"host": "evil.example"},
        {"host": "127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
    ],
    ids=str,
)
async def test_web_pages_get_nothing(control: httpx.AsyncClient, headers: dict[str, str]) -> None:
    for method in ("GET", "POST"):
        reply = await control.request(method, "/accounts", headers=headers)
        assert reply.status_code == 403
        assert list(reply.json()) == ["error"]


async def test_the_same_calls_bring_the_same_keys() -> None:
    async def keys() -> list[str]:
        spec = load_plugins().venue("kraken_spot").simulator
        assert spec is not None
        clock = SteppedClock(START)
        async with (
            launch({"spot": SimulatorLaunch(spec=spec, seed=3, moving=False)}, clock=clock) as running,
            ControlServer(running, clock) as server,
            httpx.AsyncClient(base_url=server.url) as client,
        ):
            opened = [await ask(client, "POST", "/accounts", name="eve") for _ in range(2)]
            error = (await ask(client, "POST", "/save", 400))["error"]
            assert error == "there is no file to save to; start with --save FILE"
            return [each["spot"]["api_key"] for each in opened]

    first, second = await keys(), await keys()
    assert first == second
    assert len(set(first)) == 2
