"""The documentation as a program: its pages, their commands, and the references made from code."""
