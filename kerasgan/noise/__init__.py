"""What damages pictures: one file a kind, all of them found by `kinds`."""
