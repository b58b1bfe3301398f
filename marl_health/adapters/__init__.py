"""Thin adapters to learning libraries; each module imports its library and is imported only on demand."""
