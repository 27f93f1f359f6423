"""The only package that knows botbuilder: what Teams sends us and what we send back."""
