-- Which share of what is announced is self-managed work?
-- Population: announced plans. Date: fiscal year of the plan. Amount: pagu. Denominator: pagu of all announced plans.
-- Withdrawn and revised plans are left out; what was recorded of self-managed work is in no share.
SELECT fiscal_year, CAST(sum(swakelola_plans) AS integer) AS swakelola_plans, CAST(sum(plans) AS integer) AS plans,
    sum(swakelola_amount) AS swakelola_amount, sum(announced_amount) AS announced_amount,
    round(CAST(100 * sum(swakelola_amount) / nullif(sum(announced_amount), 0) AS numeric), 2) AS swakelola_percent
FROM swakelola_share GROUP BY fiscal_year ORDER BY fiscal_year;
