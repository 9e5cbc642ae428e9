-- Domestic products (PDN) and micro and small enterprises (UMK) in contracts and recordings, by office and fiscal year.
-- Population: contracts of tenders and non-tenders and recordings that stand and give a value and the part; e-catalogue
-- orders give neither. Contracts and recordings stand in columns of their own. Denominator: the value of those that give
-- the part: a 0 is an answer, an empty field is none.
--
-- fiscal_year (integer): fiscal year
-- office_id: the office (office.id)
-- office_name: its name
-- contracts (integer): contracts that give the part of domestic products
-- contract_value (money): their value
-- local_content_value (money): domestic products in them
-- local_content_percent (percent): local_content_value / contract_value
-- micro_enterprise_value (money): micro and small enterprises in contracts that give that part
-- micro_enterprise_percent (percent): micro_enterprise_value / the value of those contracts
-- recordings (integer): recordings that give the part of domestic products
-- recorded_value (money): their total_realisasi
-- recorded_local_content (money): domestic products in them
-- recorded_local_percent (percent): recorded_local_content / recorded_value
-- recorded_micro (money): micro and small enterprises in recordings
-- unreported (integer): contracts and recordings that stand and lack the part or the amount

SELECT
    fiscal_year, office_id, office.name AS office_name,
    count(CASE WHEN local_content_value IS NOT NULL THEN value END) AS contracts,
    sum(CASE WHEN local_content_value IS NOT NULL THEN value END) AS contract_value,
    sum(CASE WHEN value IS NOT NULL THEN local_content_value END) AS local_content_value,
    100 * sum(CASE WHEN value IS NOT NULL THEN local_content_value END)
        / nullif(sum(CASE WHEN local_content_value IS NOT NULL THEN value END), 0) AS local_content_percent,
    sum(CASE WHEN value IS NOT NULL THEN micro_enterprise_value END) AS micro_enterprise_value,
    100 * sum(CASE WHEN value IS NOT NULL THEN micro_enterprise_value END)
        / nullif(sum(CASE WHEN micro_enterprise_value IS NOT NULL THEN value END), 0) AS micro_enterprise_percent,
    count(CASE WHEN local_content_value IS NOT NULL THEN recorded_amount END) AS recordings,
    sum(CASE WHEN local_content_value IS NOT NULL THEN recorded_amount END) AS recorded_value,
    sum(CASE WHEN recorded_amount IS NOT NULL THEN local_content_value END) AS recorded_local_content,
    100 * sum(CASE WHEN recorded_amount IS NOT NULL THEN local_content_value END)
        / nullif(sum(CASE WHEN local_content_value IS NOT NULL THEN recorded_amount END), 0) AS recorded_local_percent,
    sum(CASE WHEN recorded_amount IS NOT NULL THEN micro_enterprise_value END) AS recorded_micro,
    count(CASE WHEN local_content_value IS NULL OR coalesce(value, recorded_amount) IS NULL THEN 1 END) AS unreported
FROM contract
LEFT JOIN office ON office.id = contract.office_id
WHERE contract.stands AND contract.channel IN ('tender', 'nontender', 'pencatatan', 'swakelola')
GROUP BY fiscal_year, office_id, office.name;
