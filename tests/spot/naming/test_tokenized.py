"""Pairs of tokenised assets: listed where that is wanted, and named with their class in every call."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import attrs
import pytest

from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.rest import Flow, HttpReply, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ConfigError, NotSupported
from exchange_core.model.amendment import Amendment as NeutralAmendment
from exchange_core.model.event import Channel, Subscription
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.symbol import Symbol
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.dialect import KrakenSpotDialect
from kraken_spot.feed.connections import PublicFeed
from kraken_spot.history import KrakenSpotHistory
from kraken_spot.orders.terms import Amendment, Edit, SpotOrder
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.terms import SpotTerms
from kraken_spot.types.history import SpotOrderType

APPLE, BTC = Symbol.parse("AAPLx/USD"), Symbol.parse("BTC/USD")
CLASS = "tokenized_asset"

CURRENCIES = {
    "XXBT": {"aclass": "currency", "altname": "XBT", "decimals": 10, "display_decimals": 5, "status": "enabled"},
    "ZUSD": {"aclass": "currency", "altname": "USD", "decimals": 4, "display_decimals": 2, "status": "enabled"},
}
TOKENS = {"AAPLx": {"aclass": CLASS, "altname": "AAPLx", "decimals": 8, "display_decimals": 4, "status": "enabled"}}
BTC_PAIR = {
    "altname": "XBTUSD",
    "wsname": "XBT/USD",
    "aclass_base": "currency",
    "base": "XXBT",
    "aclass_quote": "currency",
    "quote": "ZUSD",
    "pair_decimals": 1,
    "cost_decimals": 5,
    "lot_decimals": 8,
    "ordermin": "0.00005",
    "costmin": "0.5",
    "tick_size": "0.1",
    "status": "online",
}
APPLE_PAIR = {
    **BTC_PAIR,
    "altname": "AAPLxUSD",
    "wsname": "AAPLx/USD",
    "aclass_base": CLASS,
    "base": "AAPLx",
    "pair_decimals": 2,
    "tick_size": "0.01",
}
LISTS: dict[tuple[str, str | None], dict[str, Any]] = {
    ("Assets", None): CURRENCIES,
    ("Assets", CLASS): TOKENS,
    ("AssetPairs", None): {"XXBTZUSD": BTC_PAIR},
    ("AssetPairs", CLASS): {"AAPLxUSD": APPLE_PAIR},
}


def context(config: KrakenSpotConfig) -> VenueContext:
    return VenueContext(venue="kraken", config=config, symbols=SymbolMap("kraken"), assets=AssetMap("kraken"))


def run(flow: Flow[Any], answer: Callable[[RestCall], Any]) -> tuple[Any, list[RestCall]]:
    """Run *flow* against results, decoded as the transport would have them."""
    calls: list[RestCall] = []
    dialect = KrakenSpotDialect(context(KrakenSpotConfig()))
    try:
        call = next(flow)
        while True:
            calls.append(call)
            body = json.dumps({"error": [], "result": answer(call)}).encode()
            call = flow.send(dialect.decode(call, HttpReply(200, {}, body)))
    except StopIteration as done:
        return done.value, calls


def lists(call: RestCall) -> Any:
    return LISTS[call.path.rpartition("/")[2], call.params.get("aclass") or call.params.get("aclass_base")]


def made(**options: Any) -> KrakenSpotRest:
    config = KrakenSpotConfig(**options)
    return KrakenSpotRest(context(config))


@pytest.fixture
def rest() -> KrakenSpotRest:
    """Operations that know both lists."""
    operations = made(tokenized=True)
    run(operations.instruments(), lists)
    return operations


def first(flow: Flow[Any]) -> RestCall:
    return next(flow)


def test_both_lists_are_asked_for_where_it_is_wanted() -> None:
    rest = made(tokenized=True)
    found, calls = run(rest.instruments(), lists)
    assert [(call.path, call.params) for call in calls] == [
        ("/0/public/Assets", {}),
        ("/0/public/Assets", {"aclass": CLASS}),
        ("/0/public/AssetPairs", {}),
        ("/0/public/AssetPairs", {"aclass_base": CLASS}),
    ]
    assert {str(each.symbol): each.is_tokenized for each in found} == {"BTC/USD": False, "AAPLx/USD": True}


def test_without_it_all_is_as_if_there_were_none() -> None:
    found, calls = run(made().instruments(), lists)
    assert [call.params for call in calls] == [{}, {}]
    assert [str(each.symbol) for each in found] == ["BTC/USD"]


def test_the_option_is_yes_or_no() -> None:
    with pytest.raises(ConfigError, match="tokenized"):
        KrakenSpotConfig(tokenized="yes")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["AAPLxUSD", "AAPLx/USD"])
def test_all_spellings_map_and_map_back(rest: KrakenSpotRest, name: str) -> None:
    symbols = rest._context.symbols
    assert symbols.from_venue(name) == APPLE
    assert (symbols.venue_id(APPLE), symbols.wire(APPLE)) == ("AAPLxUSD", "AAPLx/USD")
    assert rest._context.assets.code("AAPLx") == "AAPLx"


def test_an_id_that_is_no_altname_maps_too() -> None:
    def answer(call: RestCall) -> Any:
        listed = lists(call)
        if call.params.get("aclass_base"):
            return {"AAPLXZUSD": {name: value for name, value in APPLE_PAIR.items() if name != "aclass_base"}}
        return listed

    rest = made(tokenized=True)
    run(rest.instruments(), answer)
    symbols = rest._context.symbols
    assert {symbols.from_venue(name) for name in ("AAPLXZUSD", "AAPLxUSD", "AAPLx/USD")} == {APPLE}
    assert symbols.instrument(APPLE).is_tokenized


def test_an_empty_list_delists_nothing(rest: KrakenSpotRest) -> None:
    run(rest.instruments(), lambda call: {} if call.params.get("aclass_base") else lists(call))
    assert rest._context.symbols.instrument(APPLE).status is InstrumentStatus.ONLINE


def test_what_is_not_listed_any_more_takes_no_orders(rest: KrakenSpotRest) -> None:
    other = {"TSLAxUSD": {**APPLE_PAIR, "altname": "TSLAxUSD", "wsname": "TSLAx/USD", "base": "TSLAx"}}
    run(rest.instruments(), lambda call: other if call.params.get("aclass_base") else lists(call))
    assert rest._context.symbols.instrument(APPLE).status is InstrumentStatus.OFFLINE
    assert rest._context.symbols.instrument(BTC).status is InstrumentStatus.ONLINE


MARKET: dict[str, Callable[[KrakenSpotRest, Symbol], Flow[Any]]] = {
    "Ticker": lambda rest, symbol: rest.ticker(symbol),
    "Depth": lambda rest, symbol: rest.book(symbol, 10),
    "Trades": lambda rest, symbol: rest.trades(symbol, 10),
    "OHLC": lambda rest, symbol: rest.candles(symbol, 1, None),
    "Spread": lambda rest, symbol: rest.market.spread(symbol),
    "Trades with a cursor": lambda rest, symbol: rest.market.trades_page(symbol),
    "OHLC of its own": lambda rest, symbol: rest.market.candles(symbol, 1),
    "walk of trades": lambda rest, symbol: rest.walks.market_trades(symbol).fetch(None),
    "past of trades": lambda rest, symbol: KrakenSpotHistory(rest._context).trades(symbol, None, None).fetch(None),
    "past of candles": lambda rest, symbol: KrakenSpotHistory(rest._context).candles(symbol, 1, None, None).fetch(None),
    "walk of candles": lambda rest, symbol: rest.walks.candles(symbol, 1).fetch(None),
}


@pytest.mark.parametrize("name", MARKET)
def test_market_data_is_asked_for_with_the_class(rest: KrakenSpotRest, name: str) -> None:
    call = first(MARKET[name](rest, APPLE))
    assert call.params["pair"] == "AAPLxUSD"
    assert call.params["asset_class"] == CLASS
    assert "asset_class" not in first(MARKET[name](rest, BTC)).params


def request(symbol: Symbol = APPLE, **options: Any) -> OrderRequest:
    terms = {"side": "buy", "quantity": "1", "price": "200", "client_order_id": "c-1"}
    return OrderRequest(symbol=symbol, **{**terms, **options})


def spot(symbol: Symbol = APPLE, **options: Any) -> SpotOrder:
    terms: dict[str, Any] = {"side": "buy", "type": SpotOrderType.LIMIT, "quantity": 1, "limit_price": 200}
    return SpotOrder(symbol=symbol, **{**terms, "client_order_id": "c-1", **options})


def test_an_order_says_the_class_and_goes_over_rest(rest: KrakenSpotRest) -> None:
    call = first(rest.place(request()))
    assert call.params["pair"] == "AAPLxUSD"
    assert call.params["asset_class"] == CLASS
    assert call.socket is None
    assert first(rest.place(request(BTC))).params["asset_class"] is None


def test_saying_it_too_changes_nothing(rest: KrakenSpotRest) -> None:
    said = first(rest.place(request(terms=SpotTerms(tokenized=True))))
    assert said.params == first(rest.place(request())).params


def test_saying_it_of_a_pair_of_currencies_is_refused(rest: KrakenSpotRest) -> None:
    wrong = request(BTC, terms=SpotTerms(tokenized=True))
    with pytest.raises(NotSupported, match="tokenized"):
        next(rest.place(wrong))
    with pytest.raises(NotSupported, match="tokenized"):
        next(rest.place_batch([wrong, attrs.evolve(wrong, client_order_id="c-2")]))


def test_where_the_lists_were_not_asked_for_it_is_sent_as_said() -> None:
    rest = made()
    run(rest.instruments(), lists)
    call = first(rest.place(request(BTC, terms=SpotTerms(tokenized=True))))
    assert call.params["asset_class"] == CLASS


def test_a_batch_says_the_class_once(rest: KrakenSpotRest) -> None:
    call = first(rest.place_batch([request(), request(client_order_id="c-2")]))
    assert call.params["asset_class"] == CLASS
    assert call.socket is None


def test_changes_of_a_resting_order_say_what_they_need(rest: KrakenSpotRest) -> None:
    order = Order(request=request(), status=OrderStatus.OPEN, venue_order_id="O-1", client_order_id="c-1")
    amend = first(rest.amend(order, NeutralAmendment(price="201")))
    assert amend.params["pair"] == "AAPLxUSD"
    assert first(rest.trading.amend(Amendment(symbol=APPLE, txid="O-1", quantity=2))).params["pair"] == "AAPLxUSD"
    edit = Edit(symbol=APPLE, txid="O-1", type=SpotOrderType.LIMIT, limit_price=201)
    assert first(rest.trading.edit(edit)).params["asset_class"] == CLASS
    assert first(rest.trading.add(spot())).params["asset_class"] == CLASS
    assert first(rest.cancel(order)).params == {"txid": "O-1"}


def test_fees_are_asked_for_with_the_class_of_each_pair(rest: KrakenSpotRest) -> None:
    call = first(rest.fees(APPLE))
    assert call.params == {"pair": [{"asset": "AAPLxUSD", "aclass": CLASS}]}
    assert call.json
    assert not first(rest.fees(BTC)).json
    both = first(rest.account.trade_volume(BTC, APPLE))
    assert both.json
    assert [pair["aclass"] for pair in both.params["pair"]] == ["forex", CLASS]
    assert not first(rest.account.trade_volume()).json


@pytest.mark.parametrize("wanted", [True, False])
def test_the_feed_of_instruments_includes_them_where_it_is_wanted(wanted: bool) -> None:
    feed = PublicFeed(made(tokenized=wanted)._context)
    feed.subscribe([Subscription(Channel.INSTRUMENTS)], 0.0)
    feed.opened(0.0)
    feed.tick(1.0)
    (params,) = (json.loads(frame)["params"] for frame in feed.outbox() if "instrument" in frame)
    assert params.get("include_tokenized_assets", False) is wanted


def test_news_of_a_tokenised_pair_keep_it_one(rest: KrakenSpotRest) -> None:
    feed = PublicFeed(rest._context)
    feed.opened(0.0)
    pair = {
        "base": "AAPLx",
        "quote": "USD",
        "status": "post_only",
        "qty_precision": 8,
        "qty_increment": 1e-08,
        "price_precision": 2,
        "cost_precision": 5,
        "cost_min": 0.5,
        "price_increment": 0.01,
        "qty_min": 0.01,
    }
    pairs = [{**pair, "symbol": "AAPLx/USD"}, {**pair, "symbol": "AAPLx/EUR", "quote": "EUR"}]
    frame = {"channel": "instrument", "type": "update", "data": {"assets": [], "pairs": pairs}}
    feed.receive(json.dumps(frame), timedelta(seconds=1).total_seconds())
    assert rest._context.symbols.instrument(APPLE).status is InstrumentStatus.POST_ONLY
    assert rest._context.symbols.instrument(APPLE).is_tokenized
    assert rest._context.symbols.instrument(Symbol.parse("AAPLx/EUR")).is_tokenized
