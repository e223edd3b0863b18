"""TFLite: converting a generator, proving that the files restore as it does, and running them."""
