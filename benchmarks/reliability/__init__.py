"""What the program survives: strangers' input, other writers, sudden ends."""
