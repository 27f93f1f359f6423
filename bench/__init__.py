"""Measurements side by side with something simpler: `python -m bench`, or `make bench`."""
