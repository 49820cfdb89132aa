"""Hidden states, and how alike they are."""
