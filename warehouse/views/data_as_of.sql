-- Of which day the data are: the newest answer of each service that was believed.
--
-- source: source system
-- service: service, named as LKPP's ISB names it
-- scope: requested scope: a fiscal year, or `all`
-- observed_at: when it was true at the source (UTC)

SELECT source, service, scope, observed_at FROM answer;
