-- Provider packages (RUP) that were not withdrawn, whose planned selection had ended, or whose fiscal year was over, on
-- the day of the last run, and of whose family no process has reached the stage tender.
--
-- ocid: the contracting process
-- family: the processes that share a RUP, directly or through others
-- title: title of the process
-- buyer_id: the office that buys (organization.id)
-- buyer_name: its name
-- fiscal_year (integer): fiscal year of the process
-- planned_amount (money): planned budget
-- planned_until (moment): planned end of the selection; empty where the plan names none and its year is over
-- has_contract (integer): 1 if a contract of the family is known all the same, else 0

SELECT
    package.ocid, package.family, package.title, package.buyer_id, package.buyer_name, package.fiscal_year,
    package.planned_amount,
    tender.period_end AS planned_until,
    (
        SELECT max(CASE WHEN kin.has_contract THEN 1 ELSE 0 END)
        FROM contracting_process AS kin WHERE kin.family = package.family
    ) AS has_contract
FROM contracting_process AS package
CROSS JOIN (SELECT max(started_at) AS started_at FROM run) AS latest
LEFT JOIN tender ON tender.ocid = package.ocid
WHERE package.origin = 'rup'
    AND package.has_planning
    AND coalesce(package.tender_status, '') NOT IN ('cancelled', 'withdrawn')
    AND CASE
        WHEN tender.period_end IS NOT NULL THEN date(tender.period_end) < date(latest.started_at)
        ELSE CAST(package.fiscal_year AS text) < substr(latest.started_at, 1, 4)
    END
    AND NOT EXISTS (
        SELECT 1 FROM contracting_process AS kin WHERE kin.family = package.family AND kin.has_tender
    );
