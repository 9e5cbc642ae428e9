"""OCDS 1.1.5 as Jejak publishes it: one release, its compiled form, and the package around them.

The models hold the parts of the standard, of the extensions in `EXTENSIONS` and of our own one
(`schemas/indonesia`) that a publisher like us emits, under their published names. They are stricter than the official
schema, never laxer: no field beyond these, every entry of a list has a text id of its own, no empty text, no empty list
where a null can stand, IDR alone, times with their offset. What needs a person's address or telephone (ContactPoint)
has no model, so the gate keeps it out.

A field that was not given is `MISSING`. None is a value of its own: it deletes a field when releases are merged, and is
allowed where the official schema allows it.
"""

from collections.abc import Hashable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import MISSING, AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from schemas.errors import RowError

OCDS_VERSION = "1.1"
"""Of packages, as major.minor; the schema is that of patch release 1.1.5."""

_REGISTRY = "https://raw.githubusercontent.com/open-contracting-extensions"
EXTENSIONS = (
    f"{_REGISTRY}/ocds_bid_extension/v1.1.5/extension.json",
    f"{_REGISTRY}/ocds_budget_breakdown_extension/master/extension.json",
    f"{_REGISTRY}/ocds_contract_completion_extension/master/extension.json",
    f"{_REGISTRY}/ocds_location_extension/v1.1.5/extension.json",
    f"{_REGISTRY}/ocds_metrics_extension/master/extension.json",
    f"{_REGISTRY}/ocds_process_title_extension/v1.1.5/extension.json",
    f"{_REGISTRY}/ocds_transactions_relatedMilestone_extension/master/extension.json",
)
"""What every package declares, beside our own extension (`local_extension`)."""

# Patterns are Rust's: `$` is the end of the text, not a line end before it.
_TEXT = r"^[^\x00]+$"
_OCID = r"^ocds-[a-z0-9]{6}-[^\s#\x00]+$"
_RELEASE_ID = r"^[^#\x00]+$"
_DAY_AND_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_TIME = _DAY_AND_TIME + r"(?:\.[0-9]{1,6})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$"
_WHOLE_SECOND = _DAY_AND_TIME + r"[+-](?:[01][0-9]|2[0-3]):[0-5][0-9]$"
_URI_CHARACTERS = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})"
_URI_TAIL = _URI_CHARACTERS.replace("/-", "/?-")
_URI = (
    r"^https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?"
    rf"(?:/{_URI_CHARACTERS}*)?(?:\?{_URI_TAIL}*)?(?:#{_URI_TAIL}*)?$"
)
_EXPECTED = {
    _TEXT: "text that is not empty and holds no NUL character",
    _OCID: "a registered prefix and the process's code, such as ocds-213czf-rup-1, without blanks and '#'",
    _RELEASE_ID: "text that is not empty, without '#' (packages point at releases by it) and NUL",
    _TIME: "a time with seconds and offset, such as 2025-01-31T10:00:00+07:00",
    _WHOLE_SECOND: "whole seconds with an offset, such as 2025-01-31T10:00:00+07:00 (this text orders releases)",
    _URI: "an http or https address, with everything else than letters and digits percent-encoded",
}


@lru_cache(maxsize=65536)  # documents name the same days again and again
def _real_time(text: str) -> str:
    datetime.fromisoformat(text)  # raises ValueError where the calendar has no such day
    return text


# 2**53 - 1: beyond it, readers of JSON round whole numbers.
_MOST = 9_007_199_254_740_991

Text = Annotated[str, Field(pattern=_TEXT)]
Time = Annotated[str, Field(pattern=_TIME, json_schema_extra={"format": "date-time"}), AfterValidator(_real_time)]
ReleaseTime = Annotated[
    str, Field(pattern=_WHOLE_SECOND, json_schema_extra={"format": "date-time"}), AfterValidator(_real_time)
]
Uri = Annotated[str, Field(pattern=_URI)]
# An int stays an int: pydantic takes the member of a union that fits the type itself.
Number = Annotated[float, Field(ge=-_MOST, le=_MOST, allow_inf_nan=False)] | Annotated[int, Field(ge=-_MOST, le=_MOST)]
Count = Annotated[int, Field(ge=0, le=_MOST)]


class _Object(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Entry(_Object):
    """An object that stands in lists: merging finds it again by its id."""

    id: Text


_EntryT = TypeVar("_EntryT", bound=_Entry)
_HashableT = TypeVar("_HashableT", bound=Hashable)
_ObjectT = TypeVar("_ObjectT", bound=_Object)


def _distinct_ids(entries: list[_EntryT]) -> list[_EntryT]:
    if len(entries) > 1 and len({entry.id for entry in entries}) < len(entries):
        raise ValueError("two entries have one id, and merging would make one of them")
    return entries


def _distinct_codes(values: list[_HashableT]) -> list[_HashableT]:
    if len(set(values)) < len(values):
        raise ValueError("a value is repeated")
    return values


def _distinct_objects(values: list[_ObjectT]) -> list[_ObjectT]:
    if any(value in values[:position] for position, value in enumerate(values)):
        raise ValueError("an entry is repeated")
    return values


Entries = Annotated[list[_EntryT], Field(min_length=1), AfterValidator(_distinct_ids)]
Codes = Annotated[list[_HashableT], Field(min_length=1), AfterValidator(_distinct_codes)]
# Lists that merging replaces whole, whose objects need no id. An empty one takes the list back, since the official
# schema lets no null do it.
Whole = Annotated[list[_ObjectT], AfterValidator(_distinct_objects)]


class Value(_Object):
    """An amount in rupiah, whole or with sen; a quality check reports amounts below zero."""

    amount: Number | None | MISSING = MISSING
    currency: Literal["IDR"] | None | MISSING = MISSING


class Period(_Object):
    startDate: Time | None | MISSING = MISSING
    endDate: Time | None | MISSING = MISSING
    maxExtentDate: Time | None | MISSING = MISSING
    durationInDays: Count | None | MISSING = MISSING


class Identifier(_Object):
    """Of an organisation: ID-DJP (NPWP of firms), or JEJAK-* for LKPP's code lists, which no register has."""

    scheme: Text | None | MISSING = MISSING
    id: Text | None | MISSING = MISSING
    legalName: Text | None | MISSING = MISSING
    uri: Uri | None | MISSING = MISSING


class Address(_Object):
    """Of an office or a place of work; nobody's home."""

    streetAddress: Text | None | MISSING = MISSING
    locality: Text | None | MISSING = MISSING
    region: Text | None | MISSING = MISSING
    postalCode: Text | None | MISSING = MISSING
    countryName: Text | None | MISSING = MISSING


class OrganizationReference(_Entry):
    """Points at the party with this id."""

    name: Text | None | MISSING = MISSING


class PartyDetails(_Object):
    legalForm: Text | None | MISSING = MISSING


class Organization(_Entry):
    """A party, with all roles that it has had in the process so far (merging replaces `roles` whole)."""

    name: Text | None | MISSING = MISSING
    identifier: Identifier | MISSING = MISSING
    additionalIdentifiers: Whole[Identifier] | MISSING = MISSING
    address: Address | MISSING = MISSING
    roles: Codes[Text] | None | MISSING = MISSING
    details: PartyDetails | MISSING = MISSING


class Classification(_Object):
    scheme: Text | None | MISSING = MISSING
    id: Text | None | MISSING = MISSING
    description: Text | None | MISSING = MISSING
    uri: Uri | None | MISSING = MISSING


class Unit(_Object):
    scheme: Text | None | MISSING = MISSING
    id: Text | None | MISSING = MISSING
    name: Text | None | MISSING = MISSING
    value: Value | MISSING = MISSING
    uri: Uri | None | MISSING = MISSING


class Geometry(_Object):
    """GeoJSON, longitude before latitude: a point or a road's course."""

    type: Literal["Point", "MultiPoint", "LineString"] | None | MISSING = MISSING
    coordinates: (
        Annotated[list[Number], Field(min_length=2, max_length=3)]
        | Annotated[list[Annotated[list[Number], Field(min_length=2, max_length=3)]], Field(min_length=1)]
        | None
        | MISSING
    ) = MISSING


class Gazetteer(_Object):
    scheme: Text | None | MISSING = MISSING
    identifiers: Codes[Text] | None | MISSING = MISSING


class Location(_Object):
    description: Text | None | MISSING = MISSING
    geometry: Geometry | MISSING = MISSING
    gazetteer: Gazetteer | MISSING = MISSING
    uri: Uri | None | MISSING = MISSING


class Item(_Entry):
    description: Text | None | MISSING = MISSING
    classification: Classification | MISSING = MISSING
    additionalClassifications: Whole[Classification] | MISSING = MISSING
    quantity: Number | None | MISSING = MISSING
    unit: Unit | MISSING = MISSING
    deliveryLocation: Location | MISSING = MISSING
    deliveryAddress: Address | MISSING = MISSING


class Document(_Entry):
    documentType: Text | None | MISSING = MISSING
    title: Text | None | MISSING = MISSING
    description: Text | None | MISSING = MISSING
    url: Uri | None | MISSING = MISSING
    datePublished: Time | None | MISSING = MISSING
    dateModified: Time | None | MISSING = MISSING
    format: Text | None | MISSING = MISSING
    language: Text | None | MISSING = MISSING


class Milestone(_Entry):
    title: Text | None | MISSING = MISSING
    type: Text | None | MISSING = MISSING
    description: Text | None | MISSING = MISSING
    code: Text | None | MISSING = MISSING
    dueDate: Time | None | MISSING = MISSING
    dateMet: Time | None | MISSING = MISSING
    dateModified: Time | None | MISSING = MISSING
    status: Literal["scheduled", "met", "notMet", "partiallyMet"] | None | MISSING = MISSING
    number: Text | None | MISSING = MISSING
    value: Value | MISSING = MISSING


class MilestoneReference(_Entry):
    title: Text | None | MISSING = MISSING


class Amendment(_Entry):
    date: Time | None | MISSING = MISSING
    rationale: Text | None | MISSING = MISSING
    description: Text | None | MISSING = MISSING
    amendsReleaseID: Text | None | MISSING = MISSING
    releaseID: Text | None | MISSING = MISSING


class RelatedProcess(_Entry):
    relationship: Codes[Text] | None | MISSING = MISSING
    title: Text | None | MISSING = MISSING
    scheme: Text | None | MISSING = MISSING
    identifier: Text | None | MISSING = MISSING
    uri: Uri | None | MISSING = MISSING


class ObservationUnit(_Object):
    """Percent is scheme UNCEFACT, id P1. The id is required, since a unit that merging emptied would be invalid."""

    id: Text
    scheme: Text | None | MISSING = MISSING
    name: Text | None | MISSING = MISSING
    uri: Uri | None | MISSING = MISSING


class Observation(_Entry):
    period: Period | MISSING = MISSING
    value: Value | MISSING = MISSING
    measure: Text | Number | None | MISSING = MISSING
    unit: ObservationUnit | MISSING = MISSING
    dimensions: Annotated[dict[Text, Text], Field(min_length=1)] | MISSING = MISSING
    notes: Text | None | MISSING = MISSING
    relatedImplementationMilestone: MilestoneReference | MISSING = MISSING


class Metric(_Entry):
    """Progress over time, physical or financial."""

    title: Text | None | MISSING = MISSING
    description: Text | None | MISSING = MISSING
    observations: Entries[Observation] | MISSING = MISSING


class BudgetBreakdown(_Entry):
    """A budget line; its amount is the process's share, never the line's total."""

    description: Text | None | MISSING = MISSING
    amount: Value | MISSING = MISSING
    uri: Uri | None | MISSING = MISSING
    period: Period | MISSING = MISSING
    sourceParty: OrganizationReference | MISSING = MISSING


class Budget(_Object):
    id: Text | None | MISSING = MISSING
    description: Text | None | MISSING = MISSING
    amount: Value | MISSING = MISSING
    project: Text | None | MISSING = MISSING
    projectID: Text | None | MISSING = MISSING
    uri: Uri | None | MISSING = MISSING
    budgetBreakdown: Entries[BudgetBreakdown] | MISSING = MISSING
    fiscalYear: Count | None | MISSING = MISSING
    fund: Text | None | MISSING = MISSING
    isRepeated: bool | None | MISSING = MISSING


class ProposalUnit(_Object):
    """What a proposal's quantity counts, in the words of who proposed it."""

    name: Text | None | MISSING = MISSING


class ProposalRecommendation(_Entry):
    """What one level found of a proposal; the id is the level's: lurah, camat, skpd, mitra or tapd."""

    value: Value | MISSING = MISSING
    quantity: Number | None | MISSING = MISSING
    description: Text | None | MISSING = MISSING


class Proposal(_Entry):
    """What was asked for. `proposedBy` is a level or a group, never a person; `organization` is the office to act."""

    title: Text | None | MISSING = MISSING
    description: Text | None | MISSING = MISSING
    status: Literal["proposed", "verified", "accepted", "rejected", "withdrawn"] | None | MISSING = MISSING
    statusDetails: Text | None | MISSING = MISSING
    date: Time | None | MISSING = MISSING
    proposedBy: Text | None | MISSING = MISSING
    organization: OrganizationReference | MISSING = MISSING
    location: Location | MISSING = MISSING
    address: Address | MISSING = MISSING
    quantity: Number | None | MISSING = MISSING
    unit: ProposalUnit | MISSING = MISSING
    value: Value | MISSING = MISSING
    recommendations: Entries[ProposalRecommendation] | MISSING = MISSING
    documents: Entries[Document] | MISSING = MISSING


class Planning(_Object):
    rationale: Text | None | MISSING = MISSING
    procurementMethodDetails: Text | None | MISSING = MISSING
    budget: Budget | MISSING = MISSING
    documents: Entries[Document] | MISSING = MISSING
    milestones: Entries[Milestone] | MISSING = MISSING
    forecasts: Entries[Metric] | MISSING = MISSING
    proposals: Entries[Proposal] | MISSING = MISSING


class Bid(_Entry):
    date: Time | None | MISSING = MISSING
    status: Literal["invited", "pending", "valid", "disqualified", "withdrawn"] | None | MISSING = MISSING
    tenderers: Entries[OrganizationReference] | MISSING = MISSING
    value: Value | MISSING = MISSING
    documents: Entries[Document] | MISSING = MISSING


class BidsStatistic(_Entry):
    measure: Text
    value: Number
    date: Time | None | MISSING = MISSING
    currency: Literal["IDR"] | None | MISSING = MISSING
    notes: Text | None | MISSING = MISSING


class Bids(_Object):
    statistics: Entries[BidsStatistic] | MISSING = MISSING
    details: Entries[Bid] | MISSING = MISSING


TenderStatus = Literal["planning", "planned", "active", "cancelled", "unsuccessful", "complete", "withdrawn"]


class Tender(_Entry):
    """The id is the attempt's kind and code."""

    title: Text | None | MISSING = MISSING
    description: Text | None | MISSING = MISSING
    status: TenderStatus | None | MISSING = MISSING
    statusDetails: Text | None | MISSING = MISSING
    procuringEntity: OrganizationReference | MISSING = MISSING
    items: Entries[Item] | MISSING = MISSING
    location: Location | MISSING = MISSING
    value: Value | MISSING = MISSING
    minValue: Value | MISSING = MISSING
    procurementMethod: Literal["open", "selective", "limited", "direct"] | None | MISSING = MISSING
    procurementMethodDetails: Text | None | MISSING = MISSING
    procurementMethodRationale: Text | None | MISSING = MISSING
    mainProcurementCategory: Literal["goods", "works", "services"] | None | MISSING = MISSING
    additionalProcurementCategories: Codes[Text] | None | MISSING = MISSING
    awardCriteria: Text | None | MISSING = MISSING
    awardCriteriaDetails: Text | None | MISSING = MISSING
    submissionMethod: Codes[Text] | None | MISSING = MISSING
    submissionMethodDetails: Text | None | MISSING = MISSING
    tenderPeriod: Period | MISSING = MISSING
    enquiryPeriod: Period | MISSING = MISSING
    hasEnquiries: bool | None | MISSING = MISSING
    eligibilityCriteria: Text | None | MISSING = MISSING
    awardPeriod: Period | MISSING = MISSING
    contractPeriod: Period | MISSING = MISSING
    numberOfTenderers: Count | None | MISSING = MISSING
    tenderers: Entries[OrganizationReference] | MISSING = MISSING
    documents: Entries[Document] | MISSING = MISSING
    milestones: Entries[Milestone] | MISSING = MISSING
    amendments: Entries[Amendment] | MISSING = MISSING
    targets: Entries[Metric] | MISSING = MISSING
    contractPricing: Text | None | MISSING = MISSING
    smallEnterprisesOnly: bool | None | MISSING = MISSING
    domesticProductsOnly: bool | None | MISSING = MISSING
    sustainabilityAspects: Codes[Literal["economic", "social", "environmental"]] | None | MISSING = MISSING


class Award(_Entry):
    title: Text | None | MISSING = MISSING
    description: Text | None | MISSING = MISSING
    status: Literal["pending", "active", "cancelled", "unsuccessful"] | None | MISSING = MISSING
    statusDetails: Text | None | MISSING = MISSING
    date: Time | None | MISSING = MISSING
    value: Value | MISSING = MISSING
    suppliers: Entries[OrganizationReference] | MISSING = MISSING
    items: Entries[Item] | MISSING = MISSING
    contractPeriod: Period | MISSING = MISSING
    documents: Entries[Document] | MISSING = MISSING
    amendments: Entries[Amendment] | MISSING = MISSING
    relatedBid: Text | None | MISSING = MISSING
    number: Text | None | MISSING = MISSING
    agreedMetrics: Entries[Metric] | MISSING = MISSING


class Agreement(_Entry):
    """A paper that makes a contract: the contract itself, a Surat Perjanjian or a Surat Pesanan."""

    type: Text | None | MISSING = MISSING
    number: Text | None | MISSING = MISSING
    date: Time | None | MISSING = MISSING
    value: Value | MISSING = MISSING
    payee: OrganizationReference | MISSING = MISSING


class Guarantee(_Entry):
    type: Text | None | MISSING = MISSING
    value: Value | MISSING = MISSING
    period: Period | MISSING = MISSING


class Transaction(_Entry):
    type: Text | None | MISSING = MISSING
    number: Text | None | MISSING = MISSING
    source: Uri | None | MISSING = MISSING
    date: Time | None | MISSING = MISSING
    value: Value | MISSING = MISSING
    payer: OrganizationReference | MISSING = MISSING
    payee: OrganizationReference | MISSING = MISSING
    uri: Uri | None | MISSING = MISSING
    relatedImplementationMilestone: MilestoneReference | MISSING = MISSING


class Implementation(_Object):
    transactions: Entries[Transaction] | MISSING = MISSING
    milestones: Entries[Milestone] | MISSING = MISSING
    documents: Entries[Document] | MISSING = MISSING
    metrics: Entries[Metric] | MISSING = MISSING
    endDate: Time | None | MISSING = MISSING
    endDateDetails: Text | None | MISSING = MISSING
    finalValue: Value | MISSING = MISSING
    finalValueDetails: Text | None | MISSING = MISSING


class Contract(_Entry):
    awardID: Text
    title: Text | None | MISSING = MISSING
    description: Text | None | MISSING = MISSING
    status: Literal["pending", "active", "cancelled", "terminated"] | None | MISSING = MISSING
    statusDetails: Text | None | MISSING = MISSING
    period: Period | MISSING = MISSING
    value: Value | MISSING = MISSING
    initialValue: Value | MISSING = MISSING
    consortiumSize: Count | None | MISSING = MISSING
    localContentValue: Value | MISSING = MISSING
    microEnterpriseValue: Value | MISSING = MISSING
    agreements: Entries[Agreement] | MISSING = MISSING
    guarantees: Entries[Guarantee] | MISSING = MISSING
    items: Entries[Item] | MISSING = MISSING
    dateSigned: Time | None | MISSING = MISSING
    documents: Entries[Document] | MISSING = MISSING
    implementation: Implementation | MISSING = MISSING
    relatedProcesses: Entries[RelatedProcess] | MISSING = MISSING
    milestones: Entries[Milestone] | MISSING = MISSING
    amendments: Entries[Amendment] | MISSING = MISSING
    agreedMetrics: Entries[Metric] | MISSING = MISSING


class _Process(_Object):
    ocid: Annotated[str, Field(pattern=_OCID)]
    id: Annotated[str, Field(pattern=_RELEASE_ID)]
    date: ReleaseTime
    initiationType: Literal["tender"]
    language: Text | None | MISSING = MISSING
    title: Text | None | MISSING = MISSING
    description: Text | None | MISSING = MISSING
    parties: Entries[Organization] | MISSING = MISSING
    buyer: OrganizationReference | MISSING = MISSING
    planning: Planning | MISSING = MISSING
    tender: Tender | MISSING = MISSING
    bids: Bids | MISSING = MISSING
    awards: Entries[Award] | MISSING = MISSING
    contracts: Entries[Contract] | MISSING = MISSING
    relatedProcesses: Entries[RelatedProcess] | MISSING = MISSING


ReleaseTag = Literal[
    "planning",
    "planningUpdate",
    "tender",
    "tenderAmendment",
    "tenderUpdate",
    "tenderCancellation",
    "award",
    "awardUpdate",
    "awardCancellation",
    "contract",
    "contractUpdate",
    "contractAmendment",
    "implementation",
    "implementationUpdate",
    "contractTermination",
]


class Release(_Process):
    """What was learned of a process at one time."""

    tag: Codes[ReleaseTag]


class CompiledRelease(_Process):
    """All that the releases of a process say, merged; its id is `{ocid}-{date}` of the latest."""

    tag: Annotated[list[Literal["compiled"]], Field(min_length=1, max_length=1)]


_RELEASE = TypeAdapter(Release)
_COMPILED_RELEASE = TypeAdapter(CompiledRelease)


def validate_release(release: Mapping[str, Any]) -> None:
    """Let pass what may be stored and published as a release, a dict as JSON gives it.

    Raises RowError naming the first path that is wrong and what is expected there, never the value itself.
    """
    _validate(_RELEASE, release)


def validate_compiled_release(compiled: Mapping[str, Any]) -> None:
    """As `validate_release`, for the merged form of a process's releases."""
    _validate(_COMPILED_RELEASE, compiled)


def wrong_paths(release: Mapping[str, Any]) -> list[tuple[tuple[str | int, ...], str]]:
    """(path, reason) of what is wrong in a release: names of fields and positions in lists; empty where it may pass."""
    try:
        _RELEASE.validate_python(release)
    except ValidationError as failure:
        faults = failure.errors(include_url=False, include_input=False)
        return [(_parts(release, fault["loc"]), _expectation(fault)) for fault in faults]
    return []


def _validate(model: TypeAdapter[Any], body: Mapping[str, Any]) -> None:
    try:
        model.validate_python(body)
    except ValidationError as failure:
        raise RowError(_explain(body, failure)) from None


def _explain(body: Mapping[str, Any], failure: ValidationError) -> str:
    first = failure.errors(include_url=False, include_input=False)[0]
    ocid = body.get("ocid") if isinstance(body, Mapping) else None
    path = "/".join(map(str, _parts(body, first["loc"])))
    return (
        f"release of {ocid}: {path or 'the whole'}: {_expectation(first)}. It was not stored;"
        " mend what maps to this field in transforms/ (or the model in schemas/ocds.py) and run `jejak rebuild`"
    )


def _expectation(fault: Any) -> str:
    pattern = fault.get("ctx", {}).get("pattern")
    return f"expected {_EXPECTED[pattern]}" if pattern else str(fault["msg"])


def _parts(body: object, location: tuple[int | str, ...]) -> tuple[str | int, ...]:
    """The part of a pydantic location that is a path into `body`: types of a union and a missing field end it."""
    parts: list[str | int] = []
    for part in location:
        if isinstance(body, Mapping):
            parts.append(str(part))
            body = body.get(part)
        elif isinstance(body, list) and isinstance(part, int):
            parts.append(part)
            body = body[part]
    return tuple(parts)


NOWHERE = "https://jejak.invalid"
"""The address of what is not published anywhere: one that leads nowhere and never will (RFC 2606)."""

_LOCAL = "extensions/indonesia"


def local_extension(site_url: str | None = None) -> str:
    """The address of our own extension: below that of the publication, which holds the files of `extension_files`."""
    return f"{(site_url or NOWHERE).rstrip('/')}/{_LOCAL}/extension.json"


def extension_files() -> dict[str, bytes]:
    """The files of our own extension by their paths below the publication's address: its description, the patch of the
    release schema, its codelists and a page that explains it."""
    return {
        f"{_LOCAL}/{path}": file.read_bytes()
        for path, file in sorted(_files(resources.files("schemas") / "indonesia", ""))
    }


def _files(folder: Traversable, above: str) -> Iterator[tuple[str, Traversable]]:
    for part in folder.iterdir():
        if part.is_dir():
            yield from _files(part, f"{above}{part.name}/")
        else:
            yield f"{above}{part.name}", part


def package(
    uri: str,
    publisher: Mapping[str, str | None],
    published_date: str,
    site_url: str | None = None,
    license: str | None = None,
    policy: str | None = None,
) -> dict[str, Any]:
    """The metadata of a release or record package; the caller adds its `releases` or `records`.

    `uri` is the package's own address, `publisher` has name, scheme, uid and uri where they are known,
    `published_date` is a time with offset, `site_url`, `license` and `policy` are addresses.
    """
    from ocdskit.combine import package_releases  # half a second, which most commands need not spend

    metadata: dict[str, Any] = package_releases(
        [],
        uri=uri,
        publisher={name: value for name, value in publisher.items() if value},
        published_date=published_date,
        version=OCDS_VERSION,
        extensions=[*EXTENSIONS, local_extension(site_url)],
    )
    del metadata["releases"]
    if license:
        metadata["license"] = license
    if policy:
        metadata["publicationPolicy"] = policy
    return metadata
