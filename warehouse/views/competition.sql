-- Competition in tenders, by fiscal year, office and method. Population: tenders of which the list of participants has
-- rows (PesertaTender; non-tenders have no such list). Registrants are all who registered, bidders those who bid; of a
-- tender that runs or failed early nobody may have bid yet, so shares are of tenders with a bidder.
--
-- fiscal_year (integer): fiscal year of the tender
-- office_id: the office (office.id)
-- office_name: its name
-- method_details: method in the source's words
-- tenders (integer): tenders with participants
-- registrants (integer): those who registered, over all of them
-- with_bids (integer): tenders with a bidder
-- bidders (integer): those who bid, over all of them
-- single (integer): tenders with one bidder
-- single_percent (percent): single / with_bids
-- mean_bidders (float): bidders / with_bids

SELECT
    fiscal_year, office_id, office.name AS office_name, method_details,
    count(*) AS tenders,
    CAST(sum(registrants) AS integer) AS registrants,
    count(CASE WHEN bidders > 0 THEN 1 END) AS with_bids,
    CAST(sum(bidders) AS integer) AS bidders,
    count(CASE WHEN bidders = 1 THEN 1 END) AS single,
    100.0 * count(CASE WHEN bidders = 1 THEN 1 END) / nullif(count(CASE WHEN bidders > 0 THEN 1 END), 0)
        AS single_percent,
    1.0 * sum(bidders) / nullif(count(CASE WHEN bidders > 0 THEN 1 END), 0) AS mean_bidders
FROM attempt
LEFT JOIN office ON office.id = attempt.office_id
WHERE channel = 'tender' AND registrants IS NOT NULL
GROUP BY fiscal_year, office_id, office.name, method_details;
