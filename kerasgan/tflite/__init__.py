"""TFLite: converting a generator, and proving that the files restore as it does."""

QUANTIZATIONS = ("float32", "float16", "dynamic", "int8")
# What an 8-bit file takes and gives.
NUMBERS = ("uint8", "int8", "float32")
