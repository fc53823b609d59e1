"""How other people's clients are pointed at the simulated venue: lines to paste into a program."""

from __future__ import annotations

from collections.abc import Mapping


def clients(settings: Mapping[str, str]) -> dict[str, str]:
    """Return a few lines of Python for each client, from addresses and a key."""
    rest, key, secret = settings["rest_url"], settings["api_key"], settings["api_secret"]
    charts, history = settings["charts_url"], settings["history_url"]
    keys = f'key = "{key}"\nsecret = "{secret}"'
    return {
        "ccxt": f"""\
import ccxt.pro
{keys}
exchange = ccxt.pro.krakenfutures({{"apiKey": key, "secret": secret}})
api = exchange.urls["api"]
api |= {{"public": "{rest}/derivatives/api/", "private": "{rest}/derivatives/api/"}}
api |= {{"charts": "{charts}/api/charts/", "history": "{history}/api/history/", "ws": "{settings["ws_url"]}"}}""",
        # Its WebSocket client writes wss:// by itself, and so needs its connect() replaced.
        "python-kraken-sdk": f"""\
from kraken.futures import Trade
{keys}
trade = Trade(key=key, secret=secret, url="{rest}")""",
    }
