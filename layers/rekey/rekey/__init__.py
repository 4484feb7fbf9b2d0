"""Rekey: rotate, repair and watch the credentials that live in AWS Secrets Manager."""
