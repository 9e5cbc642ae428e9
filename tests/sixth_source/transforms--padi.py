"""PaDi -> OCDS: an order is one award and one contract of the package that it names."""

from collections.abc import Iterator
from typing import Any

from transforms.evidence import Evidence
from transforms.identity import RupReference
from transforms.mapping import Context, Partial, Row, SourceMapping, money, parties, reference
from transforms.parties import scrub

SOURCE = "padi"


def references(service: str, record: Any) -> Iterator[RupReference]:
    """The package that an order fulfils."""
    yield RupReference(("padi", record.nomor_pesanan), tuple(("rup", code) for code in record.kd_rup), 0)


def evidence(service: str, record: Any) -> Iterator[Evidence]:
    """What tells which payments belong to an order."""
    yield Evidence(
        ("padi", record.nomor_pesanan),
        record.tahun_anggaran,
        record.kd_satker_str,
        record.nama_satker,
        suppliers=(record.nama_penjual,) if record.nama_penjual else (),
        amounts=(float(record.nilai),) if record.nilai else (),
        dates=(record.tgl_pesanan[:10],) if record.tgl_pesanan else (),
    )


def pesanan(rows: list[Row], context: Context) -> Iterator[Partial]:
    """Pesanan: one order, one award, one contract."""
    for row in rows:
        record = row.record
        order, office = f"padi-{row.code}", context.office(record)
        seller = context.supplier(None, record.nama_penjual, record.npwp_penjual)
        status = context.code(SOURCE, "awardStatus", "status", record.status)
        yield Partial(
            {
                "buyer": reference(office),
                "awards": [
                    {
                        "id": order,
                        "title": scrub(record.uraian),
                        "status": status,
                        "date": context.moment(record.tgl_pesanan),
                        "value": money(record.nilai),
                        "suppliers": [reference(seller)] if seller else None,
                    }
                ],
                "contracts": [{"id": order, "awardID": order, "value": money(record.nilai)}],
                "parties": parties(office, seller),
            },
            (row,),
        )


MAPPING = SourceMapping(
    SOURCE,
    mappers={"PaDi-Pesanan": pesanan},
    references=references,
    evidence=evidence,
    identifying=("PaDi-Pesanan",),
    evident=("PaDi-Pesanan",),
    announcing=("PaDi-Pesanan",),
)
