-- An index only: the rows of the ones before are there already.
SELECT 1;
