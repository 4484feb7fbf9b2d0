"""Adapters to AWS."""
