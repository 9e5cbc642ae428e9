-- What offices announced in SIRUP against the procurement part of their budget (StrukturAnggaranPD): the share that LKPP
-- watches. Population: offices with a budget structure, and offices that announced without one. Amount: pagu of announced
-- plans; withdrawn and revised plans count nowhere.
--
-- fiscal_year (integer): fiscal year
-- office_id: the office (office.id)
-- office_name: its name
-- budgeted_amount (money): belanja_pengadaan; empty where the structure has no amounts of the office
-- provider_amount (money): announced plans to be bought from providers
-- swakelola_amount (money): announced plans of self-managed work
-- announced_amount (money): both together
-- plans (integer): announced plans
-- announced_percent (percent): announced_amount / budgeted_amount
-- missing_amount (money): budgeted_amount less announced_amount; below 0 where more is announced than budgeted

SELECT
    fiscal_year, office_id, coalesce(office.name, max(given_name)) AS office_name,
    sum(budgeted) AS budgeted_amount,
    sum(provider) AS provider_amount,
    sum(swakelola) AS swakelola_amount,
    coalesce(sum(provider), 0) + coalesce(sum(swakelola), 0) AS announced_amount,
    CAST(sum(plans) AS integer) AS plans,
    100 * (coalesce(sum(provider), 0) + coalesce(sum(swakelola), 0)) / nullif(sum(budgeted), 0) AS announced_percent,
    sum(budgeted) - coalesce(sum(provider), 0) - coalesce(sum(swakelola), 0) AS missing_amount
FROM (
    SELECT
        fiscal_year, office_id, office_name AS given_name, procurement AS budgeted,
        CAST(NULL AS float) AS provider, CAST(NULL AS float) AS swakelola, 0 AS plans
    FROM office_structure
    UNION ALL
    SELECT
        fiscal_year, office_id, NULL, NULL,
        sum(CASE WHEN kind = 'rup' THEN pagu END), sum(CASE WHEN kind = 'swk' THEN pagu END), count(pagu)
    FROM plan GROUP BY fiscal_year, office_id
) AS announced
LEFT JOIN office ON office.id = announced.office_id
GROUP BY fiscal_year, office_id, office.name;
