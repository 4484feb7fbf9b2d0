"""`make demo`: real rotations of real credentials, watched, and what they claim put to the proof.

`scenes` is the order of what happens, on a `stage` of servers that run for real. What is shown
comes from observations only: CloudTrail's records, the function's log, DescribeSecret, logins.
"""
