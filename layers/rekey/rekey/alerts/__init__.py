"""What a person should know, put so that it is understood, and said once."""
