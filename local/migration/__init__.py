"""What would happen to each secret that is moved from another rotation function to Rekey.

`python -m local.migration` looks at an account, and with `--connect` at its databases. It only
reads: every call to AWS lists, describes or gets, and every session on a database is read-only.
"""
