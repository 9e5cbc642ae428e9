-- Self-managed work (swakelola) as a share of all that offices announced, by fiscal year. Population: announced plans.
-- Amount: pagu. Denominator: pagu of all announced plans of the office and year. What was recorded of self-managed work
-- stands beside it: recordings that stand, total_realisasi, of offices without a plan in hand too.
--
-- fiscal_year (integer): fiscal year of the plans, of the recordings
-- office_id: the office (office.id)
-- office_name: its name
-- swakelola_plans (integer): announced plans of self-managed work
-- plans (integer): all announced plans
-- swakelola_amount (money): pagu of the former
-- announced_amount (money): pagu of all
-- swakelola_percent (percent): swakelola_amount / announced_amount
-- recorded_amount (money): recorded: total_realisasi of self-managed work; part of no share

SELECT
    fiscal_year, office_id, office.name AS office_name,
    CAST(sum(swakelola_plans) AS integer) AS swakelola_plans,
    CAST(sum(plans) AS integer) AS plans,
    sum(swakelola_amount) AS swakelola_amount,
    sum(announced_amount) AS announced_amount,
    100 * coalesce(sum(swakelola_amount), 0) / nullif(sum(announced_amount), 0) AS swakelola_percent,
    sum(recorded_amount) AS recorded_amount
FROM (
    SELECT
        fiscal_year, office_id,
        count(CASE WHEN kind = 'swk' THEN 1 END) AS swakelola_plans,
        count(*) AS plans,
        sum(CASE WHEN kind = 'swk' THEN pagu END) AS swakelola_amount,
        sum(pagu) AS announced_amount,
        NULL AS recorded_amount
    FROM plan WHERE status = 'announced' GROUP BY fiscal_year, office_id
    UNION ALL
    SELECT fiscal_year, office_id, 0, 0, NULL, NULL, sum(recorded_amount)
    FROM contract WHERE stands AND channel = 'swakelola' GROUP BY fiscal_year, office_id
) AS amounts
LEFT JOIN office ON office.id = amounts.office_id
GROUP BY fiscal_year, office_id, office.name;
