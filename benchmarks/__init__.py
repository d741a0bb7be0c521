"""How fast Linework is, and against what floor. `python -m benchmarks --help`."""
