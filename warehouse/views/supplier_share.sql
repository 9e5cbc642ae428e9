-- Per supplier and fiscal year: what it was contracted for, and its share of all that was contracted in that year.
-- Population: contracts and orders that stand, of tenders, non-tenders, e-catalogue and online shops. Amount: the
-- contract's value with its addenda. Recordings stand beside it and are part of no share.
--
-- fiscal_year (integer): fiscal year of the contract
-- supplier_id: the supplier (supplier.id); empty where no row names one
-- supplier_name: its name
-- contracts (integer): contracts and orders that stand
-- offices (integer): offices that it was contracted by
-- contracted_amount (money): sum of their values
-- share (float): contracted_amount / all that was contracted in the year, 0 to 1
-- place (integer): 1 for the largest of the year
-- recorded_amount (money): total_realisasi of recorded purchases that stand and name it alone; never added to the rest

SELECT
    fiscal_year, supplier_id, supplier.name AS supplier_name, contracts, offices, contracted_amount,
    contracted_amount / sum(contracted_amount) OVER (PARTITION BY fiscal_year) AS share,
    rank() OVER (PARTITION BY fiscal_year ORDER BY coalesce(contracted_amount, 0) DESC) AS place,
    recorded_amount
FROM (
    SELECT
        fiscal_year, supplier_id,
        count(value) AS contracts,
        count(DISTINCT CASE WHEN value IS NOT NULL THEN office_id END) AS offices,
        sum(value) AS contracted_amount,
        sum(recorded_amount) AS recorded_amount
    FROM contract
    WHERE stands
    GROUP BY fiscal_year, supplier_id
) AS bought
LEFT JOIN supplier ON supplier.id = bought.supplier_id;
