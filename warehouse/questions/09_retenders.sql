-- How many packages had to be put out again?
-- Population: packages (kd_pkt_dce) of tenders and non-tenders, each once. Date: fiscal year of the first attempt in hand.
-- Denominator: all packages, those whose attempts all failed too (`never_complete`).
SELECT fiscal_year, channel, packages, attempts, repeated, round(CAST(repeated_percent AS numeric), 2) AS percent,
    began_earlier, never_complete
FROM retender ORDER BY fiscal_year, channel;
