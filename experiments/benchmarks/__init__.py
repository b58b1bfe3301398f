"""Benchmark suites; each runs as python -m experiments.benchmarks.<name>."""
