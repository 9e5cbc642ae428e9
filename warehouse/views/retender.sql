-- Packages that were attempted more than once, by fiscal year and channel. Population: packages (kd_pkt_dce) of tenders
-- and non-tenders; each once, whatever came of it. Denominator: all such packages.
--
-- fiscal_year (integer): fiscal year of the first attempt in hand
-- channel: tender or nontender
-- packages (integer): packages
-- attempts (integer): attempts at them that are in hand
-- repeated (integer): packages with several attempts in hand
-- repeated_percent (percent): repeated / packages
-- began_earlier (integer): packages whose only attempt in hand is a repetition by its number (versi_*)
-- never_complete (integer): packages of which no attempt was completed

SELECT
    fiscal_year, channel,
    count(*) AS packages,
    CAST(sum(attempts) AS integer) AS attempts,
    count(CASE WHEN attempts > 1 THEN 1 END) AS repeated,
    100.0 * count(CASE WHEN attempts > 1 THEN 1 END) / count(*) AS repeated_percent,
    count(CASE WHEN attempts = 1 AND version > 1 THEN 1 END) AS began_earlier,
    count(CASE WHEN complete = 0 THEN 1 END) AS never_complete
FROM (
    SELECT
        channel, package, min(fiscal_year) AS fiscal_year, count(*) AS attempts, max(version) AS version,
        count(CASE WHEN status = 'complete' THEN 1 END) AS complete
    FROM attempt
    WHERE channel IN ('tender', 'nontender') AND package IS NOT NULL
    GROUP BY channel, package
) AS attempted
GROUP BY fiscal_year, channel;
