"""Every recorded REST answer is read by a test; here are those that no other test reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange_core.connector.auth import Credentials
from exchange_core.connector.rest import HttpReply, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import AuthenticationError, BadRequest
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.symbol import Symbol
from kraken_spot.auth import KrakenSpotSigner, decoded_secret, signature
from kraken_spot.dialect import KrakenSpotDialect
from kraken_spot.rest.calls import private
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.wire import common as wire

HERE = Path(__file__).parent
BTC = Symbol("BTC", "USD")


def recorded(captures: Path, name: str) -> bytes:
    return (captures / "spot/rest" / name).read_bytes()


def test_every_recorded_answer_is_read_by_a_test(captures: Path) -> None:
    tests = "".join(path.read_text("utf-8") for path in HERE.parent.rglob("test_*.py"))
    missing = [path.name for path in (captures / "spot/rest").iterdir() if path.name not in tests]
    assert not missing


def test_assets_and_pairs_of_2026_september(
    make_context: Callable[..., VenueContext], run: Any, captures: Path
) -> None:
    context = make_context(listed=False)
    rest = KrakenSpotRest(context)
    made = run(
        rest.instruments(),
        recorded(captures, "assets_5_2026-09.json"),
        recorded(captures, "asset_pairs_5_2026-09.json"),
    )
    assert len(made) == 5
    assert not rest.skipped
    by_symbol = {one.symbol: one for one in made}
    btc = by_symbol[BTC]
    assert (btc.tick_size, btc.min_quantity, btc.min_cost) == (Decimal("0.1"), Decimal("0.00005"), Decimal("0.5"))
    assert by_symbol[Symbol("DOGE", "USD")].tick_size == Decimal("0.0000001")
    assert by_symbol[Symbol("ETH", "BTC")].min_cost == Decimal("0.00002")
    assert any(one.status is InstrumentStatus.CANCEL_ONLY for one in made)
    assert {name: context.assets.code(name) for name in ("XXBT", "XXDG", "XETH", "ZUSD", "SOL")} == {
        "XXBT": "BTC",
        "XXDG": "DOGE",
        "XETH": "ETH",
        "ZUSD": "USD",
        "SOL": "SOL",
    }
    known = context.assets.get("XXBT")
    assert known is not None
    assert known.decimals == 10


def test_every_ticker_of_all_pairs(rest: KrakenSpotRest, run: Any, captures: Path) -> None:
    """Each reads as that of a pair, digit by digit."""
    answer = json.loads(recorded(captures, "ticker_many.json"))["result"]
    assert len(answer) == 54
    for name, raw in answer.items():
        ticker = run(rest.ticker(BTC), {name: raw})
        for price, text in ((ticker.bid, raw["b"][0]), (ticker.ask, raw["a"][0]), (ticker.last, raw["c"][0])):
            assert price == (Decimal(text) or None)
            assert price is None or format(price, "f") == text
        assert format(ticker.volume, "f") == raw["v"][1]


def test_a_cancel(rest: KrakenSpotRest, run: Any, captures: Path) -> None:
    order = Order(
        request=OrderRequest(symbol=BTC, side="buy", quantity=1, price=1), venue="kraken", venue_order_id="OA-B-C"
    )
    assert run(rest.cancel(order), recorded(captures, "private_cancel_order.json")) is None


def test_a_token_is_read_and_never_shown(context: VenueContext, captures: Path) -> None:
    call = private("GetWebSocketsToken", wire.Token)
    answer = KrakenSpotDialect(context).decode(call, HttpReply(200, {}, recorded(captures, "private_ws_token.json")))
    assert answer.expires == 900
    assert answer.token not in repr(answer)


def test_an_unlisted_pair_with_a_null_beside_the_error(rest: KrakenSpotRest, run: Any, captures: Path) -> None:
    with pytest.raises(BadRequest) as refused:
        run(rest.market.spread(BTC), recorded(captures, "error_unknown_asset_pair.json"))
    assert refused.value.codes == ("EQuery:Unknown asset pair",)


def test_refusals_recorded_live_in_2019(rest: KrakenSpotRest, run: Any, captures: Path) -> None:
    arguments, key = map(json.loads, recorded(captures, "http_errors.jsonl").splitlines())
    with pytest.raises(BadRequest):
        run(rest.account.balance(), arguments["body"].encode())
    with pytest.raises(AuthenticationError):
        run(rest.history.open_orders(), key["body"].encode())


def test_the_documented_signature(captures: Path) -> None:
    vector = json.loads(recorded(captures, "doc_api_sign_vector.json"))
    path, body, secret = vector["uri_path"], vector["post_data"], vector["private_key"]
    expected, nonce = vector["api_sign"], int(vector["nonce"])
    assert signature(decoded_secret(secret), path, nonce, body.encode()) == expected
    params = dict(pair.split("=") for pair in body.split("&")[1:])
    signer = KrakenSpotSigner(Credentials(api_key="key", api_secret=secret))
    signed = signer.sign(RestCall(method="POST", path=path, params=params, private=True), nonce)
    assert signed.headers["API-Sign"] == expected
