-- Contracts of which the share that was disbursed (SP2D), or certified (BAP) where no SP2D is known, exceeds the latest actual physical progress by more than 10 points. An
-- advance at the start is no irregularity in itself.
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
-- paid_by: sp2d or bap
-- paid_amount (money): sum of the payments of that kind
-- paid_percent (percent): payments as a share of the contract's value
-- physical_progress (percent): latest actual physical progress
-- last_report_on (date): latest progress report
-- ahead (numeric): paid_percent less physical_progress (points)

SELECT
    process.ocid, process.family, process.title, process.office_id, process.office_name, process.fiscal_year,
    contract.id AS contract_id, contract.supplier_id, supplier.name AS supplier_name,
    contract.signed_at, contract.period_end, contract.value,
    CASE WHEN contract.disbursed_amount IS NULL THEN 'bap' ELSE 'sp2d' END AS paid_by,
    coalesce(contract.disbursed_amount, contract.certified_amount) AS paid_amount,
    100 * coalesce(contract.disbursed_amount, contract.certified_amount) / contract.value AS paid_percent,
    contract.physical_progress,
    contract.last_report_on,
    100 * coalesce(contract.disbursed_amount, contract.certified_amount) / contract.value - contract.physical_progress
        AS ahead
FROM contract
JOIN contracting_process AS process ON process.ocid = contract.ocid
LEFT JOIN supplier ON supplier.id = contract.supplier_id
WHERE contract.stands
    AND contract.value > 0
    AND 100 * coalesce(contract.disbursed_amount, contract.certified_amount)
        - contract.physical_progress * contract.value > 10 * contract.value;
