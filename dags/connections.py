"""The settings as tasks see them: the file, over it the values of Airflow Connections; the environment wins.

    jejak_warehouse   any PostgreSQL or SQLite connection                         -> warehouse_url
    jejak_<source>    host, schema (a path) and port                              -> url
                      password                                                    -> token (rest, files), api_key (isb)
                      of transport sql: the whole, `driver` and `query` of extra  -> database
                      extra: {"api_keys": {...}, ...}                             -> the settings of those names
    jejak_webhook     host, schema and port, then the password as the path's end  -> alerts.webhook

They come from Airflow's own store or from any secrets backend, and may all be missing. Only the sources that the
settings name are looked for: a connection has the address and key of a source, not that this regency reads it,
nor which of its services (`services` belongs into the file, which the building of records reads too).
"""

import json
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from pydantic import ValidationError
from sqlalchemy import URL

from pipeline.configure import faults, load_settings
from schemas.errors import SettingsError
from schemas.settings import Alerts, Settings, SourceSettings

# Which setting the password is; a database's stands in its URL.
PASSWORDS = {"isb": "api_key", "rest": "token", "files": "token"}
DIALECTS = {"postgres": "postgresql", "mssql": "mssql+pymssql"}


def settings(*sources: str) -> Settings:
    """The settings of a task; only inside tasks, since it reads Airflow's connections. A task that reads sources names
    them: no other connection is read but the warehouse's, so that one that is wrong stops nothing else.

    Raises SettingsError as `load_settings` does, and for a connection with an `extra` that is no setting; a
    value is never repeated.
    """
    return load_settings(more=lambda known: _layer(known, sources))


def alerts() -> Alerts:
    """Where alerts are sent when a run fails or is late, `jejak_webhook` included. Raises as `settings`."""
    return load_settings(more=lambda _: _webhook()).alerts


def _layer(known: Settings, sources: Collection[str]) -> dict[str, Any]:
    more: dict[str, Any] = {"sources": {}}
    if found := _connection("jejak_warehouse"):
        extra = _extra(found)  # options of the driver, as sslmode, stand in it as Airflow has them
        more["warehouse_url"] = _database(found, extra.pop("driver", None), extra)
    for name, source in known.sources.items():
        if name in sources and (found := _connection(f"jejak_{name}")):
            more["sources"][name] = _source(found, source.transport)
    return more


def _webhook() -> dict[str, Any]:
    if not (found := _connection("jejak_webhook")):
        return {}
    if not (url := _address(found)):
        raise SettingsError("connection jejak_webhook has no host: it is the address that alerts are posted to")
    return {"alerts": {"webhook": _masked(f"{url}/{found.password}" if found.password else url)}}


def _connection(name: str) -> Connection | None:
    try:
        found: Connection = Connection.get(name)
    except AirflowNotFoundException:
        return None
    return found


def _source(found: Connection, transport: str) -> dict[str, Any]:
    """The settings of a source that its connection gives."""
    extra = _extra(found)
    transport = extra.get("transport", transport)
    fields: dict[str, Any] = {}
    if transport == "sql":
        driver, query = extra.pop("driver", None), extra.pop("query", {})
        if found.host or found.schema:  # else the connection only adds settings
            fields["database"] = _database(found, driver, query)
    else:
        if found.login:
            raise SettingsError(
                f"connection {found.conn_id} has a login, which transport {transport} doesn't use: "
                "the key or token goes into the password"
            )
        if url := _address(found):
            fields["url"] = url
        if found.password:
            fields[PASSWORDS.get(transport, "token")] = found.password
    if unknown := sorted(extra.keys() - SourceSettings.model_fields.keys()):
        raise SettingsError(
            f"connection {found.conn_id}: extra {', '.join(unknown)} is no setting of a source; "
            f"there are {', '.join(SourceSettings.model_fields)}"
        )
    try:
        checked = SourceSettings.model_validate(fields | extra)
    except ValidationError as failure:
        raise SettingsError(f"connection {found.conn_id}: extra {faults(failure)}") from None
    for secret in (checked.database, checked.token, checked.api_key, *checked.api_keys.values()):
        if secret:
            _masked(secret.get_secret_value())
    return fields | extra


def _address(found: Connection) -> str | None:
    """The URL of an HTTP connection, written either way: `https` and a host, or a whole URL as host."""
    if not found.host:
        return None
    schema, host = found.schema or "", found.host
    if "://" not in host:
        protocols = [word for word in (schema, found.conn_type) if word in ("http", "https")]
        host = f"{(protocols or ['https'])[0]}://{host}"
    url = urlsplit(host)
    path = url.path.rstrip("/")
    if schema not in ("", "http", "https"):
        path += f"/{schema.strip('/')}"
    return urlunsplit((url.scheme, f"{url.netloc}:{found.port}" if found.port else url.netloc, path, url.query, ""))


def _database(found: Connection, driver: str | None, query: dict[str, Any]) -> str:
    """The SQLAlchemy URL of a database's connection."""
    if not found.conn_type:
        raise SettingsError(f"connection {found.conn_id} has no type: choose that of its database")
    dialect = DIALECTS.get(found.conn_type, found.conn_type)
    if driver:
        dialect = f"{dialect.partition('+')[0]}+{driver}"
    place: dict[str, Any] = {
        "username": found.login,
        "password": found.password,
        "host": found.host,
        "port": found.port,
    }
    if dialect == "sqlite":
        place = {"database": "/".join(part for part in (found.host, found.schema) if part)}
    else:
        place["database"] = found.schema
    options = {name: str(value) for name, value in query.items()}
    url = URL.create(dialect, **{name: value or None for name, value in place.items()}, query=options)
    return _masked(url.render_as_string(hide_password=False))


def _extra(found: Connection) -> dict[str, Any]:
    try:
        extra = json.loads(found.extra or "{}")
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        raise SettingsError(f"connection {found.conn_id}: extra is no JSON object")
    return extra


def _masked(secret: str) -> str:
    """The secret, which Airflow from now on shows as *** in this task's log: it knows the password, not what is made
    of it."""
    from airflow.sdk.log import mask_secret

    mask_secret(secret)
    return secret
