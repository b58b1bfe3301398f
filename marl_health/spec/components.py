"""The components of every reward. They stand apart because environments need them and the language is slow to load."""

COMPONENTS = ("clinical", "efficiency", "financial", "risk", "compliance")
"""The five components of every reward, in the order in which they are reported."""
