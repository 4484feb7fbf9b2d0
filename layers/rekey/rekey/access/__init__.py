"""Who reads the secrets: records made comparable, compared with what is known, and explained.

Nothing here reaches outside. Records come in as the JSON that CloudTrail delivers, what is known
comes in as items, and what comes out is what to store and what a person should be told.
"""
