"""The simulated venue with the lists of the live one."""

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.connector.rest import HttpRequest
from exchange_core.errors import ConfigError
from exchange_core.model.symbol import Symbol
from exchange_core.testing.world import World
from kraken_spot.plugin import KRAKEN_SPOT
from kraken_spot.simulator import SIMULATOR, Recorded, joined, listed, recorded
from kraken_spot.simulator.markets.listing import recognised


def made_of(found: Recorded) -> World:
    return World(attrs.evolve(KRAKEN_SPOT, simulator=listed(found)))


def pair(base: str, quote: str, altname: str, **more: Any) -> dict[str, Any]:
    return {
        "altname": altname,
        "wsname": f"{base}/{quote}",
        "aclass_base": "currency",
        "base": base,
        "aclass_quote": "currency",
        "quote": quote,
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": 4,
        "lot_decimals": 8,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [],
        "fees_maker": [],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": "1",
        "costmin": "0.5",
        "tick_size": "0.0001",
        "status": "online",
        "execution_venue": "international",
    } | more


def answer(rows: dict[str, Any]) -> str:
    return json.dumps({"error": [], "result": rows})


@pytest.fixture
def full(captures: Any) -> Recorded:
    """All recorded assets, the recorded pairs, and two more for every asset: about as many as the live venue has."""
    folder = captures / "spot/rest"
    assets = (folder / "assets_full.json").read_text()
    rows = json.loads((folder / "asset_pairs_5_2026-09.json").read_text())["result"]
    for asset_id, row in json.loads(assets)["result"].items():
        for quote, word in (("ZUSD", "USD"), ("ZEUR", "EUR")):
            name = row["altname"] + word
            if asset_id != quote and name not in {known["altname"] for known in rows.values()}:
                rows[name] = pair(asset_id, quote, name)
    return recorded(assets, answer(rows), tickers=(folder / "ticker_many.json").read_text())


def test_the_whole_list_loads_and_is_answered_as_it_was_recorded(full: Recorded, captures: Any) -> None:
    assert len(full.markets) > 1400
    assert all(reason.startswith("another ") for reason in full.skipped.values()), full.skipped
    world = made_of(full)
    client = world.client("alice")
    live = json.loads((captures / "spot/rest/asset_pairs_5_2026-09.json").read_text())["result"]
    reply = world.protocol.http(_get("AssetPairs?pair=" + ",".join(live)))
    ours = json.loads(reply.body)["result"]
    for name, row in live.items():
        margin = {"leverage_buy": ours[name]["leverage_buy"], "leverage_sell": ours[name]["leverage_sell"]}
        assert ours[name] == row | margin
    recorded_assets = json.loads((captures / "spot/rest/assets_full.json").read_text())["result"]
    for name, row in json.loads(world.protocol.http(_get("Assets")).body)["result"].items():
        assert row == recorded_assets[name]
    known = client.run(client.rest.instruments())
    assert len(known) == len(full.markets)


def test_they_can_be_traded(full: Recorded) -> None:
    world = made_of(full)
    client = world.client("alice")
    order = client.place("buy", "50", "0.09", symbol="DOGE/USD", client_order_id="a")
    assert order.venue_order_id
    assert world.exchange.open_orders("alice")[0].request.symbol == Symbol("DOGE", "USD")


def test_prices_begin_where_they_were_recorded(full: Recorded, captures: Any) -> None:
    tickers = json.loads((captures / "spot/rest/ticker_many.json").read_text())["result"]
    markets = {market.instrument.venue_id: market for market in full.markets}
    shared = markets.keys() & tickers.keys()
    assert shared
    for name in shared:
        market = markets[name]
        assert abs(market.start_price - Decimal(tickers[name]["c"][0])) <= market.instrument.tick_size


def test_the_instrument_channel_holds_them_all(full: Recorded) -> None:
    world = made_of(full)
    socket = world.socket("/v2")
    socket.take()
    socket.say('{"method":"subscribe","params":{"channel":"instrument"}}')
    _, frame = map(json.loads, socket.take())
    assert len(frame["data"]["pairs"]) == len(full.markets)
    symbols = Counter(pair["symbol"] for pair in frame["data"]["pairs"])
    assert symbols["BTC/USD"] == 1
    assert max(symbols.values()) == 1


TOKENIZED = {"AAPLx": {"aclass": "tokenized_asset", "altname": "AAPLx", "decimals": 8, "display_decimals": 4}}
CURRENCIES = {"ZUSD": {"aclass": "currency", "altname": "USD", "decimals": 4, "display_decimals": 2}}


@pytest.fixture
def tokens() -> World:
    rows = {"AAPLxUSD": pair("AAPLx", "ZUSD", "AAPLxUSD", aclass_base="tokenized_asset")}
    return made_of(recorded(joined(answer(CURRENCIES), answer(TOKENIZED)), answer(rows)))


def test_tokenized_assets_show_where_they_are_asked_for(tokens: World) -> None:
    def ask(target: str) -> Any:
        return json.loads(tokens.protocol.http(_get(target)).body)

    assert ask("AssetPairs")["result"] == {}
    assert list(ask("AssetPairs?aclass_base=tokenized_asset")["result"]) == ["AAPLxUSD"]
    assert list(ask("Assets")["result"]) == ["ZUSD"]
    assert list(ask("Assets?aclass=tokenized_asset")["result"]) == ["AAPLx"]
    assert ask("Depth?pair=AAPLxUSD")["error"] == ["EQuery:Unknown asset pair"]
    assert ask("Depth?pair=AAPLxUSD&asset_class=tokenized_asset")["error"] == []
    socket = tokens.socket("/v2")
    for wanted, found in ((False, []), (True, ["AAPLx/USD"])):
        socket.take()
        params = f'{{"channel":"instrument","include_tokenized_assets":{str(wanted).lower()}}}'
        socket.say(f'{{"method":"subscribe","params":{params}}}')
        frame = json.loads(socket.take()[-1])
        assert [pair["symbol"] for pair in frame["data"]["pairs"]] == found
        socket.say('{"method":"unsubscribe","params":{"channel":"instrument"}}')


def test_a_pair_that_nothing_can_be_made_of_costs_no_other() -> None:
    rows = {"GOOD": pair("ZUSD", "ZEUR", "USDEUR"), "BAD": {"altname": "x"}, "ODD": pair("A", "B", "AB", status="?")}
    found = recorded(answer(CURRENCIES), answer(rows))
    assert [market.instrument.venue_id for market in found.markets] == ["GOOD"]
    assert found.skipped.keys() == {"BAD", "ODD"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"result":[]}', '{"result":{"A":1}}'])
def test_what_is_no_answer(text: str) -> None:
    with pytest.raises(ConfigError):
        recorded(text, answer({}))


def test_answers_are_known_by_their_rows_in_any_order(captures: Any) -> None:
    folder = captures / "spot/rest"
    names = ("ticker_many.json", "assets_full.json", "asset_pairs_5_2026-09.json")
    assert SIMULATOR.listed is not None
    made = SIMULATOR.listed([(folder / name).read_bytes() for name in names])
    assert len(made.markets) == 5
    assert len(made.assets) > 700


def test_pairs_alone_are_enough() -> None:
    rows = {"XXBTZUSD": pair("XXBT", "ZUSD", "XBTUSD"), "XXBTZEUR": pair("XXBT", "ZEUR", "XBTEUR")}
    found = recognised([answer(rows)])
    assert [str(market.instrument.symbol) for market in found.markets] == ["BTC/USD", "BTC/EUR"]


def test_without_a_ticker_the_same_thing_costs_the_same_everywhere() -> None:
    """A coin that is not built in costs what its smallest orders in dollars tell; against bitcoin it costs as much."""
    fine = {"tick_size": "0.00000001", "pair_decimals": 8}
    rows = {
        "XXBTZUSD": pair("XXBT", "ZUSD", "XBTUSD"),
        "XETHZEUR": pair("XETH", "ZEUR", "ETHEUR"),
        "NEWUSD": pair("NEW", "ZUSD", "NEWUSD", ordermin="2", costmin="0.5"),
        "NEWXBT": pair("NEW", "XXBT", "NEWXBT", ordermin="9", costmin="9", **fine),
    }
    prices = {str(market.instrument.symbol): market.start_price for market in recognised([answer(rows)]).markets}
    assert prices["BTC/USD"] == 84000
    assert round(prices["ETH/EUR"]) == round(2650 / (84000 / Decimal(71500)))
    assert prices["NEW/USD"] == Decimal("0.25")
    assert prices["NEW/BTC"] == Decimal("0.00000298")


@pytest.mark.parametrize("text", ["", "{}", '{"result":{}}', '{"result":{"A":{"b":1}}}', answer(CURRENCIES)])
def test_what_lists_no_markets(text: str) -> None:
    with pytest.raises(ConfigError, match="expected"):
        recognised([text])


def test_tiers_are_those_that_can_be_enforced() -> None:
    assert SIMULATOR.limited is not None
    world = World(KRAKEN_SPOT)
    for tier in SIMULATOR.tiers:
        assert SIMULATOR.limited(world.exchange, tier)


def _get(target: str) -> Any:
    return HttpRequest("GET", f"/0/public/{target}", {})
