-- What was awarded against the estimate (HPS), by fiscal year, channel and method. Population: attempts that were
-- completed, with an HPS and a winner; attempts that failed or were cancelled save nothing. Amount: awards that were
-- neither cancelled nor unsuccessful, also where the contract is still to be signed. Denominator: the HPS of the same
-- attempts.
--
-- fiscal_year (integer): fiscal year of the attempt
-- channel: tender or nontender
-- method_details: method in the source's words
-- attempts (integer): completed attempts with both amounts
-- hps (money): sum of their estimates
-- awarded_amount (money): sum of their awards
-- saved (money): hps less awarded_amount
-- saved_percent (percent): saved / hps
-- above_hps (integer): attempts awarded above the estimate
-- incomplete (integer): completed attempts that lack one of the amounts

SELECT
    fiscal_year, channel, method_details,
    count(awarded) AS attempts,
    sum(CASE WHEN awarded IS NOT NULL THEN hps END) AS hps,
    sum(awarded) AS awarded_amount,
    sum(CASE WHEN awarded IS NOT NULL THEN hps END) - sum(awarded) AS saved,
    100 * (sum(CASE WHEN awarded IS NOT NULL THEN hps END) - sum(awarded))
        / sum(CASE WHEN awarded IS NOT NULL THEN hps END) AS saved_percent,
    count(CASE WHEN awarded > hps THEN 1 END) AS above_hps,
    count(CASE WHEN awarded IS NULL THEN 1 END) AS incomplete
FROM (
    SELECT
        attempt.fiscal_year, attempt.channel, attempt.method_details, attempt.hps,
        CASE WHEN attempt.hps IS NOT NULL THEN sum(award.value) END AS awarded
    FROM attempt
    LEFT JOIN award ON award.ocid = attempt.ocid AND award.attempt_id = attempt.id
        AND coalesce(award.status, '') NOT IN ('cancelled', 'unsuccessful')
    WHERE attempt.status = 'complete' AND attempt.channel IN ('tender', 'nontender')
    GROUP BY
        attempt.ocid, attempt.id, attempt.fiscal_year, attempt.channel, attempt.method_details, attempt.hps
) AS compared
GROUP BY fiscal_year, channel, method_details;
