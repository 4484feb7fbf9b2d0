"""Measurements of the application as deployed; never run as tests."""
