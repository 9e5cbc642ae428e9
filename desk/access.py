"""Who is at the desk, and which requests may write."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fastapi import HTTPException, Request


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who is signed in and may look; `may_decide` too. `name` is an account's."""

    name: str
    may_decide: bool


SignedIn = Callable[..., Any]
"""A dependency that gives the `Operator` of a request. Raises HTTPException 401 for nobody, 403 for one who may not
look."""


def same_origin(request: Request) -> None:
    """Refuse a request that a page of another origin may have made: browsers say where a request comes from, and send
    JSON elsewhere only after asking. Raises HTTPException 403, or 415 for anything but JSON."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "refused.json")
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site != "same-origin":
            raise HTTPException(403, "refused.origin")
        return
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise HTTPException(403, "refused.origin")
