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

-- Joined by family rather than with `family_trace`, so that a question for one year reads that year alone.
SELECT
    office_id,
    max(office_name) AS office_name,
    fiscal_year,
    count(*) AS families,
    sum(planning) AS with_planning,
    sum(tender) AS with_tender,
    sum(award) AS with_award,
    sum(contract) AS with_contract,
    sum(implementation) AS with_implementation,
    sum(planning * tender * award * contract * implementation) AS complete
FROM (
    SELECT
        own.family, own.office_id, own.fiscal_year, max(own.office_name) AS office_name,
        max(CASE WHEN kin.has_planning THEN 1 ELSE 0 END) AS planning,
        max(CASE WHEN kin.has_tender THEN 1 ELSE 0 END) AS tender,
        max(CASE WHEN kin.has_award THEN 1 ELSE 0 END) AS award,
        max(CASE WHEN kin.has_contract THEN 1 ELSE 0 END) AS contract,
        max(CASE WHEN kin.has_implementation THEN 1 ELSE 0 END) AS implementation
    FROM contracting_process AS own
    JOIN contracting_process AS kin ON kin.family = own.family
    GROUP BY own.family, own.office_id, own.fiscal_year
) AS reached
GROUP BY office_id, fiscal_year;
