"""Statistics and evaluation: paired comparisons on common random numbers."""
