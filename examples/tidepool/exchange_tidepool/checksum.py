"""Tidepool's check on a book: Adler-32 over the digits of the five best levels of each side, asks first.

The digits of a level are its price's and then its quantity's, each without point and leading zeros: just what a ladder
of digits keeps.
"""

from collections.abc import Sequence
from zlib import adler32

LEVELS = 5


def check(asks: Sequence[str], bids: Sequence[str]) -> int:
    return adler32("".join((*asks[:LEVELS], *bids[:LEVELS])).encode())
