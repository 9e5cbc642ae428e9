"""The list of planning documents that offices attach to their packages and budgets."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.facts import Document
from simulator.rendering import Row, Service, date
from simulator.state import State


def documents(world: State, document: Document) -> Iterator[Row]:
    """Dokumen-Perencanaan."""
    if not document.absent:
        yield {
            "kode": document.code,
            "url": document.url,
            "jenis": document.sort,
            "judul": document.title,
            "tanggal": date(document.at),
            "format": document.form,
            "tahun": document.year,
        }


SERVICES = (Service("Dokumen-Perencanaan", "kode", "documents", documents, key=("kode", "url")),)
"""The services of the list of documents."""
