"""The ledger of what arXiv 2403.16777 claims, and what numbers say."""
