"""Which faults a file can ask for, when they strike, and what is said of a wrong file."""

import re
from pathlib import Path
from typing import Any

import pytest

from exchange_core.connector.rest import HttpRequest
from exchange_core.errors import ConfigError
from exchange_core.simulator.faults import actions
from exchange_core.simulator.faults.line import corrupted
from exchange_core.simulator.faults.schedule import Fault, FaultSchedule, Where, parse_faults, read_fault, read_faults
from exchange_core.simulator.faults.tally import Faults
from exchange_core.testing.clock import ManualClock
from tests.simulator.conftest import SPOT, HandClock


def get(target: str, body: bytes = b"", method: str = "GET") -> HttpRequest:
    return HttpRequest(method, target, {}, body)


def struck(faults: Faults, *frames: str) -> list[int]:
    """Return the numbers of the frames that a fault strikes, counted from 1."""
    return [n for n, frame in enumerate(frames, 1) if faults.on_frame(Where.OUT, "/ws", frame) is not None]


def fault(**given: Any) -> Fault:
    return Fault(**{"websocket": "out", "action": actions.Drop(), **given})


def test_a_file_says_what_when_and_how(tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text("""
        seed = 7

        [[faults]]
        name = "lost orders"
        venue = "spot"
        http = "/orders/*"
        method = "POST"
        contains = "BTC"
        nth = 2
        action = "delay-answer"
        seconds = 3

        [[faults]]
        websocket = "out"
        path = "/v2"
        contains = ["book", "BTC/USD"]
        lacks = ["heartbeat"]
        every = 50
        chance = 0.5
        times = 4
        after = 1.5
        action = "corrupt"
        field = "checksum"

        [[faults]]
        http = "*"
        action = "answer"
        status = 503
        body = "sorry"
        content_type = "text/plain"
        headers = {retry-after = "3"}
        acts = true
        """)
    schedule = read_faults(path, venues=["spot", "futures"])
    first, second, third = schedule.faults
    assert schedule.seed == 7
    assert first == Fault(
        name="lost orders",
        venue="spot",
        http="/orders/*",
        method="POST",
        contains=("BTC",),
        nth=2,
        action=actions.DelayAnswer(3),
    )
    assert (second.websocket, second.path, second.contains) == (Where.OUT, "/v2", ("book", "BTC/USD"))
    assert (second.every, second.chance, second.times, second.after) == (50, 0.5, 4, 1.5)
    assert second.action == actions.Corrupt("checksum")
    assert third.action == actions.Answer(503, "sorry", "text/plain", {"retry-after": "3"}, acts=True)
    assert schedule.of("futures").faults == (second, third)


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"action": "drop"}, "say what the fault is about"),
        ({"http": "*", "websocket": "out", "action": "drop"}, "say what the fault is about"),
        ({"http": "*"}, "action: None is none; there are: pass, drop-request"),
        ({"http": "*", "action": "drop-answr"}, "did you mean 'drop-answer'"),
        ({"http": "*", "action": "drop"}, "drop does not fit an http request; what does: pass, drop-request"),
        ({"websocket": "in", "action": "drop-answer"}, 'drop-answer does not fit websocket = "in"'),
        ({"websocket": "open", "action": "swap"}, 'swap does not fit websocket = "open"'),
        ({"websocket": "sideways", "action": "drop"}, "websocket: 'sideways' is none of in, out, open"),
        ({"websocket": "out", "action": "drop", "nht": 3}, "'nht' is none; did you mean 'nth'"),
        ({"websocket": "out", "action": "drop", "field": "qty"}, "'field' is none"),
        ({"websocket": "out", "action": "drop", "nth": 0}, "nth: 0 is not above zero"),
        ({"websocket": "out", "action": "drop", "nth": 2, "every": 2}, "nth, every: a fault has one of them"),
        ({"websocket": "out", "action": "drop", "times": 1.5}, "times: 1.5 is a float"),
        ({"websocket": "out", "action": "drop", "chance": 2}, "chance: 2.0 is not"),
        ({"websocket": "out", "action": "drop", "method": "GET"}, "method: only a fault of http"),
        ({"websocket": "out", "action": "delay"}, "seconds: missing"),
        ({"websocket": "out", "action": "delay", "seconds": -1}, "seconds: -1.0 is below zero"),
        ({"http": "*", "action": "answer", "status": 99}, "status: 99 is no status"),
        ({"http": "*", "action": "pass", "venue": "sport"}, "venue: 'sport' is none; did you mean 'spot'"),
    ],
)
def test_a_wrong_fault_is_named_with_what_would_be_right(table: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_faults({"faults": [{"http": "*", "action": "pass"}, table]}, venues=["spot", "futures"])
    assert str(caught.value).startswith("fault 2: ")
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("seed = 'x'", "seed: 'x' is not a whole number"),
        ("faults = 3", r"write each one as a table \[\[faults\]\]"),
        ("fault = []", "'fault' is none; did you mean 'faults'"),
        ("[[faults]\n", "not TOML"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "faults.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"{path}: .*{complaint}"):
        read_faults(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none.toml: cannot be read: No such file"):
        read_faults(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"nth": 3}, [3]),
        ({"every": 2}, [2, 4, 6]),
        ({"times": 2}, [1, 2]),
        ({"every": 2, "times": 2}, [2, 4]),
        ({"contains": "odd"}, [1, 3, 5]),
        ({"contains": ["odd", "early"]}, [1, 3]),
        ({"contains": "odd", "nth": 2}, [3]),
        ({"lacks": "odd"}, [2, 4, 6]),
        ({"lacks": ["odd", "early"]}, [4, 6]),
        ({"path": "/w?"}, [1, 2, 3, 4, 5, 6]),
        ({"path": "/v2"}, []),
        ({"websocket": "in"}, []),
    ],
)
def test_when_a_fault_strikes(given: dict[str, Any], numbers: list[int]) -> None:
    frames = ("odd early", "even early", "odd early", "even", "odd", "even")
    assert struck(Faults(HandClock(), FaultSchedule(faults=(fault(**given),))), *frames) == numbers


@pytest.mark.parametrize(
    ("given", "request_", "is_meant"),
    [
        ({"http": "/orders"}, get("/orders?all=1"), True),
        ({"http": "/orders"}, get("/orders/7"), False),
        ({"http": "/orders/*"}, get("/orders/7"), True),
        ({"http": "*", "method": "POST"}, get("/orders"), False),
        ({"http": "*", "contains": "BTC"}, get("/orders?pair=BTC"), True),
        ({"http": "*", "contains": "BTC"}, get("/orders", b"pair=BTC"), True),
        ({"http": "*", "contains": "BTC"}, get("/orders", b"\xff\xfe"), False),
        ({"websocket": "out", "action": actions.Drop()}, get("/ws"), False),
    ],
)
def test_which_requests_a_fault_is_about(given: dict[str, Any], request_: HttpRequest, is_meant: bool) -> None:
    faults = Faults(HandClock(), FaultSchedule(faults=(Fault(**{"action": actions.DropRequest(), **given}),)))
    assert (faults.on_request(request_) is not None) is is_meant


def test_the_first_of_several_acts_and_the_others_are_kept_for_later() -> None:
    faults = Faults(HandClock())
    first = faults.add(fault(nth=2))
    second = faults.add(fault(times=1, nth=2))
    third = faults.add(fault(times=2))
    assert struck(faults, "a", "b", "c", "d") == [1, 2, 3]
    assert [(tally.matched, tally.fired) for tally in (first, second, third)] == [(4, 1), (4, 0), (4, 2)]


def test_a_pass_only_counts_and_takes_no_turn() -> None:
    faults = Faults(HandClock())
    count = faults.add(fault(action=actions.Pass(), contains="b"))
    faults.add(fault())
    assert struck(faults, "a", "b", "b") == [1, 2, 3]
    assert (count.matched, count.fired) == (2, 2)


def test_a_fault_begins_when_it_is_told_to() -> None:
    clock = HandClock()
    faults = Faults(clock)
    late = faults.add(fault(after=10))
    assert struck(faults, "a") == []
    clock.advance(10)
    assert struck(faults, "b") == [1]
    assert late.matched == 1


def test_what_is_removed_or_cleared_strikes_no_more() -> None:
    faults = Faults(HandClock())
    one, two = faults.add(fault(contains="a")), faults.add(fault(contains="b"))
    faults.remove(one)
    faults.remove(one)
    assert struck(faults, "a", "b") == [2]
    faults.clear()
    assert struck(faults, "a", "b") == []
    assert (one.fired, two.fired) == (0, 1)


def test_the_same_seed_strikes_the_same_frames_whatever_other_faults_there_are() -> None:
    def chosen(seed: int, *others: Fault) -> list[int]:
        faults = Faults(HandClock(), FaultSchedule(seed=seed, faults=(fault(chance=0.3), *others)))
        return struck(faults, *"abcdefghijklmnopqrstuvwxyz")

    assert chosen(1) == chosen(1)
    assert chosen(1) != chosen(2)
    assert 2 <= len(chosen(1)) <= 15
    assert set(chosen(1)) <= set(chosen(1, fault(chance=0.2)))


async def test_a_counter_can_be_waited_for() -> None:
    faults = Faults(ManualClock())
    tally = faults.add(fault(every=2))
    assert struck(faults, "a", "b", "c") == [2]
    await tally.until_matched(3)
    await tally.until_fired(1)
    assert "drop" in repr(tally)


@pytest.mark.parametrize("field", ["checksum", "qty", "price", None])
@pytest.mark.parametrize("seed", range(5))
def test_corruption_changes_one_digit(field: str | None, seed: int) -> None:
    frame = '{"price":"12.50","qty": -0.10,"checksum":3310070434}'
    found = corrupted(frame, field, Faults(HandClock()).add(fault(name=str(seed))).random)
    (place,) = [at for at, (old, new) in enumerate(zip(frame, found, strict=True)) if old != new]
    assert found[place].isdigit()
    if field is not None:
        assert place == frame.index(f'"{field}"') + {"checksum": 20, "qty": 11, "price": 13}[field]


def test_what_has_no_digit_stays_as_it_is() -> None:
    random = Faults(HandClock()).add(fault()).random
    assert corrupted("no digit", None, random) == "no digit"
    assert corrupted('{"qty":1}', "price", random) == '{"qty":1}'


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "http=/0/private/AddOrder nth=1 action=drop-answer",
            Fault(http="/0/private/AddOrder", nth=1, action=actions.DropAnswer()),
        ),
        (
            """websocket = "out"  contains=['"a b"', 'c'] chance=0.5 action = "corrupt" field=checksum""",
            Fault(websocket=Where.OUT, contains=('"a b"', "c"), chance=0.5, action=actions.Corrupt("checksum")),
        ),
        (
            """http=* action=answer status=429 body='{"a": [1]}' headers={retry-after = "3", x = '}'}""",
            Fault(http="*", action=actions.Answer(429, '{"a": [1]}', headers={"retry-after": "3", "x": "}"})),
        ),
        (
            "venue=spot symbol=BTC/USD after=2.5 action=cancel_only seconds=3",
            Fault(venue="spot", after=2.5, action=actions.CancelOnly(symbol=SPOT, seconds=3)),
        ),
        ("action=skew offset=-30 drift=0.001", Fault(action=actions.Skew(offset=-30, drift=0.001))),
        ("action=restart", Fault(action=actions.Restart(seconds=5))),
        ("http=*Order nth=3 action=restart", Fault(http="*Order", nth=3, action=actions.Restart())),
    ],
)
def test_one_fault_can_be_said_in_a_line(line: str, expected: Fault) -> None:
    assert read_fault(line, ["spot", "futures"]) == expected


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("", "action: None is none"),
        ("http=* action", "'action' does not read; expected KEY=VALUE, such as nth=1"),
        ("http=* action=pass nth=", "'nth=' does not read"),
        ("http=* http=/x action=pass", "http: it is there twice"),
        ("http='* action=pass", "'*: not TOML"),
        ("http=* action=pass nth=x", "nth: 'x' is text; expected a whole number"),
        ("venue=sport http=* action=pass", "did you mean 'spot'"),
        ("action=drop-answer", "say what the fault is about"),
        ("action=cancel_only nth=2", "nth: cancel_only without http or websocket happens once, after = SECONDS"),
        ("action=cancel_only symbol=BTC", "'BTC' is not of the form BASE/QUOTE"),
        ("action=maintenance seconds=-1", "seconds: -1.0 is below zero"),
        ("action=skew offset=1e12", "offset: 1000000000000.0 is not between"),
        ("http=* action=slow-write bytes_per_second=0", "bytes_per_second: 0 is not above zero"),
        ("websocket=out action=slow-write bytes_per_second=9", 'slow-write does not fit websocket = "out"'),
    ],
)
def test_a_wrong_line_is_named_with_what_would_be_right(line: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(complaint)):
        read_fault(line, ["spot", "futures"])


def test_faults_without_a_name_have_their_number() -> None:
    rule = {"http": "*", "action": "pass"}
    schedule = parse_faults({"seed": 3, "faults": [rule, {**rule, "name": "mine"}]})
    more = schedule.plus([read_fault("action=restart"), read_fault("name=last action=restart")])
    assert [fault.name for fault in more.faults] == ["1", "mine", "3", "last"]
    assert more.seed == 3
