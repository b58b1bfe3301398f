"""Optima that are known: small dynamic programs and closed forms, from which scenarios take named policies."""
