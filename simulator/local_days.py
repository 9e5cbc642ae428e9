"""The next day in the regency's own systems: what happens there, as in `days`.

An event is a generator that yields the facts it is about to change, changes them, and yields those that it made.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from simulator import local
from simulator.facts import Attempt, Job, LedgerContract
from simulator.noise import respelled_number
from simulator.planning import make_need
from simulator.state import State

T = TypeVar("T")
Event = Callable[[State], Iterator[list[Any]]]


def _pick(world: State, facts: Sequence[T], fits: Callable[[T], object]) -> T | None:
    """One of this year's facts that fits, by a bounded number of tries."""
    for _ in range(min(400, 4 * len(facts))):
        fact = world.local_rng.choice(facts)
        if fact.year == world.year and fits(fact):  # type: ignore[attr-defined]
            return fact
    return None


def _is_running(job: Job) -> bool:
    contract = job.attempt.contract if job.attempt else None
    if job.absent or job.ordered is None or job.handed_over or (contract and contract.broken_off):
        return False
    return not job.reports or job.reports[-1].actual < 100


def progress_reported(world: State) -> Iterator[list[Any]]:
    """A week has passed since the last report, at least."""

    def is_due(job: Job) -> bool:
        return _is_running(job) and (not job.reports or world.today - job.reports[-1].at >= dt.timedelta(days=7))

    job = _pick(world, world.jobs, is_due)
    if job:
        yield [job]
        local.report(world, job, world.today)
        if world.local_rng.random() < 0.4:
            local.photograph(world, job, world.today)
        yield []


def photo_uploaded(world: State) -> Iterator[list[Any]]:
    job = _pick(world, world.jobs, lambda job: not job.absent and job.ordered)
    if job:
        yield [job]
        local.photograph(world, job, world.today)
        yield []


def work_handed_over(world: State) -> Iterator[list[Any]]:
    job = _pick(world, world.jobs, lambda job: not job.absent and job.ordered and not job.handed_over)
    if job:
        yield [job]
        job.handed_over = (f"{job.id}/PHO/{job.office.abbreviation}/{job.year}", world.today)
        yield []


def job_opened(world: State) -> Iterator[list[Any]]:
    """A contract that SIMPEN had not heard of."""
    known = {job.attempt for job in world.jobs}

    def is_new(attempt: Attempt) -> bool:
        if attempt.contract is None or attempt in known:
            return False
        return local.is_ours(world, attempt) and local.wants_job(world, attempt)

    attempt = _pick(world, world.attempts, is_new)
    if attempt:
        yield []
        count = len(world.jobs)
        local.open_job(world, attempt)
        yield world.jobs[count:]


def number_corrected(world: State) -> Iterator[list[Any]]:
    """A clerk mends, or spoils, the contract number of a job."""
    job = _pick(world, world.jobs, lambda job: not job.absent and job.attempt and job.attempt.contract)
    if job and job.attempt and job.attempt.contract:
        contract = job.attempt.contract
        other = contract.number
        if job.number == other:
            other = respelled_number(world.local_rng, other, contract.signed.date())
        yield [job]
        job.number = other
        yield []


def contract_entered(world: State) -> Iterator[list[Any]]:
    known = {entry.attempt for entry in world.ledger}
    attempt = _pick(
        world,
        world.attempts,
        lambda attempt: attempt.contract and local.is_ours(world, attempt) and attempt not in known,
    )
    if attempt:
        yield []
        count = len(world.ledger)
        local.enter_contract(world, attempt)
        yield world.ledger[count:]


def payment_made(world: State) -> Iterator[list[Any]]:
    def is_owed(entry: LedgerContract) -> bool:
        contract = entry.attempt.contract if entry.attempt else None
        return not entry.absent and not (contract and contract.broken_off) and _open(entry) > 0

    entry = _pick(world, world.ledger, is_owed)
    if entry:
        yield [entry]
        rest = _open(entry)
        local.pay(world, entry, rest if world.local_rng.random() < 0.5 else round(rest / 2, 2), world.today)
        yield []


def payment_voided(world: State) -> Iterator[list[Any]]:
    """A payment is taken back: its order is void from then on."""
    entry = _pick(world, world.ledger, lambda entry: not entry.absent and any(not each.void for each in entry.payments))
    if entry:
        yield [entry]
        next(each for each in reversed(entry.payments) if not each.void).void = True
        yield []


def _open(entry: LedgerContract) -> float:
    """What is still to be paid."""
    paid = sum(sum(paper.parts) for paper in entry.payments if not paper.void)
    return round(local.current_value(entry) - paid, 2)


def addendum_entered(world: State) -> Iterator[list[Any]]:
    """What SPSE knew already."""

    def is_behind(entry: LedgerContract) -> bool:
        contract = entry.attempt.contract if entry.attempt else None
        return not entry.absent and contract is not None and len(contract.versions) > len(entry.addenda) + 1

    entry = _pick(world, world.ledger, is_behind)
    if entry:
        yield [entry]
        local.amend(world, entry)
        yield []


def proposal_made(world: State) -> Iterator[list[Any]]:
    yield []
    count = len(world.proposals)
    local.propose(world, world.year, make_need(world, world.year), world.today)
    yield world.proposals[count:]


def proposal_moved_on(world: State) -> Iterator[list[Any]]:
    proposal = _pick(
        world, world.proposals, lambda proposal: not proposal.absent and proposal.status is local.ON_THE_WAY
    )
    if proposal:
        yield [proposal]
        proposal.findings = (proposal.findings + [proposal.findings[-1]] * 4)[:5]
        proposal.status = local.ACCEPTED
        yield []


def document_attached(world: State) -> Iterator[list[Any]]:
    plan = _pick(world, world.plans, lambda plan: plan.stands)
    if plan:
        yield []
        yield [local.attach(world, plan)]


def late_row_came(world: State) -> Iterator[list[Any]]:
    """What was missing is there after all."""
    lists: tuple[Sequence[Any], ...] = (world.proposals, world.ledger, world.jobs, world.documents)
    fact = _pick(world, world.local_rng.choice(lists), lambda fact: fact.absent)
    if fact:
        yield [fact]
        fact.absent = False
        yield []


def row_vanished(world: State) -> Iterator[list[Any]]:
    lists: tuple[Sequence[Any], ...] = (world.proposals, world.documents, world.jobs)
    fact = _pick(world, world.local_rng.choice(lists), lambda fact: not fact.absent)
    if fact:
        yield [fact]
        fact.absent = True
        yield []


_COMMON: tuple[tuple[Event, int], ...] = (
    (progress_reported, 1),
    (progress_reported, 1),
    (payment_made, 1),
    (contract_entered, 1),
    (proposal_moved_on, 1),
    (progress_reported, 1),
    (document_attached, 1),
    (payment_made, 1),
    (number_corrected, 1),
    (proposal_made, 1),
    (photo_uploaded, 1),
    (progress_reported, 1),
)
EVENTS = (
    *_COMMON,
    (late_row_came, 3),
    (addendum_entered, 1),
    *_COMMON,
    (job_opened, 8),
    *_COMMON,
    (work_handed_over, 1),
    (row_vanished, 3),
    (payment_voided, 1),
    *_COMMON,
    (late_row_came, 3),
)
"""What happens, in turn from day to day, and about how many rows it touches."""
