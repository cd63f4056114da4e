-- The last of the script: by now pql's tables have all that they are shipped with.
SELECT pql._note_own_objects();
