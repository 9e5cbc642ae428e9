"""Red flags of bids: their prices, their number, and who bids with whom. Cardinal's rules where it has one."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from schemas.flags import FlagSettings
from transforms.flags.model import (
    AWARD_STATUS,
    AWARDED,
    BID,
    BID_STATUS,
    BIDDER,
    DISQUALIFIED,
    VALUE,
    WINNER,
    Answer,
    Bid,
    Case,
    Flag,
    Found,
    Lacking,
    Object,
    Verdict,
    begun,
    bidders_of,
    competitive,
    fences,
    quantile,
)

_SUBMITTED = ("pending", "valid", "disqualified")
_STANDING = ("pending", "active")


def _priced(case: Case) -> list[float]:
    return sorted(bid.amount for bid in case.valid_bids if bid.amount is not None)


def _r022(case: Case, document: Object, settings: FlagSettings) -> Answer:
    prices = sorted(bid.amount for bid in case.bids if bid.status in ("pending", "valid") and bid.amount is not None)
    if len(prices) < 3:
        return Lacking(("three bids with a value, not disqualified",))
    if prices[0] <= 0:
        return Lacking(("bids above zero",))
    spread = (prices[-1] - prices[0]) / prices[0]
    return Verdict(
        spread >= settings.r022_spread,
        {"spread": round(spread, 4), "lowest": prices[0], "highest": prices[-1], "bids": len(prices)},
    )


def _gap(case: Case) -> tuple[float, Object] | str:
    """By how much of the winning bid the second lowest valid one exceeds it, with figures; or why that is not known
    (Cardinal's exclusions)."""
    if any(award.status in (None, "pending") for award in case.awards):
        return "awards that are decided"
    if len(case.winners) != 1 or len(case.winners[0].suppliers) != 1:
        return "one active award to one supplier"
    valid = [bid for bid in case.valid_bids if bid.amount is not None]
    if any(len(bid.suppliers) != 1 for bid in valid):
        return "bids of one tenderer each"
    if len(valid) < 2:
        return "two valid bids with a value"
    winner = case.winners[0].suppliers[0]
    won = min((bid.amount or 0 for bid in valid if bid.suppliers[0] == winner), default=None)
    prices = _priced(case)
    if won is None:
        return "a valid bid of the supplier"
    if won != prices[0]:
        return "the lowest bid as the winning one"
    if won <= 0:
        return "bids above zero"
    return (prices[1] - won) / won, {"winning": won, "second": prices[1]}


def _by_gap(
    flagged: Callable[[float, float, float, FlagSettings], bool],
) -> Callable[[Sequence[Case], FlagSettings], Iterator[Found]]:
    def rule(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
        gaps = {case.ocid: _gap(case) for case in cases}
        measured = [gap[0] for gap in gaps.values() if not isinstance(gap, str)]
        low, high = fences(measured) if measured else (0.0, 0.0)
        for ocid, gap in gaps.items():
            if isinstance(gap, str):
                yield ocid, Lacking((gap,))
            elif len(measured) < settings.fewest:
                yield ocid, Lacking((f"{settings.fewest} processes to compare with",))
            else:
                figures = {**gap[1], "difference": round(gap[0], 4), "fences": [round(low, 4), round(high, 4)]}
                yield ocid, Verdict(flagged(gap[0], low, high, settings), figures)

    return rule


def _close(gap: float, low: float, high: float, settings: FlagSettings) -> bool:
    return gap <= (low if settings.r024_difference is None else settings.r024_difference)


def _discounted(gap: float, low: float, high: float, settings: FlagSettings) -> bool:
    return gap >= (high if settings.r058_difference is None else settings.r058_difference)


def _r025(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
    bids: Counter[str] = Counter()
    won: Counter[str] = Counter()
    for case in cases:
        decided = all(award.status not in (None, "pending") for award in case.awards)
        alone = len(case.winners) == 1 and len(case.winners[0].suppliers) == 1
        if not decided or not alone or any(len(bid.suppliers) != 1 for bid in case.valid_bids):
            continue
        for bid in case.valid_bids:
            bids[bid.suppliers[0]] += 1
            won[bid.suppliers[0]] += bid.suppliers == case.winners[0].suppliers
    ratios = {supplier: won[supplier] / number for supplier, number in bids.items()}
    frequent = quantile(list(bids.values()), settings.r025_percentile / 100) if bids else 0
    lowest = fences(list(ratios.values()))[0] if ratios else 0.0
    lowest = lowest if settings.r025_ratio is None else settings.r025_ratio
    for supplier in {each for case in cases for each in bidders_of(case)}:
        if supplier not in bids:
            yield supplier, Lacking(("a valid bid where one supplier won",))
        elif len(bids) < settings.fewest:
            yield supplier, Lacking((f"{settings.fewest} bidders to compare with",))
        else:
            figures = {
                "bids": bids[supplier],
                "won": won[supplier],
                "ratio": round(ratios[supplier], 4),
                "frequent": round(frequent, 4),
                "fence": round(lowest, 4),
            }
            yield supplier, Verdict(bids[supplier] >= frequent and ratios[supplier] <= lowest, figures)


def _r028(case: Case, document: Object, settings: FlagSettings) -> Answer:
    submitted = [bid for bid in case.bids if bid.status in _SUBMITTED and bid.amount is not None]
    if len(submitted) < 2:
        return Lacking(("two bids with a value",))
    by_price: dict[float, set[str]] = defaultdict(set)
    for bid in submitted:
        by_price[bid.amount or 0].update(bid.suppliers)
    same = {price: sorted(suppliers) for price, suppliers in by_price.items() if len(suppliers) > 1}
    figures = {"bids": len(submitted), "equal": [{"value": price, "tenderers": who} for price, who in same.items()]}
    return Verdict(bool(same), figures)


def _r030(case: Case, document: Object, settings: FlagSettings) -> Answer:
    deadline = document["tender"]["tenderPeriod"]["endDate"]
    won = {supplier for award in case.winners for supplier in award.suppliers}
    late = [
        bid["date"]
        for bid in document["bids"]["details"]
        if bid.get("status") == "valid"
        and bid.get("date", "") > deadline
        and won & {tenderer.get("id") for tenderer in bid.get("tenderers", ())}
    ]
    return Verdict(bool(late), {"deadline": deadline, "late": late})


def _r031(case: Case, document: Object, settings: FlagSettings) -> Answer:
    values = [award.value for award in case.awards if award.status in _STANDING and award.value is not None]
    if not values or not case.value:
        return Lacking(("a standing award with a value, and an estimate above zero",))
    share = sum(values) / case.value
    figures = {"awarded": sum(values), "estimate": case.value, "share": round(share, 4)}
    return Verdict(share >= settings.r031_share, figures)


def _r035(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
    for case in cases:
        valid = _suppliers(case, "valid")
        out = _suppliers(case, "disqualified") - valid
        won = {supplier for award in case.winners for supplier in award.suppliers}
        pending = any(award.status in (None, "pending") for award in case.awards)
        alone = len(valid) == 1 and won == valid and not pending
        yield case.ocid, Verdict(alone and len(out) >= settings.r035_tenderers, {"disqualified": len(out)})


def _suppliers(case: Case, status: str) -> set[str]:
    return {supplier for bid in case.bids if bid.status == status for supplier in bid.suppliers}


def _r036(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
    for case in cases:
        submitted = [bid for bid in case.bids if bid.status in _SUBMITTED and bid.amount is not None]
        if not submitted or not case.winners:
            yield case.ocid, Lacking(("an active award, and a bid with a value",))
            continue
        lowest: Bid = min(submitted, key=lambda bid: bid.amount or 0)
        figures = {"lowest": lowest.amount, "status": lowest.status}
        yield case.ocid, Verdict(lowest.status == "disqualified", figures)


def _r038(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
    received: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for case in cases:
        for bid in case.bids:
            if bid.status in _SUBMITTED:
                received[case.office or ""] += 1
                refused[case.office or ""] += bid.status == "disqualified"
    ratios = {office: refused[office] / n for office, n in received.items() if n >= settings.r038_bids}
    fence = fences(list(ratios.values()))[1] if ratios else 0.0
    fence = fence if settings.r038_ratio is None else settings.r038_ratio
    for office in received:
        if office not in ratios:
            yield office, Lacking((f"{settings.r038_bids} bids",))
        elif len(ratios) < settings.fewest:
            yield office, Lacking((f"{settings.fewest} offices to compare with",))
        else:
            figures = {"bids": received[office], "disqualified": refused[office], "fence": round(fence, 4)}
            yield office, Verdict(ratios[office] >= fence, figures)


def _pairs(cases: Sequence[Case]) -> dict[tuple[str, str], list[set[str]]]:
    """Pairs that bid in one tender -> the winners of each such tender."""
    found: dict[tuple[str, str], list[set[str]]] = defaultdict(list)
    for case in cases:
        winners = {supplier for award in case.winners for supplier in award.suppliers}
        if winners:
            together = {supplier for bid in case.valid_bids for supplier in bid.suppliers}
            for pair in combinations(sorted(together), 2):
                found[pair].append(winners)
    return found


def _by_pairs(
    judge: Callable[[tuple[str, str], list[set[str]], FlagSettings], tuple[float, Answer]],
) -> Callable[[Sequence[Case], FlagSettings], Iterator[Found]]:
    """A rule on pairs of bidders: each supplier is judged by its most telling pair."""

    def rule(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
        best: dict[str, tuple[float, Answer]] = {}
        for pair, winners in _pairs(cases).items():
            weight, answer = judge(pair, winners, settings)
            for supplier in pair:
                if supplier not in best or weight > best[supplier][0]:
                    best[supplier] = weight, answer
        for supplier in {each for case in cases for each in bidders_of(case)}:
            yield supplier, best[supplier][1] if supplier in best else Lacking(("a tender with another bidder",))

    return rule


def _same_winner(pair: tuple[str, str], winners: list[set[str]], settings: FlagSettings) -> tuple[float, Answer]:
    together = len(winners)
    if together < settings.r053_together:
        return together / 1e6 - 1, Lacking((f"{settings.r053_together} tenders with the same other bidder",))
    wins = {supplier: sum(supplier in each for each in winners) for supplier in pair}
    top = max(pair, key=lambda supplier: wins[supplier])
    share = wins[top] / together
    figures = {"pair": list(pair), "together": together, "winner": top, "won": wins[top]}
    return share + together / 1e6, Verdict(share >= settings.r053_share, figures)


def _rotation(pair: tuple[str, str], winners: list[set[str]], settings: FlagSettings) -> tuple[float, Answer]:
    wins = {supplier: sum(supplier in each for each in winners) for supplier in pair}
    own = sum(wins.values())
    if len(winners) < settings.r057_together:
        return len(winners) / 1e6 - 1, Lacking((f"{settings.r057_together} tenders with the same other bidder",))
    share = min(wins.values()) / own if own else 0.0
    figures = {"pair": list(pair), "together": len(winners), "won": wins, "share": round(share, 4)}
    rotates = own >= settings.r057_together and share >= settings.r057_share
    return share + len(winners) / 1e6, Verdict(rotates, figures)


_DECIDED = (BID, BID_STATUS, BIDDER, WINNER, AWARD_STATUS)
_FED = "PesertaTender with `nilai_penawaran`; the winner (`pemenang`) of TenderSelesaiNilai and the contract"
_NEVER = (
    "no source has disqualified bids: `alasan` is empty in every real row of PesertaTender, and "
    "`pemenang_terverifikasi` is 0"
)

FLAGS = (
    Flag(
        "R022",
        "Wide disparity in bid prices",
        "process",
        (BID, BID_STATUS),
        "Of three or more bids that weren't disqualified the highest exceeds the lowest by `r022_spread` of it.",
        "OCP's list, after the World Bank's warning signs; spread: ours",
        "PesertaTender with three values",
        competitive,
        ("r022_spread",),
        one=_r022,
    ),
    Flag(
        "R024",
        "Price close to winning bid",
        "process",
        _DECIDED,
        "The second lowest valid bid exceeds the winning one by a share that is a low outlier: at or below the lower "
        "fence of all processes, or `r024_difference`. Cardinal's exclusions hold (undecided or several awards, joint "
        "bids, a winner that isn't the lowest).",
        "Cardinal R024",
        _FED,
        competitive,
        ("r024_difference", "fewest"),
        many=_by_gap(_close),
    ),
    Flag(
        "R025",
        "Excessive unsuccessful bids",
        "supplier",
        (BID_STATUS, BIDDER, WINNER, AWARD_STATUS),
        "A supplier with as many valid bids as the upper quarter of bidders (`r025_percentile`) wins a share of them "
        "that is a low outlier.",
        "Cardinal R025",
        _FED,
        competitive,
        ("r025_percentile", "r025_ratio", "fewest"),
        many=_r025,
        subjects=bidders_of,
    ),
    Flag(
        "R028",
        "Identical bid prices",
        "process",
        (BID, BID_STATUS, BIDDER),
        "Different bidders submitted bids of the same price.",
        "Cardinal R028",
        "PesertaTender with two values",
        competitive,
        one=_r028,
    ),
    Flag(
        "R030",
        "Late bid won",
        "process",
        ("bids.details.date", BID_STATUS, BIDDER, "tender.tenderPeriod.endDate", WINNER, AWARD_STATUS),
        "A valid bid of the supplier came after the deadline.",
        "Cardinal R030",
        "none",
        competitive,
        never="no source has the date of a bid",
        one=_r030,
    ),
    Flag(
        "R031",
        "Winning bid price very close or higher than estimated price",
        "process",
        (VALUE, AWARDED, AWARD_STATUS),
        "What was awarded (decided or pending) reaches `r031_share` of the estimate (HPS).",
        "OCP's list; share: ours",
        "attempts with an award: `nilai_terkoreksi` or `nilai_negosiasi` against `hps`",
        begun,
        ("r031_share",),
        one=_r031,
    ),
    Flag(
        "R035",
        "All except winning bid disqualified",
        "process",
        (BID_STATUS, BIDDER, WINNER, AWARD_STATUS),
        "One bidder's bids are valid, it won, and `r035_tenderers` others were disqualified.",
        "Cardinal R035",
        "none",
        competitive,
        ("r035_tenderers",),
        in_year=(DISQUALIFIED,),
        never=_NEVER,
        many=_r035,
    ),
    Flag(
        "R036",
        "Lowest bid disqualified",
        "process",
        (BID, BID_STATUS, AWARD_STATUS),
        "Somebody won, and the lowest submitted bid was disqualified.",
        "Cardinal R036",
        "none",
        competitive,
        in_year=(DISQUALIFIED,),
        never=_NEVER,
        many=_r036,
    ),
    Flag(
        "R038",
        "Excessive disqualified bids",
        "office",
        (BID_STATUS, "buyer.id"),
        "The share of disqualified bids is a high outlier among offices with `r038_bids` bids.",
        "Cardinal R038",
        "none",
        competitive,
        ("r038_ratio", "r038_bids", "fewest"),
        in_year=(DISQUALIFIED,),
        never=_NEVER,
        many=_r038,
    ),
    Flag(
        "R053",
        "Co-bidding pairs have same recurrent winner",
        "supplier",
        _DECIDED,
        "The supplier bid with the same other one in `r053_together` tenders, and one of the two won `r053_share` of "
        "them.",
        "OCP's list; rule: ours",
        _FED,
        competitive,
        ("r053_together", "r053_share"),
        many=_by_pairs(_same_winner),
        subjects=bidders_of,
    ),
    Flag(
        "R057",
        "Bid rotation",
        "supplier",
        _DECIDED,
        "The supplier bid with the same other one in `r057_together` tenders, the two won that many, and each of them "
        "`r057_share` of these.",
        "OCP's list; rule: ours",
        _FED,
        competitive,
        ("r057_together", "r057_share"),
        many=_by_pairs(_rotation),
        subjects=bidders_of,
    ),
    Flag(
        "R058",
        "Heavily discounted bid",
        "process",
        _DECIDED,
        "The second lowest valid bid exceeds the winning one by a share that is a high outlier: at or above the upper "
        "fence of all processes, or `r058_difference`. Exclusions as for R024.",
        "Cardinal R058",
        _FED,
        competitive,
        ("r058_difference", "fewest"),
        many=_by_gap(_discounted),
    ),
)
