"""All red flags, and the results that they give on a stream of states."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from schemas.flags import FlagSettings
from transforms.flags import bids, money, organisations, process
from transforms.flags.model import Answer, Case, Flag, Lacking, Object, case_of

FLAGS = tuple(sorted((*process.FLAGS, *bids.FLAGS, *organisations.FLAGS, *money.FLAGS), key=lambda flag: flag.code))
PATHS = tuple(sorted({path for flag in FLAGS for each in (*flag.inputs, *flag.in_year) for path in each.split("|")}))
"""The inputs of all flags, alternatives apart."""


class Result(NamedTuple):
    """The result of a flag for a subject in a fiscal year (0: the process names none).

    `why` are the figures that decided or, where it isn't computable, `{"missing": [...]}`.
    """

    code: str
    subject_kind: str
    subject_id: str
    name: str | None
    ocid: str | None
    fiscal_year: int
    computable: bool
    flagged: bool
    why: Object


def results(documents: Iterable[Object], settings: FlagSettings) -> Iterator[Result]:
    """The results of all flags on states (OCDS documents with `ocid`), each fiscal year by itself.

    States are read once, one at a time; what rules over many need of them is kept, about 2 KB a process.
    """
    years: dict[int, list[Case]] = defaultdict(list)
    names: dict[str, str] = {}
    for document in documents:
        case = case_of(document, PATHS, settings)
        years[case.year].append(case)
        names.update((party["id"], party["name"]) for party in document.get("parties", ()) if party.get("name"))
        for flag in FLAGS:
            if flag.one and flag.among(case, settings):
                missing = flag.missing(case, case.present)
                answer: Answer = Lacking(missing) if missing else flag.one(case, document, settings)
                yield _result(flag, case.ocid, answer, case.year, case.title)
    for year, cases in years.items():
        in_year = frozenset[str]().union(*(case.present for case in cases))
        titles = {case.ocid: case.title for case in cases}
        for flag in FLAGS:
            if flag.many:
                for subject, answer in _judged(flag, cases, in_year, settings):
                    name = titles[subject] if flag.subject == "process" else names.get(subject)
                    yield _result(flag, subject, answer, year, name)


def _judged(
    flag: Flag, cases: list[Case], in_year: frozenset[str], settings: FlagSettings
) -> Iterator[tuple[str, Answer]]:
    """The results of a rule over many, and whom it can't be computed for."""
    assert flag.many
    lacking: dict[str, dict[str, None]] = {}
    whole: list[Case] = []
    for case in cases:
        if not flag.among(case, settings):
            continue
        missing = flag.missing(case, in_year)
        if missing:
            for subject in flag.subjects_of(case):
                lacking.setdefault(subject, {}).update(dict.fromkeys(missing))
        else:
            whole.append(case)
    judged = set()
    for subject, answer in sorted(flag.many(whole, settings), key=lambda each: each[0]):
        judged.add(subject)
        yield subject, answer
    for subject, missing_ in sorted(lacking.items()):
        if subject not in judged:
            yield subject, Lacking(tuple(missing_))


def _result(flag: Flag, subject: str, answer: Answer, year: int, name: str | None) -> Result:
    computable = not isinstance(answer, Lacking)
    return Result(
        flag.code,
        flag.subject,
        subject,
        name,
        subject if flag.subject == "process" else None,
        year,
        computable,
        not isinstance(answer, Lacking) and answer.flagged,
        {"missing": list(answer.missing)} if isinstance(answer, Lacking) else answer.figures,
    )
