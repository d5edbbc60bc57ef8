"""The policy: a pack of closed conditions, evaluated on facts, explained, and turned round. Pure."""

from __future__ import annotations

from governance.policy.advice import Advice, advice
from governance.policy.assessment import Assessment, Checked, Contradiction, GatePlan, RequiredStep, RuleStatus
from governance.policy.counterfactual import Change, WayOut, what_would_change
from governance.policy.errors import AnswerError, PackError
from governance.policy.evaluating import Pack, evaluate, measured_names, steps_on
from governance.policy.explaining import colour_sentence, explain, headline
from governance.policy.loading import load_pack, load_questionnaire
from governance.policy.matrix import route
from governance.policy.questionnaire import Question, Questionnaire, asked, missing, parse_answer
from governance.policy.replaying import replay, same_decision

__all__ = [
    "Advice",
    "AnswerError",
    "Assessment",
    "Change",
    "Checked",
    "Contradiction",
    "GatePlan",
    "Pack",
    "PackError",
    "Question",
    "Questionnaire",
    "RequiredStep",
    "RuleStatus",
    "WayOut",
    "advice",
    "asked",
    "colour_sentence",
    "evaluate",
    "explain",
    "headline",
    "load_pack",
    "load_questionnaire",
    "measured_names",
    "missing",
    "parse_answer",
    "replay",
    "route",
    "same_decision",
    "steps_on",
    "what_would_change",
]
