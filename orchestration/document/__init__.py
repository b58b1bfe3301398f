"""A scenario documented for its readers after the STRESS-DES guideline, out of the scenario itself."""
