"""Coming in for the first time: by a one-time link, an invitation, or a sign-up."""
