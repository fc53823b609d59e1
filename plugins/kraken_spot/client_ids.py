"""Our own names for orders, in the forms that Kraken takes.

See https://docs.kraken.com/exchange/guides/general/clordid
"""

from __future__ import annotations

import re
from uuid import UUID

CLIENT_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}|[ -~]{1,18}")


def client_order_id(bits: int) -> str:
    """Return a client id of 128 random bits in the one form that every page agrees on, a UUID with dashes."""
    return str(UUID(int=bits, version=4))


def is_same(one: str, other: str) -> bool:
    """Return whether two mean the same order: Kraken keeps 128 bits, so a UUID may come back in another spelling."""
    return _bare(one) == _bare(other)


def _bare(client_id: str) -> str:
    return client_id.replace("-", "").lower()
