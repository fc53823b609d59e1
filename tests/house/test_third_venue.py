"""A venue that the core has never heard of: installed with pip, found, streamed, traded, with no change to the core."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
import sysconfig
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TIDEPOOL = ROOT / "examples" / "tidepool"
README = (TIDEPOOL / "README.md").read_text("utf-8")
PLUGIN_FILES = sorted((TIDEPOOL / "exchange_tidepool").rglob("*.py"))

FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.M | re.S)
LOW_FLOORS = ("errors", "clock", "model", "serde", "book", "connector", "hookspecs")
NOT_PURE = {"asyncio", "httpx", "os", "random", "secrets", "socket", "subprocess", "threading", "time", "websockets"}


def blocks(text: str, info: str) -> list[str]:
    return [match["text"] for match in FENCE.finditer(text) if match["info"] == info]


class Place:
    """Where the distribution is installed, and what sees it there."""

    def __init__(self, folder: Path) -> None:
        scripts = sysconfig.get_path("scripts")
        self.env = {
            **os.environ,
            "PYTHONPATH": str(folder),
            "PATH": os.pathsep.join((scripts, os.environ.get("PATH", ""))),
        }

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
        )

    def python(self, script: str) -> str:
        """Run *script* with every warning an error; return what it printed."""
        done = self.run(sys.executable, "-W", "error", "-c", script)
        assert done.returncode == 0, done.stderr
        assert not done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Install as the README says, but aside: without the network, and without a change to this environment."""
    folder = tmp_path_factory.mktemp("tidepool")
    install, *_ = blocks(README, "sh")[0].splitlines()
    aside = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(install), *aside, "--target", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return Place(folder)


def test_it_is_not_part_of_this_environment() -> None:
    """Otherwise the tests below would prove nothing."""
    assert "tidepool" not in entry_points(group="exchange_core").names


def test_the_core_does_not_know_it() -> None:
    sources = [*(ROOT / "exchange_core").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]
    assert not [path for path in sources if "tidepool" in path.read_text("utf-8").lower()]


def test_it_appears_among_the_venues(place: Place) -> None:
    done = place.run("exchange", "venues", "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert set(rows) >= {"kraken_spot", "kraken_futures", "tidepool"}
    assert rows["tidepool"]["streams"] == ["balances", "book", "fills", "orders", "trades"]
    assert rows["tidepool"]["simulated"] is True


def test_it_appears_among_the_plugins(place: Place) -> None:
    done = place.run("exchange", "plugins", "--json")
    assert done.returncode == 0, done.stderr
    row = next(row for row in map(json.loads, done.stdout.splitlines()) if row["name"] == "tidepool")
    assert (row["status"], row["distribution"], row["reason"]) == ("loaded", "exchange-tidepool 0.1.0", None)


def test_its_simulated_side_is_served_with_the_others(place: Place) -> None:
    with subprocess.Popen(
        ["exchange", "simulate", "--json"], cwd=ROOT, env=place.env, stdout=subprocess.PIPE, text=True
    ) as served:
        try:
            assert served.stdout is not None
            addresses = json.loads(served.stdout.readline())["tidepool"]
        finally:
            served.terminate()
    assert set(addresses) == {"rest_url", "ws_url", "api_key", "api_secret"}


def test_the_first_steps_of_its_readme(place: Place) -> None:
    (script,), (printed,) = blocks(README, "python run"), blocks(README, "text")
    assert place.python(script) == printed


def test_it_streams_and_trades_beside_itself_in_one_hub(place: Place) -> None:
    """Two accounts' venues of one plugin, real sockets; what one order moved agrees to the last digit."""
    result = json.loads(place.python((Path(__file__).parent / "third_venue_trades.py").read_text("utf-8")))
    assert result == {
        "books": ["live", "live"],
        "resting": "open",
        "ended": "canceled",
        "bought": "filled",
        "fills agree with the order": True,
        "each fill once": True,
        "balances agree with the fills": True,
        "refused": "OrderRefused",
        "not supported": "NotSupported",
        "wrong key": "AuthenticationError",
    }


def test_its_own_tests_pass(place: Place) -> None:
    command = next(line for line in blocks(README, "sh")[0].splitlines() if line.startswith("pytest"))
    done = place.run(sys.executable, "-m", *shlex.split(command), "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "text"),
    [
        pytest.param(match["info"].partition("file=")[2], match["text"], id=match["info"])
        for match in FENCE.finditer(README)
        if "file=" in match["info"]
    ],
)
def test_the_readme_quotes_what_is_there(file: str, text: str) -> None:
    assert text in (TIDEPOOL / file).read_text("utf-8")


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", README))
def test_the_links_of_its_readme_lead_somewhere(target: str) -> None:
    assert (TIDEPOOL / target).exists()


def test_every_room_is_explained() -> None:
    rooms = {path.stem for path in (TIDEPOOL / "exchange_tidepool").glob("*.py")} - {"__init__"}
    assert not {room for room in rooms if f"`{room}.py`" not in README}


@pytest.mark.parametrize("path", PLUGIN_FILES, ids=lambda path: str(path.relative_to(TIDEPOOL)))
def test_it_is_pure(path: Path) -> None:
    """It stands on the floors that a plugin may stand on, and does no I/O."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            assert name.partition(".")[0] not in NOT_PURE
            assert not name.startswith("exchange_core") or name.split(".")[1:2][0] in LOW_FLOORS
