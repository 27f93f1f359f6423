"""Appointment texts: from a form's values to a request to the batch that Graph is sent."""
