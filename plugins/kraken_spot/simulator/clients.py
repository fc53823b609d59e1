"""How other people's clients are pointed at the simulated venue: lines to paste into a program."""

from __future__ import annotations

from collections.abc import Mapping


def clients(settings: Mapping[str, str]) -> dict[str, str]:
    """Return a few lines of Python for each client, from addresses and a key."""
    rest, key, secret = settings["rest_url"], settings["api_key"], settings["api_secret"]
    public, private = settings["ws_url"], settings["ws_auth_url"]
    bare_public, bare_private = public.removesuffix("/v2"), private.removesuffix("/v2")
    keys = f'key = "{key}"\nsecret = "{secret}"'
    return {
        "ccxt": f"""\
import ccxt.pro
{keys}
exchange = ccxt.pro.kraken({{"apiKey": key, "secret": secret}})
exchange.urls["api"] |= {{"public": "{rest}", "private": "{rest}"}}
exchange.urls["api"]["ws"] |= {{"publicV2": "{public}", "privateV2": "{private}"}}""",
        "krakenex": f"""\
import krakenex
{keys}
client = krakenex.API(key, secret)
client.uri = "{rest}\"""",
        # It adds the version to the addresses by itself.
        "python-kraken-sdk": f"""\
from kraken.spot import SpotWSClient, Trade
{keys}
trade = Trade(key=key, secret=secret, url="{rest}")
urls = {{"rest_url": "{rest}", "ws_url": "{bare_public}", "auth_ws_url": "{bare_private}"}}
# client = SpotWSClient(key=key, secret=secret, callback=..., **urls)""",
    }
