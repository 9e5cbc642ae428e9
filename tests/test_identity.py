"""The identity rules of the design, one by one, and their independence of the order of rows."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.identity import Code, Known, Naming, Placement, Plan, canonical, families, place

PREFIX = "ocds-213czf"


def rup(code: str) -> Code:
    return ("rup", code)


def attempt(code: str, *rups: str, kind: str = "nontender", **more: object) -> Naming:
    return Naming((kind, code), tuple(rup(r) for r in rups), 0, **more)  # type: ignore[arg-type]


def placed(
    *namings: Naming,
    plans: tuple[Plan, ...] = (),
    revisions: tuple[tuple[Code, Code], ...] = (),
    known: Known | None = None,
) -> Placement:
    known = known or Known()
    for old, new in revisions:
        known.older.setdefault(new, old)
    known.namings.update({naming.subject: naming for naming in namings})
    return place(PREFIX, plans, revisions, namings, known)


def after(before: Placement, known: Known | None = None) -> Known:
    """What is known once a placement was written."""
    known = known or Known()
    known.ocids.update(before.ocids)
    known.attempted |= {ocid for (kind, _), ocid in before.ocids.items() if kind in ("tender", "nontender")}
    return known


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
    assert earlier.ocids["tender", "9"] == f"{PREFIX}-tender-9"
    assert earlier.relations[f"{PREFIX}-tender-9"] == {("planning", f"{PREFIX}-rup-1")}


def test_rule_2_orders_and_recorded_purchases_always_join() -> None:
    orders = [attempt(code, "1", kind="ecat") for code in ("a", "b")] + [attempt("5", "1", kind="pencatatan")]
    assert {placed(attempt("10", "1"), *orders).ocids[n.subject] for n in orders} == {f"{PREFIX}-rup-1"}


def test_rule_3_a_retender_is_related_to_the_failed_attempt() -> None:
    failed = attempt("10", "1", package="P", version=1, failed=True, created="2025-01-01")
    again = attempt("11", "1", package="P", version=2, created="2025-02-01")
    other = attempt("12", "1", package="Q", version=2, created="2025-03-01")
    result = placed(failed, again, other)
    assert result.relations[f"{PREFIX}-nontender-11"] == {
        ("planning", f"{PREFIX}-rup-1"),
        ("unsuccessfulProcess", f"{PREFIX}-rup-1"),
    }
    assert result.relations[f"{PREFIX}-nontender-12"] == {("planning", f"{PREFIX}-rup-1")}


def test_rule_4_several_rups_or_none_open_their_own() -> None:
    result = placed(attempt("10", "1", "2"), attempt("11"))
    assert result.ocids["nontender", "10"] == f"{PREFIX}-nontender-10"
    assert result.relations[f"{PREFIX}-nontender-10"] == {
        ("planning", f"{PREFIX}-rup-1"),
        ("planning", f"{PREFIX}-rup-2"),
    }
    assert result.rups[f"{PREFIX}-nontender-10"] == {rup("1"), rup("2")}
    assert result.ocids["nontender", "11"] == f"{PREFIX}-nontender-11"
    assert not result.rups.get(f"{PREFIX}-nontender-11")


def test_rule_5_a_revision_keeps_the_older_ocid() -> None:
    chain = ((rup("1"), rup("2")), (rup("2"), rup("3")))
    result = placed(attempt("10", "3"), plans=(Plan(rup("2")),), revisions=chain)
    assert {result.ocids[c] for c in (rup("1"), rup("2"), rup("3"), ("nontender", "10"))} == {f"{PREFIX}-rup-1"}


def test_rule_5_both_already_minted_stay_and_new_rows_go_to_the_older() -> None:
    known = after(placed(attempt("10", "2"), plans=(Plan(rup("1")),)))
    result = placed(attempt("11", "2", kind="ecat"), revisions=((rup("1"), rup("2")),), known=known)
    assert rup("2") not in result.ocids  # never rewritten
    assert result.ocids["ecat", "11"] == f"{PREFIX}-rup-1"
    assert ("replacementProcess", f"{PREFIX}-rup-2") in result.relations[f"{PREFIX}-rup-1"]
    assert ("replacementProcess", f"{PREFIX}-rup-1") in result.relations[f"{PREFIX}-rup-2"]


def test_rule_5_an_older_code_learned_later_joins_what_the_newer_opened() -> None:
    known = after(placed(attempt("10", "2")))
    result = placed(plans=(Plan(rup("1")),), revisions=((rup("1"), rup("2")),), known=known)
    assert result.ocids[rup("1")] == f"{PREFIX}-rup-2"


def test_rule_5_cycles_end() -> None:
    older = {rup("1"): rup("2"), rup("2"): rup("3"), rup("3"): rup("1"), rup("4"): rup("3")}
    assert {canonical(code, older) for code in (*older, rup("3"))} == {rup("1")}


def test_rule_6_a_later_year_joins_the_first_and_a_part_knows_its_whole() -> None:
    result = placed(plans=(Plan(rup("2"), first_year="1"), Plan(rup("5"), inside=("8",))))
    assert result.ocids[rup("2")] == f"{PREFIX}-rup-1"
    assert result.rups[f"{PREFIX}-rup-1"] == {rup("1"), rup("2")}
    assert result.relations[f"{PREFIX}-rup-5"] == {("parent", f"{PREFIX}-swk-8")}


def test_rule_7_families_are_connected_by_shared_rups() -> None:
    edges = [("a", rup("1")), ("b", rup("1")), ("b", rup("2")), ("c", rup("2")), ("d", rup("3"))]
    assert families(edges) == {"a": "a", "b": "a", "c": "a", "d": "d"}


codes = st.sampled_from(["1", "2", "3", "4"])
namings = st.builds(
    lambda kind, code, rups, created: Naming((kind, code), tuple(rup(r) for r in rups), 0, created),
    st.sampled_from(["tender", "nontender", "ecat", "pencatatan"]),
    st.sampled_from(["10", "11", "12", "13"]),
    st.sets(codes, max_size=2),
    st.sampled_from([None, "2025-01-01", "2025-02-01"]),
)


@settings(max_examples=200)
@given(
    st.lists(namings, max_size=4, unique_by=lambda n: n.subject),
    st.lists(codes, max_size=3),
    st.lists(st.tuples(codes, codes), max_size=3, unique_by=lambda r: r[1]),
)
def test_the_order_of_rows_changes_nothing(
    batch: list[Naming], plans: list[str], revised: list[tuple[str, str]]
) -> None:
    revisions = [(rup(old), rup(new)) for old, new in revised if old != new]
    results = []
    for order in itertools.islice(itertools.permutations(batch), 6):
        known = Known(older={new: old for old, new in revisions})
        results.append(place(PREFIX, [Plan(rup(p)) for p in plans], revisions, order, known))
    for result in results[1:]:
        assert result.ocids == results[0].ocids
        assert dict(result.rups) == dict(results[0].rups)
        assert dict(result.relations) == dict(results[0].relations)
    for result in results[:1]:
        # What is written once is never asked for again.
        again = place(
            PREFIX,
            [Plan(rup(p)) for p in plans],
            revisions,
            batch,
            Known(ocids=dict(result.ocids), older={new: old for old, new in revisions}),
        )
        assert not again.ocids
