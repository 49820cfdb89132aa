"""Hidden states and their similarity."""
