-- How many days pass from announcement to signature, by method?
-- Population: contracts that stand, of tenders and non-tenders with both days. Date: announcement of the attempt that was
-- contracted, day of signature. Contracts signed before their announcement stand apart (`negative`), those without a day
-- too (`without_days`): neither is part of median and p90. Cancelled contracts are left out.
SELECT fiscal_year, channel, method_details, contracts, median_days, p90_days, negative, without_days
FROM lead_time ORDER BY fiscal_year, channel, method_details;
