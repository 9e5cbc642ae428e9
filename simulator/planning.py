"""Plans: how a package of the procurement plan comes to be, what it is for, and how it is revised."""

from __future__ import annotations

import dataclasses
import datetime as dt

from simulator import facts, names, places
from simulator.chance import invented_village, moment, next_number, weighted
from simulator.state import State

WORKS, GOODS, CONSULTING, SERVICE = (
    ("2", "Pekerjaan Konstruksi"),
    ("1", "Barang"),
    ("3", "Jasa Konsultansi"),
    ("4", "Jasa Lainnya"),
)
_TITLES = {"1": names.GOODS, "2": names.WORKS, "3": names.CONSULTING, "4": names.SERVICES}


def make_plan(world: State, kind: str, year: int, method: tuple[int, str]) -> facts.Plan:
    """A new RUP package with its budget lines and places; not revised, not bought."""
    rng = world.rng
    office = rng.choice(world.offices)
    sub = rng.choice([sub for sub in office.subs if sub.year == year])
    if kind == facts.SELF_MANAGED:
        category, amount = ("", ""), rng.randint(5, 400) * 500_000
        title = rng.choice(names.SELF_MANAGED)
        code = 95_000_000 + next_number(world, "swk")
    else:
        pool = [(WORKS, 40), (CONSULTING, 25), (GOODS, 20), (SERVICE, 15)]
        if method in (facts.OPEN_TENDER, facts.SELECTION):
            category = WORKS if method == facts.OPEN_TENDER else CONSULTING
            amount = rng.randint(40, 1600) * 5_000_000
        elif method == facts.E_PURCHASING:
            category, amount = rng.choice((GOODS, GOODS, SERVICE)), rng.randint(2, 900) * 500_000
        else:
            category, amount = weighted(world, pool), rng.randint(6, 400) * 500_000
        title = rng.choice(_TITLES[category[0]])
        code = 90_000_000 + next_number(world, "rup")
    title = title.format(invented_village(world))
    needs: list[facts.Need] = []
    if category == WORKS:
        title, needs, amount = _works(world, office, year, method, amount)
    elif kind == facts.RUP and (twin := _twin(world, office, year, method, category)) is not None:
        title, amount = twin.title, twin.amount
    source = weighted(world, (("APBD", 93), ("APBDP", 5), ("BLUD", 2)))
    mak = _mak(world, sub)
    shares = [(sub, mak, amount, source)]
    draw = next_number(world, "lines") % 20
    if draw in (3, 9, 16):
        other = rng.choice([each for each in office.subs if each.year == year])
        shares = [(sub, mak, amount - amount // 3, source), (other, _mak(world, other), amount // 3, "APBDP")]
    elif draw == 5:
        # The very same line twice.
        shares = [(sub, mak, amount // 2, source)] * 2
        amount = amount // 2 * 2
    elif draw == 12:
        # A correction.
        shares = [(sub, mak, amount + 750_000, source), (sub, mak, -750_000, source)]
    lines = [facts.BudgetLine(*share) for share in shares]
    created = dt.date(year - 1, 12, 1) + dt.timedelta(days=rng.randrange(60))
    created = min(created, world.today - dt.timedelta(days=20))
    month = rng.choice((1, 1, 1, 2, 3, 4, 5, 6, 7))
    plan = facts.Plan(
        kind=kind,
        root=code,
        code=code,
        year=year,
        office=office,
        official=rng.choice(office.officials),
        title=title,
        method=method,
        categories=[category],
        lines=lines,
        places=_places(world, needs, title),
        needs=needs,
        created=created,
        announced=moment(world, created + dt.timedelta(days=rng.randrange(15))),
        month=month,
        volume=weighted(world, (("1 Paket", 60), ("1 Paket / Dokumen", 10), (f"{rng.randint(2, 900)} Unit", 30))),
        description=_description(world, title),
        self_managed_type=int(weighted(world, (("1", 5443), ("2", 33), ("3", 11), ("4", 37)))),
        excluded="Barang/Jasa yang tarifnya dipublikasikan" if method == facts.EXCLUDED else None,
        published=code % 20 != 13,
        active=code % 100 != 57,
    )
    if category == GOODS and rng.random() < 0.05:
        plan.categories.append(SERVICE)
    world.plans.append(plan)
    for need in needs:
        need.plans.append(plan)
    return plan


def make_need(world: State, year: int, work: int | None = None, village: facts.Village | None = None) -> facts.Need:
    """Something that a village lacks and that no other need of the year is about; another kind of works or another
    village than asked for where there is nothing left."""
    rng = world.local_rng
    while True:
        kind = rng.randrange(len(places.WORKS)) if work is None else work
        at = village or rng.choice(world.villages)
        taken = world.spots.setdefault((year, kind, at.code), set())
        # Of a kind of works that is one for the whole village there is no other.
        spots = (places.spot(rng, kind, at, bool(taken)) for _ in range(0 if "" in taken else 8))
        spot = next((spot for spot in spots if spot not in taken), None)
        if spot is not None:
            taken.add(spot)
            return facts.Need(kind, at, spot)
        work, village = None, village if work is not None else None


def _twin(
    world: State, office: facts.Office, year: int, method: tuple[int, str], category: tuple[str, str]
) -> facts.Plan | None:
    """A package whose title and amount another one of the office is to have, too; mostly none."""
    if world.local_rng.random() >= world.noise.twins:
        return None
    same = (method, [category], office, year)
    found = [each for each in world.plans if (each.method, each.categories, each.office, each.year) == same]
    found = [each for each in found if not each.needs or each.needs[0].village.name not in each.title]
    return world.local_rng.choice(found) if found else None


def _works(
    world: State, office: facts.Office, year: int, method: tuple[int, str], amount: int
) -> tuple[str, list[facts.Need], int]:
    """Title, needs and amount of a package of works: for one need, for several at once, or a stage of one."""
    rng = world.local_rng
    twin = _twin(world, office, year, method, WORKS)
    if twin is not None:
        return twin.title, [make_need(world, year, twin.needs[0].work)], twin.amount
    draw = rng.random()
    begun = world.begun.setdefault((office.code, year), [])
    if draw < 0.06 and begun:
        need = rng.choice(begun)
        stage = f" Tahap {('I', 'II', 'III', 'IV')[min(3, len(need.plans))]}"
        return places.titled(rng, [need], generic=False) + rng.choice((stage, " (Lanjutan)", "")), [need], amount
    needs = [make_need(world, year)]
    if draw >= 0.15:
        begun += needs
    else:
        for _ in range(rng.choice((1, 1, 2))):
            village = needs[0].village if rng.random() < 0.5 else None
            needs.append(make_need(world, year, needs[0].work, village))
        # A package is for one kind of works.
        needs = [need for need in needs if need.work == needs[0].work]
    return places.titled(rng, needs, generic=len(needs) == 1 and draw > 0.92), needs, amount


def _places(world: State, needs: list[facts.Need], title: str) -> list[str]:
    """Places of a package as typed into RUP; for works mostly where they are."""
    others = [_place(world) for _ in range(1 if world.rng.random() < 0.9 else 2)]
    told = all(need.village.name in title for need in needs)
    if not needs or (told and world.local_rng.random() < 0.5):
        return others
    found = []
    for need in needs:
        village, at = need.village, f"{need.spot} " if need.spot else ""
        found.append(
            world.local_rng.choice(
                (
                    f"Desa {village.name}",
                    f"Desa {village.name} Kec. {village.district}",
                    f"{at}Ds. {village.name}",
                    f"Ds. {village.name}, Kecamatan {village.district}",
                )
            )
        )
    return list(dict.fromkeys(found))


def _mak(world: State, sub: facts.SubActivity) -> str:
    suffix = "5.1.1.01." if world.rng.random() < 0.4 else ""
    return f"{sub.code}.{world.rng.choice(sub.accounts)}.{suffix}"


def _place(world: State) -> str:
    village = invented_village(world)
    return world.rng.choice((f"Desa {village}", f"Kec. {village}", village, f"Kantor {village} ", "Kabupaten"))


def _description(world: State, title: str) -> str:
    """Free text as typed and exported: CR LF at the end, HTML, tabs; in one of fifty a person's data."""
    draw = world.rng.random()
    if draw < 0.02:
        number = next_number(world, "contact")
        return f"{title}. Hubungi KONTAK REKAAN {number}, NIP 99{number:016d}, HP 0899{number:08d}"
    if draw < 0.30:
        return f"{title}\r\n"
    return title if draw < 0.9 else f"{title}\r\n\tsesuai KAK"


def revise(world: State, plan: facts.Plan) -> None:
    """One more revision: the package goes on under a new code."""
    plan.revisions.append(_revision(world, plan, _new_code(world, plan), facts.ONE_TO_ONE))
    plan.code = plan.revisions[-1].new
    plan.stale = plan.stale or world.rng.random() < 0.5


def bought_plans(world: State) -> set[facts.Plan]:
    """Packages that something was bought for, or that others go by."""
    found = {plan for attempt in world.attempts for plan in attempt.plans}
    found |= {plan for recorded in world.recorded for plan in recorded.plans}
    found |= {plan for order in (*world.orders, *world.old_orders) for plan in order.plans}
    related = (other for plan in world.plans for other in (plan.inside, plan.first))
    return found | {other for other in related if isinstance(other, facts.Plan)}


def may_be_cancelled(plan: facts.Plan) -> bool:
    """Whether a package, if nobody bought it, may be cancelled or split; one that came back to its first code not."""
    circle = plan.code == plan.root and any(each.sort == facts.ONE_TO_ONE for each in plan.revisions)
    return plan.stands and plan.first is None and plan.inside is None and not plan.consolidated and not circle


def cancel(world: State, plan: facts.Plan) -> None:
    """The package is cancelled; its budget and places may go on being listed."""
    plan.revisions.append(_revision(world, plan, plan.code, facts.CANCELLATION))


def reactivate(world: State, plan: facts.Plan) -> None:
    """A cancelled package is taken back."""
    plan.revisions.append(_revision(world, plan, plan.code, facts.REACTIVATION))


def split(world: State, plan: facts.Plan) -> list[facts.Plan]:
    """The package goes on as two to four new ones, which share its amount and are known by codes of their own."""
    count = world.rng.randint(2, 4)
    event = _revision(world, plan, plan.code, facts.SPLIT)
    for number in range(1, count + 1):
        code = _new_code(world, plan)
        part = dataclasses.replace(
            plan,
            root=code,
            code=code,
            title=f"{plan.title} Paket {number}",
            lines=[
                # The first takes what can't be divided.
                dataclasses.replace(line, amount=line.amount // count + line.amount % count * (number == 1))
                for line in plan.lines
            ],
            categories=list(plan.categories),
            revisions=[dataclasses.replace(event, new=code)],
            stale=False,
            parts=[],
        )
        world.plans.append(part)
        plan.parts.append(part)
    for need in plan.needs:
        need.plans = [each for each in need.plans if each is not plan] + plan.parts
    plan.closed, plan.stale = True, world.rng.random() < 0.5
    return plan.parts


def _new_code(world: State, plan: facts.Plan) -> int:
    if plan.kind == facts.SELF_MANAGED:
        return 96_000_000 + next_number(world, "swk-new")
    return 91_000_000 + next_number(world, "rup-new")


def _revision(world: State, plan: facts.Plan, new: int, sort: str) -> facts.Revision:
    """The next event of a package, some days after the last one."""
    before = plan.revisions[-1].at if plan.revisions else plan.announced
    reason = world.rng.choice(("Perubahan pagu", "Perubahan metode pemilihan", "perubahan anggaran", "-"))
    at = before + dt.timedelta(days=world.rng.randint(1, 20), hours=1)
    return facts.Revision(plan.code, new, at, reason, sort)
