"""One module a card: a view goes in, an Adaptive Card comes out. No input or output here."""
