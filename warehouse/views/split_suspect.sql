-- Groups of direct procurements of one office, supplier, budget account and kind, each signed at most 30 days after the one
-- before, that are below a threshold each and above it together; each contract is in one group at most. Population:
-- non-tender contracts that stand, of a method with a limit (Pengadaan Langsung), with a day and a supplier. Threshold: the
-- limit of method and category on the day of signature (`procurement_limit`: 100 million for consulting, 200 for others, for
-- works 400 since Perpres 46/2025, unless the settings say otherwise). A group is a reason to look, no proof: one
-- sub-activity may pay for works in many villages; red flag R011 asks for one place.
--
-- office_id: the office (office.id)
-- office_name: its name
-- supplier_id: the supplier (supplier.id)
-- supplier_name: its name
-- account: the budget account that they share; the first where an attempt names several
-- category_details: what is bought, in the source's words
-- fiscal_year (integer): fiscal year
-- first_day (date): first signature
-- last_day (date): last signature
-- contracts (integer): number of contracts
-- total (money): sum of their values
-- largest (money): the largest of them
-- threshold (money): what each may come to

SELECT
    office_id, office.name AS office_name, supplier_id, supplier.name AS supplier_name, account, category_details,
    fiscal_year, min(day) AS first_day, max(day) AS last_day, count(*) AS contracts, sum(value) AS total,
    max(value) AS largest, threshold
FROM (
    SELECT
        dated.*,
        -- A new group begins where 30 days have passed since the last contract.
        sum(CASE WHEN gap IS NULL OR gap > 30 THEN 1 ELSE 0 END) OVER (
            PARTITION BY office_id, supplier_id, account, threshold, category_details, fiscal_year ORDER BY day, ocid, id
        ) AS series
    FROM (
        SELECT
            signed.*,
            number - lag(number) OVER (
                PARTITION BY office_id, supplier_id, account, threshold, category_details, fiscal_year
                ORDER BY day, ocid, id
            ) AS gap
        FROM (
            SELECT
                contract.ocid, contract.id, contract.office_id, contract.supplier_id, contract.fiscal_year,
                contract.value, date(contract.signed_at) AS day, contract.signed_day AS number,
                attempt.category_details,
                (
                    SELECT min(attempt_account.account) FROM attempt_account
                    WHERE attempt_account.ocid = contract.ocid AND attempt_account.attempt_id = contract.attempt_id
                ) AS account,
                (
                    SELECT procurement_limit.most FROM procurement_limit
                    WHERE procurement_limit.method = attempt.method_details
                        AND procurement_limit.category = CASE
                            WHEN attempt.consulting THEN 'consultingServices' ELSE attempt.category END
                        AND procurement_limit.since <= date(contract.signed_at)
                    ORDER BY procurement_limit.since DESC LIMIT 1
                ) AS threshold
            FROM contract
            JOIN attempt ON attempt.ocid = contract.ocid AND attempt.id = contract.attempt_id
            WHERE contract.stands
                AND contract.channel = 'nontender'
                AND contract.signed_at IS NOT NULL
                AND contract.supplier_id IS NOT NULL
        ) AS signed
        WHERE value <= threshold AND account IS NOT NULL
    ) AS dated
) AS series
LEFT JOIN office ON office.id = series.office_id
LEFT JOIN supplier ON supplier.id = series.supplier_id
GROUP BY
    office_id, office.name, supplier_id, supplier.name, account, category_details, fiscal_year, threshold, series
HAVING count(*) > 1 AND sum(value) > threshold;
