"""Assets: what balances are counted in. ``BTC``, never ``XBT``, on our side."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Asset:
    """One currency or token as one venue keeps it.

    Attributes:
        code: Our name, the same on every venue.
        venue_id: The venue's own name.
        decimals: How many decimals the venue's books keep.
        status: The venue's own word for what is possible with it.
    """

    code: str
    venue_id: str
    decimals: int
    status: str = "enabled"
