"""The identity rules of the design, one by one, and their independence of the order of rows."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.identity import (
    ATTEMPT_KINDS,
    RUP_KINDS,
    Code,
    Known,
    Placement,
    Plan,
    RupReference,
    canonical,
    chain,
    families,
    place,
)

PREFIX = "ocds-213czf"


def rup(code: str) -> Code:
    return ("rup", code)


def attempt(code: str, *rups: str, kind: str = "nontender", **more: object) -> RupReference:
    return RupReference((kind, code), tuple(rup(r) for r in rups), 0, **more)  # type: ignore[arg-type]


def placed(
    *references: RupReference, codes: str = "", plans: tuple[Plan, ...] = (), known: Known | None = None
) -> Placement:
    """The placement of a batch as the pipeline asks for it: each plan's own code is one of `codes`."""
    known = known or Known()
    known.references.update({reference.subject: reference for reference in references})
    return place(PREFIX, [*map(rup, codes), *(plan.rup for plan in plans)], plans, references, known)


def after(before: Placement, **more: object) -> Known:
    """What is known once a placement was written."""
    attempted = {ocid for (kind, _), ocid in before.ocids.items() if kind in ATTEMPT_KINDS}
    return Known(ocids=dict(before.ocids), attempted=attempted, **more)  # type: ignore[arg-type]


def related(placement: Placement, code: Code) -> set[tuple[str, str, str]]:
    """What a code's rows relate, without the prefix."""
    return {
        (one.removeprefix(f"{PREFIX}-"), relation, other.removeprefix(f"{PREFIX}-"))
        for one, relation, other in placement.relations.get(code, set())
    }


def test_rule_1_a_rup_opens_its_process_at_first_sight() -> None:
    assert placed(plans=(Plan(rup("1")), Plan(("swk", "1")))).ocids == {
        rup("1"): f"{PREFIX}-rup-1",
        ("swk", "1"): f"{PREFIX}-swk-1",
    }
    assert placed(attempt("10", "1")).ocids[rup("1")] == f"{PREFIX}-rup-1"


def test_rule_2_the_first_attempt_joins_and_stays() -> None:
    late, early = attempt("10", "1", created="2025-02-01"), attempt("11", "1", created="2025-01-01")
    first = placed(late, early)
    assert first.ocids["nontender", "11"] == f"{PREFIX}-rup-1"
    assert first.ocids["nontender", "10"] == f"{PREFIX}-nontender-10"
    earlier = placed(attempt("9", "1", created="2024-01-01", kind="tender"), known=after(first))
    assert earlier.ocids == {("tender", "9"): f"{PREFIX}-tender-9"}
    assert related(earlier, ("tender", "9")) == {("tender-9", "planning", "rup-1")}


def test_rule_2_orders_and_recorded_purchases_always_join() -> None:
    orders = [attempt(code, "1", kind="ecat") for code in ("a", "b")] + [attempt("5", "1", kind="pencatatan")]
    assert {placed(attempt("10", "1"), *orders).ocids[n.subject] for n in orders} == {f"{PREFIX}-rup-1"}


def test_rule_3_a_retender_is_related_to_the_failed_attempt() -> None:
    failed = attempt("10", "1", package="P", version=1, failed=True, created="2025-01-01")
    again = attempt("11", "1", package="P", version=2, failed=True, created="2025-02-01")
    third = attempt("13", "1", package="P", version=3, created="2025-03-01")
    other = attempt("12", "1", package="Q", version=2, created="2025-03-01")
    result = placed(failed, again, third, other)
    assert related(result, again.subject) == {
        ("nontender-11", "planning", "rup-1"),
        ("nontender-11", "unsuccessfulProcess", "rup-1"),
    }
    # The latest failure before it.
    assert ("nontender-13", "unsuccessfulProcess", "nontender-11") in related(result, third.subject)
    assert related(result, other.subject) == {("nontender-12", "planning", "rup-1")}


def test_rule_4_several_rups_or_none_open_their_own() -> None:
    result = placed(attempt("10", "1", "2"), attempt("11"))
    assert result.ocids["nontender", "10"] == f"{PREFIX}-nontender-10"
    assert related(result, ("nontender", "10")) == {
        ("nontender-10", "planning", "rup-1"),
        ("nontender-10", "planning", "rup-2"),
    }
    own = f"{PREFIX}-nontender-10"
    assert result.rups["nontender", "10"] == {(own, rup("1")), (own, rup("2"))}
    assert result.ocids["nontender", "11"] == f"{PREFIX}-nontender-11"
    assert ("nontender", "11") not in result.rups


def test_rule_4_two_codes_of_one_chain_are_one_rup() -> None:
    result = placed(attempt("10", "1", "2"), known=Known(older={rup("2"): rup("1")}))
    assert result.ocids["nontender", "10"] == f"{PREFIX}-rup-1"


def test_rule_5_a_revision_keeps_the_older_ocid() -> None:
    older = {rup("2"): rup("1"), rup("3"): rup("2")}
    result = placed(attempt("10", "3"), plans=(Plan(rup("2")),), known=Known(older=older))
    assert {result.ocids[c] for c in (rup("1"), rup("2"), rup("3"), ("nontender", "10"))} == {f"{PREFIX}-rup-1"}


def test_rule_5_both_already_minted_stay_and_new_rows_go_to_the_older() -> None:
    known = after(placed(attempt("10", "2"), plans=(Plan(rup("1")),)), older={rup("2"): rup("1")})
    result = placed(attempt("11", "2", kind="ecat"), codes="12", known=known)
    assert rup("2") not in result.ocids  # never rewritten
    assert result.ocids["ecat", "11"] == f"{PREFIX}-rup-1"
    assert related(result, rup("2")) == {
        ("rup-1", "replacementProcess", "rup-2"),
        ("rup-2", "replacementProcess", "rup-1"),
    }
    assert result.rups[rup("2")] == {(f"{PREFIX}-rup-1", rup("2")), (f"{PREFIX}-rup-2", rup("2"))}


def test_rule_5_an_older_code_learned_later_joins_what_the_newer_opened() -> None:
    # Whichever of the two is the higher number.
    for old, new in (("1", "2"), ("2", "1")):
        known = after(placed(codes=new), older={rup(new): rup(old)})
        assert placed(codes="12", known=known).ocids == {rup(old): f"{PREFIX}-rup-{new}"}


def test_rule_5_the_oldest_code_of_a_chain_that_has_a_process_counts() -> None:
    older = {rup("7"): rup("8"), rup("8"): rup("9")}
    known = Known(ocids={rup("7"): f"{PREFIX}-rup-7", rup("8"): f"{PREFIX}-rup-8"}, older=older)
    result = placed(codes="789", known=known)
    assert result.ocids == {rup("9"): f"{PREFIX}-rup-8"}
    assert related(result, rup("7")) == {
        ("rup-7", "replacementProcess", "rup-8"),
        ("rup-8", "replacementProcess", "rup-7"),
    }


def test_rule_5_a_split_opens_a_process_for_each_part() -> None:
    known = Known(split_from={rup("2"): rup("1"), rup("3"): rup("1")}, older={rup("4"): rup("3")})
    result = placed(codes="234", known=known)
    assert result.ocids == {
        rup("1"): f"{PREFIX}-rup-1",
        rup("2"): f"{PREFIX}-rup-2",
        rup("3"): f"{PREFIX}-rup-3",
        rup("4"): f"{PREFIX}-rup-3",
    }
    assert related(result, rup("2")) == {("rup-2", "replacementProcess", "rup-1")}
    # What a part's revision gives rests on its own rows.
    assert related(result, rup("4")) == related(result, rup("3")) == {("rup-3", "replacementProcess", "rup-1")}
    assert rup("1") not in result.relations


def test_rule_5_cycles_end() -> None:
    older = {rup("1"): rup("2"), rup("2"): rup("3"), rup("3"): rup("1"), rup("4"): rup("3")}
    assert {canonical(code, older) for code in (*older, rup("3"))} == {rup("1")}
    assert chain(rup("4"), older) == [rup("1"), rup("2"), rup("3"), rup("4")]
    assert set(placed(codes="4321", known=Known(older=older)).ocids.values()) == {f"{PREFIX}-rup-1"}


def test_rule_6_a_later_year_joins_the_first_and_a_part_knows_its_whole() -> None:
    result = placed(plans=(Plan(rup("2"), first_year="1"), Plan(rup("5"), inside=("8",))))
    assert result.ocids[rup("2")] == f"{PREFIX}-rup-1"
    assert result.rups[rup("2")] == {(f"{PREFIX}-rup-1", rup("2"))}
    assert related(result, rup("5")) == {("rup-5", "parent", "swk-8")}


def test_rule_6_a_year_between_leads_to_the_first() -> None:
    plans = (Plan(rup("2"), first_year="3"), Plan(rup("3"), first_year="9"), Plan(rup("9"), first_year="9"))
    assert set(placed(attempt("10", "2"), plans=plans).ocids.values()) == {f"{PREFIX}-rup-9"}
    circle = (Plan(rup("2"), first_year="3"), Plan(rup("3"), first_year="2"))
    assert set(placed(plans=circle).ocids.values()) == {f"{PREFIX}-rup-2"}


def test_rule_6_a_year_that_has_a_process_already_keeps_it() -> None:
    known = after(placed(codes="2"))
    result = placed(plans=(Plan(rup("2"), first_year="1"),), known=known)
    assert result.ocids == {rup("1"): f"{PREFIX}-rup-1"}
    assert related(result, rup("2")) == {("rup-2", "prior", "rup-1")}


def test_rule_7_families_are_connected_by_shared_rups() -> None:
    edges = [("a", rup("1")), ("b", rup("1")), ("b", rup("2")), ("c", rup("2")), ("d", rup("3"))]
    assert families(edges) == {"a": "a", "b": "a", "c": "a", "d": "d"}
    assert families(edges[::-1]) == families(edges)


digits = st.sampled_from("123456")
batches = st.fixed_dictionaries(
    {
        "references": st.lists(
            st.builds(
                lambda kind, code, rups, created, version, failed: RupReference(
                    (kind, code), tuple(map(rup, sorted(rups))), 0, created, "P", version, failed
                ),
                st.sampled_from(["tender", "nontender", "ecat", "pencatatan"]),
                st.sampled_from(["10", "11", "12", "13"]),
                st.sets(digits, max_size=2),
                st.sampled_from([None, "2025-01-01", "2025-02-01"]),
                st.integers(1, 3),
                st.booleans(),
            ),
            max_size=5,
            unique_by=lambda reference: reference.subject,
        ),
        "plans": st.lists(
            st.builds(
                lambda code, first, inside: Plan(rup(code), first, tuple(sorted(inside))),
                digits,
                st.none() | digits,
                st.sets(digits, max_size=2),
            ),
            max_size=4,
        ),
        "codes": st.sets(digits, max_size=4),
        "older": st.dictionaries(digits, digits, max_size=4),
        "split": st.dictionaries(digits, digits, max_size=2),
        "minted": st.sets(digits, max_size=3),
        "seed": st.integers(0, 1000),
    }
)


@settings(max_examples=400, deadline=None)
@given(batches)
def test_the_order_of_a_batch_changes_nothing(batch: dict[str, Any]) -> None:
    references, plans, codes = batch["references"], batch["plans"], sorted(map(rup, batch["codes"]))
    revised = {rup(new): rup(old) for new, old in batch["older"].items() if new != old}
    parts = {rup(new): rup(old) for new, old in batch["split"].items() if new != old}
    ocids = {rup(code): f"{PREFIX}-rup-{code}" for code in sorted(batch["minted"])}

    def known(more: dict[Code, str]) -> Known:
        return Known(ocids={**ocids, **more}, older=revised, split_from=parts)

    def result(chance: random.Random, more: dict[Code, str], attempted: set[str]) -> Placement:
        attempts = chance.sample(references, len(references))
        given = known(more)
        given.attempted = attempted
        given.references = {reference.subject: reference for reference in attempts}
        asked, planned = chance.sample(codes, len(codes)), chance.sample(plans, len(plans))
        return place(PREFIX, asked, planned, attempts, given)

    chance = random.Random(batch["seed"])
    first, *others = (result(chance, {}, set()) for _ in range(4))
    for other in others:
        assert (first.ocids, first.rups, first.relations) == (other.ocids, other.rups, other.relations)
    # Every code has its process; what is written once is never written again, and a second look gives the same.
    everyone = {*codes, *(plan.rup for plan in plans), *(each.subject for each in references)}
    assert everyone <= first.ocids.keys() | ocids.keys()
    assert not first.ocids.keys() & ocids.keys()
    attempts = {ocid for (kind, _), ocid in first.ocids.items() if kind in ATTEMPT_KINDS}
    again = result(chance, first.ocids, attempts)
    assert not again.ocids
    assert again.rups == first.rups
    assert {code: found for code, found in again.relations.items() if found} == {
        code: found for code, found in first.relations.items() if found
    }
    for code, ocid in first.ocids.items():
        opened = f"{PREFIX}-{code[0]}-{code[1]}"
        assert ocid == opened or ocid.split("-")[2] in RUP_KINDS
