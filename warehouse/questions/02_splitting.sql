-- Where were direct procurements of one kind given to one supplier, each at most 30 days after the one before and each
-- below the threshold, together above it? With first and last day and budget account.
-- Population: non-tender contracts that stand, method Pengadaan Langsung, with supplier, account and day of signature.
-- Amount: value with addenda. Threshold: see `split_suspect`. Cancelled contracts are left out; those of
-- attempts closed as failed after the signature stay.
SELECT fiscal_year, office_name, supplier_name, account, category_details, first_day, last_day, contracts, total, threshold
FROM split_suspect ORDER BY total DESC, supplier_id, account, first_day;
