-- Words by which keys and their figures are found.
ALTER TABLE "keys" ADD COLUMN "tags" TEXT[] NOT NULL DEFAULT '{}';
