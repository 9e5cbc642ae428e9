-- Which share of contracts are domestic products, and which share goes to micro and small enterprises?
-- Population: contracts of tenders and non-tenders that stand and give the part. Amount: value with addenda. Denominator:
-- the value of the contracts that give the part; 0 is an answer, empty is none (`unreported`: that, or no amount). Recordings stand
-- beside it. Cancelled ones are left out.
SELECT fiscal_year, sum(contract_value) AS contract_value, sum(local_content_value) AS local_content_value,
    round(CAST(100 * sum(local_content_value) / nullif(sum(contract_value), 0) AS numeric), 2) AS local_percent,
    sum(micro_enterprise_value) AS micro_enterprise_value,
    sum(recorded_value) AS recorded_value, sum(recorded_local_content) AS recorded_local_content,
    sum(recorded_micro) AS recorded_micro, CAST(sum(unreported) AS integer) AS unreported
FROM local_content GROUP BY fiscal_year ORDER BY fiscal_year;
