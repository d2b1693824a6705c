SELECT "id", "override", "override_until", "override_note" FROM "providers";
