"""e-musrenbang -> OCDS: the proposals that a package meets, as `planning.proposals` (extension in `schemas/indonesia`).

Who proposed is given as a level or group; nobody is named. Proposals open no process: they come with the processes of
the packages that they are linked to.
"""

from collections.abc import Iterator
from typing import Any

from schemas.fields import point, quantity_of
from schemas.musrenbang import LEVELS, SERVICES
from transforms import codes, mak
from transforms.documents import document
from transforms.evidence import Evidence
from transforms.mapping import Body, Context, Partial, Row, SourceMapping, by_code, compact, money, parties, reference
from transforms.parties import scrub
from transforms.places import stated
from transforms.rows import code_text

SOURCE = "musrenbang"

EVIDENT = ("Musrenbang-Usulan", "Musrenbang-Pokir")

_KINDS = {service.name: service.kind or "" for service in SERVICES}
# What stands for the proposer where a list has no level: its rows are all of one group.
_GROUPS = {"Musrenbang-Pokir": "DPRD"}


def evidence(service: str, record: Any) -> Iterator[Evidence]:
    """The evidence of which packages a proposal led to: budget sub-activity, office, place, words and amounts."""
    line = mak.canonical(record.id_sub_bl)
    place = point(record.detail_latpeta, record.detail_langpeta)
    amounts = (record.anggaran, *(getattr(record, f"rekom_{level}_anggaran") for level in LEVELS))
    titles = (scrub(record.giat_teks), scrub(record.lokus_usulan))
    yield Evidence(
        (_KINDS[service], code_text(record.id_usulan)),
        record.tahun_anggaran,
        record.kode_skpd,
        record.office.name,
        maks=(mak.sub_activity(line),) if line else (),
        amounts=tuple(dict.fromkeys(float(amount) for amount in amounts if amount)),
        dates=(record.tanggal_usul[:10],) if record.tanggal_usul else (),
        titles=tuple(text for text in titles if text),
        villages=(record.detail_lurahteks,) if record.detail_lurahteks else (),
        districts=(record.detail_camatteks,) if record.detail_camatteks else (),
        points=(place,) if place else (),
        status=_status(record, codes.table(SOURCE).get(("status", codes.plain(record.status_usul_teks or "")))),
    )


def _status(record: Any, code: str | None) -> str | None:
    """The proposal's state; `code` is the code of its words. None where only words are given that no code table knows.

    The marks of withdrawal and refusal come first: the words may still be those of the stage before.
    """
    if record.is_batal:
        return "withdrawn"
    if record.is_tolak:
        return "rejected"
    if code:
        return code
    if record.is_verif:
        return "verified"
    return None if record.status_usul_teks else "proposed"


def usulan(rows: list[Row], context: Context) -> Iterator[Partial]:
    """Usulan and Pokir: all proposals of the list that led to this process."""
    offices = []
    proposals = []
    # The list of the latest year counts, where several years' lists hold a proposal.
    current = [versions[-1] for versions in by_code(rows).values()]
    for row in current:
        record = row.record
        office = context.office(record)
        offices.append(office)
        proposal = f"{_KINDS[row.service]}-{row.code}"
        words = record.status_usul_teks
        reasons = (words, record.batal_teks if record.is_batal else record.tolak_teks if record.is_tolak else None)
        proposals.append(
            {
                "id": proposal,
                "title": scrub(record.giat_teks),
                "description": _lines(record.masalah, record.tujuan_usul),
                "status": _status(record, context.code(SOURCE, "status", "status_usul_teks", words)),
                "statusDetails": scrub(": ".join(filter(None, reasons))),
                "date": context.moment(record.tanggal_usul),
                # A level or group from the table: what else stands there may be a person's name.
                "proposedBy": context.code(SOURCE, "proposer", "level_pengusul", record.level_pengusul)
                or _GROUPS.get(row.service),
                "organization": reference(office),
                "location": _location(record, context),
                "address": compact(
                    {"locality": scrub(record.detail_lurahteks), "region": scrub(record.detail_camatteks)}
                ),
                "quantity": record.volume or quantity_of(record.koefisien),
                "unit": {"name": scrub(record.satuan)},
                "value": money(record.anggaran),
                "recommendations": list(_recommendations(record)),
                "documents": list(
                    filter(
                        None,
                        (
                            document(proposal, record.file_proposal, context, title="Proposal"),
                            document(proposal, record.file_rab, context, kind="billOfQuantity", title="RAB"),
                        ),
                    )
                ),
            }
        )
    if proposals:
        yield Partial({"planning": {"proposals": proposals}, "parties": parties(*offices)}, tuple(rows))


def _recommendations(record: Any) -> Iterator[Body]:
    """What each level recommends, as far as the proposal has come."""
    for level in LEVELS:
        found = compact(
            {
                "value": money(getattr(record, f"rekom_{level}_anggaran")),
                "quantity": quantity_of(getattr(record, f"rekom_{level}_koefisien")),
                "description": scrub(getattr(record, f"rekom_{level}_rekomendasi")),
            }
        )
        if found:
            yield {"id": level, **found}


def _location(record: Any, context: Context) -> Body:
    place = point(record.detail_latpeta, record.detail_langpeta)
    # The list's own numbers of places are no official codes.
    named = context.location(None, *stated(record.detail_lurahteks, record.detail_camatteks))
    return {
        "description": scrub(record.lokus_usulan),
        "gazetteer": named and named["gazetteer"],
        # GeoJSON has the longitude first.
        "geometry": {"type": "Point", "coordinates": [place[1], place[0]]} if place else None,
    }


def _lines(*texts: str | None) -> str | None:
    return "\n".join(dict.fromkeys(text for text in map(scrub, texts) if text)) or None


MAPPING = SourceMapping(
    SOURCE,
    mappers={
        "Musrenbang-Usulan": usulan,
        "Musrenbang-Pokir": usulan,
    },
    evidence=evidence,
    evident=EVIDENT,
    # What was asked for, before what each level recommends.
    amounts=dict.fromkeys(_KINDS.values(), lambda parts: parts[0].amounts[0]),
)
