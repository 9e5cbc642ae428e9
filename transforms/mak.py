"""The budget account code (MAK) in one form, however a system pads, prefixes or ends it.

LKPP writes `3.30.05.2.01.0002.5.1.02.02.01.0047.`: sub-activity (6 segments), account (6 segments), an optional suffix
and a dot at the end. Systems differ in leading zeros (sub-activities have two digits in older lists, four in new ones).
"""

import re
from functools import lru_cache

SUB_ACTIVITY, WHOLE = 6, 12

_BETWEEN = re.compile(r"[.\s]+")


@lru_cache(maxsize=65536)
def canonical(mak: str | None) -> str | None:
    """The code without leading zeros, suffix and dots at the ends; its sub-activity alone where it has no full account.

    None for what is no such code (`-`, letters, fewer than six segments).

        >>> canonical("3.30.05.2.01.0002.5.1.02.02.01.0047.")
        '3.30.5.2.1.2.5.1.2.2.1.47'
        >>> canonical("3 .30.05.2.01.02")
        '3.30.5.2.1.2'
    """
    segments = [part for part in _BETWEEN.split((mak or "").strip()) if part]
    if len(segments) < SUB_ACTIVITY or not all(part.isdecimal() for part in segments[:SUB_ACTIVITY]):
        return None
    whole = len(segments) >= WHOLE and all(part.isdecimal() for part in segments[:WHOLE])
    return ".".join(str(int(part)) for part in segments[: WHOLE if whole else SUB_ACTIVITY])


def sub_activity(mak: str) -> str:
    """The sub-activity of a canonical code."""
    return ".".join(mak.split(".")[:SUB_ACTIVITY])


def is_whole(mak: str) -> bool:
    """Whether a canonical code names an account too."""
    return mak.count(".") + 1 == WHOLE


_WIDTHS = (1, 1, 2, 2, 2, 4)
_SPENDING = "5"


@lru_cache(maxsize=65536)
def account(mak: str | None) -> str | None:
    """The account of a code in the form of Permendagri 90, `5.1.02.01.01.0024`: of a whole code, or of one that is the
    account alone. None where there is none, or one that is not of spending (a code whose digits were shifted).

        >>> account("3.30.05.2.01.0002.5.1.2.2.1.47")
        '5.1.02.02.01.0047'
    """
    segments = [part for part in _BETWEEN.split((mak or "").strip()) if part]
    if len(segments) >= WHOLE:
        segments = segments[SUB_ACTIVITY:WHOLE]
    elif len(segments) != SUB_ACTIVITY or len(segments[1]) != 1:  # a sub-activity's second segment has two digits
        return None
    fits = all(
        part.isdecimal() and len(part.lstrip("0")) <= width for part, width in zip(segments, _WIDTHS, strict=True)
    )
    if segments[0] != _SPENDING or not fits:
        return None
    return ".".join(str(int(part)).zfill(width) for part, width in zip(segments, _WIDTHS, strict=True))
