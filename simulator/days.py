"""The next day in the fictional regency: what happens, and how many rows it touches.

An event is a generator: it chooses facts and yields those that it is about to change, changes them, and yields the ones
that it created. One that finds nobody to happen to yields nothing.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from simulator import buying, chance, facts, local_days
from simulator.planning import bought_plans, cancel, make_plan, may_be_cancelled, reactivate, revise, split
from simulator.rendering import Row
from simulator.services import count_rows, services_of
from simulator.state import State

T = TypeVar("T")
Event = Callable[[State], Iterator[list[Any]]]

STAMPS = frozenset({"_event_date", "_inserted_date", "tgl_penarikan", "tanggal_status"})
"""Fields that are another every day and say nothing."""
LISTS = frozenset({"kd_rup", "kd_rup_paket", "sumber_dana", "nama_sumber_dana", "mak", "kode_anggaran", "product_ids"})
"""Fields whose order is another every day and says nothing."""


def settled(row: Row) -> tuple[tuple[str, object], ...]:
    """A row without what changes from one day to the next of itself: stamps and the order of lists."""
    return tuple(
        (name, tuple(sorted(value.replace(", ", ",").replace(";", ",").split(","))))
        if name in LISTS and isinstance(value, str)
        else (name, value)
        for name, value in row.items()
        if name not in STAMPS
    )


def live_through_a_day(world: State, change_share: float, total: dict[str, Any]) -> None:
    """Let events happen until `change_share` of all rows are new, changed or gone; add what happened to `total`.

    LKPP's systems and the regency's own have a day each: what happens in the ones depends on nothing in the others but
    the facts that they are about.
    """
    targets = [round(change_share * count) for count in count_rows(world)]
    world.today += dt.timedelta(days=1)
    world.day += 1
    world.rng = random.Random(f"{world.seed}/day {world.day}")
    world.local_rng = random.Random(f"{world.seed}/day {world.day}/local")
    for own, events in enumerate((EVENTS, local_days.EVENTS)):
        left = targets[own]
        idle = 0
        while left > 0 and idle < len(events):
            event, usual_rows = events[world.next_event[own] % len(events)]
            world.next_event[own] += 1
            idle += 1
            if usual_rows > left + 1:
                continue
            touched = _happen(world, event, bool(own), total)
            if touched:
                idle = 0
                left -= touched


def _happen(world: State, event: Event, own: bool, total: dict[str, Any]) -> int:
    """One event; the number of rows it touched, 0 if it found nobody to happen to."""
    steps = event(world)
    subjects = next(steps, None)
    if subjects is None:
        return 0
    before = _rows_of(world, subjects)
    processes = {fact.process for fact in subjects} - {None}
    subjects = subjects + next(steps, [])
    after = _rows_of(world, subjects)
    processes |= {fact.process for fact in subjects} - {None}
    new = changed = gone = 0
    for key in before.keys() | after.keys():
        added = (after[key] - before[key]).total()
        removed = (before[key] - after[key]).total()
        new += max(0, added - removed)
        changed += min(added, removed)
        gone += max(0, removed - added)
    count_rows(world)[own] += new - gone
    total["new"] += new
    total["changed"] += changed
    total["gone"] += gone
    total["events"][event.__name__] = total["events"].get(event.__name__, 0) + 1
    total["processes"] = sorted({*total["processes"], *processes})
    return new + changed + gone


def _rows_of(world: State, subjects: Iterable[Any]) -> defaultdict[tuple[str, str], Counter[Any]]:
    """Rows by (service, code) that tell of these facts today; a fact that is no longer in the world has none."""
    found: defaultdict[tuple[str, str], Counter[Any]] = defaultdict(Counter)
    for fact in subjects:
        if fact in world.vanished:
            continue
        for service in services_of(fact):
            for row in service.render(world, fact):
                found[service.name, service.known_by(row)][settled(row)] += 1
    return found


def _forget(world: State, fact: facts.Plan | facts.Attempt) -> None:
    """A fact vanishes from the sources; what it was stays known as `gone`."""
    for service in services_of(fact):
        for row in service.render(world, fact):
            world.gone.setdefault(service.name, {})[str(row[service.code])] = fact.process
    if isinstance(fact, facts.Plan):
        world.plans.remove(fact)
    else:
        world.attempts.remove(fact)
    world.vanished.add(fact)


def _pick(world: State, subjects: Sequence[T], fits: Callable[[T], object]) -> T | None:
    """One of this year's facts that fits, by a bounded number of tries."""
    for _ in range(min(400, 4 * len(subjects))):
        fact = world.rng.choice(subjects)
        if fact.year == world.year and fits(fact):  # type: ignore[attr-defined]
            return fact
    return None


def _midnight(world: State) -> dt.datetime:
    return dt.datetime.combine(world.today, dt.time())


# --- plans --------------------------------------------------------------------------------------------------------


def plan_announced(world: State) -> Iterator[list[Any]]:
    yield []
    kind = facts.SELF_MANAGED if world.rng.random() < 0.3 else facts.RUP
    plan = make_plan(
        world,
        kind,
        world.year,
        facts.BY_ITSELF if kind == facts.SELF_MANAGED else world.rng.choice((facts.DIRECT, facts.E_PURCHASING)),
    )
    plan.published = True
    plan.created, plan.announced = world.today, chance.moment(world, world.today)
    yield [plan]


def plan_edited(world: State) -> Iterator[list[Any]]:
    plan = _pick(world, world.plans, lambda plan: plan.stands)
    if plan:
        yield [plan]
        plan.lines[0].amount += 1_000_000
        yield []


def plan_revised(world: State) -> Iterator[list[Any]]:
    """Kaji ulang; who names the package by its code follows."""
    plan = _pick(
        world,
        world.plans,
        lambda plan: plan.stands and plan.first is None and (plan.code != plan.root or not plan.revisions),
    )
    if plan:
        yield [plan, *(other for other in world.plans if other.inside is plan or other.first is plan)]
        revise(world, plan)
        plan.revisions[-1].at = chance.moment(world, world.today)
        yield []


def plan_cancelled(world: State) -> Iterator[list[Any]]:
    needed = bought_plans(world)
    plan = _pick(world, world.plans, lambda plan: may_be_cancelled(plan) and plan not in needed)
    if plan:
        yield [plan]
        cancel(world, plan)
        plan.revisions[-1].at = chance.moment(world, world.today)
        yield []


def plan_reactivated(world: State) -> Iterator[list[Any]]:
    plan = _pick(world, world.plans, lambda plan: plan.cancelled)
    if plan:
        yield [plan]
        reactivate(world, plan)
        plan.revisions[-1].at = chance.moment(world, world.today)
        yield []


def plan_split(world: State) -> Iterator[list[Any]]:
    needed = bought_plans(world)
    plan = _pick(world, world.plans, lambda plan: world.splits and may_be_cancelled(plan) and plan not in needed)
    if plan:
        yield [plan]
        parts = split(world, plan)
        for part in parts:
            part.revisions[-1].at = chance.moment(world, world.today)
        yield parts


def plan_vanished(world: State) -> Iterator[list[Any]]:
    plan = _pick(
        world, world.plans, lambda plan: plan.stands and not plan.revisions and not plan.tries and plan.first is None
    )
    if plan and not any(other.inside is plan or other.first is plan for other in world.plans):
        yield [plan]
        plan.closed = True
        _forget(world, plan)
        yield []


# --- attempts -----------------------------------------------------------------------------------------------------


def _may_be_bought(plan: facts.Plan) -> bool:
    return (
        not (plan.closed or plan.consolidated or plan.inside) and plan.tries == 0 and plan.first is None and plan.stands
    )


def non_tender_announced(world: State) -> Iterator[list[Any]]:
    plan = _pick(
        world, world.plans, lambda plan: plan.kind == facts.RUP and plan.method == facts.DIRECT and _may_be_bought(plan)
    )
    if plan:
        yield []
        yield [buying.start(world, facts.NON_TENDER, [plan], world.year, created=chance.moment(world, world.today))]


def tender_announced(world: State) -> Iterator[list[Any]]:
    yield []
    plan = make_plan(world, facts.RUP, world.year, facts.OPEN_TENDER)
    yield [plan, buying.start(world, facts.TENDER, [plan], world.year, created=chance.moment(world, world.today))]


def _retry(world: State, kind: str) -> Iterator[list[Any]]:
    failed = _pick(
        world,
        world.attempts,
        lambda attempt: (
            attempt.kind == kind and attempt.status == facts.FAILED and not attempt.retried and attempt.version < 3
        ),
    )
    if failed and not any(plan.closed for plan in failed.plans):
        yield []
        yield [
            buying.start(
                world, kind, failed.plans, world.year, previous=failed, created=chance.moment(world, world.today)
            )
        ]


def tender_retried(world: State) -> Iterator[list[Any]]:
    return _retry(world, facts.TENDER)


def non_tender_retried(world: State) -> Iterator[list[Any]]:
    return _retry(world, facts.NON_TENDER)


def attempt_decided(world: State) -> Iterator[list[Any]]:
    attempt = _pick(world, world.attempts, lambda attempt: attempt.status in (facts.ONGOING, facts.DRAFT))
    if attempt:
        yield [attempt]
        if attempt.winner:
            # A non-tender on the list of finished ones that was still running.
            attempt.status = facts.DONE
        else:
            buying.decide(world, attempt, chance.moment(world, world.today))
        yield []


def attempt_failed(world: State) -> Iterator[list[Any]]:
    attempt = _pick(world, world.attempts, lambda attempt: attempt.status == facts.ONGOING and attempt.winner is None)
    if attempt:
        yield [attempt]
        buying.fail(world, attempt)
        yield []


def winner_replaced(world: State) -> Iterator[list[Any]]:
    """The next bidder takes the place of the winner, by a letter of its own. A contract that was signed is gone, if
    nothing came of it yet and no other system knows it."""
    followed = {entry.attempt for entry in world.ledger} | {job.attempt for job in world.jobs}

    def is_open(attempt: facts.Attempt) -> bool:
        open_contract = attempt.contract is None or (attempt.contract.order is None and attempt not in followed)
        return attempt.winner is not None and attempt.status == facts.DONE and open_contract

    attempt = _pick(world, world.attempts, is_open)
    if attempt and attempt.winner:
        former = attempt.winner
        others = [bid for bid in attempt.bids if bid is not former and bid.supplier is not None]
        if attempt.kind == facts.TENDER and not others:
            return
        yield [attempt]
        if attempt.kind == facts.TENDER:
            attempt.winner = next((bid for bid in others if bid.offer), others[0])
            attempt.winner.offer = attempt.winner.offer or former.offer
        else:
            supplier = world.rng.choice([each for each in world.suppliers if each is not former.supplier])
            attempt.winner = facts.Bid((91_000_000 + chance.next_number(world, "bid")) * 1000, supplier, former.offer)
            attempt.bids = [attempt.winner]
        attempt.negotiated = chance.roughly(world, float(attempt.winner.offer or 0) * 0.99, 0.3)
        attempt.decided = chance.moment(world, world.today)
        attempt.contract = None
        if attempt.letter:
            buying.appoint(world, attempt, _midnight(world))
        yield []


def winner_appointed(world: State) -> Iterator[list[Any]]:
    attempt = _pick(
        world, world.attempts, lambda attempt: attempt.winner and not attempt.letter and attempt.status == facts.DONE
    )
    if attempt:
        yield [attempt]
        buying.appoint(world, attempt, _midnight(world))
        yield []


def contract_signed(world: State) -> Iterator[list[Any]]:
    attempt = _pick(world, world.attempts, lambda attempt: attempt.letter and not attempt.contract)
    if attempt:
        yield [attempt]
        buying.sign(world, attempt, _midnight(world))
        yield []


def work_ordered(world: State) -> Iterator[list[Any]]:
    attempt = _pick(world, world.attempts, lambda attempt: attempt.contract and not attempt.contract.order)
    if attempt:
        yield [attempt]
        buying.order_start(world, attempt)
        yield []


def _running(attempt: facts.Attempt) -> bool:
    return attempt.contract is not None and attempt.contract.order is not None and attempt.contract.done_at is None


def part_paid(world: State) -> Iterator[list[Any]]:
    def unpaid(attempt: facts.Attempt) -> bool:
        return _running(attempt) and attempt.contract is not None and len(attempt.contract.certificates) < 3

    attempt = _pick(world, world.attempts, unpaid)
    if attempt and attempt.contract:
        yield [attempt]
        part = len(attempt.contract.certificates) + 1
        buying.certify(world, attempt, part, part if part > 1 or world.rng.random() < 0.5 else 2, "Termin", world.today)
        yield []


def contract_amended(world: State) -> Iterator[list[Any]]:
    attempt = _pick(world, world.attempts, _running)
    if attempt:
        yield [attempt]
        buying.amend(world, attempt, _midnight(world))
        yield []


def contract_broken_off(world: State) -> Iterator[list[Any]]:
    attempt = _pick(world, world.attempts, _running)
    if attempt:
        yield [attempt]
        buying.break_off(world, attempt, _midnight(world))
        yield []


def non_tender_vanished(world: State) -> Iterator[list[Any]]:
    """Only one whose package has no other attempt, so that a first sync on a later day sees no other first attempt."""
    attempt = _pick(
        world,
        world.attempts,
        lambda attempt: (
            attempt.kind == facts.NON_TENDER and attempt.joins and attempt.plans[0].tries == 1 and not attempt.contract
        ),
    )
    if attempt:
        yield [attempt]
        attempt.plans[0].closed = True
        _forget(world, attempt)
        yield []


# --- recorded purchases and orders ----------------------------------------------------------------------------------


def payment_recorded(world: State) -> Iterator[list[Any]]:
    recorded = _pick(world, world.recorded, lambda recorded: recorded.state == "Paket Sedang Berjalan")
    if recorded:
        yield [recorded]
        buying.pay_recorded(world, recorded)
        yield []


def payment_vanished(world: State) -> Iterator[list[Any]]:
    recorded = _pick(world, world.recorded, lambda recorded: len(recorded.payments) > 1)
    if recorded:
        yield [recorded]
        recorded.payments.pop()
        yield []


def recorded_moved_on(world: State) -> Iterator[list[Any]]:
    recorded = _pick(world, world.recorded, lambda recorded: recorded.state == "Paket Sedang Berjalan")
    if recorded:
        yield [recorded]
        cancelled = world.rng.random() < 0.2
        recorded.state = "Paket Dibatalkan" if cancelled else "Paket Selesai"
        recorded.reason = "double input" if cancelled else None
        yield []


def purchase_recorded(world: State) -> Iterator[list[Any]]:
    kind = world.rng.choice((facts.RECORDED, facts.RECORDED, facts.RECORDED_SELF))
    plan = _pick(
        world,
        world.plans,
        lambda plan: (
            plan.stands
            and (plan.kind == facts.SELF_MANAGED if kind == facts.RECORDED_SELF else plan.method == facts.DIRECT)
        ),
    )
    if plan:
        yield []
        yield [buying.record(world, kind, [plan], world.year)]


def order_placed(world: State) -> Iterator[list[Any]]:
    plan = _pick(
        world, world.plans, lambda plan: plan.stands and plan.method == facts.E_PURCHASING and not plan.consolidated
    )
    if plan:
        yield []
        order = buying.make_order(world, [plan], world.year)
        order.at = world.today
        yield [order]


def order_moved_on(world: State) -> Iterator[list[Any]]:
    order = _pick(world, world.orders, lambda order: order.status == "ON_PROCESS")
    if order:
        yield [order]
        order.status, order.delivery = world.rng.choice(
            (("COMPLETED", "COMPLETED"), ("PAYMENT_OUTSIDE_SYSTEM", "DELIVERED"), ("COMPLETED", "BUYER_CONFIRMED"))
        )
        yield []


_COMMON: tuple[tuple[Event, int], ...] = (
    (attempt_decided, 4),
    (winner_replaced, 4),
    (contract_amended, 4),
    (non_tender_vanished, 8),
    (plan_revised, 6),
    (plan_announced, 3),
    (plan_edited, 2),
    (contract_signed, 3),
    (non_tender_announced, 6),
    (order_placed, 1),
    (order_moved_on, 1),
    (non_tender_retried, 6),
    (part_paid, 5),
    (winner_appointed, 1),
    (work_ordered, 1),
    (payment_recorded, 2),
    (plan_vanished, 3),
    (plan_cancelled, 4),
    (attempt_failed, 1),
    (recorded_moved_on, 1),
    (plan_edited, 2),
    (purchase_recorded, 2),
    (payment_vanished, 2),
    (attempt_decided, 4),
    (contract_signed, 3),
    (plan_edited, 2),
    (order_moved_on, 1),
)
EVENTS = (
    *_COMMON,
    (contract_broken_off, 4),
    (plan_split, 12),
    (plan_reactivated, 4),
    (tender_announced, 66),
    *_COMMON,
    *_COMMON,
    (tender_retried, 60),
    *_COMMON,
)
"""What happens, in turn from day to day, and about how many rows it touches."""
