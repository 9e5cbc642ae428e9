-- Contracts for works (category works: progress on goods and services is not reported) that stand and on which no
-- progress report is known.
--
-- ocid: the contracting process
-- family: the processes that share a RUP, directly or through others
-- title: title of the process
-- office_id: the office that buys (office.id)
-- office_name: its name
-- fiscal_year (integer): fiscal year of the process
-- contract_id: id of the contract within the process
-- supplier_id: the supplier (supplier.id)
-- supplier_name: its name
-- signed_at (moment): signature
-- period_end (moment): end of the work as agreed
-- value (money): amount of the contract
-- pending (integer): jobs in SIMPEN that may be of this process and wait for an operator

SELECT
    process.ocid, process.family, process.title, process.office_id, process.office_name, process.fiscal_year,
    contract.id AS contract_id, contract.supplier_id, supplier.name AS supplier_name,
    contract.signed_at, contract.period_end, contract.value,
    (
        SELECT count(DISTINCT CASE
            WHEN link.from_kind = 'pekerjaan' AND link.status = 'pending' THEN link.from_code
        END)
        FROM identity
        JOIN link ON link.to_kind = identity.kind AND link.to_code = identity.key
        WHERE identity.ocid = contract.ocid
    ) AS pending
FROM contract
JOIN contracting_process AS process ON process.ocid = contract.ocid
LEFT JOIN supplier ON supplier.id = contract.supplier_id
WHERE contract.stands AND process.category = 'works' AND contract.last_report_on IS NULL;
