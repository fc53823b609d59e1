"""Reports of trades or ledgers that Kraken Spot prepares as files; reached as ``operations.exports``.

Ask for one, look at the statuses until it is processed, fetch it, and delete it.
See https://docs.kraken.com/api-reference/account-data/
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs
import msgspec

from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from kraken_spot.parse import account as parse
from kraken_spot.parse.rows import Listing, readable
from kraken_spot.rest.calls import change, private, second_after, second_before
from kraken_spot.types.account import Report, ReportFormat, ReportKind
from kraken_spot.wire import account as wire


@attrs.frozen
class ExportCalls:
    """Calls about reports."""

    _context: VenueContext

    def add(
        self,
        kind: ReportKind,
        description: str,
        *,
        format: ReportFormat = ReportFormat.CSV,
        fields: Iterable[str] = (),
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Flow[str]:
        """Ask for a report; return its id.

        Args:
            fields: All without.
            start: The first of this month without.
            end: Now without.
        """
        params = {
            "report": kind.value,
            "description": description,
            "format": format.value,
            "fields": [*fields] or None,
            "starttm": second_before(start, "start"),
            "endtm": second_after(end, "end"),
        }
        answer: wire.ExportId = yield change("AddExport", wire.ExportId, params)
        return answer.id

    def statuses(self, kind: ReportKind) -> Flow[Listing[Report]]:
        """List the reports of a kind that the venue has."""
        answer: list[msgspec.Raw] = yield private("ExportStatus", list[msgspec.Raw], {"report": kind.value})
        return readable(answer, wire.Export, lambda _, row: parse.report(row))

    def retrieve(self, report_id: str) -> Flow[bytes]:
        """Return a report that is processed, as the zip file that it is."""
        archive: bytes = yield private("RetrieveExport", bytes, {"id": report_id})
        return archive

    def cancel(self, report_id: str) -> Flow[bool]:
        """Cancel a report that is not processed yet; return whether that was done."""
        params = {"id": report_id, "type": "cancel"}
        answer: wire.ExportRemoved = yield change("RemoveExport", wire.ExportRemoved, params)
        return answer.cancel

    def delete(self, report_id: str) -> Flow[bool]:
        """Delete a report that is processed; return whether that was done."""
        params = {"id": report_id, "type": "delete"}
        answer: wire.ExportRemoved = yield change("RemoveExport", wire.ExportRemoved, params)
        return answer.delete
