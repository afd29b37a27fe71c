"""Webhooks: a company's outbox, sent to the product behind it."""
