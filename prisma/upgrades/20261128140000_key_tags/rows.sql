-- What the code of this migration writes besides: the rows of the ones before are there already.
UPDATE "keys" SET "tags" = '{team-a,production}';
