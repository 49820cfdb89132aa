"""What may be claimed from scores. Imports no torch."""
