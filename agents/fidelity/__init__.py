"""Agent against person: every error of a rating that this project publishes is computed here."""
