"""Reports of trades and ledgers as zip files. They are queued for a second and written in another.

See https://docs.kraken.com/api-reference/account-data/
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar

import attrs

from exchange_core.connector.saved_state import Room
from exchange_core.connector.simulation import SimExchange, SimKey
from exchange_core.errors import ProtocolError
from exchange_core.model.time import from_seconds, to_millis
from kraken_spot.simulator.codec import Arguments, invalid, read_decimal
from kraken_spot.simulator.markets.traded import report_id

Rows = Callable[[str], Iterable[tuple[datetime, dict[str, Any]]]]
"""From an account to the times and records that a report of it can have."""

_QUEUED, _PROCESSED = timedelta(seconds=1), timedelta(seconds=2)
_KEPT = timedelta(days=14)


@attrs.frozen(kw_only=True)
class Report:
    """One report that was asked for."""

    id: str
    account: str
    kind: str
    description: str
    format: str
    fields: tuple[str, ...]
    start: datetime
    end: datetime
    created: datetime

    def status(self, now: datetime) -> str:
        age = now - self.created
        return "Queued" if age < _QUEUED else "Processing" if age < _PROCESSED else "Processed"


class Exports(Room):
    """What may be asked about reports."""

    KEEPS: ClassVar = {"_reports": dict[str, Report]}

    def __init__(self, exchange: SimExchange, trades: Rows, ledgers: Rows) -> None:
        self._exchange = exchange
        self._rows = {"trades": trades, "ledgers": ledgers}
        self._reports: dict[str, Report] = {}

    def add(self, key: SimKey, given: Arguments) -> object:
        now = self._exchange.now()
        month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        fields = given.words("fields")
        report = Report(
            id=report_id(self._exchange.random),
            account=key.account,
            kind=given.choice("report", tuple(self._rows)),
            description=given.required("description"),
            format=given.choice("format", ("CSV", "TSV"), "CSV"),
            fields=() if fields == ["all"] else tuple(fields),
            start=_moment(given, "starttm") or month,
            end=_moment(given, "endtm") or now,
            created=now,
        )
        self._reports[report.id] = report
        return {"id": report.id}

    def status(self, key: SimKey, given: Arguments) -> object:
        kind = given.choice("report", tuple(self._rows))
        now = self._exchange.now()
        found = [report for report in self._reports.values() if (report.account, report.kind) == (key.account, kind)]
        return [_row(report, report.status(now)) for report in reversed(found)]

    def retrieve(self, key: SimKey, given: Arguments) -> bytes:
        """Return the zip file."""
        report = self._find(key, given)
        if report.status(self._exchange.now()) != "Processed":
            raise invalid("id")
        rows = [
            record for moment, record in self._rows[report.kind](report.account) if report.start <= moment <= report.end
        ]
        return _zipped(report, rows)

    def remove(self, key: SimKey, given: Arguments) -> object:
        report = self._find(key, given)
        kind = given.choice("type", ("cancel", "delete"))
        is_done = report.status(self._exchange.now()) == "Processed"
        if is_done is not (kind == "delete"):
            raise invalid("type")
        del self._reports[report.id]
        return {kind: True}

    def _find(self, key: SimKey, given: Arguments) -> Report:
        report = self._reports.get(given.required("id"))
        if report is None or report.account != key.account:
            raise invalid("id")
        return report


def _row(report: Report, status: str) -> dict[str, Any]:
    def second(moment: datetime) -> str:
        return str(to_millis(moment) // 1000)

    done = status == "Processed"
    return {
        "id": report.id,
        "descr": report.description,
        "format": report.format,
        "report": report.kind,
        "subtype": "all",
        "status": status,
        "fields": ",".join(report.fields) or "all",
        "createdtm": second(report.created),
        "expiretm": second(report.created + _KEPT),
        "starttm": "0" if status == "Queued" else second(report.created + _QUEUED),
        "completedtm": second(report.created + _PROCESSED) if done else "0",
        "datastarttm": second(report.start),
        "dataendtm": second(report.end),
        "asset": "all",
    }


def _zipped(report: Report, rows: list[dict[str, Any]]) -> bytes:
    names = report.fields or tuple(rows[0] if rows else ())
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t" if report.format == "TSV" else ",", quoting=csv.QUOTE_ALL)
    writer.writerow(names)
    writer.writerows([[row.get(name, "") for name in names] for row in rows])
    packed = io.BytesIO()
    made = report.created.timetuple()[:6]
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(f"{report.kind}.{report.format.lower()}", made)
        archive.writestr(entry, text.getvalue())
    return packed.getvalue()


def _moment(given: Arguments, name: str) -> datetime | None:
    if name not in given:
        return None
    value = read_decimal(given.text(name))
    if value is None:
        raise invalid(name)
    try:
        return from_seconds(value)
    except ProtocolError:
        raise invalid(name) from None
