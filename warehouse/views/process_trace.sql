-- One row per process: proposal, budget, package, tender, contract, payments, progress. Proposals and
-- budget lines are repeated in a family.
--
-- ocid: the contracting process
-- family: the processes that share a RUP, directly or through others
-- title: title of the process
-- office_id: the office that buys (office.id)
-- office_name: its name
-- fiscal_year (integer): fiscal year of the process
-- proposals (integer): proposals behind the plan, without withdrawn and rejected ones
-- proposal_title: the first of them in the alphabet
-- budget_lines (integer): SIMDA budget lines that are linked to the plan
-- line_total (money): sum of those lines; packages share a line, so it is not what this one may spend
-- planned_amount (money): planned budget; empty where another process of the family has it
-- tender_status: OCDS status of the tender
-- tender_value (money): value of the tender
-- awarded_amount (money): sum of the awards that stand
-- contracted_amount (money): contracted: contracts and orders that stand
-- certified_amount (money): certified: payment certificates (BAP)
-- recorded_amount (money): recorded: total_realisasi of recordings that stand
-- disbursed_amount (money): disbursed: SP2D
-- payments (integer): certificates, recorded payments and SP2D on contracts that stand
-- last_payment_at (moment): the last of them
-- physical_progress (percent): latest actual physical progress
-- financial_progress (percent): latest actual financial progress as the office reports it
-- last_report_on (date): latest progress report
-- first_missing: the first stage that this process has not reached; empty if all five are there
-- family_first_missing: the first stage that no process of its family has reached

-- Subqueries per row, not joins of groups: so the trace of one process costs no more than that process. Conditions on
-- links stand in CASE, not in WHERE: without statistics a database would begin at all links of a kind, for every row.
SELECT
    ocid, family, title, office_id, office_name, fiscal_year,
    (
        SELECT count(*) FROM proposal
        WHERE proposal.ocid = traced.ocid AND coalesce(proposal.status, '') NOT IN ('withdrawn', 'rejected')
    ) AS proposals,
    (
        SELECT min(proposal.title) FROM proposal
        WHERE proposal.ocid = traced.ocid AND coalesce(proposal.status, '') NOT IN ('withdrawn', 'rejected')
    ) AS proposal_title,
    (
        SELECT count(DISTINCT CASE
            WHEN subject.kind = 'anggaran' AND NOT subject.gone AND link.status IN ('auto', 'confirmed')
            THEN subject.code
        END)
        FROM process_rup
        JOIN link ON link.to_kind = process_rup.kind AND link.to_code = process_rup.code
        JOIN subject ON subject.kind = link.from_kind AND subject.code = link.from_code
        WHERE process_rup.ocid = traced.ocid
    ) AS budget_lines,
    (
        SELECT sum(amount) FROM (
            SELECT DISTINCT subject.kind, subject.code, CASE
                WHEN subject.kind = 'anggaran' AND NOT subject.gone AND link.status IN ('auto', 'confirmed')
                THEN subject.amount
            END AS amount
            FROM process_rup
            JOIN link ON link.to_kind = process_rup.kind AND link.to_code = process_rup.code
            JOIN subject ON subject.kind = link.from_kind AND subject.code = link.from_code
            WHERE process_rup.ocid = traced.ocid
        ) AS lines
    ) AS line_total,
    planned_amount, tender_status, tender_value, awarded_amount, contracted_amount, certified_amount,
    recorded_amount, disbursed_amount, payments, last_payment_at, physical_progress, financial_progress, last_report_on,
    CASE
        WHEN NOT has_planning THEN 'planning'
        WHEN NOT has_tender THEN 'tender'
        WHEN NOT has_award THEN 'award'
        WHEN NOT has_contract THEN 'contract'
        WHEN NOT has_implementation THEN 'implementation'
    END AS first_missing,
    (
        SELECT CASE
            WHEN max(CASE WHEN kin.has_planning THEN 1 ELSE 0 END) = 0 THEN 'planning'
            WHEN max(CASE WHEN kin.has_tender THEN 1 ELSE 0 END) = 0 THEN 'tender'
            WHEN max(CASE WHEN kin.has_award THEN 1 ELSE 0 END) = 0 THEN 'award'
            WHEN max(CASE WHEN kin.has_contract THEN 1 ELSE 0 END) = 0 THEN 'contract'
            WHEN max(CASE WHEN kin.has_implementation THEN 1 ELSE 0 END) = 0 THEN 'implementation'
        END
        FROM contracting_process AS kin WHERE kin.family = traced.family
    ) AS family_first_missing
FROM contracting_process AS traced;
