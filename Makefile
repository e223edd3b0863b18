# The README's pictures, from a model that comes with kerasgan.
.PHONY: gallery
gallery:
	python docs/make_pictures.py
