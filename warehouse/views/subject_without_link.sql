-- What a system has that is linked to nothing: payments and reports without a contract, documents without a plan, and
-- so on.
--
-- kind: kontrak (payments without a contract), pekerjaan (reports without one), anggaran, usulan, ...
-- code: its code (subject.code)
-- source: source system
-- year (integer): fiscal year
-- title: title
-- number: number of the document, such as a contract's
-- amount (money): amount
-- date (date): date
-- office_id: the office (office.id)
-- office_name: its name
-- pending (integer): links of it that wait for an operator

SELECT
    kind, code, source, year, title, number, amount, date, office_id, office_name,
    (
        SELECT count(*) FROM link
        WHERE link.from_kind = subject.kind AND link.from_code = subject.code AND link.status = 'pending'
    ) AS pending
FROM subject
WHERE NOT gone AND NOT EXISTS (
    SELECT 1 FROM link
    WHERE link.from_kind = subject.kind AND link.from_code = subject.code AND link.status IN ('auto', 'confirmed')
);
