-- Identities that are stored in another form than that under which all their spellings are one (composed letters, of e-mail addresses in lower case) are found
-- by that form. Most are stored in it, and are not in these indexes.
CREATE INDEX identities_alike_ix ON identities
  (provider, (CASE WHEN provider = 'email' THEN lower(normalize(external_id, NFC) COLLATE "C") ELSE normalize(external_id, NFC) END))
  WHERE external_id <> CASE WHEN provider = 'email' THEN lower(normalize(external_id, NFC) COLLATE "C") ELSE normalize(external_id, NFC) END;
CREATE INDEX former_identities_alike_ix ON former_identities
  (provider, (CASE WHEN provider = 'email' THEN lower(normalize(external_id, NFC) COLLATE "C") ELSE normalize(external_id, NFC) END))
  WHERE external_id <> CASE WHEN provider = 'email' THEN lower(normalize(external_id, NFC) COLLATE "C") ELSE normalize(external_id, NFC) END;
