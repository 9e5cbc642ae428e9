-- One row per family of processes: how far the money can be followed, planning counted once.
--
-- family: the processes that share a RUP, directly or through others
-- title: title of the process that names the family, else the first in the alphabet
-- fiscal_year (integer): first fiscal year of its processes
-- processes (integer): number of its processes
-- has_planning (integer): 1 if any of its processes has reached the stage planning, else 0
-- has_tender (integer): 1 if any of its processes has reached the stage tender, else 0
-- has_award (integer): 1 if any of its processes has reached the stage award, else 0
-- has_contract (integer): 1 if any of its processes has reached the stage contract, else 0
-- has_implementation (integer): 1 if any of its processes has reached the stage implementation, else 0
-- stages (integer): number of stages reached, 0 to 5
-- first_missing: the first stage that is missing; empty if all five are there
-- planned_amount (money): planned budget, each plan counted once
-- tendered_amount (money): value of the tenders that did not fail
-- awarded_amount (money): sum of the awards that stand
-- contracted_amount (money): contracted: contracts and orders that stand
-- certified_amount (money): certified: payment certificates (BAP)
-- recorded_amount (money): recorded: total_realisasi of recordings that stand
-- disbursed_amount (money): disbursed: SP2D

SELECT
    family, title, fiscal_year, processes,
    has_planning, has_tender, has_award, has_contract, has_implementation,
    has_planning + has_tender + has_award + has_contract + has_implementation AS stages,
    CASE
        WHEN has_planning = 0 THEN 'planning'
        WHEN has_tender = 0 THEN 'tender'
        WHEN has_award = 0 THEN 'award'
        WHEN has_contract = 0 THEN 'contract'
        WHEN has_implementation = 0 THEN 'implementation'
    END AS first_missing,
    planned_amount, tendered_amount, awarded_amount, contracted_amount, certified_amount, recorded_amount,
    disbursed_amount
FROM (
    SELECT
        family,
        coalesce(min(CASE WHEN ocid = family THEN title END), min(title)) AS title,
        min(fiscal_year) AS fiscal_year,
        count(*) AS processes,
        max(CASE WHEN has_planning THEN 1 ELSE 0 END) AS has_planning,
        max(CASE WHEN has_tender THEN 1 ELSE 0 END) AS has_tender,
        max(CASE WHEN has_award THEN 1 ELSE 0 END) AS has_award,
        max(CASE WHEN has_contract THEN 1 ELSE 0 END) AS has_contract,
        max(CASE WHEN has_implementation THEN 1 ELSE 0 END) AS has_implementation,
        sum(planned_amount) AS planned_amount,
        sum(CASE WHEN tender_status IN ('cancelled', 'unsuccessful', 'withdrawn') THEN NULL ELSE tender_value END)
            AS tendered_amount,
        sum(awarded_amount) AS awarded_amount,
        sum(contracted_amount) AS contracted_amount,
        sum(certified_amount) AS certified_amount,
        sum(recorded_amount) AS recorded_amount,
        sum(disbursed_amount) AS disbursed_amount
    FROM contracting_process
    GROUP BY family
) AS traced;
