"""The whole shop in dictionaries, for tests, demonstrations and notebooks. Nothing is kept."""
