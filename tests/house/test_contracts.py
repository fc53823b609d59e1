"""The walls between rooms hold, and the contracts that guard them notice a breach."""

import os
import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

ROOMS = (
    "exchange_core/model",
    "exchange_core/connector",
    "exchange_core/hookspecs",
    "exchange_core/transport",
    "exchange_core/venue",
    "exchange_core/hub",
    "exchange_core/portfolio",
    "exchange_core/routing",
    "exchange_core/cli",
    "exchange_core/testing",
    "kraken_futures/feed",
    "kraken_spot/feed",
)


def lint_imports(folder: Path, *search_path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            Path(sysconfig.get_path("scripts"), "lint-imports"),
            "--no-cache",
            "--no-logo",
            "--config",
            ROOT / "pyproject.toml",
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, search_path)), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """An empty house with the same rooms."""
    for room in ROOMS:
        (tmp_path / room).mkdir(parents=True)
        (tmp_path / room / "__init__.py").touch()
        (tmp_path / room).with_name("__init__.py").touch()
    return tmp_path


def test_no_import_crosses_a_wall() -> None:
    result = lint_imports(ROOT, ROOT, ROOT / "plugins")
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_room_stands_on_a_floor() -> None:
    """A room that no contract names could import anything."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    floors = " ".join(contracts[0]["layers"])
    rooms = {
        path.stem
        for path in (ROOT / "exchange_core").iterdir()
        if path.suffix == ".py" or (path.is_dir() and any(path.rglob("*.py")))
    }
    assert not {room for room in rooms - {"__init__", "__main__"} if f"(exchange_core.{room})" not in floors}


def test_an_empty_house_breaks_no_contract(house: Path) -> None:
    result = lint_imports(house, house)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("room", "line", "contract"),
    [
        pytest.param("exchange_core/model", "import exchange_core.connector", "A lower floor", id="up a floor"),
        pytest.param("exchange_core/venue", "import exchange_core.cli", "A lower floor", id="up two floors"),
        pytest.param("exchange_core/portfolio", "import exchange_core.routing", "A lower floor", id="sideways"),
        pytest.param("exchange_core/cli", "import exchange_core.testing", "A lower floor", id="testing tools"),
        pytest.param("exchange_core/hub", "import kraken_spot", "The core never", id="core names a plugin"),
        pytest.param("kraken_spot/feed", "import kraken_futures.feed", "A lower floor", id="plugin to plugin"),
        pytest.param("kraken_spot/feed", "import exchange_core.transport", "A lower floor", id="plugin to network"),
        pytest.param("kraken_futures/feed", "import exchange_core.hub", "A lower floor", id="plugin to hub"),
        pytest.param("kraken_spot/feed", "from exchange_core import Hub", "Plugins import", id="plugin to face"),
        *(
            pytest.param("kraken_futures/feed", f"import {module}", "Plugins do no I/O", id=f"plugin to {module}")
            for module in ("asyncio", "httpx", "os", "random", "socket", "time", "websockets")
        ),
    ],
)
def test_a_breach_is_noticed(house: Path, room: str, line: str, contract: str) -> None:
    (house / room / "__init__.py").write_text(f"{line}\n")
    result = lint_imports(house, house)
    assert result.returncode == 1
    broken = [text for text in result.stdout.splitlines() if text.endswith("BROKEN")]
    assert any(text.startswith(contract) for text in broken), result.stdout + result.stderr


def test_a_plugin_may_use_the_low_floors(house: Path) -> None:
    lines = "import exchange_core.hookspecs\nimport exchange_core.connector\nfrom exchange_core import model\n"
    (house / "kraken_spot/feed/__init__.py").write_text(lines)
    result = lint_imports(house, house)
    assert result.returncode == 0, result.stdout + result.stderr
