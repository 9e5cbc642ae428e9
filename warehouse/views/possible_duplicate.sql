-- Recorded purchases that may record a contract which is known by itself: of one family, with the same supplier or the
-- same amount. Contracted and recorded amounts are never added to one another, so no view counts such money twice.
--
-- family: the processes that share a RUP
-- ocid: process of the recording
-- contract_id: the recording (contract.id)
-- recorded_amount (money): its total_realisasi
-- possible_duplicate_ocid: process of the contract
-- possible_duplicate_of: the contract (contract.id)
-- value (money): its value
-- by: supplier, amount or both

SELECT
    recording.family, recording.ocid, recording.id AS contract_id, recording.recorded_amount,
    known.ocid AS possible_duplicate_ocid, known.id AS possible_duplicate_of, known.value,
    CASE
        WHEN recording.supplier_id <> known.supplier_id OR recording.supplier_id IS NULL OR known.supplier_id IS NULL
            THEN 'amount'
        WHEN recording.recorded_amount = known.value THEN 'both'
        ELSE 'supplier'
    END AS "by"
FROM contract AS recording
JOIN contract AS known ON known.family = recording.family
WHERE recording.channel = 'pencatatan' AND recording.stands
    AND known.channel IN ('tender', 'nontender') AND known.stands
    AND (known.supplier_id = recording.supplier_id OR known.value = recording.recorded_amount);
