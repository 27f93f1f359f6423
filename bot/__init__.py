"""Herald: appointment texts and teammates' notifications, sent in the user's own name."""
