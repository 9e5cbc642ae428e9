-- Days from announcement to signature, by fiscal year, channel and method. Population: contracts that stand, of tenders
-- and non-tenders that name both days; each contract once. Contracts signed before their announcement are counted apart
-- and are part of no other figure: they are slips or were announced afterwards.
--
-- fiscal_year (integer): fiscal year of the contract
-- channel: tender or nontender
-- method_details: method in the source's words
-- contracts (integer): contracts with both days, signed on or after the announcement
-- median_days (float): half of them took no longer
-- p90_days (integer): nine of ten took no longer (nearest rank)
-- shortest_days (integer): the shortest
-- longest_days (integer): the longest
-- negative (integer): contracts signed before their announcement
-- without_days (integer): contracts that stand and lack one of the days

SELECT
    fiscal_year, channel, method_details,
    count(place) AS contracts,
    avg(CASE WHEN place IN ((of + 1) / 2, of / 2 + 1) THEN days END) AS median_days,
    max(CASE WHEN place = (9 * of + 9) / 10 THEN days END) AS p90_days,
    min(CASE WHEN place IS NOT NULL THEN days END) AS shortest_days,
    max(CASE WHEN place IS NOT NULL THEN days END) AS longest_days,
    count(CASE WHEN days < 0 THEN 1 END) AS negative,
    count(CASE WHEN days IS NULL THEN 1 END) AS without_days
FROM (
    SELECT
        fiscal_year, channel, method_details, days,
        CASE WHEN days >= 0 THEN row_number() OVER (
            PARTITION BY fiscal_year, channel, method_details, CASE WHEN days >= 0 THEN 1 ELSE 0 END ORDER BY days
        ) END AS place,
        count(CASE WHEN days >= 0 THEN 1 END) OVER (PARTITION BY fiscal_year, channel, method_details) AS of
    FROM (
        SELECT
            contract.fiscal_year, contract.channel, attempt.method_details,
            contract.signed_day - attempt.announced_day AS days
        FROM contract
        JOIN attempt ON attempt.ocid = contract.ocid AND attempt.id = contract.attempt_id
        WHERE contract.stands AND contract.channel IN ('tender', 'nontender')
    ) AS taken
) AS ranked
GROUP BY fiscal_year, channel, method_details;
