"""e-musrenbang: lists over REST in every form of paging, other applications' columns, what becomes of a proposal."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

import connectors.musrenbang
import schemas.musrenbang
import transforms.musrenbang
from schemas.errors import RowError, SettingsError, StructureError
from schemas.ocds import EXTENSIONS, extension_files, local_extension, package, validate_release
from schemas.service import Page
from schemas.settings import Settings
from tests.answering import Answer, answering
from tests.states import document, row, state
from transforms.identity import Code
from transforms.rows import identify

USULAN, POKIR = schemas.musrenbang.SERVICES
TOKEN = "kunci-yang-tak-boleh-bocor"


def configured(**source: Any) -> Settings:
    return Settings.model_validate(
        {"name": "Kabupaten Contoh", "ocid_prefix": "ocds-000000", "kd_klpd": "D999", "kd_lpse": "999",
         "fiscal_years": [2025], "sources": {"musrenbang": {"retries": 0, **source}}}
    )  # fmt: skip


def rest(url: str, **more: Any) -> Settings:
    return configured(transport="rest", url=f"{url}/api/", **more)


def fetch(settings: Settings, scope: str = "2025", cursor: str | None = None) -> list[Page]:
    source = settings.sources["musrenbang"]
    return list(connectors.musrenbang.fetch(USULAN, settings, source, scope, cursor))


def asked(paths: list[str]) -> list[tuple[str, dict[str, str]]]:
    split = [urlsplit(path) for path in paths]
    return [(part.path, {name: values[0] for name, values in parse_qs(part.query).items()}) for part in split]


# --- REST ------------------------------------------------------------------------------------------------------------


ONE = [{"id_usulan": 1}]


@pytest.mark.parametrize(
    "body",
    [
        ONE,
        {"data": ONE},
        {"success": True, "data": ONE, "meta": {}},
        {"data": ONE, "next_page_url": None, "links": [{"url": "x", "label": "1"}]},
    ],
)
def test_a_whole_list_is_one_page(body):
    with answering(Answer(body)) as server:
        (page,) = fetch(rest(server.url))
    assert (page.rows, page.cursor, page.name) == (ONE, None, "REST usulan")
    assert asked(server.paths) == [("/api/usulan", {"tahun": "2025"})]
    assert "authorization" not in server.requests[0][1]


def test_a_token_is_sent_where_one_is_set():
    with answering(Answer([])) as server:
        (page,) = fetch(rest(server.url, token=TOKEN))
    assert page.rows == []
    assert server.requests[0][1]["authorization"] == f"Bearer {TOKEN}"
    with (
        answering(Answer(status=401)) as server,
        pytest.raises(SettingsError, match="JEJAK_SOURCES__MUSRENBANG__TOKEN"),
    ):
        fetch(rest(server.url))


def test_cursors_lead_from_page_to_page():
    pages = [
        Answer({"data": [{"n": 1}], "meta": {"cursor": "b/+ ="}}),
        Answer({"data": [{"n": 2}], "meta": {"cursor": None}}),
    ]
    with answering(*pages) as server:
        read = fetch(rest(server.url))
        again = fetch(rest(server.url), cursor=read[0].cursor)
    assert [page.rows for page in read] == [[{"n": 1}], [{"n": 2}]]
    assert again == read[1:]
    assert asked(server.paths) == [
        ("/api/usulan", {"tahun": "2025"}),
        ("/api/usulan", {"tahun": "2025", "cursor": "b/+ ="}),
        ("/api/usulan", {"tahun": "2025", "cursor": "b/+ ="}),
    ]


@pytest.mark.parametrize("where", ["next_page_url", "links"])
@pytest.mark.parametrize("host", ["", "{url}", "http://127.0.0.1:9"])
def test_laravel_leads_from_page_to_page(where, host):
    first_page, second_page = Answer(), Answer()
    # Without a total the first page is asked for again at the end: nothing may have moved meanwhile.
    with answering(first_page, second_page, first_page, second_page, first_page) as server:
        link = f"{host.format(url=server.url)}/api/usulan?page=2"
        first = {"data": [{"n": 1}], "meta": {"current_page": 1}, "next_page_url": None, "links": {"next": None}}
        first_page.body = {**first, where: {"next": link} if where == "links" else link}
        second_page.body = {**first, "data": [{"n": 2}]}
        read = fetch(rest(server.url, token=TOKEN))
        again = fetch(rest(server.url), cursor=read[0].cursor)
    assert [page.rows for page in read] == [[{"n": 1}], [{"n": 2}]]
    assert again == read[1:]
    # The year goes along though Laravel's link leaves it out, and to the address that was set, whatever the link says.
    assert asked(server.paths) == [
        ("/api/usulan", {"tahun": "2025"}),
        *[("/api/usulan", {"tahun": "2025", "page": "2"}), ("/api/usulan", {"tahun": "2025"})] * 2,
    ]


def test_a_page_on_another_host_is_refused():
    body = {"data": [{"n": 1}], "next_page_url": f"https://lain.example/api/usulan?page=2&key={TOKEN}"}
    with answering(Answer(body)) as server, pytest.raises(StructureError, match="another host") as caught:
        fetch(rest(server.url, token=TOKEN))
    assert len(server.requests) == 1
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([{"message": "Unauthenticated."}], "neither a list nor an object with data"),
        ([b""], "neither a list nor an object with data"),
        ([{"success": False, "data": []}], "failed .success."),
        ([{"data": {"n": 1}}], "dict where a list"),
        ([{"data": [1]}], "row 1"),
        ([{"data": [{"n": 1}], "next_page_url": "/api/usulan/2"}], "no query"),
        ([{"data": [{"n": 1}], "meta": {"has_more": True}}], "no cursor"),
        ([{"data": [{"n": 1}], "next_page_url": "?page=2"}] * 2, "same cursor"),
        ([{"data": [{"n": 1}], "next_page_url": "?page=2"}, {"data": [], "next_page_url": "?page=3"}], "empty page"),
        (["<html>login"], "HTML"),
    ],
)
def test_an_answer_that_leads_nowhere_fails(answers, message):
    with answering(*map(Answer, answers)) as server, pytest.raises(StructureError, match=message):
        fetch(rest(server.url))


def test_endpoint_and_address_are_settings():
    with answering(Answer([])) as server:
        fetch(rest(server.url, services={"Musrenbang-Usulan": {"endpoint": "v2/asmas"}}))
    assert asked(server.paths) == [("/api/v2/asmas", {"tahun": "2025"})]
    with pytest.raises(SettingsError, match="JEJAK_SOURCES__MUSRENBANG__URL"):
        fetch(configured(transport="rest"))
    for transport in ("isb", "sql"):
        with pytest.raises(
            SettingsError, match=f"{transport}; set JEJAK_SOURCES__MUSRENBANG__TRANSPORT to rest or files"
        ):
            fetch(configured(transport=transport, url="http://127.0.0.1:1"))
    with pytest.raises(SettingsError, match="fiscal year"):
        fetch(rest("http://127.0.0.1:1"), scope="all")


# --- another application's columns -----------------------------------------------------------------------------------

# Columns of `fendikaedo/musrenbang-bappeda` (sources.md, section 4).
OTHER = {
    "columns": {
        "giat_teks": "usulan",
        "tahun_anggaran": "tahun",
        "alamat_teks": "alamat",
        "detail_latpeta": "latitude",
        "detail_langpeta": "longitude",
        "kode_skpd": "opd_id_akhir",
        "id_kecamatan": "kecamatan_id",
        "id_kelurahan": "kelurahan_id",
        "status_usul_teks": "status",
        "tolak_teks": "catatan",
        "id_sub_bl": "sub_kegiatan",
        "rekom_lurah_rekomendasi": "rekomendasi_kelurahan_desa",
        "rekom_camat_rekomendasi": "rekomendasi_kecamatan",
        "rekom_skpd_rekomendasi": "rekomendasi_skpd",
        "rekom_mitra_rekomendasi": "rekomendasi_mitra",
        "rekom_tapd_rekomendasi": "rekomendasi_tapd",
    },
    "constants": {"level_pengusul": "Desa"},
    "ignore": ["profil", "kabupaten_id", "usulan_ke", "opd_id_awal", "jenis_belanja", "pilihan"],
}
OTHERS_ROW = {
    "id_usulan": 17, "tanggal_usul": "20/01/2024", "pengusul": "Warga Contoh", "profil": "x", "usulan": "Rabat beton",
    "masalah": "Becek", "alamat": "RT 1", "kabupaten_id": 1, "kecamatan_id": 2, "kelurahan_id": 3, "latitude": "-7,15",
    "longitude": "111,88", "usulan_ke": 1, "opd_id_awal": 4, "opd_id_akhir": 5, "status": "Diterima", "catatan": None,
    "rekomendasi_mitra": None, "rekomendasi_kelurahan_desa": "Mendesak", "rekomendasi_kecamatan": None,
    "rekomendasi_skpd": None, "rekomendasi_tapd": None, "volume": "1.250,5", "satuan": "m",
    "anggaran": "Rp 150.000.000,-", "jenis_belanja": "modal", "sub_kegiatan": "1.03.10.2.01.0005", "pilihan": 0,
    "tahun": 2025,
}  # fmt: skip


def read_other(rows: list[dict[str, object]]) -> Any:
    assert [set(USULAN.key) <= set(found) for found in rows] == [True]
    record: Any = USULAN.model.model_validate(rows[0])
    assert not record.model_extra
    return record


def test_another_applications_columns_over_rest_and_from_a_file(tmp_path):
    services = {"Musrenbang-Usulan": OTHER}
    with answering(Answer([OTHERS_ROW])) as server:
        (page,) = fetch(rest(server.url, services=services))
    over_rest = read_other(page.rows)
    (tmp_path / "Musrenbang-Usulan2025.json").write_text(json.dumps([OTHERS_ROW]))
    (page,) = fetch(configured(transport="files", folder=str(tmp_path), services=services))
    assert read_other(page.rows) == over_rest
    assert (over_rest.giat_teks, over_rest.tahun_anggaran, over_rest.tanggal_usul) == (
        "Rabat beton",
        2025,
        "2024-01-20",
    )
    assert (over_rest.anggaran, over_rest.volume, over_rest.kode_skpd) == (150_000_000, 1250.5, "5")
    body = document([row(USULAN.name, page.rows[0])])
    (proposal,) = body["planning"]["proposals"]
    assert proposal["location"]["geometry"]["coordinates"] == [111.88, -7.15]
    assert "Warga Contoh" not in json.dumps(body)


def test_a_mapped_column_may_be_left_out_by_a_later_page_but_not_by_the_first():
    services = {"Musrenbang-Usulan": {"columns": {"giat_teks": "usulan"}}}
    pages = [{"data": [{"id_usulan": 1, "usulan": "A"}], "next_page_url": "?page=2"}, {"data": [{"id_usulan": 2}]}]
    with answering(*map(Answer, [*pages, pages[0]])) as server:
        read = fetch(rest(server.url, services=services))
    assert [page.rows for page in read] == [[{"id_usulan": 1, "giat_teks": "A"}], [{"id_usulan": 2, "giat_teks": None}]]
    with answering(Answer(pages[1])) as server, pytest.raises(StructureError, match="lacks the mapped columns usulan"):
        fetch(rest(server.url, services=services))


# --- rows ------------------------------------------------------------------------------------------------------------

ROW: dict[str, Any] = {
    "id_usulan": 1204,
    "tahun_anggaran": "2025",
    "tanggal_usul": "2024-01-20",
    "giat_teks": "Pembangunan Jalan Lingkungan, hub. 081234567890",
    "masalah": "Jalan becek",
    "tujuan_usul": "Memperlancar akses",
    "detail_camatteks": "Angan",
    "detail_lurahteks": "Sukareka",
    "alamat_teks": "Rumah Pak Contoh",
    "lokus_usulan": "Dusun Krajan",
    "detail_latpeta": "111,88",
    "detail_langpeta": "-7,15",
    "pengusul": "Budi Contoh",
    "level_pengusul": "Desa",
    "nama_skpd_awal": "DINAS LAMA",
    "nama_skpd": "DINAS CONTOH",
    "kode_skpd": "1.03.0.00.0.00.02.0000",
    "anggaran": "150.000.000,00",
    "koefisien": "200 Meter",
    "satuan": "Meter",
    "volume": "200",
    "rekom_camat_anggaran": "120.000.000",
    "rekom_camat_koefisien": "150 Meter",
    "rekom_camat_rekomendasi": "Prioritas",
    "status_usul_teks": "Diterima",
    "is_batal": 0,
    "is_tolak": "0",
    "is_verif": 1,
    "file_proposal": "https://contoh.example/berkas/usulan 1204.pdf",
    "file_rab": "rab-1204.xlsx",
    "id_sub_bl": "1.03.10.2.01.0005",
}


def proposal_of(**changes: Any) -> dict[str, Any]:
    body = state([row(USULAN.name, ROW | changes)]).document
    proposal: dict[str, Any] = body["planning"]["proposals"][0]
    return proposal


def test_a_proposal_in_ocds():
    body = document([row(USULAN.name, ROW)])
    office = {"id": "JEJAK-SATKER-D999-1.03.0.00.0.00.02.0000", "name": "DINAS CONTOH"}
    assert body["planning"]["proposals"] == [
        {
            "id": "usulan-1204",
            "title": "Pembangunan Jalan Lingkungan, hub. […]",
            "description": "Jalan becek\nMemperlancar akses",
            "status": "accepted",
            "statusDetails": "Diterima",
            "date": "2024-01-20T00:00:00+07:00",
            "proposedBy": "Desa",
            "organization": office,
            "location": {
                "description": "Dusun Krajan",
                "geometry": {"type": "Point", "coordinates": [111.88, -7.15]},
            },
            "address": {"locality": "Sukareka", "region": "Angan"},
            "quantity": 200,
            "unit": {"name": "Meter"},
            "value": {"amount": 150_000_000, "currency": "IDR"},
            "recommendations": [
                {
                    "id": "camat",
                    "value": {"amount": 120_000_000, "currency": "IDR"},
                    "quantity": 150,
                    "description": "Prioritas",
                }
            ],
            "documents": [
                {
                    "id": body["planning"]["proposals"][0]["documents"][0]["id"],
                    "title": "Proposal",
                    "url": "https://contoh.example/berkas/usulan%201204.pdf",
                    "format": "application/pdf",
                    "language": "id",
                }
            ],
        }
    ]
    assert [party["id"] for party in body["parties"]] == [office["id"]]
    for secret in ("Budi", "Pak Contoh", "0812"):
        assert secret not in json.dumps(body)


@pytest.mark.parametrize(
    ("village", "district", "codes"),
    [
        ("Ngasem", "Ngasem", ["35.22.04.2008"]),
        ("DESA NGASEM", "KEC. NGASEM", ["35.22.04.2008"]),
        # The village's name is no place's; the district's stands. Neither, and nothing is guessed.
        ("Sukareka", "Ngasem", ["35.22.04"]),
        ("Sukareka", "Angan", None),
        (None, None, None),
    ],
)
def test_a_proposal_has_the_code_of_its_village_else_of_its_district(village, district, codes):
    place = {"detail_lurahteks": village, "detail_camatteks": district}
    [proposal] = document([row(USULAN.name, ROW | place)], wilayah="35.22")["planning"]["proposals"]
    assert proposal["location"].get("gazetteer", {}).get("identifiers") == codes
    assert proposal["location"]["description"] == "Dusun Krajan"


def test_each_proposal_of_a_process_stands_once_as_the_latest_year_has_it():
    rows = [row(USULAN.name, ROW | {"id_usulan": number}) for number in (3, 1)]
    earlier = ROW | {"id_usulan": 1, "tahun_anggaran": 2024, "status_usul_teks": "Ditolak"}
    body = document([*rows, row(USULAN.name, earlier, scope="2024")])
    assert [(p["id"], p["status"]) for p in body["planning"]["proposals"]] == [
        ("usulan-1", "accepted"),
        ("usulan-3", "accepted"),
    ]


def test_a_councillors_proposal_names_the_council():
    body = document([row(POKIR.name, ROW | {"level_pengusul": None})])
    assert [(p["id"], p["proposedBy"]) for p in body["planning"]["proposals"]] == [("pokir-1204", "DPRD")]


@pytest.mark.parametrize(
    ("changes", "status", "details"),
    [
        ({}, "accepted", "Diterima"),
        ({"is_tolak": 1, "tolak_teks": "Bukan kewenangan"}, "rejected", "Diterima: Bukan kewenangan"),
        ({"is_tolak": 1, "is_batal": "1", "batal_teks": "Ganda"}, "withdrawn", "Diterima: Ganda"),
        ({"status_usul_teks": "verifikasi  Kecamatan", "is_verif": 0}, "proposed", "verifikasi  Kecamatan"),
        ({"status_usul_teks": None}, "verified", None),
        ({"status_usul_teks": None, "is_verif": None}, "proposed", None),
        ({"status_usul_teks": "Entahlah", "is_verif": None}, None, "Entahlah"),
        ({"status_usul_teks": "Entahlah"}, "verified", "Entahlah"),
    ],
)
def test_the_status_of_a_proposal(changes, status, details):
    proposal = proposal_of(**changes)
    assert (proposal.get("status"), proposal.get("statusDetails")) == (status, details and " ".join(details.split()))
    (found,) = transforms.musrenbang.evidence(USULAN.name, row(USULAN.name, ROW | changes).record)
    assert found.status == status


def test_an_unknown_status_is_signalled():
    found = state([row(USULAN.name, ROW | {"status_usul_teks": "Entahlah"})])
    assert found.signals == {("musrenbang", "Musrenbang-Usulan", "status_usul_teks", "Entahlah")}


@pytest.mark.parametrize(
    ("place", "kept"),
    [
        ({"detail_latpeta": "-7.15", "detail_langpeta": "111.88"}, True),
        ({"detail_latpeta": "7.15", "detail_langpeta": "111.88"}, False),
        ({"detail_latpeta": "tidak tahu", "detail_langpeta": "111.88"}, False),
        ({"detail_latpeta": None}, False),
    ],
)
def test_a_bad_place_costs_no_proposal(place, kept):
    assert ("geometry" in proposal_of(**place)["location"]) is kept


def test_the_least_that_a_proposal_can_say():
    body = document([row(USULAN.name, {"id_usulan": "7"})])
    assert body["planning"] == {"proposals": [{"id": "usulan-7", "status": "proposed"}]}
    with pytest.raises(ValidationError, match="no code of its own"):
        USULAN.model.model_validate({"id_usulan": 0})
    with pytest.raises(ValidationError, match="an amount of IDR"):
        USULAN.model.model_validate({"id_usulan": 1, "anggaran": "seratus juta"})


def test_what_a_proposal_tells_of_where_it_belongs():
    record = row(USULAN.name, ROW).record
    (found,) = transforms.musrenbang.evidence(USULAN.name, record)
    assert found.subject == ("usulan", "1204")
    assert (found.year, found.office, found.office_name) == (2025, "1.03.0.00.0.00.02.0000", "DINAS CONTOH")
    assert found.maks == ("1.3.10.2.1.5",)
    assert found.amounts == (150_000_000.0, 120_000_000.0)
    assert found.titles == ("Pembangunan Jalan Lingkungan, hub. […]", "Dusun Krajan")
    assert (found.villages, found.districts, found.points) == (("Sukareka",), ("Angan",), ((-7.15, 111.88),))
    assert (found.dates, found.status, found.rups) == (("2024-01-20",), "accepted", ())
    moved = ROW | {"nama_skpd": None, "id_sub_bl": 4711, "id_usulan": " 12  b.0 "}
    (found,) = transforms.musrenbang.evidence(POKIR.name, row(POKIR.name, moved).record)
    expected: Code = ("pokir", identify(POKIR, moved).code)
    assert (found.subject, found.office_name, found.maks) == (expected, "DINAS LAMA", ())


# --- the extension ---------------------------------------------------------------------------------------------------


def test_packages_declare_the_extension_where_its_files_are_to_be_put():
    assert local_extension("https://contoh.example/data/") == (
        "https://contoh.example/data/extensions/indonesia/extension.json"
    )
    declared = package("https://contoh.example/all.json", {"name": "Contoh"}, "2025-01-01T00:00:00Z")["extensions"]
    assert declared == [*EXTENSIONS, "https://jejak.invalid/extensions/indonesia/extension.json"]
    given = package("https://a.example/1", {"name": "Contoh"}, "2025-01-01T00:00:00Z", "https://b.example/")
    assert given["extensions"][-1] == "https://b.example/extensions/indonesia/extension.json"


def test_the_extension_is_whole():
    files = extension_files()
    assert set(files) == {
        f"extensions/indonesia/{name}"
        for name in ("README.md", "codelists/proposalStatus.csv", "extension.json", "release-schema.json")
    }
    description = json.loads(files["extensions/indonesia/extension.json"])
    named = [*description["schemas"], *(f"codelists/{name}" for name in description["codelists"])]
    assert all(f"extensions/indonesia/{name}" in files for name in named)
    assert set(description["dependencies"]) <= set(EXTENSIONS)
    proposal = json.loads(files["extensions/indonesia/release-schema.json"])["definitions"]["Proposal"]["properties"]
    status = files["extensions/indonesia/codelists/proposalStatus.csv"].decode().splitlines()
    assert [code for code in proposal["status"]["enum"] if code] == [line.partition(",")[0] for line in status[1:]]


@pytest.mark.parametrize(
    "change",
    [
        {"status": "Diterima"},
        {"pengusul": "X"},
        {"id": ""},
        {"organization": None},
        {"recommendations": []},
        {"recommendations": [{"id": "a"}, {"id": "a"}]},
        {"quantity": "2"},
    ],
)
def test_the_gate_lets_no_other_proposal_pass(change):
    release = {"ocid": "ocds-000000-rup-1", "id": "1", "date": "2025-01-01T00:00:00+07:00", "tag": ["planning"],
               "initiationType": "tender", "planning": {"proposals": [{"id": "usulan-1"}]}}  # fmt: skip
    validate_release(release)
    release["planning"] = {"proposals": [{"id": "usulan-1", **change}]}
    with pytest.raises(RowError, match="planning/proposals/0"):
        validate_release(release)
