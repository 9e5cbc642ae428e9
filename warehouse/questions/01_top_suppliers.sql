-- Who was contracted for most, and which share of the year's contracted money is that?
-- Population: contracts and orders that stand (tender, non-tender, e-catalogue, online shop). Date: fiscal year of the
-- contract. Amount: value with addenda. Denominator: all that was contracted in the year. Cancelled and pending ones
-- and recordings are left out; contracts without a value count for nothing; those without a supplier are a row of their own.
-- A contract stays though its attempt was closed as failed after the signature: on real rows most of those were paid.
SELECT fiscal_year, place, supplier_name, contracts, contracted_amount, round(CAST(100 * share AS numeric), 2) AS percent
FROM supplier_share WHERE place <= 20 AND contracted_amount > 0 ORDER BY fiscal_year, place, supplier_id;
