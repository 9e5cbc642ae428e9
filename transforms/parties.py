"""Who takes part: offices by kd_satker_str, suppliers by kd_penyedia, reached from tax numbers and names; and what may
be published of them. Officials' names, tax numbers of persons, accounts, phones and private addresses never pass here.

LKPP's code lists stand in no register of identifier schemes: they bear a prefix of our own, described in the
publication policy."""

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from schemas.fields import CODE_LIMIT, clean
from transforms import shapes

REGENCY_SCHEME = "JEJAK-KLPD"
SUPPLIER_SCHEME = "JEJAK-PENYEDIA"
OFFICE_SCHEME = "JEJAK-SATKER"
TAX_SCHEME = "ID-DJP"
PERSONS = "perorangan"
"""The id of the party that stands for all persons who are paid."""

_NOT_WORD = re.compile(r"[^0-9A-Z]+")
_FIRM_NAME = re.compile(
    r"(?:^|[^A-Z])(?:PT|CV|FA|FIRMA|KOPERASI|YAYASAN|PERSERO|PERUM|PERUMDA|PERSERODA|TBK|COMMANDITAIRE)(?:[^A-Z]|$)"
)
_FIRM_FORM = re.compile(r"Perseroan|Persekutuan|Koperasi|Yayasan|Perusahaan Umum", re.IGNORECASE)
_PERSON_FORM = re.compile(r"Perseorangan", re.IGNORECASE)

# What a body's name begins with. Behind a person's name it is where they work.
_ORGANISATION = re.compile(
    r"(?:BADAN|DINAS|KANTOR|KECAMATAN|KELURAHAN|DESA|PEMERINTAH|PEMDES|PEMKAB|UPT|UPTD|PUSKESMAS|RSUD|KLINIK|"
    r"SEKOLAH|SD|SDN|SMP|SMPN|SMA|SMAN|SMK|SMKN|UNIVERSITAS|POLITEKNIK|INSTITUT|KELOMPOK|POKMAS|POKTAN|GAPOKTAN|LPM|KSM|"
    r"LEMBAGA|PANITIA|TIM|FORUM|IKATAN|HIMPUNAN|PERKUMPULAN|ASOSIASI|MASJID|BUMD|BUMN|BUMDES|BANK|PLN|TELKOM|PDAM|BPJS|"
    r"PERUMDA|PERUSAHAAN|TOKO|RUMAH MAKAN|CATERING|HOTEL|PERCETAKAN|BENGKEL|SPBU|APOTEK|POLRES|KODIM)(?: |$)"
)

# In a digest or an id letters and digits follow one another. As many letters are looked at on both sides of them: else
# what is taken out of a text would show more to the next look.
_BEFORE = "".join(rf"(?<!\d[A-Fa-f]{{{letters}}})" for letters in range(4))
_BEHIND = r"(?![A-Fa-f]{0,3}\d)"
_BEFORE_NUMBER = r"(?<![\dA-Fa-f])(?=\d)(?<!\b0\.)"
_NUMBER = re.compile(f"{_BEFORE_NUMBER}{shapes.NUMBER}{_BEHIND}")
_PHONE = re.compile(rf"(?=[+(]|08|62)(?:(?!\d)|(?<![-./]){_BEFORE})(?:{shapes.MOBILE}|{shapes.LANDLINE}){_BEHIND}")
_CALLED = re.compile(rf"({shapes.CALLED})(?:(?:\+?62[-. ]?|0)[2-9]\d\d?|8\d\d)\)?{shapes.REST_OF_PHONE}{_BEHIND}")
# Without this a text holds none of them; most texts don't.
_DIGITS_ENOUGH = re.compile(r"\d(?:[ .()-]{0,2}\d){7}")
# To the end of the word: else what stands behind a dash would be the beginning of another to the next look.
_EMAIL = re.compile(shapes.MAILBOX + r"[\w.+-]+")
# Whom a text names before a number that was taken out.
_CONTACT = re.compile(
    r"\b((?i:hubungi|kepada|narahubung|contact person|cp|pic|a\.n\.?|u\.p\.?)(?: :|:)? ?)"
    r"([A-Z][\w.'-]*(?:,? [A-Z0-9][\w.'-]*){0,5}?)"
    r"(?=,? (?:\(?(?:NIP|NIK|NPWP|HP|WA|[Tt]e?le?p(?:on)?)[ .:]{0,3})?\[…\])"
)
# A tag, or the beginning of one that nothing ends, which a browser reads all the same. `< 50 juta` is none.
_TAG = re.compile(r"<(?=[A-Za-z/!?])(?:[^<>]*+>)?")
# Only the colons go: without the word, what stands before and behind it could be one again.
_SCRIPT = re.compile(r"(javascript|vbscript)[\s:]*:", re.IGNORECASE)
_AMPERSAND = re.compile(r"&(?:amp;)+")
_ENTITY = re.compile(r"&(?:nbsp|#160);")
_SPACES = re.compile(r"[ \t\xa0]+")
SCRUBBED = "[…]"
# So many texts are remembered: names and places stand in most rows of a process, and in those of others.
_REPEATED = 8192
# Addresses and codes separate by signs that in a text would belong to the number.
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_IN_ADDRESS = re.compile(rf"{_BEFORE_NUMBER}(?:(?:62|0)8\d{{7,11}}|\d{{15,18}})(?![\dA-Fa-f])|@")


@lru_cache(_REPEATED)
def scrub(text: str | None) -> str | None:
    """Free text fit to publish: no markup, no addresses that run code, no marks that show nothing, no tax, staff
    or identity numbers, phones or e-mails (transforms.shapes), nor the name before one of somebody to be called or
    paid. Its time grows with the length of the text alone.

        >>> scrub("<b>Jalan Desa</b> 120 m; hubungi 08" + 10 * "1")
        'Jalan Desa 120 m; hubungi […]'
    """
    if not text:
        return None
    if not text.isprintable():
        text = clean(text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    if "&" in text:
        text = _ENTITY.sub(" ", _AMPERSAND.sub("&", text))
    if ":" in text:
        text = _SCRIPT.sub(r"\1 ", text)
    if "@" in text:
        text = _EMAIL.sub(SCRUBBED, text)
    if "  " in text or "\t" in text or "\xa0" in text:
        text = _SPACES.sub(" ", text)
    if _DIGITS_ENOUGH.search(text):
        text = _PHONE.sub(SCRUBBED, _NUMBER.sub(SCRUBBED, text))
        text = _CALLED.sub(rf"\1{SCRUBBED}", text)
    if SCRUBBED in text:
        text = _CONTACT.sub(lambda found: found[0] if is_organisation(found[2]) else found[1] + SCRUBBED, text)
    text = text.strip()
    # A dash or a dot is how a clerk leaves a field empty.
    return text if len(text) > 3 or any(map(str.isalnum, text)) else None


def is_personal(code: str) -> bool:
    """Whether a code or an address holds what may be somebody's tax or staff number, phone or e-mail."""
    if code.isalpha():
        return False
    plain = " ".join(_ENCODED.sub(" ", code.replace("%40", "@")).split())
    scrubbed = scrub(plain)
    changed = scrubbed != plain if scrubbed else any(map(str.isalnum, plain))
    return changed or bool(_IN_ADDRESS.search(plain))


@lru_cache(_REPEATED)
def plain_name(name: str | None) -> str:
    """A name as it is compared: capitals and digits, single blanks ("CV. Maju  Jaya" and "CV MAJU JAYA" are one)."""
    return _NOT_WORD.sub(" ", (name or "").upper()).strip()


def tax_numbers(*values: str | None) -> list[str]:
    """The distinct tax numbers in NPWP fields as bare digits; a firm's 16 digits (0 + NPWP) are its 15 digits."""
    found: dict[str, None] = {}
    for value in values:
        digits = "".join(filter(str.isdecimal, value or ""))
        if len(digits) == 16 and digits.startswith("0"):
            digits = digits[1:]
        if len(digits) in (15, 16) and digits.strip("0"):
            found[digits] = None
    return list(found)


def supplier_keys(name: str | None, numbers: list[str]) -> list[tuple[str, str]]:
    """What a supplier without kd_penyedia is looked up by, best first: tax numbers (as digests), then the name.

    >>> supplier_keys("CV. Maju  Jaya", [])
    [('name', 'CV MAJU JAYA')]
    """
    keys = [("npwp", _digest(number)) for number in numbers]
    plain = plain_name(name)
    return [*keys, ("name", plain[:CODE_LIMIT])] if plain else keys


@lru_cache(_REPEATED)
def _digest(number: str) -> str:
    return hashlib.sha256(number.encode()).hexdigest()


def is_firm(name: str | None, form: str | None = None) -> bool:
    """Whether name or bentuk_usaha shows a firm, so that its tax number is no personal datum. In doubt: no."""
    if form and _PERSON_FORM.search(form) and not _FIRM_FORM.search(form):
        return False
    return bool(_FIRM_NAME.search((name or "").upper()) or (form and _FIRM_FORM.search(form)))


def is_organisation(name: str | None) -> bool:
    """Whether a name shows a firm, an office or another body, and not a person. In doubt: no."""
    return is_firm(name) or bool(_ORGANISATION.match(plain_name(name)))


def supplier_party(
    known: Mapping[tuple[str, str], str],
    kd_penyedia: str | None,
    name: str | None,
    *numbers: str | None,
    form: str | None = None,
) -> dict[str, object] | None:
    """The party of a supplier; None where a row names none.

    `known` is the supplier crosswalk, (kind, key) -> kd_penyedia. Without any way to a kd_penyedia the id is a
    surrogate made of the plain name.
    """
    taxes = tax_numbers(*numbers)
    keys = supplier_keys(name, taxes)
    code = kd_penyedia or next((known[key] for key in keys if known.get(key)), None)
    name = scrub(name)
    if code is None and not plain_name(name):
        return None
    own = {"scheme": SUPPLIER_SCHEME, "id": code, "legalName": name} if code else None
    firm = is_firm(name, form)
    number = next((number for number in taxes if len(number) == 15), None) if firm else None
    taxed = {"scheme": TAX_SCHEME, "id": number, "legalName": name} if number else None
    party: dict[str, object] = {
        "id": f"{SUPPLIER_SCHEME}-{code}" if code else surrogate("supplier", name),
        "name": name,
    }
    if taxed or own:
        party["identifier"] = taxed or own
    if taxed and own:
        party["additionalIdentifiers"] = [own]
    if form:
        party["details"] = {"legalForm": scrub(form)}
    return party


def has_code(party: Mapping[str, object]) -> bool:
    """Whether a supplier's party is known by its code, not by a surrogate made of its name."""
    return str(party["id"]).startswith(f"{SUPPLIER_SCHEME}-")


def names_firm(party: Mapping[str, Any]) -> bool:
    """Whether a party's name or legal form shows a firm. In doubt: no."""
    return is_firm(party.get("name"), (party.get("details") or {}).get("legalForm"))


def names_organisation(party: Mapping[str, Any]) -> bool:
    """Whether a party's name or legal form shows a firm, an office or another body. In doubt: no."""
    return names_firm(party) or is_organisation(party.get("name"))


def payee_party(name: str | None) -> dict[str, object] | None:
    """The party of who is paid for self-managed work: an organisation by its name; persons are one party without
    names, since an honorarium is nobody else's business. None where a row names nobody."""
    if not plain_name(name):
        return None
    if is_organisation(name):
        return {"id": surrogate("supplier", scrub(name)), "name": scrub(name)}
    return {"id": PERSONS, "name": "Perorangan"}


def office_party(
    kd_klpd: str | None, kd_satker_str: str | None, name: str | None, address: str | None = None
) -> dict[str, object] | None:
    """The party of an office (satker). Codes of offices repeat from regency to regency, so the regency's code leads."""
    name = scrub(name)
    code = "".join((kd_satker_str or "").split())
    if "." in code:
        code = f"{kd_klpd}-{code}" if kd_klpd else code
        return {
            "id": f"{OFFICE_SCHEME}-{code}",
            "name": name,
            "identifier": {"scheme": OFFICE_SCHEME, "id": code, "legalName": name},
            "address": {"streetAddress": scrub(address)},
        }
    if not plain_name(name):
        return None
    return {"id": surrogate("office", f"{kd_klpd or ''} {name}"), "name": name}


def regency_party(kd_klpd: str) -> dict[str, object]:
    """The party of the regency as a whole, for processes whose office nobody has named."""
    return {"id": f"{REGENCY_SCHEME}-{kd_klpd}", "identifier": {"scheme": REGENCY_SCHEME, "id": kd_klpd}}


def surrogate(kind: str, name: str | None) -> str:
    """An id for an organisation that no code is known of, the same wherever the same name stands."""
    return f"{kind}-{hashlib.sha256(plain_name(name).encode()).hexdigest()[:12]}"
