"""Benchmarks that anyone can run: the engine beside other simulators, on trees grown here."""
