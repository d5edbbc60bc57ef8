"""The cases of the demo organisation, each for a reason.

| system | version | ends as | shows |
|---|---|---|---|
| credit-default | 2.2.0 | approved | the champion: first deployment, reviewed by analyst and risk officer |
| credit-default | 2.3.0 | in review, analyst | a routine red case; ten explanations and the reason codes wait to be read |
| loan-limit | 1.0.0 | checks failed | a fairness failure: women are approved far less often; a waiver in progress |
| card-fraud | 3.0.0, 3.1.0 | approved; in review | same performance, other explanations: a feature was swapped for its double |
| basket-recommendations | 4.0.0 | approved | the shop's champion |
| basket-recommendations | 4.1.0 | approved by policy, live | a green retrain; a drift monitor opened a finding and an incident |
| basket-recommendations | 4.2.0 | in review, platform engineer | yellow: a new feature from the approved store; overdue |
| gift-recommendations | 1.0.0, 1.1.0 | approved; in review | personal data in training is no ban: it asks for the approval it
needs |
| offer-ranking | 1.0.0, 1.1.0 | approved; in review, budget owner | over budget; its A/B test meets another team's |
| readmission-risk | 0.9.0 | in review, risk officer | a resubmission: changes were requested and answered |
| diabetes-progression | 1.0.0 | checks failed | scikit-learn's bundled real data: 221 rows are too few to tell |

Beside the cases: reviewers who took their lessons, but for two (`learning.py`); a stricter limit with its back-test that waits
for the second person (`policy_change.py`); a webhook that is switched off (`webhook.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reviews.demo.cast import Cast
from reviews.demo.clinic import diabetes, readmission
from reviews.demo.lending import card_fraud, credit_default, loan_limit
from reviews.demo.shopping import basket, gifts, offers

STORIES: tuple[tuple[str, str, Callable[[Cast, Path], None]], ...] = (
    ("credit-default", "2.3.0", credit_default),
    ("basket-recommendations", "4.2.0", basket),
    ("loan-limit", "1.0.0", loan_limit),
    ("readmission-risk", "0.9.0", readmission),
    ("card-fraud", "3.1.0", card_fraud),
    ("gift-recommendations", "1.1.0", gifts),
    ("offer-ranking", "1.1.0", offers),
    ("diabetes-progression", "1.0.0", diabetes),
)
