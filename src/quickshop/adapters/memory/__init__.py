"""The whole shop in memory, for tests, demos and notebooks. Data is lost when it ends."""
