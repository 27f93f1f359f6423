"""Who the user is to Entra: on-behalf-of tokens, their encrypted cache, the consent pages."""
