"""What samples of a source tell about it: guesses with their evidence. Plain Python, no files."""
