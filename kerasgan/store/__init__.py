"""What lies on disk: files written whole, run folders, bundles, saved models."""
