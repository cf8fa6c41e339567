"""The HTTP edge: the code between the socket and a route."""
