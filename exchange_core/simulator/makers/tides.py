"""What the markets of one asset have in common: where its price drifts, at every venue that shares the tides.

A drift is a function of the seed, the asset and the time alone, so that venues, and a venue that was restored, need
nothing but those to agree. It is noise in several octaves: near to a random walk from second to second, and never far
away for long.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from math import isqrt

_PERIOD = 500_000  # microseconds between the turns of the fastest octave; every next one is half as fast
_OCTAVES = 7
_MICROSECOND = timedelta(microseconds=1)


class Tides:
    """Tells drifts, in steps as large as a market moves at most in a quarter of a second.

    Attributes:
        begun: When time began for them; the same seed and the same time since give the same drifts.
    """

    def __init__(self, seed: int | str, begun: datetime) -> None:
        self.begun = begun
        self._seed = seed
        self._turns: dict[tuple[str, int], tuple[int, int, int]] = {}

    def at(self, asset: str, now: datetime) -> Decimal:
        """Return how far *asset* has drifted by *now*."""
        moment = (now - self.begun) // _MICROSECOND
        drift = 0
        for octave in range(_OCTAVES):
            period = _PERIOD << octave
            index, inside = divmod(moment, period)
            start, end = self._ends(asset, octave, index)
            drift += start + (end - start) * inside // period
        return Decimal(drift).scaleb(-3)

    def _ends(self, asset: str, octave: int, index: int) -> tuple[int, int]:
        """Return the drifts that an octave goes from and to, in thousandths of a step."""
        known = self._turns.get((asset, octave))
        if known is None or known[0] != index:
            known = index, self._turn(asset, octave, index), self._turn(asset, octave, index + 1)
            self._turns[asset, octave] = known
        return known[1:]

    def _turn(self, asset: str, octave: int, index: int) -> int:
        if not index:
            return 0  # everything begins in the middle
        digest = blake2b(f"{self._seed} {asset} {octave} {index}".encode(), digest_size=8).digest()
        largest = isqrt(10**6 << octave)
        return int.from_bytes(digest, "big") % (2 * largest + 1) - largest
