"""Which runs a study has: its settings, their checks, and the grid. Imports no torch."""
