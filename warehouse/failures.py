"""Why the warehouse failed, in a sentence with what to do; without addresses, passwords or values of rows."""

import re
import sqlite3

import psycopg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

# Part of an error's text -> what to do.
_SQLITE = {
    "unable to open database file": "the warehouse's file can't be opened: look at the path in JEJAK_WAREHOUSE_URL, "
    "and whether you may read and write it and its folder",
    "file is not a database": "the warehouse's file is no SQLite database: look at the path in JEJAK_WAREHOUSE_URL",
    "readonly database": "the warehouse's file or its folder is read-only: let this user write both, or give another "
    "one in JEJAK_WAREHOUSE_URL",
    "disk is full": "the disk of the warehouse is full: make room, then run the same command again",
    "disk I/O error": "the disk of the warehouse failed: look at the disk, then run the same command again",
    "is locked": "another process has been writing into the warehouse for minutes: wait until it is done, or end it",
    "malformed": "the warehouse's file is damaged: restore a backup (`jejak restore`)",
    "no such table": "tables of the warehouse are missing: restore a backup (`jejak restore`), or give an empty file",
    "no such column": "the warehouse has other tables than this version's: restore a backup (`jejak restore`)",
}
_REACHING = {
    "password authentication failed": "the warehouse refused user or password: look at JEJAK_WAREHOUSE_URL",
    "no password supplied": "the warehouse wants a password: give it in JEJAK_WAREHOUSE_URL",
    "no pg_hba.conf entry": "the warehouse lets nobody in from this machine: have its administrator allow it",
    "Connection refused": "nothing listens at the warehouse's address: look at host and port in JEJAK_WAREHOUSE_URL, "
    "and whether its server runs",
    "resolve host": "the warehouse's host is unknown: look at the host in JEJAK_WAREHOUSE_URL",
    "translate host name": "the warehouse's host is unknown: look at the host in JEJAK_WAREHOUSE_URL",
    'FATAL:  role "': "the warehouse refused user or password: look at JEJAK_WAREHOUSE_URL",
    'FATAL:  database "': "the warehouse's server has no such database: create it, or look at the name in "
    "JEJAK_WAREHOUSE_URL",
    "the database system is": "the warehouse's server is starting or stopping: run the same command again in a minute",
    "connection slots": "the warehouse's server has no connection left: end others, or allow it more (max_connections)",
    "timeout expired": "the warehouse's server doesn't answer: look at host and port in JEJAK_WAREHOUSE_URL",
    "invalid port number": "the port in JEJAK_WAREHOUSE_URL is none: it goes from 1 to 65535",
    "No such file or directory": "nothing listens at the warehouse's address: look at the host in JEJAK_WAREHOUSE_URL, "
    "and whether its server runs",
}
# SQLSTATE, or its first two characters -> what to do.
_STATES = {
    "28": "the warehouse refused user or password: look at JEJAK_WAREHOUSE_URL",
    "3D000": "the warehouse's server has no such database: create it, or look at the name in JEJAK_WAREHOUSE_URL",
    "40": "another run wrote the same rows meanwhile: run the same command again",
    "42501": "the warehouse's login may not do that: have the database's owner grant it",
    "42P01": "tables of the warehouse are missing: restore a backup (`jejak restore`), or give an empty database",
    "42703": "the warehouse has other tables than this version's: restore a backup (`jejak restore`)",
    "25006": "the warehouse is read-only: give the address of the server that may be written in JEJAK_WAREHOUSE_URL",
    "53100": "the disk of the warehouse is full: make room, then run the same command again",
    "53200": "the warehouse's server has no memory left: run the same command again when it has",
    "53300": "the warehouse's server has no connection left: end others, or allow it more (max_connections)",
    "57P01": "the warehouse's server was stopped or restarted: run the same command again",
    "57P02": "the warehouse's server was stopped or restarted: run the same command again",
    "57P03": "the warehouse's server is starting or stopping: run the same command again in a minute",
    "08": "the connection to the warehouse was lost: run the same command again",
}


def is_about_data(error: Exception) -> bool:
    """Whether what was to be written is the cause of an error, and not how the warehouse or this machine fares."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, psycopg.Error):
        of_data = isinstance(cause, psycopg.DataError | psycopg.IntegrityError)
        return of_data or (cause.sqlstate or "").startswith("54")  # beyond a limit, such as that of an index entry
    if isinstance(cause, sqlite3.Error):
        return isinstance(cause, sqlite3.DataError | sqlite3.IntegrityError | sqlite3.InterfaceError)
    return not isinstance(cause, OSError | MemoryError | SQLAlchemyError)


def explained(error: BaseException) -> str | None:
    """What a person can do about an error of the warehouse, also the driver's own; None where it is no matter of the
    warehouse's operation."""
    if not isinstance(error, DBAPIError | psycopg.Error | sqlite3.Error):
        return None
    cause = getattr(error, "orig", error)
    text, state = str(cause), getattr(cause, "sqlstate", None)
    if state is None:
        known = {**_SQLITE, **_REACHING}
        found = next((known[part] for part in known if part in text), None)
        lost = getattr(error, "connection_invalidated", False) or re.search(r"closed|terminat|lost", text)
        if found is None and lost:
            return _STATES["08"]
        return found
    return _STATES.get(state) or _STATES.get(state[:2])
