"""Notifications: from a form's values to a request to the batches that Graph is sent."""
