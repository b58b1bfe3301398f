"""Our worlds against values that others worked out: ``python -m experiments.validation`` prints the table."""
