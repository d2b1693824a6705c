-- What the code of this migration writes besides: the rows of the ones before are there already.
UPDATE "providers" SET "override" = 'drain', "override_until" = now() + interval '1 hour', "override_note" = 'maintenance';
