"""Names of what is traded, as people of this field write them.

``BTC/USD`` spot, ``BTC/USD:USD`` linear perpetual, ``BTC/USD:BTC`` inverse perpetual, ``BTC/USD:USD-261225`` dated.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

import attrs

from exchange_core.errors import InvalidValue

_PATTERN = re.compile(
    r"(?P<base>[A-Za-z0-9.]+)/(?P<quote>[A-Za-z0-9.]+)(?::(?P<settle>[A-Za-z0-9.]+)(?:-(?P<expiry>\d{6}))?)?"
)


# What stands for a thing of which only the venue's name is known: that name, and neither quote nor settlement.
_STAND_IN = re.compile(r"(?P<name>[A-Za-z0-9._:-]+)/\?:\?")


@attrs.frozen(order=True, cache_hash=True)
class Symbol:
    """One tradable thing, the same on every venue.

    Attributes:
        base: Asset that is bought or sold.
        quote: Asset that the price is in.
        settle: Asset that profit and loss are paid in; None for spot.
        expiry: Last day of a dated contract; None for spot and perpetuals.
    """

    base: str
    quote: str
    settle: str | None = None
    expiry: date | None = None

    def __str__(self) -> str:
        text = f"{self.base}/{self.quote}"
        if self.settle is not None:
            text += f":{self.settle}"
        if self.expiry is not None:
            text += f"-{self.expiry:%y%m%d}"
        return text

    @property
    def is_spot(self) -> bool:
        """Whether it is bought and sold outright."""
        return self.settle is None

    @property
    def is_inverse(self) -> bool:
        """Whether profit and loss are paid in the base asset."""
        return self.settle is not None and self.settle == self.base

    @staticmethod
    def parse(text: str) -> Symbol:
        """Read ``BTC/USD``, ``BTC/USD:USD``, ``BTC/USD:BTC`` or ``BTC/USD:USD-261225``.

        Raises:
            InvalidValue: When *text* has another form.
        """
        return _parse(text)

    @staticmethod
    def of(value: Symbol | str) -> Symbol:
        """Return *value* as a Symbol, parsing text."""
        if isinstance(value, Symbol):
            return value
        if not isinstance(value, str):
            raise InvalidValue(f"symbol: {value!r} is {type(value).__name__}; expected a Symbol or text like BTC/USD")
        return _parse(value)


@lru_cache(maxsize=8192)
def _parse(text: str) -> Symbol:
    match = _PATTERN.fullmatch(text)
    if match is None and (known := _STAND_IN.fullmatch(text)) is not None:
        return Symbol(known["name"], "?", "?")
    if match is None:
        raise InvalidValue(
            f"symbol: {text!r} is not of the form BASE/QUOTE, BASE/QUOTE:SETTLE or BASE/QUOTE:SETTLE-YYMMDD, "
            "as in BTC/USD, BTC/USD:USD, BTC/USD:USD-261225"
        )
    expiry = match["expiry"]
    try:
        day = date(2000 + int(expiry[:2]), int(expiry[2:4]), int(expiry[4:])) if expiry else None
    except ValueError:
        raise InvalidValue(f"symbol: {text!r} ends in {expiry}, which is no date; expected YYMMDD") from None
    return Symbol(match["base"], match["quote"], match["settle"], day)
