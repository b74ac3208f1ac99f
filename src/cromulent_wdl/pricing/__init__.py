"""What things cost: a dated rate card, and pure arithmetic on it.

`card.toml` is shipped: every price with its unit, its date and where it was read. `card.py` looks up the prices of a
region and says which of them are another region's, because nobody knows better. `bill.py` is the arithmetic of a
Fargate task, `costs.py` that of a run, a fold over its events, and `idle.py` that of what a deployment keeps.
`refresh.py` asks AWS's Price List instead, and keeps the answer for 30 days. No price is ever made up:
what is not known for a region is us-east-1's, and called that.
"""
