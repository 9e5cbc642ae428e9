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

SELECT
    year,
    office_id,
    max(office_name) AS office_name,
    max(mak) AS mak,
    min(title) AS title,
    count(*) AS lines,
    sum(amount) AS amount,
    sum(pending) AS pending
FROM (
    SELECT
        subject.year,
        subject.office_id,
        subject.office_name,
        subject.mak,
        coalesce(subject.mak, subject.code) AS line,
        subject.title,
        subject.amount,
        coalesce(linked.standing, 0) AS standing,
        coalesce(linked.pending, 0) AS pending
    FROM subject
    LEFT JOIN (
        SELECT
            from_code,
            CAST(sum(CASE WHEN status IN ('auto', 'confirmed') THEN 1 ELSE 0 END) AS integer) AS standing,
            CAST(sum(CASE WHEN status = 'pending' THEN 1 ELSE 0 END) AS integer) AS pending
        FROM link
        WHERE from_kind = 'anggaran'
        GROUP BY from_code
    ) AS linked ON linked.from_code = subject.code
    WHERE subject.kind = 'anggaran' AND NOT subject.gone
) AS lines
GROUP BY year, office_id, line
HAVING sum(standing) = 0;
