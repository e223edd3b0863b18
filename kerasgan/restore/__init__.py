"""Pictures in, pictures out; with a .tflite file, without TensorFlow."""
