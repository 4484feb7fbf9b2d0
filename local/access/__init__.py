"""What an operator tells the watch over readers: the past that it has not seen, and what is meant.

`seed` learns from CloudTrail, `suppressions` keeps what people have decided not to be told about.
"""
