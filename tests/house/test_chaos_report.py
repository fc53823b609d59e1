"""What a failed test of a house tells can be read on its own, is bounded, and has no secrets."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.house.chaos import FUTURES, KINDS, SPOT, FastClock, Kind, house
from tests.house.chaos_line import ON_LINE, SPEED, report, told
from tests.house.chaos_report import LONGEST, MOST, Talk, written


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("way", ["rest", "auto"])
async def test_it_has_both_views_of_an_order_and_what_was_said_of_it(kind: Kind, way: str) -> None:
    options = ON_LINE if kind is SPOT else {}
    async with house(kind, clock=FastClock(SPEED), **options | {"order_entry": way}) as home, told(home):
        await home.follow()
        order = await home.venue.place(home.resting())
        await home.ended(await home.venue.cancel(order))
        text = report(home, "they differ", [order.client_order_id])
        running = home.running
    ours, theirs = (next(line for line in text.splitlines() if line.strip().startswith(who)) for who in ("ours", "the"))
    assert str(order.venue_order_id) in ours
    assert str(order.venue_order_id) in theirs
    said = [line for line in text.splitlines() if str(order.client_order_id) in line and " in: " in line]
    assert said, "its end came on the private feed"
    assert (" rest: POST" in text) or way == "auto"
    for secret in (running.api_key, running.api_secret):
        assert secret not in text
    if kind is SPOT:
        tokens = [frame.partition('"token":"')[2][:10] for _, way, frame in home.frames if '"token":"' in frame]
        assert tokens
        assert not any(token in text for token in tokens)


async def test_it_tells_that_an_order_is_known_to_one_side_only() -> None:
    async with house(FUTURES) as home:
        text = report(home, "they differ", ["nobody-knows-it"])
    assert "order nobody-knows-it\n  ours:   None\n  theirs: None" in text


def test_it_is_bounded() -> None:
    talk = Talk()
    listen = talk.feed("private")
    for number in range(100_000):
        listen("in", f'{{"order":"A","n":{number},"text":"{"x" * 5000}"}}' if number % 1000 == 0 else "A", 1.0)
    lines = talk.about(["A"])
    assert len(lines) < 20
    assert max(map(len, lines)) < LONGEST + 100
    orders = [(str(number), ["A"], Decimal(1), Decimal(2)) for number in range(1000)]
    text = written("head", orders, talk, "state")
    assert len(text) <= MOST
    assert "and 996 more orders" in text
