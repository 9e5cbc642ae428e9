-- Proposals that were accepted or verified and are linked to no plan.
--
-- kind: usulan or pokir
-- code: code of the proposal (subject.code)
-- year (integer): fiscal year that it was made for
-- title: title of the request
-- village: village or ward
-- district: district
-- office_id: the office that it was given to (office.id)
-- office_name: its name
-- amount (money): amount requested
-- status: accepted or verified
-- pending (integer): links of it that wait for an operator

SELECT
    kind, code, year, title, village, district, office_id, office_name, amount, status,
    (
        SELECT count(*) FROM link
        WHERE link.from_kind = subject.kind AND link.from_code = subject.code AND link.status = 'pending'
    ) AS pending
FROM subject
WHERE kind IN ('usulan', 'pokir') AND status IN ('accepted', 'verified') AND NOT gone AND NOT EXISTS (
    SELECT 1 FROM link
    WHERE link.from_kind = subject.kind AND link.from_code = subject.code AND link.status IN ('auto', 'confirmed')
);
