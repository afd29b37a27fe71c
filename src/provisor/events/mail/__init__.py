"""Messages to people: written in the transaction of their cause, sent over SMTP or a signed webhook, and kept."""
