"""Modules that run as, or within, functions of the account."""
