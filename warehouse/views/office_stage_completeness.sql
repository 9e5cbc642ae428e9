-- Per office and fiscal year: how many families of processes have reached each stage, how many all five.
--
-- office_id: the office (office.id)
-- office_name: its name
-- fiscal_year (integer): fiscal year of the processes
-- families (integer): families in which the office has a process of that year
-- with_planning (integer): families that have reached the stage planning
-- with_tender (integer): families that have reached the stage tender
-- with_award (integer): families that have reached the stage award
-- with_contract (integer): families that have reached the stage contract
-- with_implementation (integer): families that have reached the stage implementation
-- complete (integer): families with all five stages: the regency's rule asks for all of them

SELECT
    office.office_id,
    max(office.office_name) AS office_name,
    office.fiscal_year,
    count(*) AS families,
    sum(has_planning) AS with_planning,
    sum(has_tender) AS with_tender,
    sum(has_award) AS with_award,
    sum(has_contract) AS with_contract,
    sum(has_implementation) AS with_implementation,
    sum(CASE WHEN stages = 5 THEN 1 ELSE 0 END) AS complete
FROM (
    SELECT family, office_id, fiscal_year, max(office_name) AS office_name
    FROM contracting_process
    GROUP BY family, office_id, fiscal_year
) AS office
JOIN family_trace ON family_trace.family = office.family
GROUP BY office.office_id, office.fiscal_year;
