-- Self-managed work (swakelola) as a share of all that offices announced, by fiscal year. Population: announced plans.
-- Amount: pagu. Denominator: pagu of all announced plans of the office and year. What was recorded of self-managed work
-- stands beside it: recordings that stand, total_realisasi.
--
-- fiscal_year (integer): fiscal year of the plans
-- office_id: the office (office.id)
-- office_name: its name
-- swakelola_plans (integer): announced plans of self-managed work
-- plans (integer): all announced plans
-- swakelola_amount (money): pagu of the former
-- announced_amount (money): pagu of all
-- swakelola_percent (percent): swakelola_amount / announced_amount
-- recorded_amount (money): recorded: total_realisasi of self-managed work; part of no share

SELECT
    planned.fiscal_year, planned.office_id, office.name AS office_name, swakelola_plans, plans, swakelola_amount,
    announced_amount, 100 * coalesce(swakelola_amount, 0) / nullif(announced_amount, 0) AS swakelola_percent,
    recorded.amount AS recorded_amount
FROM (
    SELECT
        fiscal_year, office_id,
        count(CASE WHEN kind = 'swk' THEN 1 END) AS swakelola_plans,
        count(*) AS plans,
        sum(CASE WHEN kind = 'swk' THEN pagu END) AS swakelola_amount,
        sum(pagu) AS announced_amount
    FROM plan WHERE status = 'announced' GROUP BY fiscal_year, office_id
) AS planned
LEFT JOIN (
    SELECT fiscal_year, office_id, sum(recorded_amount) AS amount
    FROM contract WHERE stands AND channel = 'swakelola' GROUP BY fiscal_year, office_id
) AS recorded ON recorded.fiscal_year = planned.fiscal_year AND recorded.office_id = planned.office_id
LEFT JOIN office ON office.id = planned.office_id;
