"""Where clean images come from, and how they become batches of (noisy, clean)."""
