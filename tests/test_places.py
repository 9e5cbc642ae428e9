"""Villages and districts that texts name.

The verdicts in `places_read.csv`: 200 rows drawn at random (135 of a province's year, four services; 65 of a regency's)
among those where a place was found. Each row's texts were read by hand beside the official path of what was found
(village, district, regency). `right` means: the text names that village (or, where no village of it is in the list,
that district), and all that it names of that level in the region are there. A row is known by a digest of its service
and code; no text of it stands here. On the real rows the share and the precision are worked out anew.
"""

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.states import document, row
from tests.test_real_data import DATA
from transforms.places import is_region, place_names, places
from warehouse.star import star_rows

READ = Path(__file__).parent / "places_read.csv"
FOLDERS = {"61": DATA / "isb-prov-kalbar-2024", "32.04": DATA / "isb-kab-bandung-2025"}
TEXTS = {
    "SPSE-NonTenderPengumuman": ("kd_nontender", "nama_paket", "lokasi_pekerjaan"),
    "SPSE-TenderPengumuman": ("kd_tender", "nama_paket", "lokasi_pekerjaan"),
    "SPSE-PencatatanNonTender": ("kd_nontender_pct", "nama_paket", "uraian_pekerjaan"),
    "RUP-PaketPenyedia-Terumumkan": ("kd_rup", "nama_paket", "urarian_pekerjaan"),
}

# Public names of the official list: Kabupaten Bojonegoro (35.22), Jawa Timur (35).
NGASEM = "35.22.04.2008"


@pytest.mark.parametrize(
    ("region", "text", "found"),
    [
        ("35.22", "Rehab Balai Desa Ngasem Kec. Ngasem", (NGASEM,)),
        ("35.22", "REHAB JALAN DS.NGASEM", (NGASEM,)),
        ("35.22", "Jalan Ngasem - Kalitidu", ()),  # no word for a village
        ("35.22", "Drainase Kecamatan Ngasem", ("35.22.04",)),
        ("35.22", "Desa Ngasem Kab. Tuban", ()),  # another regency: not this region's
        ("35.22", "Desa Ngasem Kec. Trucuk", ("35.22.23",)),  # the district contradicts
        ("35.22", "Dinas Pemberdayaan Masyarakat dan Desa", ()),
        ("35.22", "Desa Ngasem Wetan", ()),  # a name that the list doesn't have
        ("35", "Rehab Balai Desa Ngasem", ()),  # several in the province
        ("35", "Rehab Balai Desa Ngasem Kec. Ngasem - Bojonegoro (Kab.) - Jawa Timur", (NGASEM,)),
        ("35", "Rehab Balai Desa Ngasem, Kabupaten Bojonegoro", (NGASEM,)),
        ("35.22", "Benih ikan Kec. Ngasem, Trucuk dan Purwosari (DAK)", ("35.22.04", "35.22.18", "35.22.23")),
        ("35.22", None, ()),
        (None, "Desa Ngasem Kec. Ngasem", ()),
    ],
)
def test_a_place_is_read_only_where_the_text_leaves_no_choice(
    region: str | None, text: str | None, found: tuple[str, ...]
) -> None:
    assert places([text], region) == found


def test_a_name_that_two_villages_bear_wants_its_district() -> None:
    alone = places(["Paving Desa Sukorejo"], "35.22")
    assert alone == ()
    assert place_names(places(["Paving Desa Sukorejo", "Kec. Tambakrejo"], "35.22")).startswith("Sukorejo, Tambakrejo")


def test_only_what_the_official_list_has_is_a_region() -> None:
    assert all(map(is_region, ("35", "35.22", "61", "32.04")))
    assert not any(map(is_region, ("99", "35.99", "35.22.04", "3522", "")))


OFFICE = {"kd_klpd": "D999", "kd_satker_str": "1.03.0.00.0.00.03.0000", "nama_satker": "DINAS CONTOH"}


def test_the_place_goes_to_the_release_and_to_the_star_tables() -> None:
    plan = {"kd_rup": 1, "nama_paket": "Rehab Balai Desa Ngasem", "metode_pengadaan": "Tender", **OFFICE}
    spot = {"kd_rup": 1, "detail_lokasi": "Ds. Ngasem Kec. Ngasem", "kab_kota": "Bojonegoro (Kab.)", **OFFICE}
    tender = {"kd_tender": "9", "kd_rup": "1", "nama_paket": "Rehab Balai", "lokasi_pekerjaan": "Balai", **OFFICE}
    rows = [row("RUP-PaketPenyedia-Terumumkan", plan), row("RUP-PaketPenyediaLokasi", spot)]
    gazetteer = {"scheme": "JEJAK-WILAYAH", "identifiers": [NGASEM]}
    planned = document(rows, wilayah="35.22")
    assert planned["tender"]["location"] == {
        "description": "Ngasem, Ngasem, Kabupaten Bojonegoro",
        "gazetteer": gazetteer,
    }
    assert planned["tender"]["items"][0]["deliveryLocation"] == {
        "description": "Ds. Ngasem Kec. Ngasem",
        "gazetteer": gazetteer,
    }
    # The attempt's own words count; its texts name no village, the plan's do.
    announced = document([*rows, row("SPSE-TenderPengumuman", tender)], wilayah="35.22")
    assert announced["tender"]["location"] == {"description": "Balai", "gazetteer": gazetteer}
    assert "gazetteer" not in json.dumps(document(rows))
    [process] = star_rows({"ocid": "o", **announced}, "o")["contracting_process"]
    assert (process["place_code"], process["village"], process["district"]) == (NGASEM, "Ngasem", "Ngasem")


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["35.22.04.2008"], ("35.22.04.2008", "Ngasem", "Ngasem")),
        (["35.22.04"], ("35.22.04", None, "Ngasem")),
        (["35.22.04.2008", "35.22.04.2009"], ("35.22.04", None, "Ngasem")),
        (["35.22.04.2008", "35.22.23.2005"], (None, None, None)),
        ([], (None, None, None)),
    ],
)
def test_of_several_villages_the_star_tables_have_their_district(
    codes: list[str], expected: tuple[str | None, ...]
) -> None:
    tender = {"id": "t", "location": {"gazetteer": {"scheme": "JEJAK-WILAYAH", "identifiers": codes}}}
    [process] = star_rows({"ocid": "o", "tender": tender}, "o")["contracting_process"]
    assert (process["place_code"], process["village"], process["district"]) == expected


# --- real rows --------------------------------------------------------------------------------------------------------

needs_years = pytest.mark.skipif(
    not all(folder.is_dir() for folder in FOLDERS.values()),
    reason="no folders of real dumps; name their parent in JEJAK_REAL_DATA",
)


def found_in(region: str, service: str) -> dict[str, tuple[str, ...]]:
    """What is found in each row of a service, by the row's digest."""
    code, *fields = TEXTS[service]
    rows: list[dict[str, Any]] = json.loads((FOLDERS[region] / f"{service}.json").read_text(encoding="utf-8"))
    return {
        hashlib.sha256(f"{service}|{each[code]}".encode()).hexdigest()[:12]: places(
            [each.get(field) for field in fields], region
        )
        for each in rows
    }


@needs_years
@pytest.mark.parametrize(("region", "share"), [("61", 0.45), ("32.04", 0.22)])
def test_enough_non_tenders_are_resolved_to_a_village(region: str, share: float) -> None:
    found = found_in(region, "SPSE-NonTenderPengumuman")
    resolved = sum(any(code.count(".") == 3 for code in codes) for codes in found.values())
    assert resolved / len(found) >= share


@needs_years
def test_what_was_read_by_hand_is_still_found_so() -> None:
    with READ.open(encoding="utf-8", newline="") as file:
        verdicts = list(csv.DictReader(file))
    assert len(verdicts) == 200
    found = {each: found_in(*each) for each in {(row["region"], row["service"]) for row in verdicts}}
    right = sum(
        row["verdict"] == "right" and " ".join(found[row["region"], row["service"]][row["row"]]) == row["places"]
        for row in verdicts
    )
    assert right / len(verdicts) >= 0.98
