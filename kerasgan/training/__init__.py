"""A training run, from a configuration to a folder with everything in it."""
