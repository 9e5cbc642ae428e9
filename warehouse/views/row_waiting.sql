-- Rows that belong to no record yet, since nobody has announced their process: by service and code. Rows of systems that
-- share no code with LKPP's wait for a link instead (`subject_without_link`).
--
-- source: source system
-- service: service, named as LKPP's ISB names it
-- scope: requested scope: a fiscal year, or `all`
-- kind: space of the code: rup, swk, tender, nontender, ...
-- code: the source's own code, such as kd_rup
-- rows (integer): current rows of it
-- amount (money): sum of what the rows are about: what was paid, else contracted, else budgeted; empty where they name none
-- since: when the first of them was read (UTC)

SELECT
    source, service, scope, kind, code, count(*) AS rows,
    -- Nothing but a plain number counts: rows are as received.
    sum(
        CASE WHEN digits NOT IN ('', '.') AND trim(digits, '0123456789') IN ('', '.')
            THEN CAST(amount AS double precision) END
    ) AS amount,
    min(observed_at) AS since
FROM (
    SELECT found.*, CASE WHEN amount LIKE '-%' THEN substr(amount, 2) ELSE amount END AS digits
    FROM (
        SELECT
            raw.source, raw.service, raw.scope, raw.kind, raw.code, raw.observed_at,
            coalesce(
                payload ->> 'besar_pembayaran', payload ->> 'nilai_realisasi', payload ->> 'total_realisasi',
                payload ->> 'nilai_kontrak', payload ->> 'harga_final', payload ->> 'total_harga', payload ->> 'valuasi',
                payload ->> 'pagu'
            ) AS amount
        FROM raw_record AS raw
        WHERE raw.current
            AND NOT raw.gone
            AND raw.kind IS NOT NULL
            AND raw.kind NOT IN ('anggaran', 'kontrak', 'usulan', 'pokir', 'pekerjaan', 'dokumen')
            AND NOT EXISTS (
                SELECT 1 FROM identity JOIN record ON record.ocid = identity.ocid
                WHERE identity.kind = raw.kind AND identity.key = raw.code
            )
            AND NOT EXISTS (
                SELECT 1 FROM process_rup JOIN record ON record.ocid = process_rup.ocid
                WHERE process_rup.kind = raw.kind AND process_rup.code = raw.code
            )
    ) AS found
) AS waiting
GROUP BY source, service, scope, kind, code;
