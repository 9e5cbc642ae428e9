-- What each process is linked with in the other systems. All processes of a family repeat budget lines, proposals and
-- planning documents.
--
-- ocid: the contracting process
-- kind: kind of the subject: anggaran, usulan, pokir, kontrak, pekerjaan, dokumen
-- code: its code (subject.code)
-- title: its title
-- amount (money): its amount: of a budget line the whole, not the share of this process
-- confidence (float): of the link that joins them, the best of several; from 0 to 1

SELECT
    codes.ocid,
    subject.kind,
    subject.code,
    max(subject.title) AS title,
    max(subject.amount) AS amount,
    max(link.confidence) AS confidence
FROM (
    SELECT ocid, kind, key AS code FROM identity
    UNION ALL
    SELECT ocid, kind, code FROM process_rup
) AS codes
JOIN link ON link.to_kind = codes.kind AND link.to_code = codes.code
JOIN subject ON subject.kind = link.from_kind AND subject.code = link.from_code
WHERE link.status IN ('auto', 'confirmed') AND NOT subject.gone
GROUP BY codes.ocid, subject.kind, subject.code;
