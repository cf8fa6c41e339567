"""The whole core on its twins, with everything that can go wrong going wrong in an order that one
number decides: `python -m tests.simulation --seed 8123`.
"""
