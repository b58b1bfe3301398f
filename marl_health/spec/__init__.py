"""The scenario language: reading YAML with places, quantities, numbers, conditions, what all kinds share."""
