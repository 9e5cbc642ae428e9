-- Provider plans (RUP) whose planned selection had ended, or whose fiscal year was over where they name no end, on the
-- day of the newest answer of SIRUP that has their year, and of whose family no attempt is known. Never as of today:
-- a late sync makes no plan late. SIRUP plans by months and writes their first day: a plan is late once its month is over.
--
-- ocid: the contracting process
-- family: the processes that share a RUP, directly or through others
-- kd_rup: RUP code
-- title: title of the plan
-- office_id: the office that buys (office.id)
-- office_name: its name
-- fiscal_year (integer): fiscal year of the plan
-- method_details: planned method
-- pagu (money): planned budget
-- planned_until (moment): month in which the selection was to end, as its first day; empty where the plan names none and its year is over
-- unseen (integer): 1 if it is to be bought in the e-catalogue and no order of its year was read, so that none could be
--   known; else 0
-- as_of (date): day of that answer (UTC)
-- has_contract (integer): 1 if a contract of the family is known all the same, else 0

-- Of a family it is asked by index alone (contracting_process_tendered, _contracted), and days are compared as days, not
-- as text: so a million plans take two seconds.
SELECT
    plan.ocid, plan.family, plan.kd_rup, plan.title, plan.office_id, office.name AS office_name, plan.fiscal_year,
    plan.method_details, plan.pagu,
    plan.selection_end AS planned_until,
    CASE WHEN plan.method_details = 'E-Purchasing' AND ordered.fiscal_year IS NULL THEN 1 ELSE 0 END AS unseen,
    day.as_of,
    CASE WHEN EXISTS (
        SELECT 1 FROM contracting_process AS kin WHERE kin.family = plan.family AND kin.has_contract
    ) THEN 1 ELSE 0 END AS has_contract
FROM plan
JOIN (
    SELECT
        scope, date(max(observed_at)) AS as_of, date(substr(max(observed_at), 1, 7) || '-01') AS month,
        substr(max(observed_at), 1, 4) AS year
    FROM answer WHERE service = 'RUP-PaketPenyedia-Terumumkan' GROUP BY scope
) AS day ON day.scope = CAST(plan.fiscal_year AS text)
LEFT JOIN (SELECT DISTINCT fiscal_year FROM attempt WHERE channel IN ('ecat', 'tokodaring')) AS ordered
    ON ordered.fiscal_year = plan.fiscal_year
LEFT JOIN office ON office.id = plan.office_id
WHERE plan.kind = 'rup'
    AND plan.status = 'announced'
    AND CASE WHEN plan.selection_end IS NOT NULL THEN plan.selection_end < day.month ELSE day.scope < day.year END
    AND NOT EXISTS (
        SELECT 1 FROM contracting_process AS kin WHERE kin.family = plan.family AND kin.has_tender
    );
