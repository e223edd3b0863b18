"""A training run, from a configuration to a folder with everything in it."""

# First of all, since it refuses other backends of Keras before Keras fails on them.
import kerasgan.model  # noqa: F401
