"""What an answer claims of itself: that it failed, how many rows there are, that it is one page of several."""

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

# Words by which answers report success; codes of 200 to 299 and zeros do too.
_GOOD = {"true", "ok", "success", "successful", "sukses", "berhasil", "1", "00", "0000", ""}
_TOTALS = ("total", "recordsTotal", "total_rows", "total_data", "total_count", "totalCount")
# What DataTables answers where it doesn't count.
_NOT_COUNTED = 2**31 - 1


class Failure(NamedTuple):
    """That an answer failed: by which of its members, with which codes, and in which words, ready for a sentence."""

    member: str
    codes: set[str]
    message: str


def failure(members: Mapping[str, object], secrets: Collection[str] = ()) -> Failure | None:
    """The failure that an answer's members, other than its rows, report; None where they report none."""
    error = members.get("error")
    for name in ("success", "status", "code", "status_code", "statusCode"):
        if name in members and not _is_good(name, members[name]):
            break
    else:
        name = next((name for name in ("error", "errors") if members.get(name) not in (None, False, "", 0, [], {})), "")
        if not name:
            return None
    message = quoted(error if isinstance(error, dict) else members, secrets) or quoted({"message": error}, secrets)
    codes = {str(part.get(key)) for part in (members, error) if isinstance(part, Mapping) for key in ("code", "status")}
    return Failure(name, codes, message)


def _is_good(name: str, value: object) -> bool:
    if value is None:
        return name != "success"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return 200 <= value < 300 or value == (1 if name in ("success", "status") else 0)
    word = str(value).strip().lower()
    return word in _GOOD or re.fullmatch(r"2\d\d", word) is not None


def quoted(error: object, secrets: Collection[str]) -> str:
    """The message of an error object, to be put into a sentence; empty where it may hold what must not be shown."""
    if not isinstance(error, Mapping):
        return ""
    message = next((error[key] for key in ("message", "msg", "pesan", "error") if isinstance(error.get(key), str)), "")
    text = " ".join(str(message).split())
    # A long run of digits may be somebody's number, a long word a token or an address with its key.
    hidden = re.search(r"\d{7}|\S{25}|[@/\\<>]", text) or any(secret.strip() in text for secret in secrets)
    return f': "{text[:150]}"' if text and not hidden else ""


def total_of(*parts: Any) -> int | None:
    """The number of rows that an answer claims, in the first of its parts that gives one."""
    for part in parts:
        for name in _TOTALS if isinstance(part, Mapping) else ():
            value = part.get(name)
            if isinstance(value, str) and value.strip().isdigit():
                value = int(value)
            if isinstance(value, int) and not isinstance(value, bool) and value != _NOT_COUNTED:
                return value
    return None
