"""The four strategies by which several workflows are trained, at equal budget."""
