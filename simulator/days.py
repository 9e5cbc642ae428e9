"""The next day in the fictional regency: what happens, and how many rows it touches.

An event is a generator: it chooses facts and yields those that it is about to change, changes them, and yields the ones
that it created. One that finds nobody to happen to yields nothing.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from simulator import local_days
from simulator.facts import (
    BY_ITSELF,
    DIRECT,
    DONE,
    DRAFT,
    E_PURCHASING,
    FAILED,
    NON_TENDER,
    ONGOING,
    OPEN_TENDER,
    RECORDED,
    RECORDED_SELF,
    RUP,
    SELF_MANAGED,
    TENDER,
    Attempt,
    Bid,
    Plan,
)
from simulator.rendering import Row

if TYPE_CHECKING:
    from simulator.world import World

T = TypeVar("T")
Event = Callable[["World"], Iterator[list[Any]]]

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


def live_through_a_day(world: World, change_share: float, total: dict[str, Any]) -> None:
    """Let events happen until `change_share` of all rows are new, changed or gone; add what happened to `total`.

    LKPP's systems and the regency's own have a day each: what happens in the ones depends on nothing in the others but
    the facts that they are about.
    """
    targets = [round(change_share * count) for count in world.row_counts()]
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


def _happen(world: World, event: Event, own: bool, total: dict[str, Any]) -> int:
    """One event; the number of rows it touched, 0 if it found nobody to happen to."""
    steps = event(world)
    facts = next(steps, None)
    if facts is None:
        return 0
    before = _rows_of(world, facts)
    processes = {fact.process for fact in facts} - {None}
    facts = facts + next(steps, [])
    after = _rows_of(world, facts)
    processes |= {fact.process for fact in facts} - {None}
    new = changed = gone = 0
    for key in before.keys() | after.keys():
        added = (after[key] - before[key]).total()
        removed = (before[key] - after[key]).total()
        new += max(0, added - removed)
        changed += min(added, removed)
        gone += max(0, removed - added)
    world.note_rows(new - gone, own)
    total["new"] += new
    total["changed"] += changed
    total["gone"] += gone
    total["events"][event.__name__] = total["events"].get(event.__name__, 0) + 1
    total["processes"] = sorted({*total["processes"], *processes})
    return new + changed + gone


def _rows_of(world: World, facts: Iterable[Any]) -> defaultdict[tuple[str, str], Counter[Any]]:
    """Rows by (service, code) that tell of these facts today; a fact that is no longer in the world has none."""
    found: defaultdict[tuple[str, str], Counter[Any]] = defaultdict(Counter)
    for fact in facts:
        if fact in world.vanished:
            continue
        for service in world.services_of(fact):
            for row in service.render(world, fact):
                found[service.name, service.known_by(row)][settled(row)] += 1
    return found


def _pick(world: World, facts: Sequence[T], fits: Callable[[T], object]) -> T | None:
    """One of this year's facts that fits, by a bounded number of tries."""
    for _ in range(min(400, 4 * len(facts))):
        fact = world.rng.choice(facts)
        if fact.year == world.year and fits(fact):  # type: ignore[attr-defined]
            return fact
    return None


def _midnight(world: World) -> dt.datetime:
    return dt.datetime.combine(world.today, dt.time())


# --- plans --------------------------------------------------------------------------------------------------------


def plan_announced(world: World) -> Iterator[list[Any]]:
    yield []
    kind = SELF_MANAGED if world.rng.random() < 0.3 else RUP
    plan = world.make_plan(
        kind, world.year, BY_ITSELF if kind == SELF_MANAGED else world.rng.choice((DIRECT, E_PURCHASING))
    )
    plan.published = True
    plan.created, plan.announced = world.today, world.moment(world.today)
    yield [plan]


def plan_edited(world: World) -> Iterator[list[Any]]:
    plan = _pick(world, world.plans, lambda plan: plan.listed and plan.published)
    if plan:
        yield [plan]
        plan.lines[0].amount += 1_000_000
        yield []


def plan_revised(world: World) -> Iterator[list[Any]]:
    """Kaji ulang; who names the package by its code follows."""
    plan = _pick(
        world,
        world.plans,
        lambda plan: (
            plan.listed and plan.published and plan.first is None and (plan.code != plan.root or not plan.revisions)
        ),
    )
    if plan:
        yield [plan, *(other for other in world.plans if other.inside is plan or other.first is plan)]
        world.revise(plan)
        plan.revisions[-1].at = world.moment(world.today)
        yield []


def plan_vanished(world: World) -> Iterator[list[Any]]:
    plan = _pick(
        world, world.plans, lambda plan: plan.listed and not plan.revisions and not plan.tries and plan.first is None
    )
    if plan and not any(other.inside is plan or other.first is plan for other in world.plans):
        yield [plan]
        plan.closed = True
        world.forget(plan)
        yield []


# --- attempts -----------------------------------------------------------------------------------------------------


def _may_be_bought(plan: Plan) -> bool:
    return (
        not (plan.closed or plan.consolidated or plan.inside) and plan.tries == 0 and plan.first is None and plan.listed
    )


def non_tender_announced(world: World) -> Iterator[list[Any]]:
    plan = _pick(world, world.plans, lambda plan: plan.kind == RUP and plan.method == DIRECT and _may_be_bought(plan))
    if plan:
        yield []
        yield [world.start(NON_TENDER, [plan], world.year, created=world.moment(world.today))]


def tender_announced(world: World) -> Iterator[list[Any]]:
    yield []
    plan = world.make_plan(RUP, world.year, OPEN_TENDER)
    yield [plan, world.start(TENDER, [plan], world.year, created=world.moment(world.today))]


def _retry(world: World, kind: str) -> Iterator[list[Any]]:
    failed = _pick(
        world,
        world.attempts,
        lambda attempt: (
            attempt.kind == kind and attempt.status == FAILED and not attempt.retried and attempt.version < 3
        ),
    )
    if failed and not any(plan.closed for plan in failed.plans):
        yield []
        yield [world.start(kind, failed.plans, world.year, previous=failed, created=world.moment(world.today))]


def tender_retried(world: World) -> Iterator[list[Any]]:
    return _retry(world, TENDER)


def non_tender_retried(world: World) -> Iterator[list[Any]]:
    return _retry(world, NON_TENDER)


def attempt_decided(world: World) -> Iterator[list[Any]]:
    attempt = _pick(world, world.attempts, lambda attempt: attempt.status in (ONGOING, DRAFT))
    if attempt:
        yield [attempt]
        if attempt.winner:
            # A non-tender on the list of finished ones that was still running.
            attempt.status = DONE
        else:
            world.decide(attempt, world.moment(world.today))
        yield []


def attempt_failed(world: World) -> Iterator[list[Any]]:
    attempt = _pick(world, world.attempts, lambda attempt: attempt.status == ONGOING and attempt.winner is None)
    if attempt:
        yield [attempt]
        world.fail(attempt)
        yield []


def winner_replaced(world: World) -> Iterator[list[Any]]:
    attempt = _pick(
        world, world.attempts, lambda attempt: attempt.winner and attempt.contract is None and attempt.status == DONE
    )
    if attempt and attempt.winner:
        former = attempt.winner
        others = [bid for bid in attempt.bids if bid is not former and bid.supplier is not None]
        if attempt.kind == TENDER and not others:
            return
        yield [attempt]
        if attempt.kind == TENDER:
            attempt.winner = next((bid for bid in others if bid.offer), others[0])
            attempt.winner.offer = attempt.winner.offer or former.offer
        else:
            supplier = world.rng.choice([each for each in world.suppliers if each is not former.supplier])
            attempt.winner = Bid((91_000_000 + world.count("bid")) * 1000, supplier, former.offer)
            attempt.bids = [attempt.winner]
        attempt.negotiated = world.roughly(float(attempt.winner.offer or 0) * 0.99, 0.3)
        attempt.decided = world.moment(world.today)
        if attempt.letter:
            attempt.letter.price = attempt.negotiated
        yield []


def winner_appointed(world: World) -> Iterator[list[Any]]:
    attempt = _pick(
        world, world.attempts, lambda attempt: attempt.winner and not attempt.letter and attempt.status == DONE
    )
    if attempt:
        yield [attempt]
        world.appoint(attempt, _midnight(world))
        yield []


def contract_signed(world: World) -> Iterator[list[Any]]:
    attempt = _pick(world, world.attempts, lambda attempt: attempt.letter and not attempt.contract)
    if attempt:
        yield [attempt]
        world.sign(attempt, _midnight(world))
        yield []


def work_ordered(world: World) -> Iterator[list[Any]]:
    attempt = _pick(world, world.attempts, lambda attempt: attempt.contract and not attempt.contract.order)
    if attempt:
        yield [attempt]
        world.order_start(attempt)
        yield []


def _running(attempt: Attempt) -> bool:
    return attempt.contract is not None and attempt.contract.order is not None and attempt.contract.done_at is None


def part_paid(world: World) -> Iterator[list[Any]]:
    def unpaid(attempt: Attempt) -> bool:
        return _running(attempt) and attempt.contract is not None and len(attempt.contract.certificates) < 3

    attempt = _pick(world, world.attempts, unpaid)
    if attempt and attempt.contract:
        yield [attempt]
        part = len(attempt.contract.certificates) + 1
        world.certify(attempt, part, part if part > 1 or world.rng.random() < 0.5 else 2, "Termin", world.today)
        yield []


def contract_amended(world: World) -> Iterator[list[Any]]:
    attempt = _pick(world, world.attempts, _running)
    if attempt:
        yield [attempt]
        world.amend(attempt)
        yield []


def non_tender_vanished(world: World) -> Iterator[list[Any]]:
    """Only one whose package has no other attempt, so that a first sync on a later day sees no other first attempt."""
    attempt = _pick(
        world,
        world.attempts,
        lambda attempt: (
            attempt.kind == NON_TENDER and attempt.joins and attempt.plans[0].tries == 1 and not attempt.contract
        ),
    )
    if attempt:
        yield [attempt]
        attempt.plans[0].closed = True
        world.forget(attempt)
        yield []


# --- recorded purchases and orders ----------------------------------------------------------------------------------


def payment_recorded(world: World) -> Iterator[list[Any]]:
    recorded = _pick(world, world.recorded, lambda recorded: recorded.state == "Paket Sedang Berjalan")
    if recorded:
        yield [recorded]
        world.pay(recorded)
        yield []


def payment_vanished(world: World) -> Iterator[list[Any]]:
    recorded = _pick(world, world.recorded, lambda recorded: len(recorded.payments) > 1)
    if recorded:
        yield [recorded]
        recorded.payments.pop()
        yield []


def recorded_moved_on(world: World) -> Iterator[list[Any]]:
    recorded = _pick(world, world.recorded, lambda recorded: recorded.state == "Paket Sedang Berjalan")
    if recorded:
        yield [recorded]
        cancelled = world.rng.random() < 0.2
        recorded.state = "Paket Dibatalkan" if cancelled else "Paket Selesai"
        recorded.reason = "double input" if cancelled else None
        yield []


def purchase_recorded(world: World) -> Iterator[list[Any]]:
    kind = world.rng.choice((RECORDED, RECORDED, RECORDED_SELF))
    plan = _pick(
        world,
        world.plans,
        lambda plan: plan.listed and (plan.kind == SELF_MANAGED if kind == RECORDED_SELF else plan.method == DIRECT),
    )
    if plan:
        yield []
        yield [world.record(kind, [plan], world.year)]


def order_placed(world: World) -> Iterator[list[Any]]:
    plan = _pick(world, world.plans, lambda plan: plan.listed and plan.method == E_PURCHASING and not plan.consolidated)
    if plan:
        yield []
        order = world.make_order([plan], world.year)
        order.at = world.today
        yield [order]


def order_moved_on(world: World) -> Iterator[list[Any]]:
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
EVENTS = (*_COMMON, (tender_announced, 66), *_COMMON, *_COMMON, (tender_retried, 60), *_COMMON)
"""What happens, in turn from day to day, and about how many rows it touches."""
