"""Every checksum vector that is known, Kraken's worked example first."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from exchange_core.model.symbol import Symbol
from kraken_spot.checksum import CheckedBook, likely_decimals, printed_decimals


class Row(NamedTuple):
    price: str
    qty: str


def rows(text: str) -> list[Row]:
    return [Row(*level.strip().split(":")) for level in text.split(",") if level.strip()]


def book(price_decimals: int, quantity_decimals: int = 8, depth: int = 10) -> CheckedBook:
    return CheckedBook(
        Symbol("BTC", "USD"), price_decimals=price_decimals, quantity_decimals=quantity_decimals, depth=depth
    )


BTC_BIDS = rows(
    "45283.5:0.10000000, 45283.4:1.54582015, 45282.1:0.10000000, 45281.0:0.10000000, 45280.3:1.54592586,"
    "45279.0:0.07990000, 45277.6:0.03310103, 45277.5:0.30000000, 45277.3:1.54602737, 45276.6:0.15445238"
)
BTC_ASKS = rows(
    "45285.2:0.00100000, 45286.4:1.54571953, 45286.6:1.54571109, 45289.6:1.54560911, 45290.2:0.15890660,"
    "45291.8:1.54553491, 45294.7:0.04454749, 45296.1:0.35380000, 45297.5:0.09945542, 45299.5:0.18772827"
)
MATIC_BIDS = rows(
    "0.5666:4831.75496356, 0.5665:6658.22734739, 0.5664:18724.91513344, 0.5663:11563.92544914, 0.5662:14006.65365711,"
    "0.5661:17454.85679807, 0.566:18097.1547, 0.5659:33644.89175666, 0.5658:148.3464, 0.5657:606.70854372"
)
MATIC_ASKS = rows(
    "0.5668:4410.79769741, 0.5669:4655.40412487, 0.567:49844.89424998, 0.5671:24306.41678, 0.5672:29783.25223475,"
    "0.5673:57234.71239278, 0.5674:45065.04744, 0.5675:5912.76380354, 0.5676:42514.92434778, 0.5677:36304.0847022"
)
ETH_BIDS = rows(
    "0.031348:0.03740000, 0.031347:2.87288049, 0.031345:8.57986833, 0.031344:14.40276069, 0.031340:12.96065840,"
    "0.031339:13.19606540, 0.031338:20.41389313, 0.031336:0.03740000, 0.031334:14.37158163, 0.031332:14.40695990"
)
ETH_ASKS = rows(
    "0.031357:0.03740000, 0.031358:2.87194815, 0.031361:0.00767324, 0.031362:4.27140781, 0.031363:4.34586052,"
    "0.031364:27.28097668, 0.031365:12.92325840, 0.031366:4.14290322, 0.031368:0.00738649, 0.031370:0.03740000"
)
GST_BIDS = rows(
    "0.016:255965.95133811, 0.015:264465.46682136, 0.014:198234.50375152, 0.013:263077.71115063,"
    "0.012:135283.23181445, 0.011:232726.34707055, 0.010:211909.56878553, 0.009:16666.66666666,"
    "0.008:13600.00000000, 0.007:1000.00000000"
)
GST_ASKS = rows(
    "0.017:94510.50669693, 0.018:232489.98702916, 0.019:244770.01655926, 0.020:103394.23779803,"
    "0.021:120226.44704447, 0.022:122811.44535027, 0.023:185766.68965043, 0.024:95339.83830809,"
    "0.025:32960.86333331, 0.026:86326.77204454"
)
FLOAT_BIDS = rows(
    "71770.3:0.03228444, 71769.0:0.002348, 71767.1:5.1e-05, 71763.5:5.1e-05, 71760.5:0.11146517,"
    "71760.4:0.15525921, 71760.0:5.1e-05, 71758.6:0.02, 71758.1:1.210778, 71756.4:5.1e-05"
)
FLOAT_ASKS = rows(
    "71770.4:1.80783344, 71770.6:5.1e-05, 71770.8:0.69666257, 71771.7:0.69665386, 71772.0:0.01617936,"
    "71774.2:5.1e-05, 71774.6:0.69662614, 71774.7:0.06, 71777.5:0.009, 71777.6:0.0776"
)


@pytest.mark.parametrize(
    ("price_decimals", "asks", "bids", "expected"),
    [
        pytest.param(1, BTC_ASKS, BTC_BIDS, 3310070434, id="A the documentation's worked example"),
        pytest.param(4, MATIC_ASKS, MATIC_BIDS, 2439117997, id="B the channel page, zeros stripped in print"),
        pytest.param(6, ETH_ASKS, ETH_BIDS, 3619791617, id="C live frames of ETH/BTC"),
        pytest.param(3, GST_ASKS, GST_BIDS, 1931231958, id="D a pair of three decimals"),
        pytest.param(1, FLOAT_ASKS, FLOAT_BIDS, 2552662837, id="E numbers that went through floats"),
        pytest.param(
            3, rows("0.510:2.50000000, 0.520:1.00000000"), rows("0.500:10.00000000"), 1895847845, id="F a short book"
        ),
        pytest.param(3, rows("0.510:2.50000000"), [], 2605000133, id="G no bids"),
        pytest.param(8, rows("0.00000052:0.00000051"), rows("0.00000051:1234.50000000"), 4095013152, id="H tiny"),
        pytest.param(1, [], [], 0, id="an empty book"),
    ],
)
def test_checksum(price_decimals: int, asks: list[Row], bids: list[Row], expected: int) -> None:
    """A snapshot, and the same levels as updates of an empty book in any order."""
    assert book(price_decimals).load(asks, bids) == expected
    updated = book(price_decimals)
    updated.apply(asks[::-1], [])
    assert updated.apply([], bids[::-1]) == expected


def test_the_channel_pages_update() -> None:
    made = book(4)
    made.load(MATIC_ASKS, MATIC_BIDS)
    assert made.apply([], rows("0.5657:1098.3947558")) == 2114181697


def test_the_live_update() -> None:
    made = book(6)
    made.load(ETH_ASKS, ETH_BIDS)
    assert made.apply([], rows("0.031347:0.00000000, 0.031329:19.07893401")) == 2505869009


def test_the_last_of_several_entries_at_one_price_wins() -> None:
    made = book(1)
    made.load(BTC_ASKS, BTC_BIDS)
    assert made.apply(rows("45285.2:0.00200000, 45285.2:0.00300000"), []) == 36735508


def test_levels_that_fall_out_of_the_depth_are_dropped() -> None:
    """The venue sends no removal for them; a client that keeps one has a wrong book two messages later."""
    made = book(1)
    made.load(BTC_ASKS, BTC_BIDS)
    assert made.apply([], rows("45284.0:0.50000000")) == 1818405665
    assert len(made.bids_ladder) == 10
    assert made.apply([], rows("45284.0:0, 45275.0:0.25000000")) == 2891216051

    never_cut = book(1, depth=1000)
    never_cut.load(BTC_ASKS, BTC_BIDS)
    never_cut.apply([], rows("45284.0:0.50000000"))
    assert never_cut.apply([], rows("45284.0:0, 45275.0:0.25000000")) == 3310070434


def test_the_book_is_cut_after_the_whole_message() -> None:
    """An insertion and a removal in one message must not cost the level that is still in the venue's window."""
    made = book(1)
    made.load(BTC_ASKS, BTC_BIDS)
    made.apply([], rows("45284.0:0.50000000, 45284.0:0.00000000"))
    assert made.crc == 3310070434
    assert len(made.bids_ladder) == 10


def test_a_change_below_the_best_ten_leaves_the_checksum() -> None:
    made = book(1, depth=25)
    made.load(BTC_ASKS, BTC_BIDS)
    assert made.apply(rows("45300.0:1.00000000"), rows("45270.0:1.00000000")) == 3310070434
    assert len(made.asks_ladder) == len(made.bids_ladder) == 11


def test_a_snapshot_replaces_everything() -> None:
    made = book(1)
    made.load(FLOAT_ASKS, FLOAT_BIDS)
    assert made.load(BTC_ASKS, BTC_BIDS) == 3310070434


def test_printed_decimals() -> None:
    assert printed_decimals(rows("0.510:2.5"), rows("0.50:5.1e-05")) == (3, 6)
    assert printed_decimals([], []) == (0, 0)


def test_what_is_printed_is_tried_first() -> None:
    options = likely_decimals(rows("0.510:2.5"), [])
    assert options[0] == (3, 1)
    assert (3, 8) in options
    assert (6, 10) in options
    assert all(price >= 3 and quantity >= 1 for price, quantity in options)
