"""Where text and examples come from, and their tokens."""
