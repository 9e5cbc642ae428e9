-- How much has each office spent, by each of the four accounts of it, and what does each account lack?
-- Population: contracts, orders and recordings that stand. Date: fiscal year of the contract. Never add the columns: a
-- payment may stand in several. Empty: no source gives any. Cancelled and pending contracts are left out, those
-- of attempts closed as failed stay. A certificate counts from its day on, seen from the day of the data. `contracts`
-- beside `certified` and `disbursed` says of how many of them a certificate or SP2D is known.
SELECT contract.fiscal_year, office.name AS office,
    sum(value) AS contracted, sum(certified_amount) AS certified, sum(recorded_amount) AS recorded,
    sum(disbursed_amount) AS disbursed, count(value) AS contracts, count(certified_amount) AS with_certificate,
    count(disbursed_amount) AS with_sp2d
FROM contract LEFT JOIN office ON office.id = contract.office_id
WHERE stands
GROUP BY contract.fiscal_year, contract.office_id, office.name
ORDER BY contract.fiscal_year, office.name, contract.office_id;
