-- Contracts of which the share that was paid exceeds the latest actual physical progress by more than 10 points. An
-- advance at the start is no irregularity in itself.
--
-- ocid: the contracting process
-- family: the processes that share a RUP, directly or through others
-- title: title of the process
-- buyer_id: the office that buys (organization.id)
-- buyer_name: its name
-- fiscal_year (integer): fiscal year of the process
-- contract_id: id of the contract within the process
-- supplier_id: the supplier (organization.id)
-- supplier_name: its name
-- signed_at (moment): signature
-- period_end (moment): end of the work as agreed
-- value (money): amount of the contract
-- paid_amount (money): sum of the payments
-- paid_percent (percent): payments as a share of the contract's value
-- physical_progress (percent): latest actual physical progress
-- last_report_on (date): latest progress report
-- ahead (numeric): paid_percent less physical_progress (points)

SELECT
    process.ocid, process.family, process.title, process.buyer_id, process.buyer_name, process.fiscal_year,
    contract.id AS contract_id, contract.supplier_id, contract.supplier_name,
    contract.signed_at, contract.period_end, contract.value,
    contract.paid_amount,
    100.0 * contract.paid_amount / contract.value AS paid_percent,
    contract.physical_progress,
    contract.last_report_on,
    100.0 * contract.paid_amount / contract.value - contract.physical_progress AS ahead
FROM contract
JOIN contracting_process AS process ON process.ocid = contract.ocid
WHERE coalesce(contract.status, '') <> 'cancelled'
    AND contract.value > 0
    AND 100.0 * contract.paid_amount - contract.physical_progress * contract.value > 10 * contract.value;
