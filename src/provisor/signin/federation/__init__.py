"""The relying party: companies' people who sign in with an account of a directory, ours or Entra ID itself."""
