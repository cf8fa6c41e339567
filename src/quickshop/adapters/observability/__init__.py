"""What the processes of a shop tell those who run it."""
