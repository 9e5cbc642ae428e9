"""`jejak init`: the first settings file, from flags or from answers typed in a terminal."""

import os
import pty
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pipeline.beginning import ROADS
from pipeline.configure import load_settings
from pipeline.registry import SOURCES
from tests.worlds import jejak

ROOT = Path(__file__).parents[1]
NEEDED = ("--name", "Pemerintah Kabupaten Contoh", "--kd-klpd", "D999", "--kd-lpse", "999")


@pytest.mark.parametrize("source", SOURCES)
def test_each_road_of_each_source_makes_settings_that_load(tmp_path, source):
    for road in ROADS[source]:
        path = tmp_path / f"{road}.toml"
        result = jejak("init", path, *NEEDED, "--yes", "--source", f"{source}={road}")
        assert result.status == 0, result.err
        settings = load_settings(str(path))
        assert {name: each.transport for name, each in settings.sources.items()} == {source: road}
        assert (settings.name, settings.kd_klpd, settings.fiscal_years) == (NEEDED[1], "D999", [])
        # What is written as a comment is right once its marks are taken away.
        path.write_text(
            path.read_text()
            .replace("\n# [", "\n[")
            .replace("\n# file", "\nfile")
            .replace("\n# enabled", "\nenabled")
            .replace("\n# service_no", "\nservice_no")
            .replace("\n# endpoint", "\nendpoint")
            .replace("\n# transport", "\ntransport")
        )
        assert set(load_settings(str(path)).sources) == set(SOURCES)


def test_what_is_given_stands_in_the_file_and_secrets_do_not(tmp_path):
    path = tmp_path / "settings" / "contoh.toml"
    more = ("--ocid-prefix", "ocds-abc123", "--utc-offset", "+08:00", "--years", "2024, 2025", "--postgresql")
    roads = ("simpen=files:data/simpen/{year}", "musrenbang=rest:https://musrenbang.example/api", "simda=sql")
    result = jejak("init", path, *NEEDED, *more, *(part for road in roads for part in ("--source", road)))
    assert result.status == 0, result.err
    found = tomllib.loads(path.read_text())
    assert found["sources"] == {
        "simpen": {"transport": "files", "folder": "data/simpen/{year}"},
        "musrenbang": {"transport": "rest", "url": "https://musrenbang.example/api"},
        "simda": {"transport": "sql"},
    }
    assert (found["fiscal_years"], found["utc_offset"], found["ocid_prefix"]) == ([2024, 2025], "+08:00", "ocds-abc123")
    for variable in ("JEJAK_WAREHOUSE_URL", "JEJAK_SOURCES__SIMDA__DATABASE", "JEJAK_SOURCES__MUSRENBANG__TOKEN"):
        assert f"#   {variable}=" in path.read_text()
        assert f"export {variable}=" in result.out


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        ((), "give --name"),
        ((*NEEDED[:2], "--kd-klpd", "Kabupaten"), "--kd-klpd a code is a letter and digits"),
        ((*NEEDED, "--ocid-prefix", "bojonegoro"), "--ocid-prefix a prefix is ocds- and six letters or digits"),
        ((*NEEDED, "--years", "next"), "--years write years"),
        ((*NEEDED, "--years", "1950"), "fiscal_years"),
        ((*NEEDED, "--wilayah", "99.99"), "--wilayah 99.99: no province or regency has this code"),
        ((*NEEDED, "--source", "simpen=rest:foo"), "sources.simpen.url: must be an address"),
        ((*NEEDED, "--source", "simd=sql"), "simd is no source; did you mean simda?"),
        ((*NEEDED, "--source", "simda=isb"), "simda is read by sql or sipd or files, not by isb"),
        ((*NEEDED, "--source", "simda=sql:mssql://reader:rahasia@host/db"), "a database's address holds its password"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(tmp_path, arguments, remedy):
    result = jejak("init", tmp_path / "x.toml", "--yes", *arguments)
    assert result.status == 1
    assert remedy in result.err
    assert "rahasia" not in result.err
    assert not (tmp_path / "x.toml").exists()


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "x.toml").write_text("mine")
    result = jejak("init", tmp_path / "x.toml", *NEEDED)
    assert (result.status, "is there already" in result.err) == (1, True)
    assert (tmp_path / "x.toml").read_text() == "mine"


def test_in_a_terminal_it_asks_and_asks_again(tmp_path):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "commands.main", "init", str(tmp_path / "x.toml")]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        typed = ["Kabupaten Contoh", "Contoh", "D999", "999", "35.22", "", "", "2025",
                 "inaproc", "gopher", "isb", "", "rest", "https://musrenbang.example/api", "files", "", ""]  # fmt: skip
        os.write(ours, "".join(f"{line}\n" for line in typed).encode())
        out, err = process.communicate(timeout=120)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0, err.decode()
    assert b"a code is a letter and digits" in err
    assert b"not by gopher" in err
    found = tomllib.loads((tmp_path / "x.toml").read_text())
    assert {name: each["transport"] for name, each in found["sources"].items()} == {
        "sirup": "inaproc", "lpse": "isb", "musrenbang": "rest", "simpen": "files"
    }  # fmt: skip
    named = ("Kabupaten Contoh", "D999", "35.22", [2025])
    assert (found["name"], found["kd_klpd"], found["wilayah"], found["fiscal_years"]) == named
    assert b"export JEJAK_SETTINGS=" in out
