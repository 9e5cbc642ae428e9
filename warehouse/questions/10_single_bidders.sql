-- How many tenders had one bidder, and how many registered for them?
-- Population: tenders with a list of participants (non-tenders have none). Denominator: tenders with a bidder; tenders
-- without one, failed or still running, are `tenders` less `with_bids`.
SELECT fiscal_year, method_details, CAST(sum(tenders) AS integer) AS tenders, CAST(sum(registrants) AS integer) AS registrants,
    CAST(sum(with_bids) AS integer) AS with_bids, CAST(sum(bidders) AS integer) AS bidders, CAST(sum(single) AS integer) AS single,
    round(CAST(100.0 * sum(single) / nullif(sum(with_bids), 0) AS numeric), 2) AS single_percent
FROM competition GROUP BY fiscal_year, method_details ORDER BY fiscal_year, method_details;
