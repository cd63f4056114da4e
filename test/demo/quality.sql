-- Precision and recall against the simulation's truth, beside a naive rule: the same number of accounts, those with the
-- most events. One row: routed, buyers, both, precision, recall, naive_precision, naive_recall.
WITH routed AS (
  SELECT DISTINCT subject_id AS account_id FROM pql.routing
), busiest AS (
  SELECT account_id FROM app_events GROUP BY account_id ORDER BY count(*) DESC, account_id
  LIMIT (SELECT count(*) FROM routed)
), counts AS (
  SELECT count(*) FILTER (WHERE r.account_id IS NOT NULL) AS routed,
         count(*) FILTER (WHERE t.will_buy) AS buyers,
         count(*) FILTER (WHERE t.will_buy AND r.account_id IS NOT NULL) AS both,
         count(*) FILTER (WHERE t.will_buy AND b.account_id IS NOT NULL) AS naive
  FROM truth AS t LEFT JOIN routed AS r USING (account_id) LEFT JOIN busiest AS b USING (account_id)
)
SELECT routed, buyers, "both",
       round("both"::numeric / nullif(routed, 0), 2) AS precision,
       round("both"::numeric / nullif(buyers, 0), 2) AS recall,
       round(naive::numeric / nullif(routed, 0), 2) AS naive_precision,
       round(naive::numeric / nullif(buyers, 0), 2) AS naive_recall
FROM counts;
