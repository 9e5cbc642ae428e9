-- Budget lines of SIMDA, per office and account code, of which none is linked to a package. Salaries (account 5.1.1)
-- and transfers never have one.
--
-- year (integer): fiscal year
-- office_id: the office (office.id)
-- office_name: its name
-- mak: budget account code; empty for lines from before the present codes, which stand one by one
-- title: title of the lines, the first in the alphabet
-- lines (integer): number of lines
-- amount (money): sum of the lines
-- pending (integer): links of it that wait for an operator

-- Lines that are linked to nothing, without those of an account that has another line which is.
SELECT
    unlinked.year,
    unlinked.office_id,
    max(office_name) AS office_name,
    max(unlinked.mak) AS mak,
    min(title) AS title,
    count(*) AS lines,
    sum(amount) AS amount,
    CAST(sum((
        SELECT count(*) FROM link
        WHERE link.from_kind = 'anggaran' AND link.from_code = unlinked.code AND link.status = 'pending'
    )) AS integer) AS pending
FROM (
    SELECT *, coalesce(mak, code) AS line
    FROM subject
    WHERE kind = 'anggaran' AND NOT gone AND NOT EXISTS (
        SELECT 1 FROM link
        WHERE link.from_kind = 'anggaran' AND link.from_code = subject.code AND link.status IN ('auto', 'confirmed')
    )
) AS unlinked
LEFT JOIN (
    SELECT DISTINCT coalesce(year, 0) AS year, coalesce(office_id, '') AS office_id, mak
    FROM subject
    WHERE kind = 'anggaran' AND NOT gone AND EXISTS (
        SELECT 1 FROM link
        WHERE link.from_kind = 'anggaran' AND link.from_code = subject.code AND link.status IN ('auto', 'confirmed')
    )
) AS linked
    ON linked.mak = unlinked.mak
    AND linked.year = coalesce(unlinked.year, 0)
    AND linked.office_id = coalesce(unlinked.office_id, '')
WHERE linked.mak IS NULL
GROUP BY unlinked.year, unlinked.office_id, unlinked.line;
