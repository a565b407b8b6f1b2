"""Personal values: protected where their table is written, and opened by whoever has the key."""
