"""Gates of the Acme bank."""
