"""The retail suite: a generator of messy raw dumps, and the suite's own Python steps."""
