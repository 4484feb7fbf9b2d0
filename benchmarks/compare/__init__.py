"""`make compare TEMPLATES=<checkout>`: AWS's rotation templates for PostgreSQL beside Rekey.

Both are deployed into one account on this machine and rotate secrets of the same shape on the same
PostgreSQL. Everything in the table is observed from outside: CloudTrail's records, the server's
log and catalogues, logins. Nothing of the templates is stored in this repository.
"""
