"""The report page: one self-contained HTML file with everything a study found. `build` writes it."""
