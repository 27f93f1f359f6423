"""The Graph client: one session, typed errors, every endpoint named once."""
