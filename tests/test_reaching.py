"""A source that can't be reached: what is wrong is told apart, over HTTP and SQL, and no password is ever shown."""

import datetime as dt
import errno
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
import tenacity
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr
from sqlalchemy import make_url

import connectors.dokumen
import connectors.lpse
import schemas.dokumen
import schemas.lpse
from connectors.transport import sql
from schemas.errors import JejakError, SettingsError, SourceUnavailable
from schemas.settings import Settings, SourceSettings

SECRET = "sandi-yang-tak-boleh-bocor"
TENDERS = next(service for service in schemas.lpse.SERVICES if service.name == "SPSE-TenderPengumuman")


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenacity.nap, "time", SimpleNamespace(sleep=lambda seconds: None))


def settings_of(**source: Any) -> Settings:
    return Settings.model_validate(
        {"name": "Kabupaten Contoh", "ocid_prefix": "ocds-000000", "kd_klpd": "D999", "kd_lpse": "999",
         "fiscal_years": [2025], "sources": {"lpse": source, "dokumen": source}}
    )  # fmt: skip


def read(url: str, **more: Any) -> list[dict[str, object]]:
    settings = settings_of(transport="inaproc", url=url, token=SECRET, **{"retries": 0, **more})
    pages = connectors.lpse.fetch(TENDERS, settings, settings.sources["lpse"], "2025")
    return [row for page in pages for row in page.rows]


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


# --- HTTP ------------------------------------------------------------------------------------------------------------


@contextmanager
def over_tls(folder: Path) -> Iterator[tuple[str, Path]]:
    """Address of a server whose certificate an authority of its own has signed, and that authority's certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Otoritas Contoh")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "ca.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"success": true, "data": [{"kd_tender": 1}]}')

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}/api", public
    finally:
        server.shutdown()
        server.server_close()


def test_a_private_authority_is_named_with_its_remedy(tmp_path, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    with over_tls(tmp_path) as (url, authority):
        with pytest.raises(SettingsError, match="set REQUESTS_CA_BUNDLE"):
            read(url, retries=5)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
        assert read(url) == [{"kd_tender": 1}]


def test_a_port_a_name_and_a_proxy_are_told_apart(unused_port, monkeypatch):
    for url, result in (
        (f"http://127.0.0.1:{unused_port}/api", "refused the connection.*check host and port"),
        ("http://tidak-ada.invalid/api", "host whose name is unknown"),
    ):
        with pytest.raises(JejakError, match=result):
            read(url)
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port}")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(SourceUnavailable, match="check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"):
        read("http://lpse.example/api")


@pytest.mark.parametrize("code", ["EHOSTUNREACH", "ENETUNREACH"])
def test_a_host_without_a_route_is_told(code, monkeypatch):
    """What the system says of such a host; which addresses have no route depends on the machine."""

    def unroutable(*_: object, **__: object) -> socket.socket:
        raise OSError(getattr(errno, code), "no route")

    monkeypatch.setattr("urllib3.util.connection.create_connection", unroutable)
    monkeypatch.setattr("urllib3.connection.connection.create_connection", unroutable)
    with pytest.raises(SourceUnavailable, match="no route leads to its host"):
        read("http://10.255.255.1/api")


# --- SQL -------------------------------------------------------------------------------------------------------------


def refused(url: str) -> JejakError:
    """The error of connecting to a database."""
    source = SourceSettings(transport="sql", database=SecretStr(url), timeout_seconds=5)
    with pytest.raises(JejakError) as caught, sql.reading(source, "JEJAK_SOURCES__SIMDA__DATABASE"):
        pass
    assert SECRET not in str(caught.value)
    assert "JEJAK_SOURCES__SIMDA__DATABASE" in str(caught.value)
    return caught.value


def test_a_database_tells_why_it_takes_nobody(postgres_server, unused_port, tmp_path):
    there = make_url(postgres_server)
    address = f"{there.username}:{SECRET}@127.0.0.1:{unused_port}/simda"
    for driver in ("postgresql+psycopg", "mssql+pymssql"):
        assert "check both" in str(refused(f"{driver}://{address}"))
    unknown = refused(f"postgresql+psycopg://x:{SECRET}@tidak-ada.invalid/simda")
    assert "name that is unknown" in str(unknown)
    assert isinstance(unknown, SourceUnavailable)
    missing = refused(there.set(drivername="postgresql+psycopg", database="tidak_ada").render_as_string(False))
    assert "no database of that name" in str(missing)
    assert isinstance(missing, SettingsError)
    nobody = there.set(drivername="postgresql+psycopg", username="tidak_ada", password=SECRET)
    assert "check user and password" in str(refused(nobody.render_as_string(False)))
    assert "isn't there" in str(refused(f"sqlite:///{tmp_path}/login failed.db"))


@pytest.mark.parametrize(
    ("message", "found", "kind"),
    [
        ("(18456, b\"Login failed for user 'reader'.DB-Lib error message 20018\")", "user and password", SettingsError),
        ('connection failed: FATAL:  password authentication failed for user "x"', "user and password", SettingsError),
        ("(4060, b'Cannot open database \"Simda_2026\" requested by the login.')", "name in", SettingsError),
        ("Net-Lib error during No route to host (113)", "no route", SourceUnavailable),
        ("connection timeout expired", "firewalls", SourceUnavailable),
    ],
)
def test_what_drivers_say_is_understood(message, found, kind):
    """Servers that this machine doesn't have, in the words of their drivers."""
    from sqlalchemy.exc import OperationalError

    error = sql._refusal(OperationalError("", None, Exception(message)), "VARIABLE")
    assert found in str(error)
    assert isinstance(error, kind)


# --- folders ---------------------------------------------------------------------------------------------------------


def test_a_document_that_is_a_link_to_elsewhere_is_refused(tmp_path):
    inside = tmp_path / "dokumen" / "2025" / "90000001"
    inside.mkdir(parents=True)
    (tmp_path / "rahasia.pdf").write_bytes(b"%PDF")
    (inside / "KAK.pdf").symlink_to(tmp_path / "rahasia.pdf")
    settings = settings_of(transport="files", folder=f"{tmp_path}/dokumen/{{year}}", url="https://x.example/{year}")
    (service,) = schemas.dokumen.SERVICES
    with pytest.raises(SettingsError, match="a link that leads out"):
        list(connectors.dokumen.fetch(service, settings, settings.sources["dokumen"], "2025"))
