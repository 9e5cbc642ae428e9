-- Where were direct procurements of one kind given to one supplier within 30 days, each below the threshold, together
-- above it? With first and last day and budget account.
-- Population: non-tender contracts that stand, method Pengadaan Langsung, with supplier, account and day of signature.
-- Amount: value with addenda. Threshold: see `split_suspect`. Failed attempts have no contract; cancelled ones are left out.
SELECT fiscal_year, office_name, supplier_name, account, category_details, first_day, last_day, contracts, total, threshold
FROM split_suspect ORDER BY total DESC, supplier_id, account, first_day;
