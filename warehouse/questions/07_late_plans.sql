-- Which announced plans should have been put out by the day of the data, and no attempt at them is known?
-- Population: announced provider plans. Date: end of the planned selection against the day of SIRUP's newest answer, never
-- today. Amount: pagu, each plan once. Withdrawn and revised plans are left out; a plan without an end is late after its year.
SELECT fiscal_year, as_of, office_name, count(*) AS plans, sum(pagu) AS pagu
FROM late_plan GROUP BY fiscal_year, as_of, office_id, office_name ORDER BY fiscal_year, pagu DESC, office_id;
