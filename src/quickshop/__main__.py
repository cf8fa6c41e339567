"""`python -m quickshop`: the command line, where its script is not on the path."""

from quickshop.entrypoints.cli.app import main

main()
