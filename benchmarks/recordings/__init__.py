"""`make recordings LOCALSTACK=<checkout>`: LocalStack's tests against the account on this machine.

LocalStack publishes answers of the real Secrets Manager, marked AWS-validated, with the tests that
recorded them. Run here, they say where this account answers as AWS does. They are read in the
folder that the user names, and are no part of this repository.
"""
