"""Write the generated parts of docs/reference/ again: `python -m tests.documentation`."""

from tests.documentation.reference import write_all

write_all()
