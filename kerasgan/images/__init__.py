"""Picture files and arrays of pixels."""
