"""Linking: which payment, report, budget line, proposal and document belongs to which plan or purchase.

`rules` lies at the bottom: what each rule joins, and its weights. Above it `text`, `numbers`, `suppliers`, `offices`
and `places` compare what is written; `scoring` holds blocks, rarity and probabilities; `contracts`, `plans`,
`proposals` and `packages` compare subjects; `year` links a fiscal year, whole or what changed of it. All are pure
functions of their input, whatever its order.
"""

from transforms.linking.packages import packages
from transforms.linking.rules import OFFICE, RULES, is_purchase
from transforms.linking.year import links

__all__ = ["OFFICE", "RULES", "is_purchase", "links", "packages"]
