"""Record the cassettes again, against the simulated exchange: ``make record``.

What happens is told in ``recording/``, a module or more for each venue; the tests in ``tests/*/test_cassettes*.py`` say
what must come of it, number by number.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
from pathlib import Path

from recording import futures, spot

VENUES = {"kraken_spot": spot.record, "kraken_futures": futures.record}


async def record(folder: Path, venues: list[str]) -> None:
    for venue in venues:
        shutil.rmtree(folder / venue, ignore_errors=True)
        await VENUES[venue](folder)


def main() -> None:
    parser = argparse.ArgumentParser(description="Record the cassettes again, against the simulated exchange.")
    default = Path(__file__).resolve().parents[1] / "cassettes"
    parser.add_argument("--to", type=Path, default=default, help="where they go; what was recorded there goes away")
    parser.add_argument("--only", choices=VENUES, help="record this venue and leave the other as it is")
    given = parser.parse_args()
    asyncio.run(record(given.to, [given.only] if given.only else [*VENUES]))


if __name__ == "__main__":
    main()
