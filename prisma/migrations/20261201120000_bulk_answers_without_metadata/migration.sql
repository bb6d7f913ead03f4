-- Answers of bulk uses are kept without the metadata of their items: the request that asks for one again says it again, and an answer, which tells of many
-- customers, can't be blanked with one of them.
ALTER TABLE keyed_calls DISABLE TRIGGER keyed_calls_keep;
UPDATE keyed_calls SET answer = json_build_object(
  'committed', answer::json -> 'committed',
  'results', (
    SELECT coalesce(json_agg((SELECT json_object_agg(key, value) FROM json_each(result) WHERE key <> 'metadata') ORDER BY place), '[]')
    FROM json_array_elements(answer::json -> 'results') WITH ORDINALITY AS each (result, place)
  )
)::text
WHERE name = 'quota.consume.batch' AND answer LIKE '%"metadata":%';
ALTER TABLE keyed_calls ENABLE TRIGGER keyed_calls_keep;
