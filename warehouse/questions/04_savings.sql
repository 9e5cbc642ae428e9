-- By how much are awards below the estimate (HPS), by method?
-- Population: completed attempts with an HPS and a winner. Amount: awards neither cancelled nor unsuccessful, signed or
-- not. Denominator: HPS of the same attempts. Failed and cancelled attempts are left out; completed ones without one of the amounts are counted.
SELECT fiscal_year, channel, method_details, attempts, hps, awarded_amount,
    round(CAST(saved_percent AS numeric), 2) AS saved_percent, above_hps, incomplete
FROM savings ORDER BY fiscal_year, channel, method_details;
