"""Stand-ins for Entra, Graph and the Teams client, and the page that shows them.

Imports nothing of the product; the product is started beside it as its own process and reached
over HTTP alone.
"""
