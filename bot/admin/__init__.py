"""What administrators run: `python -m bot`."""
