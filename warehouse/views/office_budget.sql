-- Per office and fiscal year: what it may spend, what it announced, and the four kinds of money spent, which are never
-- added to one another. A kind that is empty is unknown, not zero: no source has given any.
--
-- fiscal_year (integer): fiscal year
-- office_id: the office (office.id)
-- office_name: its name
-- budgeted_amount (money): belanja_pengadaan of StrukturAnggaranPD
-- announced_amount (money): pagu of announced plans, provider and self-managed
-- contracted_amount (money): contracted: contracts and orders that stand
-- certified_amount (money): certified: payment certificates (BAP) on contracts that stand
-- recorded_amount (money): recorded: total_realisasi of recordings that stand
-- disbursed_amount (money): disbursed: SP2D on contracts that stand
-- announced_percent (percent): announced_amount / budgeted_amount
-- contracted_percent (percent): contracted_amount / announced_amount
-- certified_percent (percent): certified_amount / contracted_amount
-- recorded_percent (percent): recorded_amount / announced_amount
-- disbursed_percent (percent): disbursed_amount / contracted_amount

SELECT
    fiscal_year, office_id, coalesce(office.name, max(given_name)) AS office_name,
    sum(budgeted) AS budgeted_amount,
    sum(announced) AS announced_amount,
    sum(contracted) AS contracted_amount,
    sum(certified) AS certified_amount,
    sum(recorded) AS recorded_amount,
    sum(disbursed) AS disbursed_amount,
    100 * sum(announced) / nullif(sum(budgeted), 0) AS announced_percent,
    100 * sum(contracted) / nullif(sum(announced), 0) AS contracted_percent,
    100 * sum(certified) / nullif(sum(contracted), 0) AS certified_percent,
    100 * sum(recorded) / nullif(sum(announced), 0) AS recorded_percent,
    100 * sum(disbursed) / nullif(sum(contracted), 0) AS disbursed_percent
FROM (
    SELECT
        fiscal_year, office_id, office_name AS given_name, procurement AS budgeted,
        CAST(NULL AS float) AS announced, CAST(NULL AS float) AS contracted, CAST(NULL AS float) AS certified,
        CAST(NULL AS float) AS recorded, CAST(NULL AS float) AS disbursed
    FROM office_structure
    UNION ALL
    SELECT fiscal_year, office_id, NULL, NULL, sum(pagu), NULL, NULL, NULL, NULL
    FROM plan GROUP BY fiscal_year, office_id
    UNION ALL
    SELECT
        fiscal_year, office_id, NULL, NULL, NULL,
        sum(value), sum(certified_amount), sum(recorded_amount), sum(disbursed_amount)
    FROM contract WHERE stands GROUP BY fiscal_year, office_id
) AS spent
LEFT JOIN office ON office.id = spent.office_id
GROUP BY fiscal_year, office_id, office.name;
