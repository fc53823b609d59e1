"""How other people's clients are pointed at the simulated venue: lines to paste into a program."""

from __future__ import annotations

from collections.abc import Mapping


def clients(settings: Mapping[str, str]) -> dict[str, str]:
    """Return a few lines of Python for each client, from addresses and a key."""
    rest, key, secret = settings["rest_url"], settings["api_key"], settings["api_secret"]
    return {
        "ccxt": f"""\
import ccxt.pro
exchange = ccxt.pro.krakenfutures({{"apiKey": "{key}", "secret": "{secret}"}})
api = exchange.urls["api"]
api |= {{"public": "{rest}/derivatives/api/", "private": "{rest}/derivatives/api/", "ws": "{settings["ws_url"]}"}}
api |= {{"charts": "{settings["charts_url"]}/api/charts/", "history": "{settings["history_url"]}/api/history/"}}""",
        # Its WebSocket client writes wss:// by itself, and so needs its connect() replaced.
        "python-kraken-sdk": f"""\
from kraken.futures import Trade
trade = Trade(key="{key}", secret="{secret}", url="{rest}")""",
    }
