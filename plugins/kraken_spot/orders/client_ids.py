"""Our own names for orders, in the forms that Kraken takes.

See https://docs.kraken.com/exchange/guides/general/clordid
"""

from __future__ import annotations

import re

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}")
CLIENT_ID = re.compile(rf"{_UUID.pattern}|[ -~]{{1,18}}")

# RFC 9562: which bits of a random UUID are free, and what the others say.
_FREE = 0xFFFFFFFF_FFFF_0FFF_3FFF_FFFFFFFFFFFF
_VERSION_4 = 0x00000000_0000_4000_8000_000000000000


def client_order_id(bits: int) -> str:
    """Return a client id of 128 random bits in the one form that every page agrees on, a UUID with dashes."""
    # As str(UUID(int=bits, version=4)) has it, which takes several times as long.
    text = f"{bits & _FREE | _VERSION_4:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_same(one: str, other: str) -> bool:
    """Return whether two mean the same order: Kraken keeps 128 bits, so a UUID may come back in another spelling.

    Other text is only the same as itself.
    """
    return one == other or _bare(one) == _bare(other)


def _bare(client_id: str) -> str:
    return client_id.replace("-", "").lower() if _UUID.fullmatch(client_id) else client_id
