"""The clock of observation and of bookkeeping, and the regency's local time."""

import os
from datetime import UTC, datetime


def utc_now() -> str:
    """Now, in UTC; JEJAK_NOW (the same form) fixes it, so that a run can be repeated."""
    return os.environ.get("JEJAK_NOW") or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_ZONES = {"+07:00": "WIB", "+08:00": "WITA", "+09:00": "WIT"}


def shown(moment: str, utc_offset: str) -> str:
    """A UTC time as people of the regency read it, with the name of the zone: `2025-01-31 10:00 WIB`."""
    return f"{local_time(moment, utc_offset)[:16].replace('T', ' ')} {_ZONES.get(utc_offset, utc_offset)}"


def local_time(moment: str, utc_offset: str) -> str:
    """A UTC time as the regency's local time of whole seconds with its offset: `2025-01-31T10:00:00+07:00`."""
    zone = datetime.fromisoformat(f"2000-01-01T00:00:00{utc_offset}").tzinfo
    return datetime.fromisoformat(moment).astimezone(zone).isoformat(timespec="seconds")
