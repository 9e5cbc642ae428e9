-- Which announced plans should have been put out by the day of the data, and no attempt at them is known?
-- Population: announced provider plans. Date: month in which the selection was to end against the day of SIRUP's newest
-- answer, never today. Amount: pagu, each plan once. Withdrawn and revised plans are left out; a plan without an end is
-- late after its year. Plans for the e-catalogue are counted apart (`unseen`) where none of its orders was read.
SELECT fiscal_year, as_of, office_name,
    count(CASE WHEN unseen = 0 THEN 1 END) AS plans, sum(CASE WHEN unseen = 0 THEN pagu END) AS pagu,
    count(CASE WHEN unseen = 1 THEN 1 END) AS unseen, sum(CASE WHEN unseen = 1 THEN pagu END) AS unseen_pagu
FROM late_plan GROUP BY fiscal_year, as_of, office_id, office_name
ORDER BY fiscal_year, coalesce(sum(CASE WHEN unseen = 0 THEN pagu END), 0) DESC, office_id;
