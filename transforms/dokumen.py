"""Planning documents -> OCDS: what offices attach to a package or a budget line, as `planning.documents`."""

from collections.abc import Iterator
from typing import Any

from transforms import mak
from transforms.documents import document
from transforms.evidence import Evidence
from transforms.mapping import Context, Partial, Row, SourceMapping
from transforms.rows import code_text

SOURCE = "dokumen"

EVIDENT = ("Dokumen-Perencanaan",)


def evidence(service: str, record: Any) -> Iterator[Evidence]:
    """The package or the budget line that a document is attached to.

    A bare number may be that of a provider package or of self-managed work: the row does not say which.
    """
    line = mak.canonical(record.kode)
    code = code_text(record.kode)
    yield Evidence(
        ("dokumen", "|".join((code, code_text(record.url).replace("|", "¦")))),
        record.tahun,
        record.kd_satker,
        record.nama_satker,
        rups=(("rup", code), ("swk", code)) if code.isdecimal() else (),
        maks=(line,) if line else (),
        dates=(record.tanggal[:10],) if record.tanggal else (),
        titles=(record.judul,) if record.judul else (),
    )


def dokumen(rows: list[Row], context: Context) -> Iterator[Partial]:
    """Dokumen-Perencanaan: all documents of the process, each once, whatever code and year it is listed under."""
    documents = {}
    for row in sorted(rows, key=lambda r: (r.record.tahun or 0, r.key)):
        record = row.record
        found = document(
            SOURCE,
            record.url,
            context,
            kind=context.code(SOURCE, "documentType", "jenis", record.jenis),
            title=record.judul or record.jenis,
            date=record.tanggal,
            form=record.format,
        )
        if found:
            documents[found["id"]] = found
    if documents:
        yield Partial({"planning": {"documents": list(documents.values())}}, tuple(rows))


MAPPING = SourceMapping(
    SOURCE,
    mappers={"Dokumen-Perencanaan": dokumen},
    evidence=evidence,
    evident=EVIDENT,
)
